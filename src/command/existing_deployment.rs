//! The deployment that exists under the name prefix of this run.

use tokio::join;

use super::context::Context;
use super::next_steps::{OTHER_ACCOUNT_HINT, no_deployment_error};
use crate::aws::{Aws, CallerIdentity, lookup};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
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
    let deployment = deployment?.ok_or_else(|| no_deployment_error(context))?;
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
