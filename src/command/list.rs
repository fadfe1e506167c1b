//! Lists the deployments of the account. It makes only reading calls.

use tokio::join;

use super::existing_deployment::{check_account, find_all_deployments};
use super::{CommandOutcome, Context};
use crate::error::Result;
use crate::render::list::{ListedDeployment, list_document};

pub(super) async fn run(context: &Context) -> Result<CommandOutcome> {
    let aws = context.connect().await?;
    let (caller, found) = join!(aws.caller_identity(), find_all_deployments(&aws));
    let caller = caller?;
    check_account(context, &caller.account)?;
    let found = found?;
    let rows: Vec<ListedDeployment<'_>> = found
        .iter()
        .map(|(names, deployment)| ListedDeployment {
            name_prefix: names.prefix(),
            option: &deployment.option,
            region: &deployment.region,
            role_arn: &deployment.role_arn,
        })
        .collect();
    let document = list_document(&context.ui, &caller.account, &rows);
    Ok(CommandOutcome::result(document))
}
