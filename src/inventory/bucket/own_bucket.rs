//! Reads the settings of a bucket of this account: policy, object ownership, lifecycle and request payment.

use aws_sdk_s3::types::{ExpirationStatus, LifecycleRule as Rule, Payer};
use aws_smithy_types::DateTime;

use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;
use crate::inventory::facts::{LifecycleRule, LifecycleTiming};
use crate::inventory::limiter::LimitedClients;
use crate::inventory::trail::system_time;

/// A bucket of this account, with clients for its region.
pub struct OwnBucket<'a> {
    pub clients: &'a LimitedClients,
    pub name: &'a str,
    pub account: &'a str,
}

impl OwnBucket<'_> {
    pub async fn policy(&self) -> Result<Option<String>> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_policy()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for("s3:GetBucketPolicy", not_found::BUCKET_POLICY, || {
                format!("read the policy of bucket {}", self.name)
            })?;
        Ok(found.and_then(|found| found.policy))
    }

    pub async fn object_ownership(&self) -> Result<Option<String>> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_ownership_controls()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetBucketOwnershipControls",
                not_found::BUCKET_OWNERSHIP_CONTROLS,
                || format!("read the object ownership of bucket {}", self.name),
            )?;
        Ok(found
            .and_then(|found| found.ownership_controls)
            .and_then(|found| found.rules.into_iter().next())
            .map(|rule| rule.object_ownership.as_str().to_owned()))
    }

    pub async fn lifecycle(&self) -> Result<Vec<LifecycleRule>> {
        let aws = self.clients.acquire().await;
        let found = aws
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .optional_for(
                "s3:GetLifecycleConfiguration",
                not_found::BUCKET_LIFECYCLE,
                || format!("read the lifecycle rules of bucket {}", self.name),
            )?;
        let rules = found.and_then(|found| found.rules).unwrap_or_default();
        Ok(rules.iter().filter_map(lifecycle_rule).collect())
    }

    pub async fn requester_pays(&self) -> Result<bool> {
        let aws = self.clients.acquire().await;
        aws.s3
            .get_bucket_request_payment()
            .bucket(self.name)
            .expected_bucket_owner(self.account)
            .send()
            .await
            .context_for("s3:GetBucketRequestPayment", || {
                format!("read the request payment settings of bucket {}", self.name)
            })
            .map(|found| found.payer() == Some(&Payer::Requester))
    }
}

/// Converts a rule that is enabled and filters by prefix only. Returns `None` for other rules.
fn lifecycle_rule(rule: &Rule) -> Option<LifecycleRule> {
    if *rule.status() != ExpirationStatus::Enabled {
        return None;
    }
    let filter = rule.filter();
    let by_tag = filter.is_some_and(|filter| {
        filter.tag().is_some() || filter.and().is_some_and(|and| !and.tags().is_empty())
    });
    if by_tag {
        return None;
    }
    #[expect(deprecated, reason = "old rules have their prefix in this field")]
    let prefix = filter
        .and_then(|filter| {
            filter
                .prefix()
                .or(filter.and().and_then(|and| and.prefix()))
        })
        .or(rule.prefix());
    Some(LifecycleRule {
        id: rule.id().unwrap_or_default().to_owned(),
        prefix: prefix.unwrap_or_default().to_owned(),
        expires: rule
            .expiration()
            .and_then(|expires| lifecycle_timing(expires.days(), expires.date())),
        transitions: rule
            .transitions()
            .iter()
            .filter_map(|to| {
                let class = to.storage_class()?.as_str().to_owned();
                Some((class, lifecycle_timing(to.days(), to.date())?))
            })
            .collect(),
    })
}

fn lifecycle_timing(days: Option<i32>, date: Option<&DateTime>) -> Option<LifecycleTiming> {
    days.map(LifecycleTiming::AfterDays)
        .or_else(|| system_time(date).map(LifecycleTiming::OnDate))
}
