//! Sets the pipeline up: checks, plan, question, writes, and the three values.

use std::path::Path;

use super::backup::BackupInProgress;
use super::plan::{Prepared, prepare, validate_trust};
use super::rollback::roll_back;
use super::{Context, NOT_A_TERMINAL, not_confirmed_error, option_by_name};
use crate::aws::Aws;
use crate::backup::reject_existing;
use crate::check::{self, FixAction, fixes};
use crate::cli::{self, OnFailure};
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::InventoryRequest;
use crate::option::DeliveryOption;
use crate::reconcile::apply::{ExecutionOptions, apply};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::{Action, Plan, PlanStep};
use crate::reconcile::scheduler::Outcome;
use crate::render;
use crate::render::outputs::OutputValues;
use crate::render::progress::ProgressDisplay;

pub(super) async fn run(world: &Context, args: cli::SetupArgs) -> Result<Exit> {
    let kind = option_by_name(&args.choice.option)?;
    validate_trust(&args.trust)?;
    if !args.yes && !args.dry_run && !world.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL)
            .with_hint("use --yes to set up without a prompt, or --dry-run to show the plan"));
    }
    if args.fix_retention && !kind.uses_log_group_retention() {
        return Err(Error::usage(format!(
            "--fix-retention does not apply to option {}: it does not use a log group",
            kind.name()
        )));
    }
    if args.adoption.adopt && args.on_failure == OnFailure::Rollback {
        return Err(Error::usage(
            "--adopt cannot be combined with --on-failure rollback: adopted resources are not released",
        )
        .with_hint("leave --on-failure out; the same command completes a failed setup"));
    }
    if let Some(path) = &args.backup {
        reject_existing(path)?;
    }
    let aws = world.connect().await?;
    let hints = InventoryRequest {
        accepted_checks: args.accept.accepted.clone(),
        adopt: args.adoption.adopt,
        ..world.hints(&args.discovery, &args.trust.heeler_role_arn)
    };
    if args.fix_retention {
        fix_retention(world, &aws, kind, hints.clone()).await?;
    }
    let prepared = world
        .cancellable(prepare(world, &aws, kind, hints, &args.trust, args.dry_run))
        .await?;
    let plan = world
        .cancellable(prepared.plan(args.adoption.adopt))
        .await?;
    if args.dry_run {
        render::plan::print_plan(&world.ui, &prepared.location(), &plan.steps);
        return plan
            .first_unreadable()
            .map_or(Ok(Exit::Success), |hole| Err(hole.clone()));
    }
    render::plan::announce_plan(&world.ui, &prepared.location(), &plan.steps, !args.yes);
    if let Some(hole) = plan.first_unreadable() {
        world.ui.warn(&format!(
            "What is there has to be seen first; {}.",
            world.unchanged_notice()
        ));
        return Err(hole.clone());
    }
    if plan.conflicts().next().is_some() {
        return Err(conflict_error(world, kind, &plan));
    }
    let has_new_id = changes_external_id(&plan.steps);
    if has_new_id {
        world.ui.warn(
            "\nThe external id changes: from the write on, Heeler cannot assume the role until it is given the new one. \
             It is printed at the end.");
    }
    let mut unnoted = None;
    if plan.is_empty() {
        world
            .ui
            .status(&format!("Already set up; {}.", world.unchanged_notice()));
    } else {
        if !args.yes && !world.confirm("\nApply this plan?").await? {
            return Err(not_confirmed_error(world.unchanged_notice()));
        }
        let backup = match &args.backup {
            Some(path) => Some(
                world
                    .cancellable(save_backup(world, &prepared, &plan, path))
                    .await?,
            ),
            None => None,
        };
        let ended = apply_plan(world, args.on_failure, &plan).await;
        unnoted = super::backup::finish(world, backup).await;
        ended?;
    }
    let answered = print_outputs(world, &prepared, &plan)?;
    if has_new_id {
        world.ui.warn(
            "\nThe external id has changed: paste the new one into Heeler now. Until then Heeler cannot assume the role, \
             and messages wait in the queue for two hours at most.");
    }
    // What was set up is set up, and its values are shown; only the backup is not complete.
    Ok(unnoted.unwrap_or(answered))
}

/// Whether the role would ask for another external id than it does today.
fn changes_external_id(steps: &[PlanStep]) -> bool {
    let mut changes = steps.iter().flat_map(|step| step.action.changes());
    changes.any(|change| change.secret)
}

/// Saves what the plan changes, as it is before the first write.
async fn save_backup<'a>(
    world: &Context,
    prepared: &'a Prepared,
    plan: &Plan<'_, Aws>,
    path: &Path,
) -> Result<BackupInProgress<'a>> {
    let documents = plan.documents(|step| step.action != Action::Keep);
    BackupInProgress::start(
        world,
        &prepared.aws,
        &prepared.target.scope().account,
        path,
        documents,
    )
    .await
}

fn conflict_error(
    world: &Context,
    kind: &'static dyn DeliveryOption,
    plan: &Plan<'_, Aws>,
) -> Error {
    let mut hint = Hint::from(
        "choose other names with --name-prefix, or remove these resources with the tool that created them",
    );
    if plan.conflicts().all(PlanStep::can_be_adopted) {
        let adopt = world.command_line(&format!("plan --option {} --adopt", kind.name()));
        hint = hint
            .and(&"; to preview adopting them: ".into())
            .and_command(adopt);
    }
    Error::negative(format!(
        "resources with these names exist and are not managed by heeler-ec; {}",
        world.unchanged_notice()
    ))
    .with_hint(hint)
}

/// Asks for the name of the log group, and then keeps its events for a day only.
async fn fix_retention(
    world: &Context,
    aws: &Aws,
    kind: &'static dyn DeliveryOption,
    hints: InventoryRequest,
) -> Result<()> {
    let options = [kind.profile()];
    let [profile] = &options;
    let facts = world
        .cancellable(world.collect_inventory(aws, hints, &options))
        .await?;
    let survey = check::snapshot(&facts, profile);
    let offered = fixes::available(&survey, profile.checks).into_iter();
    for (what, observed) in offered.filter(|(what, _)| *what == FixAction::SetRetentionToOneDay) {
        if !world.ui.can_prompt() {
            return Err(Error::negative(NOT_A_TERMINAL)
                .with_hint("run the same command in a terminal, or leave --fix-retention out"));
        }
        let question = fixes::confirmation(what, &survey, &observed);
        if world
            .confirm_by_typing(&question.prompt, &question.expected_answer)
            .await?
        {
            fixes::apply(aws, what, &survey).await?;
            let group = question.expected_answer;
            world.ui.status(&format!(
                "Log group {group} now keeps its events for one day."
            ));
            world.record_write(format!("log group {group} keeps its events for one day"));
        }
    }
    Ok(())
}

/// Writes, and fails with what is done, what is not, and how to go on.
async fn apply_plan(world: &Context, on_failure: OnFailure, plan: &Plan<'_, Aws>) -> Result<()> {
    let due = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::Keep)
        .count();
    let progress = ProgressDisplay::new(world.ui, due);
    let cancellation = world.interrupt.cancellation();
    world.interrupt.set_cleanup_message(match on_failure {
        OnFailure::Keep => "finishing the calls that are under way",
        OnFailure::Rollback => "finishing the calls that are under way, then rolling back",
    });
    world.interrupt.set_leftovers(recovery_steps(world).into());
    let observer = |event: ReconcileEvent| progress.on_event(&event);
    let options = ExecutionOptions::new(&cancellation, &observer);
    let applied = apply(plan, options).await?;
    progress.finish();
    let Some(failure) = applied.failure() else {
        return Ok(());
    };
    // A run that lost the race for the lock has created a key that nobody will use.
    if on_failure == OnFailure::Rollback || applied.lost_lock_race(plan) {
        roll_back(world, plan, &applied).await;
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
    world.ui.warn(&format!(
        "\n{done} of {due} done. What was made stays, and nothing that was there is lost{}.",
        world.already_written_suffix()
    ));
    print_recovery_steps(world);
    Err(failure.clone())
}

/// A command has a line of its own, to be copied.
fn recovery_steps(world: &Context) -> [String; 2] {
    [
        "Run the same command again to complete it. To remove it:".to_owned(),
        format!("  {}", world.command_line("destroy")),
    ]
}

pub(super) fn print_recovery_steps(world: &Context) {
    for line in recovery_steps(world) {
        world.ui.warn_unwrapped(&line);
    }
}

fn print_outputs(world: &Context, prepared: &Prepared, plan: &Plan<'_, Aws>) -> Result<Exit> {
    let read = |output| {
        plan.output(output)
            .ok_or_else(|| Error::failed("show the outputs", "AWS named no queue URL"))
    };
    let (queue_url, role_arn) = (
        read(&prepared.pipeline.queue_url)?,
        read(&prepared.pipeline.role_arn)?,
    );
    world.ui.status("");
    render::outputs::print_outputs(
        &world.ui,
        &OutputValues {
            queue_url: &queue_url,
            role_arn: &role_arn,
            external_id: prepared.target.trust().external_id.expose(),
        },
    );
    render::outputs::print_next_steps(&world.ui);
    Ok(Exit::Success)
}

impl Context {
    /// Until the first write an interrupt ends a command at once.
    pub(super) async fn cancellable<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let cancellation = self.interrupt.cancellation();
        tokio::select! {
            done = work => done,
            () = cancellation.cancelled() => Err(self.interrupted_error()),
        }
    }
}
