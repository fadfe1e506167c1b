//! The deployments of the account: the one under the name prefix of this run, and all others.

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::join;

use super::context::Context;
use super::next_steps::{OTHER_ACCOUNT_HINT, no_deployment_error};
use crate::aws::role_names::role_names;
use crate::aws::{Aws, CallerIdentity, lookup};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::naming::ResourceNames;
use crate::option;
use crate::shared_document::role_trust::IamRole;

/// Reads the role of the name prefix, with any owner.
pub(crate) async fn find_role(context: &Context, aws: &Aws) -> Result<Option<IamRole>> {
    lookup::role(aws, &context.names().role()).await
}

/// Reads the deployment from the tags of its role.
pub(crate) async fn find_deployment(context: &Context, aws: &Aws) -> Result<Option<Deployment>> {
    let role = find_role(context, aws).await?;
    Ok(role.as_ref().and_then(option::deployment_of))
}

/// Finds every deployment of the account, in the order of the name prefixes. It lists all roles, and reads the tags only
/// of those with the name of a role of Heeler.
///
/// # Errors
/// When IAM refuses a call.
pub(crate) async fn find_all_deployments(aws: &Aws) -> Result<Vec<(ResourceNames, Deployment)>> {
    const CONCURRENT_READS: usize = 8;
    let mut names = role_names(aws, |name| ResourceNames::from_role_name(name).is_some()).await?;
    names.sort_unstable();
    let roles = stream::iter(names).map(async |name| {
        let role = lookup::role(aws, &name).await?;
        let deployment = role.as_ref().and_then(option::deployment_of);
        Ok(ResourceNames::from_role_name(&name).zip(deployment))
    });
    let found: Vec<Option<_>> = roles.buffered(CONCURRENT_READS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Names the deployments under other name prefixes. Returns `None` if there are none, or if they cannot be listed.
pub(crate) async fn other_deployment_hint(aws: &Aws) -> Option<Hint> {
    let others = find_all_deployments(aws).await.unwrap_or_default();
    match others.as_slice() {
        [] => None,
        [(names, deployment)] => Some(
            Hint::from(format!(
                "option {} is deployed under another prefix: add --name-prefix {}; to list all deployments: ",
                deployment.option,
                names.prefix()
            ))
            .and_command("heeler-ec list"),
        ),
        several => {
            let count = several.len();
            let text = format!("there are {count} deployments under other prefixes; to list them: ");
            Some(Hint::from(text).and_command("heeler-ec list"))
        }
    }
}

/// Reads the deployment; returns it with clients for its region.
///
/// # Errors
/// A negative result if nothing is deployed, or if the credentials are for another account than `--account-id`.
pub(crate) async fn require_deployment(
    context: &Context,
) -> Result<(Aws, CallerIdentity, Deployment)> {
    let aws = context.connect().await?;
    let (caller, deployment) = join!(aws.caller_identity(), find_deployment(context, &aws));
    let caller = caller?;
    check_account(context, &caller.account)?;
    let Some(deployment) = deployment? else {
        let error = no_deployment_error(context);
        return Err(match other_deployment_hint(&aws).await {
            Some(hint) => error.with_hint(hint),
            None => error,
        });
    };
    Ok((aws.in_region(&deployment.region), caller, deployment))
}

/// Fails if `--account-id` names another account.
pub(crate) fn check_account(context: &Context, account: &str) -> Result<()> {
    match &context.global.account_id {
        Some(expected) if expected != account => Err(Error::negative(format!(
            "wrong account: the credentials are for {account}, but --account-id is {expected}"
        ))
        .with_hint(OTHER_ACCOUNT_HINT)),
        _ => Ok(()),
    }
}
