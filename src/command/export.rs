//! Prints the deployment, or its trail, as configuration of another tool.

use std::collections::BTreeMap;

use super::existing_deployment::{check_account, require_deployment};
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::aws::clients::Clients;
use crate::cli;
use crate::coverage::{OrganizationScope, RegionName, TrailBucket};
use crate::error::{Error, Result};
use crate::export::athena::{AthenaTrail, statements};
use crate::export::terraform::{ImportTarget, imports, terraform_text};
use crate::export::{ExportContext, ExportedResource};
use crate::inventory::organization_trails::OrganizationTrails;
use crate::option::existing_target;
use crate::reconcile::graph::Output;
use crate::reconcile::plan::{Plan, PlanStep};
use crate::render::document::Document;
use crate::render::notices::export::ExportNotice;
use crate::render::{self, OutputFormat};
use crate::severity::SeverityTable;

pub(super) async fn run(context: &Context, args: cli::ExportArgs) -> Result<CommandOutcome> {
    match args.form {
        cli::ExportFormat::Athena => athena(context, args.trail.as_deref()).await,
        cli::ExportFormat::Terraform if args.trail.is_some() => {
            Err(Error::usage("--trail applies only to export athena"))
        }
        cli::ExportFormat::Terraform => terraform(context).await,
    }
}

/// Prints statements for the log files of the trail.
async fn athena(context: &Context, trail: Option<&str>) -> Result<CommandOutcome> {
    let aws = context.connect().await?;
    let trails = OrganizationTrails::read(&aws, trail).await?;
    check_account(context, &trails.caller.account)?;
    let target = TrailBucket::find(&aws, &trails, trail).await?;
    let scope = OrganizationScope::read(&aws, &target).await?;
    let text = |names: &[RegionName]| {
        names
            .iter()
            .map(|name| String::from(name.clone()))
            .collect()
    };
    let is_usable = |id: &String| scope.usable_accounts.contains(id);
    let expected = scope.accounts.iter().filter(|(id, _)| is_usable(id));
    let athena_trail = AthenaTrail {
        expected_accounts: expected.cloned().collect(),
        expected_regions: text(&scope.enabled_regions),
        accounts: scope.accounts.iter().map(|(id, _)| id.clone()).collect(),
        regions: text(&scope.regions),
        bucket: target.bucket.clone(),
        log_prefix: target.log_prefix.clone(),
        trail: target.trail.clone(),
        home_region: target.home_region.clone(),
        has_digests: target.has_digests,
        name_prefix: context.global.name_prefix.clone(),
    };
    let severities = SeverityTable::built_in()
        .map_err(|why| Error::failed("read the built-in severity table", why))?;
    let statements = statements(&athena_trail, &severities);
    let document = render::export::athena_document(&context.ui, &target, &statements);
    Ok(CommandOutcome::result(document))
}

async fn terraform(context: &Context) -> Result<CommandOutcome> {
    let (aws, caller, deployment) = require_deployment(context).await?;
    let target = existing_target(&deployment, &caller, context.names())?;
    let pipeline = target.build();
    let clients = Clients::new(aws, &pipeline.graph.home().account);
    let plan = Plan::read(&pipeline.graph, &clients).await?;
    if let Some(error) = plan.first_unreadable() {
        return Err(error.clone());
    }
    let names = context.names();
    let export_context = ExportContext {
        option: target.option().name(),
        account: &target.scope().account,
        region: &target.scope().region,
        names: &names,
    };
    let setup_arguments = target.option().arguments();
    let items = plan
        .steps
        .iter()
        .filter_map(|step| managed_item(context, setup_arguments, &plan, step));
    let exported = imports(&export_context, items.collect());
    let document = match context.ui.format() {
        OutputFormat::Json => {
            let imports: Vec<&ImportTarget> = exported.iter().map(|(_, import)| import).collect();
            render::export::imports_document(&export_context, &imports)
        }
        OutputFormat::Text | OutputFormat::Csv => {
            Document::Text(terraform_text(&export_context, &exported)?)
        }
    };
    Ok(CommandOutcome::result(document))
}

/// A resource that exists and is managed. Prints a warning for any other.
fn managed_item<'p>(
    context: &Context,
    setup_arguments: &'static str,
    plan: &'p Plan<'_, Aws>,
    step: &'p PlanStep,
) -> Option<ExportedResource<'p>> {
    let Some(actual) = &step.actual else {
        context.ui.notify(&ExportNotice::Missing {
            id: step.id.clone(),
            setup_arguments,
        });
        return None;
    };
    if !actual.is_managed() {
        context
            .ui
            .notify(&ExportNotice::NotManaged(step.id.clone()));
        return None;
    }
    let mut outputs: BTreeMap<&'static str, String> = actual.outputs.clone();
    let arn = Output {
        resource: step.id.clone(),
        name: "arn",
    };
    outputs.extend(plan.output(&arn).map(|arn| ("arn", arn)));
    Some(ExportedResource {
        id: &step.id,
        state: &actual.state,
        outputs,
    })
}
