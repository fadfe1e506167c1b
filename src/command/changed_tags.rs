//! Stops a destroy if another tool changed the tags of the role. Destroy deletes what the tags describe, so it would leave
//! resources behind.

use super::Context;
use crate::aws::{Aws, lookup};
use crate::deployment::changed_tags::{
    ChangedTag, changed_bucket, changed_log_group, changed_region,
};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::option::Target;
use crate::shared_document::{function_policy, managed_policy};

/// Fails if a deployed policy names another region, bucket or log group than the tags of the role.
///
/// # Errors
/// Also if AWS refuses a call for another reason than a missing permission. The plan reports denied reads.
pub(super) async fn reject_changed_tags(
    context: &Context,
    aws: &Aws,
    target: &dyn Target,
) -> Result<()> {
    match find_changed_tag(aws, target).await {
        Ok(None) => Ok(()),
        Ok(Some(changed)) => Err(changed_tag_error(context, target, &changed)),
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
    // The region comes first, because no other service can be read in a wrong one.
    let mut changed = changed_region(scope, &target.queue_name(), &policy);
    if let (None, Some(objects)) = (&changed, target.log_objects()) {
        changed = changed_bucket(scope, key, objects.bucket, &policy);
    }
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
