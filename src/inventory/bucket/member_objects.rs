//! Looks for log objects of member accounts.

use super::own_bucket::OwnBucket;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::inventory::Fact;
use crate::inventory::log_objects::log_prefix;
use crate::inventory::read_scope::ReadScope;

impl OwnBucket<'_> {
    /// Returns true if the log prefix of the organization has folders of other accounts, with one call. Not requested
    /// for the trail of one account, or if the organization is unknown.
    pub async fn member_objects(&self, scope: &ReadScope<'_>) -> Fact<bool> {
        match scope.organization.present() {
            Some(organization) if scope.trail.is_organization => {
                let prefix = log_prefix(Some(scope.trail), Some(organization));
                Fact::from_result(self.has_other_account(&prefix).await)
            }
            _ => Fact::NotRequested,
        }
    }

    async fn has_other_account(&self, prefix: &str) -> Result<bool> {
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
        Ok(folders.any(|folder| is_account_id(folder) && folder != self.account))
    }
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
