//! The only writes of this room. Each is done because the operator asked for it by name and confirmed it.

use super::FixAction;
use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::{Error, Result};
use crate::inventory::Snapshot;

/// What the operator is asked before a repair, and the word that is taken for a yes.
pub struct Confirmation {
    pub prompt: String,
    pub expected_answer: String,
}

/// Every repair that the findings of the survey's option offer.
#[must_use]
pub fn available(survey: &Snapshot) -> Vec<(FixAction, String)> {
    super::checks(survey.route)
        .iter()
        .copied()
        .flatten()
        .filter(|check| {
            !survey
                .request
                .accepted_checks
                .iter()
                .any(|id| id == check.id)
        })
        .filter_map(|check| match (check.evaluate)(survey) {
            super::Verdict::Fail(finding) | super::Verdict::Warn(finding) => {
                Some((finding.fix.repair?, finding.observed))
            }
            _ => None,
        })
        .collect()
}

#[must_use]
pub fn confirmation(repair: FixAction, survey: &Snapshot, observed: &str) -> Confirmation {
    match repair {
        FixAction::StartLogging => {
            let trail = survey.trail().map_or("", |trail| trail.name.as_str());
            Confirmation {
                prompt: format!(
                    "Start trail {trail}? ({observed}.) It records and delivers as it did before it was stopped."
                ),
                expected_answer: "yes".into(),
            }
        }
        FixAction::SetRetentionToOneDay => {
            let found = survey.log_group.as_ref();
            let group = found.map_or("", |group| group.name.as_str());
            let place = found.map_or_else(String::new, |group| {
                format!(" (account {}, {})", group.account, group.region)
            });
            Confirmation {
                prompt: format!(
                    "Keep the events in log group {group}{place} for one day only? Now: {observed}.\n\
                     Whatever is older than a day is deleted from the group, for ever, for everybody who uses it."
                ),
                expected_answer: group.to_owned(),
            }
        }
    }
}

/// Does it.
///
/// # Errors
/// When AWS refuses.
pub async fn apply(aws: &Aws, repair: FixAction, survey: &Snapshot) -> Result<()> {
    let lost = || Error::failed("repair it", "what was to be repaired is not there any more");
    match repair {
        FixAction::StartLogging => {
            let trail = survey.trail().ok_or_else(lost)?;
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
            let group = survey.log_group.as_ref().ok_or_else(lost)?;
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
