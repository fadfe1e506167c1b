//! Shows what setup would change, or how a deployment differs from what was set up.

use super::bucket_credentials::reject_unusable;
use super::changed_tags::changed_region_error;
use super::existing_deployment::require_deployment;
use super::prepare::{
    check_role_path, collect_setup_facts, location, prepare, read_plan, setup_request,
    validate_tags, validate_trust,
};
use super::{CommandOutcome, Context, requested_option};
use crate::aws::Aws;
use crate::cli;
use crate::deployment::Deployment;
use crate::deployment::access::{AccessSummary, ExternalIdOrigin};
use crate::deployment::scope::DeploymentScope;
use crate::error::{Error, Exit, Result};
use crate::inventory::pipeline;
use crate::option::request::SetupRequest;
use crate::option::{self, DeliveryOption};
use crate::reconcile::plan::{Action, Plan, PlanStep};
use crate::render;
use crate::render::notices::plan::PlanNotice;
use crate::render::plan::{PlanLocation, PlanView};
use crate::shared_document::role_trust::HeelerTrust;

pub(super) async fn run(context: &Context, args: cli::PlanArgs) -> Result<CommandOutcome> {
    validate_trust(&args.trust)?;
    validate_tags(&args.tag)?;
    let requested = requested_option(args.option.as_deref(), &args.direct)?;
    let Some(option) = requested else {
        return drift(context, &args).await;
    };
    reject_unusable(context, option)?;
    let aws = context.connect().await?;
    plan_option(context, &aws, option, &args).await
}

/// Shows what a setup with these arguments would change.
async fn plan_option(
    context: &Context,
    aws: &Aws,
    option: &'static dyn DeliveryOption,
    args: &cli::PlanArgs,
) -> Result<CommandOutcome> {
    let request = SetupRequest {
        dry_run: true,
        ..setup_request(
            context,
            option,
            &args.discovery,
            &args.direct,
            &args.accept,
            &args.trust,
            &args.adoption,
            &args.role,
            &args.tag,
        )
    };
    let facts = collect_setup_facts(aws, &request).await?;
    let prepared = prepare(context, aws, &request, facts)?;
    let plan = prepared.plan().await?;
    let (location, origin) = (prepared.location(), prepared.external_id);
    let outcome = plan_outcome(context, args, &location, origin, &plan);
    let is_blocked = plan.first_unreadable().is_some() || plan.conflicts().next().is_some();
    if is_blocked || plan.is_empty() {
        return Ok(outcome);
    }
    let mut command = format!("heeler-ec setup {}", option.arguments());
    if args.adoption.adopt {
        command.push_str(" --adopt");
    }
    if origin == ExternalIdOrigin::Generated {
        command.push_str(" --generate-external-id");
    }
    Ok(outcome.and_notice(&PlanNotice::Next {
        setup_command: command,
        needs_external_id: origin == ExternalIdOrigin::Given,
    }))
}

/// Compares the deployment with what was set up, independent of the trail.
async fn drift(context: &Context, args: &cli::PlanArgs) -> Result<CommandOutcome> {
    if args.discovery != cli::DiscoveryArgs::default() || !args.accept.accepted.is_empty() {
        return Err(Error::usage(
            "--accept and the options that select the trail, bucket, key, topic or log group apply only with --option",
        )
        .with_hint("add --option to preview a setup, or leave these options out to detect drift"));
    }
    let (aws, caller, deployment) = require_deployment(context).await?;
    let option = option::of_deployment(&deployment)?;
    check_role_path(
        context,
        args.role.role_path.as_deref(),
        &deployment.role_arn,
    )?;
    let scope = DeploymentScope {
        permissions_boundary: args.role.permissions_boundary.clone(),
        extra_tags: args.tag.tags.clone(),
        ..DeploymentScope::new(
            &caller,
            &deployment.region,
            deployment.names(context.names()),
        )
    };
    let mut target = option.deployed(
        &deployment,
        scope,
        requested_trust(&args.trust, &deployment),
    );
    if !target.is_complete() {
        return plan_option(context, &aws, option, args).await;
    }
    if target.may_narrow_log_prefix()
        && let Some(prefix) = pipeline::current_log_prefix(&aws, &target.pipeline_request()).await?
    {
        target.narrow_log_prefix(prefix);
    }
    let pipeline = target.build();
    let plan = read_plan(&pipeline, &aws, args.adoption.adopt).await;
    let is_incomplete = plan.as_ref().map_or(true, |plan| {
        let mut steps = plan.steps.iter();
        steps.any(|step| matches!(step.action, Action::Create | Action::Unknown(_)))
    });
    if is_incomplete && let Some(error) = changed_region_error(context, &aws, &*target).await {
        return Err(error);
    }
    let plan = plan?;
    let origin = match &args.trust.external_id {
        Some(_) => ExternalIdOrigin::Given,
        None => ExternalIdOrigin::Kept,
    };
    let outcome = plan_outcome(context, args, &location(&*target), origin, &plan);
    if plan.first_unreadable().is_some() || plan.is_empty() {
        return Ok(outcome);
    }
    let is_missing = |step: &PlanStep| matches!(step.action, Action::Create | Action::Keep);
    let notice = if plan.conflicts().any(PlanStep::can_be_adopted) {
        PlanNotice::Conflict {
            preview_command: "heeler-ec plan --adopt",
        }
    } else {
        let adopt = if args.adoption.adopt { " --adopt" } else { "" };
        let setup = format!("heeler-ec setup {}{adopt}", option.arguments());
        if plan.steps.iter().all(is_missing) {
            PlanNotice::Incomplete {
                setup_command: setup,
            }
        } else {
            PlanNotice::Drift {
                setup_command: setup,
            }
        }
    };
    Ok(outcome.and_notice(&notice))
}

/// Returns the trust of the deployment, changed by the arguments.
fn requested_trust(args: &cli::TrustArgs, deployment: &Deployment) -> HeelerTrust {
    let mut trust = deployment.trust.clone().unwrap_or_else(HeelerTrust::empty);
    if !args.heeler_role_arn.is_empty() {
        trust.principals.clone_from(&args.heeler_role_arn);
        trust.principals.sort();
        trust.principals.dedup();
    }
    if let Some(id) = &args.external_id {
        trust.external_id = id.clone();
    }
    trust
}

/// Returns the plan as the result, with its exit code. A resource that could not be read is an error.
fn plan_outcome(
    context: &Context,
    args: &cli::PlanArgs,
    location: &PlanLocation<'_>,
    external_id: ExternalIdOrigin,
    plan: &Plan<'_, Aws>,
) -> CommandOutcome {
    let view = PlanView {
        location: *location,
        steps: &plan.steps,
        existing: &plan.existing_resources(),
        access: &AccessSummary::of(&plan.steps, external_id, args.detail),
        is_detailed: args.detail,
    };
    let document = render::plan::plan_document(&context.ui, &view);
    let is_blocked = plan.conflicts().next().is_some();
    let exit = if plan.is_empty() {
        Exit::Success
    } else if args.check || (args.detailed_exitcode && is_blocked) {
        Exit::Negative
    } else if args.detailed_exitcode {
        Exit::Pending
    } else {
        Exit::Success
    };
    CommandOutcome::result(document)
        .with_exit(exit)
        .and_error(plan.first_unreadable().cloned())
}
