//! Verdicts on the bucket policy: may Heeler read log objects, and may CloudTrail deliver them for every account?

use super::with_own_bucket;
use crate::aws::arn::bucket_arn;
use crate::check::policy_request::{
    decide, delivering_trail, describe_deny, describe_unknown, heeler, known_policy,
    log_object_arn, partition,
};
use crate::check::{CheckId, Finding, Verdict, shell_quote, skipped_because};
use crate::iam::evaluate::{Decision, ResourcePolicy};
use crate::inventory::facts::BucketFacts;
use crate::inventory::{Fact, Snapshot};

/// Evaluates `s3:GetObject` for the role.
pub(super) fn policy(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let policy = match known_policy(&bucket.policy, CheckId::BucketOwner, &bucket.name) {
            Ok(_) if matches!(bucket.policy, Fact::Absent) => {
                return Verdict::Pass("no bucket policy".into());
            }
            Ok(policy) => policy,
            Err(verdict) => return *verdict,
        };
        let (action, vendor) = ("s3:GetObject", snapshot.vendor());
        let decision = decide(
            &heeler(snapshot),
            action,
            &log_object_arn(snapshot),
            snapshot.account_id().unwrap_or_default(),
            ResourcePolicy::Resource(policy),
        );
        let finding = |observed: String| {
            let role = snapshot.access_role_arn().unwrap_or_default();
            show_policy(bucket, Finding::new(observed, format!("no Deny that applies to {vendor}")))
                .because(format!("{vendor} reads from its own network with the role that setup creates; after four denied attempts, the message moves to the dead-letter queue"))
                .advice(format!("exempt {role} with a condition on aws:PrincipalArn"))
        };
        match decision {
            Decision::Allow | Decision::ImplicitDeny(_) => {
                Verdict::Pass(format!("no statement denies {vendor} access"))
            }
            Decision::ExplicitDeny(statement) => {
                Verdict::Warn(finding(describe_deny(&statement, action)))
            }
            Decision::Unknown(missing) => Verdict::Undetermined(finding(describe_unknown(
                &missing,
                action,
                &format!("the requests of {vendor}"),
            ))),
        }
    })
}

/// Evaluates `s3:PutObject` for CloudTrail, with the log files of the trail's account and of another account of the organization.
pub(super) fn delivery(snapshot: &Snapshot) -> Verdict {
    with_own_bucket(snapshot, |bucket| {
        let Some(trail) = snapshot.trail() else {
            return skipped_because(CheckId::TrailFound);
        };
        if trail.is_organization {
            match &snapshot.account.organization {
                Fact::Present(_) => {}
                Fact::Failed(error) => return Verdict::Unknown(error.clone()),
                Fact::NotRequested | Fact::Absent => return skipped_because(CheckId::OrgExists),
            }
        }
        let policy = match known_policy(&bucket.policy, CheckId::BucketOwner, &bucket.name) {
            Ok(policy) => policy,
            Err(verdict) => return *verdict,
        };
        let account = snapshot.account_id().unwrap_or_default();
        let owner = trail.owner().unwrap_or(account);
        let arn = bucket_arn(partition(snapshot), &bucket.name);
        let caller = delivering_trail(snapshot, trail);
        let shared = snapshot.log_prefix();
        let prefixes = delivery_prefixes(&shared, trail.is_organization, owner);
        let (mut denied, mut undetermined) = (None, None);
        for prefix in &prefixes {
            let object = format!("{arn}/{prefix}CloudTrail/object");
            let resource = ResourcePolicy::Resource(policy.clone());
            match decide(&caller, "s3:PutObject", &object, account, resource) {
                Decision::Allow => {}
                Decision::ExplicitDeny(statement) => {
                    denied = denied.or(Some(describe_deny(&statement, "s3:PutObject")));
                }
                Decision::ImplicitDeny(_) => {
                    denied = denied.or(Some(format!(
                        "the policy of {} does not allow CloudTrail to write to {prefix}",
                        bucket.name
                    )));
                }
                Decision::Unknown(missing) => {
                    let text = describe_unknown(&missing, "s3:PutObject", "CloudTrail's requests");
                    undetermined = undetermined.or(Some(text));
                }
            }
        }
        let finding = |observed: String| {
            show_policy(
                bucket,
                Finding::new(
                    observed,
                    format!("a statement that allows s3:PutObject on {arn}/{shared}* to trail {}", trail.arn),
                ),
            )
            .because("log files of accounts that the policy does not cover are not delivered, so Heeler does not receive their events")
            .advice(format!(
                "allow cloudtrail.amazonaws.com s3:PutObject on {arn}/{shared}* with the condition aws:SourceArn = {}",
                trail.arn
            ))
        };
        match (denied, undetermined) {
            (Some(observed), _) => Verdict::Warn(finding(observed)),
            (None, Some(observed)) => Verdict::Undetermined(finding(observed)),
            (None, None) => Verdict::Pass(format!("trail {} may write to {shared}", trail.name)),
        }
    })
}

/// An account ID that stands for any member account.
const ANY_MEMBER_ACCOUNT: &str = "000000000000";

/// Returns the prefixes of log files: of the trail's account, and of a member account if the trail is of an organization.
fn delivery_prefixes(log_prefix: &str, is_organization: bool, account: &str) -> Vec<String> {
    let accounts = if is_organization {
        vec![account, ANY_MEMBER_ACCOUNT]
    } else {
        vec![account]
    };
    let accounts = accounts.into_iter();
    accounts
        .map(|account| format!("{log_prefix}{account}/"))
        .collect()
}

/// Adds where the bucket policy is shown.
fn show_policy(bucket: &BucketFacts, finding: Finding) -> Finding {
    finding
        .console(format!(
            "S3 > {} > Permissions > Bucket policy",
            bucket.name
        ))
        .cli(format!(
            "aws s3api get-bucket-policy --bucket {} --query Policy --output text",
            shell_quote(&bucket.name)
        ))
}
