//! Stops a destroy that would leave resources behind: another tool changed the tags of the role, or the search without
//! tags found another place than that of the deployment. Stops a plan in a wrong region.

use serde_json::Value;

use super::Context;
use crate::aws::queue_url::queue_url;
use crate::aws::{Aws, lookup};
use crate::deployment::changed_tags::{
    ChangedTag, changed_bucket, changed_log_group, changed_region, changed_topic,
};
use crate::deployment::tags::REGION;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::option::Target;
use crate::shared_document::{function_policy, managed_policy, queue_policy};

/// The origin of the target of a destroy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetOrigin {
    RoleTags,
    /// The role or some of its tags are missing, so the arguments or the trail led to the target.
    Search,
}

/// Fails if a deployed policy names another region, bucket or log group than the tags of the role or the search.
///
/// # Errors
/// Also if AWS refuses a call for another reason than a missing permission. The plan reports denied reads.
pub(super) async fn reject_changed_tags(
    context: &Context,
    aws: &Aws,
    target: &dyn Target,
    origin: TargetOrigin,
) -> Result<()> {
    match find_changed_tag(aws, target, origin).await {
        Ok(None) => Ok(()),
        Ok(Some(changed)) => Err(match origin {
            TargetOrigin::RoleTags => {
                changed_tag_error(context, target, &changed, "heeler-ec destroy")
            }
            TargetOrigin::Search => other_place_error(context, target, &changed),
        }),
        Err(refusal) if refusal.is_denied() => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Returns an error if the deployed policy names another region than the tag of the role. Without this check, a plan shows
/// every resource of the region as missing. Returns `None` if the policy cannot be read: the plan reports refusals.
pub(super) async fn changed_region_error(
    context: &Context,
    aws: &Aws,
    target: &dyn Target,
) -> Option<Error> {
    let policy = policy_of_role(aws, target).await.ok()?;
    let changed = changed_region(target.scope(), &target.queue_name(), &policy)?;
    let command = "heeler-ec plan";
    Some(changed_tag_error(context, target, &changed, command))
}

/// Reads the policy of the role that Heeler assumes; null if it does not exist.
async fn policy_of_role(aws: &Aws, target: &dyn Target) -> Result<Value> {
    let scope = target.scope();
    let policy = scope.policy_arn(&scope.names.policy());
    let policy = match lookup::managed_policy(aws, &policy).await? {
        Some(policy) => managed_policy::read_default_version(aws, &policy).await?,
        None => None,
    };
    Ok(policy.unwrap_or_default())
}

async fn find_changed_tag(
    aws: &Aws,
    target: &dyn Target,
    origin: TargetOrigin,
) -> Result<Option<ChangedTag>> {
    let (scope, key) = (target.scope(), target.option().target_tag());
    let policy = policy_of_role(aws, target).await?;
    // A search takes the region of the bucket, so the bucket comes first.
    let objects = target.log_objects();
    let changed = objects.and_then(|objects| changed_bucket(scope, key, objects.bucket, &policy));
    // No other service can be read in a wrong region, so the region comes next.
    let mut changed = changed.or_else(|| changed_region(scope, &target.queue_name(), &policy));
    if let (None, Some(group)) = (&changed, target.log_group()) {
        let function = scope.names.function();
        let statements = function_policy::read_statements(aws, &function).await?;
        changed = changed_log_group(scope, key, group, &statements);
    }
    // A search knows only the managed topic.
    let topic = target.topic_tag().zip(target.topic_arn());
    if let (None, TargetOrigin::RoleTags, Some((key, topic))) = (&changed, origin, topic) {
        let queue = target.queue_name();
        let policy = match queue_url(aws, &queue).await? {
            Some(url) => {
                queue_policy::read(aws, &url, || format!("read sqs queue {queue}")).await?
            }
            None => None,
        };
        let policy = serde_json::from_str(&policy.unwrap_or_default()).unwrap_or_default();
        changed = changed_topic(scope, key, &topic, &queue, &policy);
    }
    Ok(changed)
}

fn changed_tag_error(
    context: &Context,
    target: &dyn Target,
    changed: &ChangedTag,
    command: &str,
) -> Error {
    let ChangedTag {
        key,
        found,
        deployed,
        policy,
    } = changed;
    let role = target.scope().names.role();
    let found = if found.is_empty() { "missing" } else { found };
    // The tag of the topic exists only if it is not the managed one.
    let is_added =
        target.topic_tag() == Some(*key) && *deployed == target.scope().managed_topic_arn();
    let restore = if is_added {
        format!("aws iam untag-role --role-name {role} --tag-keys {key}")
    } else {
        format!("aws iam tag-role --role-name {role} --tags Key={key},Value={deployed}")
    };
    let hint = Hint::from("another tool may have changed the tag; restore it with ")
        .and_command(restore)
        .and(&Hint::from(", then run ").and_command(command))
        .and(&Hint::from(" again"));
    Error::negative(format!(
        "the tag {key} of iam role {role} is {found}, but {policy} names {deployed}; {}",
        context.writes.unchanged_notice()
    ))
    .with_hint(hint)
}

/// Creates the error if the target of a search without tags differs from the deployed policies.
fn other_place_error(context: &Context, target: &dyn Target, changed: &ChangedTag) -> Error {
    let ChangedTag {
        key,
        found,
        deployed,
        policy,
    } = changed;
    let region = &target.scope().region;
    let (noun, options) = match (*key == REGION, target.log_group()) {
        (true, Some(group)) => (
            "region",
            Some(format!("--region {deployed} --log-group {group}")),
        ),
        (true, None) => ("region", None),
        (false, Some(_)) => (
            "log group",
            Some(format!("--region {region} --log-group {deployed}")),
        ),
        (false, None) => ("bucket", Some(format!("--bucket {deployed}"))),
    };
    let hint = match options {
        Some(options) => Hint::from("if the policy is right, run ")
            .and_command(format!("heeler-ec destroy {options}")),
        // The region is always that of the bucket.
        None => Hint::from(format!(
            "the bucket is in another region than at setup; delete the resources in {deployed} with the AWS CLI"
        )),
    };
    Error::negative(format!(
        "the role has no complete tags, and the search found {noun} {found}, but {policy} names {deployed}; {}",
        context.writes.unchanged_notice()
    ))
    .with_hint(hint)
}
