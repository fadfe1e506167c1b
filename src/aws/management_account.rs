//! Clients for the management account, which are used beside those of the account that has the log bucket.

use std::sync::Arc;

use super::{Aws, CallerIdentity};
use crate::error::Result;

/// The credentials for the account of the log bucket, if they differ from those for the management account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketCredentials {
    /// A profile of the AWS configuration.
    Profile(String),
    /// ARN of a role, which the credentials for the management account assume.
    Role(String),
}

/// The management account, with clients that only read.
#[derive(Clone)]
pub(super) struct ManagementAccount {
    pub identity: CallerIdentity,
    aws: Arc<Aws>,
}

impl ManagementAccount {
    /// Identifies the account of these clients.
    ///
    /// # Errors
    /// When there are no usable credentials, or AWS cannot be reached.
    pub async fn identify(aws: Aws) -> Result<Self> {
        Ok(Self {
            identity: aws.caller_identity().await?,
            aws: Arc::new(aws),
        })
    }

    /// Returns the account with changed clients.
    pub fn map(&self, change: impl FnOnce(&Aws) -> Aws) -> Self {
        Self {
            identity: self.identity.clone(),
            aws: Arc::new(change(&self.aws)),
        }
    }
}

impl Aws {
    /// Returns the clients that read the organization and its trails. They have credentials of their own if the log
    /// bucket belongs to another account than the trail.
    #[must_use]
    pub fn management(&self) -> &Self {
        let management = self.management.as_ref();
        management.map_or(self, |management| &management.aws)
    }

    /// Returns the identity in the management account, if it has credentials of its own.
    #[must_use]
    pub fn management_identity(&self) -> Option<&CallerIdentity> {
        let management = self.management.as_ref();
        management.map(|management| &management.identity)
    }

    /// Adds clients that read the organization and its trails.
    pub(super) fn with_management(self, management: ManagementAccount) -> Self {
        Self {
            management: Some(management),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;
    use crate::inventory::organization_trails::OrganizationTrails;

    const MANAGEMENT: &str = "111122223333";
    const LOG_ARCHIVE: &str = "222233334444";

    fn identity(account: &str) -> CannedResponse {
        CannedResponse::ok(format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/u</Arn>\
             <Account>{account}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
        ))
    }

    #[tokio::test]
    async fn organization_is_read_in_management_account() {
        let organization = r#"{"Organization": {"Id": "o-1", "MasterAccountId": "111122223333"}}"#;
        let trails = r#"{"trailList": []}"#;
        let (management, asked) = Aws::canned(vec![
            ("GetCallerIdentity", identity(MANAGEMENT)),
            ("DescribeOrganization", CannedResponse::ok(organization)),
            ("DescribeTrails", CannedResponse::ok(trails)),
        ]);
        let (aws, sent) = Aws::canned(vec![("GetCallerIdentity", identity(LOG_ARCHIVE))]);
        let management = ManagementAccount::identify(management).await;
        let aws = aws.with_management(management.expect("an identity"));
        // Clients for another region keep both accounts.
        let aws = aws.in_region("eu-west-1");
        let found = OrganizationTrails::read(&aws, None).await.expect("facts");
        assert_eq!(found.caller.account, LOG_ARCHIVE);
        let known = aws.management_identity().expect("an identity");
        assert_eq!(known.account, MANAGEMENT);
        assert_eq!(sent.operations(), ["GetCallerIdentity"]);
        let mut asked = asked.operations();
        asked.sort();
        assert_eq!(
            asked,
            [
                "DescribeOrganization",
                "DescribeTrails",
                "GetCallerIdentity"
            ]
        );
    }

    #[tokio::test]
    async fn one_account_reads_with_own_credentials() {
        let (aws, _) = Aws::canned(Vec::new());
        assert!(aws.management_identity().is_none());
        assert_eq!(aws.management().region(), aws.region());
    }
}
