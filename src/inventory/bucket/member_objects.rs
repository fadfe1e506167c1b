//! Looks for log objects of member accounts.

use super::own_bucket::OwnBucket;
use crate::aws::error::AwsResultExt;
use crate::aws::member_accounts::has_other_active_account;
use crate::error::Result;
use crate::inventory::Fact;
use crate::inventory::facts::MemberObjects;
use crate::inventory::log_objects::log_prefix;
use crate::inventory::read_scope::ReadScope;

impl OwnBucket<'_> {
    /// Looks for folders of other accounts below the log prefix of the organization. Not requested for the trail of one
    /// account, or if the organization is unknown.
    pub async fn member_objects(&self, scope: &ReadScope<'_>) -> Fact<MemberObjects> {
        match scope.organization.present() {
            Some(organization) if scope.trail.is_organization => {
                let prefix = log_prefix(Some(scope.trail), Some(organization));
                let owner = scope.trail.owner().unwrap_or(self.account);
                Fact::from_result(self.find_member_objects(&prefix, owner).await)
            }
            _ => Fact::NotRequested,
        }
    }

    /// Looks for the log objects of accounts other than that of the trail.
    async fn find_member_objects(&self, prefix: &str, owner: &str) -> Result<MemberObjects> {
        if self.has_other_account(prefix, owner).await? {
            return Ok(MemberObjects::Found);
        }
        let aws = self.clients.acquire().await;
        match has_other_active_account(&aws, owner).await {
            Ok(false) => Ok(MemberObjects::NoOtherAccount),
            Ok(true) => Ok(MemberObjects::Missing),
            // The organization probably has other accounts.
            Err(refusal) if refusal.is_denied() => Ok(MemberObjects::Missing),
            Err(failure) => Err(failure),
        }
    }

    async fn has_other_account(&self, prefix: &str, owner: &str) -> Result<bool> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .list_objects_v2()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .prefix(prefix)
            .delimiter("/")
            .send()
            .await
            .context_for("s3:ListBucket", || {
                format!("list the accounts with log objects under {prefix}")
            })?;
        let mut folders = found.common_prefixes().iter().filter_map(|folder| {
            let folder = folder.prefix()?.strip_prefix(prefix)?;
            folder.strip_suffix('/')
        });
        Ok(folders.any(|folder| is_account_id(folder) && folder != owner))
    }
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
