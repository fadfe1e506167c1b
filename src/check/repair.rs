//! The only writes of this room. Each is done because the operator asked for it by name and confirmed it.

use super::Repair;
use super::survey::Survey;
use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::{Error, Result};

/// What the operator is asked before a repair, and the word that is taken for a yes.
pub struct Question {
    pub text: String,
    pub word: String,
}

/// Every repair that the findings of the survey's option offer.
#[must_use]
pub fn offered(survey: &Survey) -> Vec<(Repair, String)> {
    super::checks(survey.route)
        .iter()
        .copied()
        .flatten()
        .filter(|check| !survey.hints.accepted.iter().any(|id| id == check.id))
        .filter_map(|check| match (check.judge)(survey) {
            super::Verdict::Fail(finding) | super::Verdict::Warn(finding) => {
                Some((finding.fix.repair?, finding.observed))
            }
            _ => None,
        })
        .collect()
}

#[must_use]
pub fn question(repair: Repair, survey: &Survey, observed: &str) -> Question {
    match repair {
        Repair::StartLogging => {
            let trail = survey.trail().map_or("", |trail| trail.name.as_str());
            Question {
                text: format!(
                    "Start trail {trail}? ({observed}.) It records and delivers as it did before it was stopped."
                ),
                word: "yes".into(),
            }
        }
        Repair::RetentionOfOneDay => {
            let found = survey.log_group.as_ref();
            let group = found.map_or("", |group| group.name.as_str());
            let place = found.map_or_else(String::new, |group| {
                format!(" (account {}, {})", group.account, group.region)
            });
            Question {
                text: format!(
                    "Keep the events in log group {group}{place} for one day only? Now: {observed}.\n\
                     Whatever is older than a day is deleted from the group, for ever, for everybody who uses it."
                ),
                word: group.to_owned(),
            }
        }
    }
}

/// Does it.
///
/// # Errors
/// When AWS refuses.
pub async fn repair(aws: &Aws, repair: Repair, survey: &Survey) -> Result<()> {
    let lost = || Error::unanswered("repair it", "what was to be repaired is not there any more");
    match repair {
        Repair::StartLogging => {
            let trail = survey.trail().ok_or_else(lost)?;
            let aws = aws.at(&trail.home);
            aws.cloudtrail
                .start_logging()
                .name(&trail.arn)
                .send()
                .await
                .doing("cloudtrail:StartLogging", || {
                    format!("start trail {}", trail.name)
                })?;
        }
        Repair::RetentionOfOneDay => {
            let group = survey.log_group.as_ref().ok_or_else(lost)?;
            let aws = aws.at(&group.region);
            aws.logs
                .put_retention_policy()
                .log_group_name(&group.name)
                .retention_in_days(1)
                .send()
                .await
                .doing("logs:PutRetentionPolicy", || {
                    format!("set the retention of log group {}", group.name)
                })?;
        }
    }
    Ok(())
}
