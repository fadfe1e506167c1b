//! The screen of `heeler-ec` without arguments: the deployments of the account and the next command. It makes only
//! reading calls.

use futures_util::{StreamExt, stream};

use super::existing_deployment::{check_account, find_all_deployments};
use super::{CommandOutcome, Context};
use crate::aws::{Aws, CallerIdentity};
use crate::cli;
use crate::deployment::Deployment;
use crate::error::{Exit, Result};
use crate::hop::{HopId, HopStatus, PipelineHealth};
use crate::inventory::pipeline;
use crate::naming::ResourceNames;
use crate::option::existing_target;
use crate::render::document::Document;
use crate::render::overview::{
    Overview, OverviewContent, OverviewHealth, OverviewRow, overview_text,
};

/// The most important commands, in the order of their use.
const COMMANDS: [&str; 6] = ["preflight", "plan", "setup", "outputs", "status", "tail"];
/// Number of deployments that are read at the same time.
const CONCURRENT_DEPLOYMENTS: usize = 4;

pub(super) async fn run(context: &Context) -> Result<CommandOutcome> {
    let commands = cli::summaries(COMMANDS);
    let connected = connect(context).await;
    let shown = match &connected {
        Ok((aws, caller)) => OverviewContent::Deployments(read(context, aws, caller).await?),
        Err(error) if error.exit() == Exit::Failed && !error.is_unreachable() => {
            OverviewContent::NoCredentials(error.reason())
        }
        Err(error) => return Err(error.clone()),
    };
    let text = overview_text(&context.ui, &shown, &commands);
    Ok(CommandOutcome::result(Document::Text(text)))
}

async fn connect(context: &Context) -> Result<(Aws, CallerIdentity)> {
    let aws = context.connect().await?;
    let caller = aws.caller_identity().await?;
    check_account(context, &caller.account)?;
    Ok((aws, caller))
}

async fn read(context: &Context, aws: &Aws, caller: &CallerIdentity) -> Result<Overview> {
    let found = find_all_deployments(aws).await?;
    let rows = stream::iter(&found)
        .map(|(names, deployment)| read_row(aws, caller, names, deployment))
        .buffered(CONCURRENT_DEPLOYMENTS)
        .collect();
    let rows: Vec<OverviewRow> = rows.await;
    Ok(Overview {
        default_prefix: context.global.name_prefix.clone(),
        account: caller.account.clone(),
        rows,
    })
}

async fn read_row(
    aws: &Aws,
    caller: &CallerIdentity,
    names: &ResourceNames,
    deployment: &Deployment,
) -> OverviewRow {
    let health = read_health(aws, caller, names, deployment).await;
    OverviewRow {
        name_prefix: names.prefix().to_owned(),
        option: deployment.option.clone(),
        region: deployment.region.clone(),
        health: health.unwrap_or_else(|error| OverviewHealth::Unknown(error.to_string())),
    }
}

async fn read_health(
    aws: &Aws,
    caller: &CallerIdentity,
    names: &ResourceNames,
    deployment: &Deployment,
) -> Result<OverviewHealth> {
    let target = existing_target(deployment, caller, names.clone())?;
    let aws = aws.in_region(&deployment.region);
    let facts = pipeline::read(&aws, target.pipeline_request()).await;
    let health = PipelineHealth::new(target.hops(&facts));
    if let Some(cause) = health.cause() {
        return Ok(OverviewHealth::Broken(cause.id.as_str()));
    }
    let harvest = health.hops.iter().find(|hop| hop.id == HopId::Harvest);
    let is_polled = harvest.is_some_and(|hop| hop.status == HopStatus::Ok);
    Ok(OverviewHealth::Healthy { is_polled })
}
