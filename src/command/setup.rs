//! Sets up a pipeline: checks, plan, prompt, changes, and the three values for Heeler.

use std::path::Path;

use super::backup::BackupInProgress;
use super::next_steps::{command_line, print_recovery_steps, recovery_steps};
use super::prepare::{
    Prepared, collect_setup_facts, prepare, setup_request, validate_tags, validate_trust,
};
use super::prompt::{NOT_A_TERMINAL, confirm, confirm_by_typing, not_confirmed_error};
use super::rollback::roll_back;
use super::{CommandOutcome, Context, option_by_name};
use crate::aws::Aws;
use crate::backup::reject_existing;
use crate::check::{FixAction, fixes};
use crate::cli::{self, OnFailure};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::inventory::Snapshot;
use crate::option::DeliveryOption;
use crate::option::request::SetupRequest;
use crate::reconcile::apply::{ExecutionOptions, apply};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::{Action, Plan, PlanStep};
use crate::reconcile::scheduler::Outcome;
use crate::render;
use crate::render::notices::setup::SetupNotice;
use crate::render::outputs::OutputValues;
use crate::render::progress::ProgressDisplay;

pub(super) async fn run(context: &Context, args: cli::SetupArgs) -> Result<CommandOutcome> {
    let option = option_by_name(&args.choice.option)?;
    validate(context, &args, option)?;
    let request = SetupRequest {
        dry_run: args.dry_run,
        ..setup_request(
            context,
            option,
            &args.discovery,
            &args.accept,
            &args.trust,
            &args.adoption,
            &args.role,
            &args.tag,
        )
    };
    let aws = context.connect().await?;
    let mut facts = context
        .cancellable(collect_setup_facts(context, &aws, &request))
        .await?;
    if args.fix_retention {
        fix_retention(context, &aws, option, &mut facts.snapshot).await?;
    }
    let prepared = prepare(context, &aws, &request, facts)?;
    let plan = context.cancellable(prepared.plan()).await?;
    if args.dry_run {
        let document = render::plan::plan_document(&context.ui, &prepared.location(), &plan.steps);
        let unreadable = plan.first_unreadable().cloned();
        return Ok(CommandOutcome::result(document).and_error(unreadable));
    }
    render::plan::announce_plan(&context.ui, &prepared.location(), &plan.steps, !args.yes);
    reject_blocked_plan(context, option, &plan)?;
    let changes_external_id = changes_external_id(&plan.steps);
    if changes_external_id {
        context.ui.warn(
            "\nThe external ID changes: Heeler cannot assume the role until you give Heeler the new one. \
             It is printed at the end.",
        );
    }
    let mut backup_failure = None;
    if plan.is_empty() {
        let notice = context.writes.unchanged_notice();
        context.ui.status(&format!("Already set up; {notice}."));
    } else {
        if !args.yes && !confirm(context, "\nApply this plan?").await? {
            return Err(not_confirmed_error(context.writes.unchanged_notice()));
        }
        let backup = match &args.backup {
            Some(path) => {
                let saved = save_backup(context, &prepared, &plan, path);
                Some(context.cancellable(saved).await?)
            }
            None => None,
        };
        let applied = apply_plan(context, args.on_failure, &plan).await;
        backup_failure = super::backup::finish(backup).await;
        if let Err(error) = applied {
            if let Some(error) = &backup_failure {
                context.ui.error(error);
            }
            return Err(error);
        }
    }
    let mut outcome = outputs_outcome(context, &prepared, &plan)?;
    if changes_external_id {
        outcome = outcome.and_notice(&SetupNotice::ExternalIdChanged);
    }
    // The setup is complete and its values are shown; only the backup is incomplete.
    Ok(outcome.and_error(backup_failure))
}

/// Checks the arguments before any call is made.
fn validate(
    context: &Context,
    args: &cli::SetupArgs,
    option: &'static dyn DeliveryOption,
) -> Result<()> {
    validate_trust(&args.trust)?;
    validate_tags(&args.tag)?;
    if !args.yes && !args.dry_run && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL)
            .with_hint("use --yes to set up without a prompt, or --dry-run to show the plan"));
    }
    if args.fix_retention && !option.uses_log_group_retention() {
        return Err(Error::usage(format!(
            "--fix-retention does not apply to option {}: it does not use a log group",
            option.name()
        )));
    }
    if args.adoption.adopt && args.on_failure == OnFailure::Rollback {
        return Err(Error::usage(
            "--adopt cannot be combined with --on-failure rollback: adopted resources are not released",
        )
        .with_hint("leave --on-failure out; the same command completes a failed setup"));
    }
    args.backup.as_deref().map_or(Ok(()), reject_existing)
}

/// Fails if the plan has conflicts, or resources that could not be read.
fn reject_blocked_plan(
    context: &Context,
    option: &'static dyn DeliveryOption,
    plan: &Plan<'_, Aws>,
) -> Result<()> {
    if let Some(error) = plan.first_unreadable() {
        context.ui.warn(&format!(
            "Some resources could not be read; {}.",
            context.writes.unchanged_notice()
        ));
        return Err(error.clone());
    }
    if plan.conflicts().next().is_none() {
        return Ok(());
    }
    let mut hint = Hint::from(
        "choose other names with --name-prefix, or remove these resources with the tool that created them",
    );
    if plan.conflicts().all(PlanStep::can_be_adopted) {
        let adopt = command_line(context, &format!("plan --option {} --adopt", option.name()));
        hint = hint
            .and(&"; to preview adopting them: ".into())
            .and_command(adopt);
    }
    Err(Error::negative(format!(
        "resources with these names exist and are not managed by heeler-ec; {}",
        context.writes.unchanged_notice()
    ))
    .with_hint(hint))
}

/// Returns true if the plan changes the external ID of an existing role.
fn changes_external_id(steps: &[PlanStep]) -> bool {
    let mut changes = steps.iter().flat_map(|step| step.action.changes());
    changes.any(|change| change.secret)
}

/// Saves the documents that the plan changes.
async fn save_backup<'a>(
    context: &Context,
    prepared: &'a Prepared,
    plan: &Plan<'_, Aws>,
    path: &Path,
) -> Result<BackupInProgress<'a>> {
    let documents = plan.documents(|step| step.action != Action::Keep);
    let account = &prepared.target.scope().account;
    BackupInProgress::start(context, &prepared.aws, account, path, documents).await
}

/// Offers to set the log group's retention to one day. The user confirms by typing the name of the log group.
async fn fix_retention(
    context: &Context,
    aws: &Aws,
    option: &'static dyn DeliveryOption,
    snapshot: &mut Snapshot,
) -> Result<()> {
    let fix = fixes::available(snapshot, option.profile().checks)
        .into_iter()
        .find(|(action, _)| *action == FixAction::SetRetentionToOneDay);
    let Some((action, observed)) = fix else {
        return Ok(());
    };
    if !context.ui.can_prompt() {
        return Err(Error::negative(NOT_A_TERMINAL)
            .with_hint("run the same command in a terminal, or leave --fix-retention out"));
    }
    let question = fixes::confirmation(action, snapshot, &observed);
    let group = question.expected_answer;
    if confirm_by_typing(context, &question.prompt, &group).await? {
        fixes::apply(aws, action, snapshot).await?;
        // The checks below see the new value without another call.
        snapshot.record_retention_days(1);
        context.ui.status(&format!(
            "Log group {group} now keeps its events for one day."
        ));
        context.writes.record(format!(
            "log group {group} now keeps its events for one day"
        ));
    }
    Ok(())
}

/// Applies the plan. If a step fails, says what was done and how to continue.
async fn apply_plan(context: &Context, on_failure: OnFailure, plan: &Plan<'_, Aws>) -> Result<()> {
    let due = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::Keep)
        .count();
    let progress = ProgressDisplay::new(context.ui, due);
    let cancellation = context.interrupt.cancellation();
    context.interrupt.set_cleanup_message(match on_failure {
        OnFailure::Keep => "finishing the calls in progress",
        OnFailure::Rollback => "finishing the calls in progress, then rolling back",
    });
    context
        .interrupt
        .set_leftovers(recovery_steps(context).into());
    let observer = |event: ReconcileEvent| progress.on_event(&event);
    let options = ExecutionOptions::new(&cancellation, &observer);
    let applied = apply(plan, options).await?;
    progress.finish();
    let Some(failure) = applied.failure() else {
        return Ok(());
    };
    let lost_race = applied.lost_lock_race(plan);
    if lost_race && applied.attempted_steps(plan).next().is_none() {
        let notice = context.writes.unchanged_notice();
        context
            .ui
            .warn(&format!("\nAnother setup started first; {notice}."));
        return Err(failure.clone());
    }
    // A run that lost the race for the alias has created a key that will never be used.
    if on_failure == OnFailure::Rollback || lost_race {
        roll_back(context, plan, &applied).await;
        return Err(failure.clone());
    }
    let done = plan
        .steps
        .iter()
        .zip(&applied.outcomes)
        .filter(|(step, outcome)| {
            step.action != Action::Keep && matches!(outcome, Outcome::Done(()))
        })
        .count();
    context.ui.warn(&format!(
        "\nStopped after {done} of {due} steps. Resources created so far were kept{}.",
        context.writes.exception()
    ));
    print_recovery_steps(context);
    Err(failure.clone())
}

fn outputs_outcome(
    context: &Context,
    prepared: &Prepared,
    plan: &Plan<'_, Aws>,
) -> Result<CommandOutcome> {
    let read = |output| {
        plan.output(output)
            .ok_or_else(|| Error::failed("show the outputs", "AWS returned no queue URL"))
    };
    let (queue_url, role_arn) = (
        read(&prepared.pipeline.queue_url)?,
        read(&prepared.pipeline.role_arn)?,
    );
    context.ui.status("");
    let values = OutputValues {
        queue_url: &queue_url,
        role_arn: &role_arn,
        external_id: prepared.target.trust().external_id.expose(),
    };
    let document = render::outputs::outputs_document(&context.ui, &values);
    let next_steps = SetupNotice::NextSteps {
        tail_command: command_line(context, "tail"),
    };
    Ok(CommandOutcome::result(document).and_notice(&next_steps))
}
