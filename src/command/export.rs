//! Prints the deployment as configuration of another tool.

use std::collections::BTreeMap;

use super::existing_deployment::require_deployment;
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::aws::clients::Clients;
use crate::cli;
use crate::error::Result;
use crate::export::terraform::{ImportTarget, imports, terraform_text};
use crate::export::{ExportContext, ExportedResource};
use crate::option::existing_target;
use crate::reconcile::graph::Output;
use crate::reconcile::plan::{Plan, PlanStep};
use crate::render::document::Document;
use crate::render::notices::export::ExportNotice;
use crate::render::{self, OutputFormat};

pub(super) async fn run(context: &Context, args: cli::ExportArgs) -> Result<CommandOutcome> {
    let cli::ExportFormat::Terraform = args.form;
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
    let items = plan
        .steps
        .iter()
        .filter_map(|step| managed_item(context, &export_context, &plan, step));
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
    export_context: &ExportContext<'_>,
    plan: &'p Plan<'_, Aws>,
    step: &'p PlanStep,
) -> Option<ExportedResource<'p>> {
    let Some(actual) = &step.actual else {
        context.ui.notify(&ExportNotice::Missing {
            id: step.id.clone(),
            option: export_context.option.to_owned(),
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
