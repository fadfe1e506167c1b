//! What the checks of a group are about, by its ARN.

use crate::aws::arn::build;
use crate::inventory::Snapshot;

/// Nothing where it is not known, and for a group that is about many things, such as the names that setup would take.
pub(super) fn group_resource_arn(group: &str, survey: &Snapshot) -> Option<String> {
    let caller = survey.account.caller.as_ref().ok();
    let partition = &caller?.partition;
    match group {
        "account" | "caller" => caller.map(|caller| caller.arn.clone()),
        "org" => {
            let organization = survey.account.organization.as_ref().ok()?.as_ref()?;
            let name = format!("organization/{}", organization.id);
            let payer = &organization.management_account;
            Some(build(partition, "organizations", "", payer, &name))
        }
        "trail" => survey.trail().map(|trail| trail.arn.clone()),
        "bucket" => {
            let bucket = survey.bucket.as_ref()?;
            Some(build(partition, "s3", "", "", &bucket.name))
        }
        "key" => {
            let first = survey.bucket.as_ref()?.keys.first()?;
            let name = first.name();
            name.starts_with("arn:").then(|| name.to_owned())
        }
        "logs" => {
            let group = survey.log_group.as_ref()?;
            let name = format!("log-group:{}", group.name);
            Some(build(
                partition,
                "logs",
                &group.region,
                &group.account,
                &name,
            ))
        }
        _ => None,
    }
}
