//! The ARN of the subject of a group of checks.

use crate::aws::arn::{bucket_arn, build};
use crate::inventory::Snapshot;

/// Returns `None` if the subject is unknown, and for groups with several subjects, such as names.
pub(super) fn group_resource_arn(group: &str, snapshot: &Snapshot) -> Option<String> {
    let caller = snapshot.account.caller.as_ref().ok();
    let partition = &caller?.partition;
    match group {
        "account" | "caller" => caller.map(|caller| caller.arn.clone()),
        "org" => {
            let organization = snapshot.account.organization.present()?;
            let name = format!("organization/{}", organization.id);
            let payer = &organization.management_account;
            Some(build(partition, "organizations", "", payer, &name))
        }
        "trail" => snapshot.trail().map(|trail| trail.arn.clone()),
        "bucket" => {
            let bucket = snapshot.bucket.as_ref()?;
            Some(bucket_arn(partition, &bucket.name))
        }
        "key" => {
            let first = snapshot.bucket.as_ref()?.keys.first()?;
            let name = first.name();
            name.starts_with("arn:").then(|| name.to_owned())
        }
        "logs" => {
            let group = snapshot.log_group.as_ref()?;
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
