//! The changes that `preflight --fix` can make. Each is requested and confirmed by the operator.

use super::{Check, FixAction, Verdict};
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};
use crate::inventory::Snapshot;

/// A question to the operator, and the answer that confirms it.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub prompt: String,
    /// The text that confirms a destructive change. `None` if `y` is enough.
    pub expected_answer: Option<String>,
}

/// Returns every change that the findings offer, each with what was observed.
#[must_use]
pub fn available(
    snapshot: &Snapshot,
    checks: &'static [&'static [Check]],
) -> Vec<(FixAction, String)> {
    checks
        .iter()
        .copied()
        .flatten()
        .filter(|check| !check.id.is_accepted(snapshot))
        .filter_map(|check| match (check.evaluate)(snapshot) {
            Verdict::Fail(finding) | Verdict::Warn(finding) => {
                Some((finding.fix.action?, finding.observed))
            }
            _ => None,
        })
        .collect()
}

#[must_use]
pub fn confirmation(repair: FixAction, snapshot: &Snapshot, observed: &str) -> Confirmation {
    match repair {
        FixAction::StartLogging => {
            let trail = snapshot.trail().map_or("", |trail| trail.name.as_str());
            Confirmation {
                prompt: format!(
                    "Start trail {trail}? ({observed}.) It will record and deliver events as it did before it was stopped."
                ),
                expected_answer: None,
            }
        }
        FixAction::SetRetentionToOneDay => {
            let found = snapshot.log_group.as_ref();
            let group = found.map_or("", |group| group.name.as_str());
            let place = found.map_or_else(String::new, |group| {
                format!(" (account {}, {})", group.account, group.region)
            });
            Confirmation {
                prompt: format!(
                    "Set the retention of log group {group}{place} to one day? Current retention: {observed}.\n\
                     This permanently deletes all events older than one day, for every user of the log group."
                ),
                expected_answer: Some(group.to_owned()),
            }
        }
    }
}

/// Makes the change.
///
/// # Errors
/// Returns the error of the call.
pub async fn apply(aws: &Aws, repair: FixAction, snapshot: &Snapshot) -> Result<()> {
    let lost = || Error::failed("apply the fix", "the resource to fix no longer exists");
    match repair {
        FixAction::StartLogging => {
            let trail = snapshot.trail().ok_or_else(lost)?;
            let aws = aws.in_region(&trail.home_region);
            aws.cloudtrail
                .start_logging()
                .name(&trail.arn)
                .send()
                .await
                .context_for("cloudtrail:StartLogging", || {
                    format!("start trail {}", trail.name)
                })?;
        }
        FixAction::SetRetentionToOneDay => {
            let group = snapshot.log_group.as_ref().ok_or_else(lost)?;
            let aws = aws.in_region(&group.region);
            aws.logs
                .put_retention_policy()
                .log_group_name(&group.name)
                .retention_in_days(1)
                .send()
                .await
                .context_for("logs:PutRetentionPolicy", || {
                    format!("set the retention of log group {}", group.name)
                })?;
        }
    }
    Ok(())
}
