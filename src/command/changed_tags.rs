//! Stops a destroy that would leave resources behind: another tool changed the tags of the role, or the search without
//! tags found another place than that of the deployment.

use super::Context;
use crate::aws::{Aws, lookup};
use crate::deployment::changed_tags::{
    ChangedTag, changed_bucket, changed_log_group, changed_region,
};
use crate::deployment::tags::REGION;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::option::Target;
use crate::shared_document::{function_policy, managed_policy};

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
    match find_changed_tag(aws, target).await {
        Ok(None) => Ok(()),
        Ok(Some(changed)) => Err(match origin {
            TargetOrigin::RoleTags => changed_tag_error(context, target, &changed),
            TargetOrigin::Search => other_place_error(context, target, &changed),
        }),
        Err(refusal) if refusal.is_denied() => Ok(()),
        Err(failure) => Err(failure),
    }
}

async fn find_changed_tag(aws: &Aws, target: &dyn Target) -> Result<Option<ChangedTag>> {
    let (scope, key) = (target.scope(), target.option().target_tag());
    let policy = scope.policy_arn(&scope.names.policy());
    let policy = match lookup::managed_policy(aws, &policy).await? {
        Some(policy) => managed_policy::read_default_version(aws, &policy).await?,
        None => None,
    };
    let policy = policy.unwrap_or_default();
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
    Ok(changed)
}

fn changed_tag_error(context: &Context, target: &dyn Target, changed: &ChangedTag) -> Error {
    let ChangedTag {
        key,
        found,
        deployed,
        policy,
    } = changed;
    let role = target.scope().names.role();
    let found = if found.is_empty() { "missing" } else { found };
    let hint = Hint::from("another tool may have changed the tag; restore it with ")
        .and_command(format!(
            "aws iam tag-role --role-name {role} --tags Key={key},Value={deployed}"
        ))
        .and(&Hint::from(", then run `heeler-ec destroy` again"));
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
