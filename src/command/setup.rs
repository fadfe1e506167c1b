//! Sets up a pipeline: checks, plan, prompt, changes, and the three values for Heeler.

use std::path::Path;
use std::time::Duration;

use tokio::time::sleep;

use super::backup::BackupInProgress;
use super::bucket_credentials::reject_unusable;
use super::guided_setup::complete_arguments;
use super::outputs::vendor_objects;
use super::prepare::{
    Prepared, collect_setup_facts, prepare, setup_request, validate_tags, validate_trust,
};
use super::prompt::{NOT_A_TERMINAL, confirm, confirm_fix};
use super::rollback::roll_back;
use super::{CommandOutcome, Context, requested_option, with_status_line};
use crate::aws::Aws;
use crate::backup::reject_existing;
use crate::check::{FixAction, fixes};
use crate::cli::{self, OnFailure};
use crate::deployment::access::AccessSummary;
use crate::deployment::test_event::{creates_role, sends_test_event};
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::Snapshot;
use crate::inventory::bucket_events::HEELER;
use crate::option::request::SetupRequest;
use crate::option::{self, DeliveryOption};
use crate::reconcile::apply::{ExecutionOptions, apply};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::{Action, Plan, PlanStep};
use crate::reconcile::scheduler::Outcome;
use crate::render::document::{Document, Envelope};
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::question::{Cancelled, Question};
use crate::render::notices::setup::SetupNotice;
use crate::render::outputs::OutputValues;
use crate::render::plan::PlanView;
use crate::render::progress::ProgressDisplay;
use crate::render::run_document::{MASK, SetupResult, initial_statuses, setup_document};
use crate::render::step_status::StepStatus;
use crate::render::{self, OutputFormat};
use crate::verify::count_messages;

/// The time for which setup waits for the test event of S3.
const TEST_EVENT_WAIT: Duration = Duration::from_secs(10);
const TEST_EVENT_INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn run(context: &Context, mut args: cli::SetupArgs) -> Result<CommandOutcome> {
    validate(context, &args)?;
    if let Some(option) = args.option.as_deref().and_then(option::find) {
        reject_unusable(context, option)?;
    }
    let aws = context.connect().await?;
    let option = context
        .cancellable(Box::pin(complete_arguments(context, &aws, &mut args)))
        .await?;
    let Some(option) = option else {
        let notice = Cancelled { has_changes: false };
        return Ok(CommandOutcome::exit(Exit::Negative).and_notice(&notice));
    };
    reject_unusable(context, option)?;
    reject_unused_retention_fix(&args, option)?;
    let request = SetupRequest {
        dry_run: args.dry_run,
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
    let facts = Box::pin(collect_setup_facts(&aws, &request));
    let facts = context.cancellable(facts);
    let mut facts = with_status_line(context.ui, "Running the checks", facts).await?;
    if args.fix_retention {
        fix_retention(context, &aws, option, &mut facts.snapshot).await?;
    }
    let prepared = prepare(context, &aws, &request, facts)?;
    let plan = context.cancellable(Box::pin(prepared.plan()));
    let plan = with_status_line(context.ui, "Comparing with AWS", plan).await?;
    let access = AccessSummary::of(&plan.steps, prepared.external_id, args.detail);
    let existing = plan.existing_resources();
    let view = PlanView {
        location: prepared.location(),
        steps: &plan.steps,
        existing: &existing,
        access: &access,
        is_detailed: args.detail,
    };
    if args.dry_run {
        let document = render::plan::plan_document(&context.ui, &view);
        let unreadable = plan.first_unreadable().cloned();
        return Ok(CommandOutcome::result(document).and_error(unreadable));
    }
    render::plan::announce_plan(&context.ui, &view, !args.yes);
    let mut run = SetupRun {
        context,
        prepared: &prepared,
        plan: &plan,
        view,
        statuses: initial_statuses(&plan.steps),
        masks_secrets: context.ui.format() == OutputFormat::Json && !args.show_secrets,
    };
    match run.confirm_and_apply(&args, option).await {
        Ok(SetupEnd::Complete { backup_failure }) => {
            let test_event = run.wait_for_test_event().await;
            let outcome = run.outcome(backup_failure, test_event);
            Ok(run.offer_verify(&args, outcome).await)
        }
        Ok(SetupEnd::Cancelled) => Ok(run.cancelled_outcome()),
        Err(error) => Ok(run.failed_outcome(error)),
    }
}

/// The end of a setup without a failure.
enum SetupEnd {
    Complete {
        /// The error of a backup that could not be completed.
        backup_failure: Option<Error>,
    },
    /// The user did not confirm the plan.
    Cancelled,
}

/// A setup whose plan is known.
struct SetupRun<'a, 'p> {
    context: &'a Context,
    prepared: &'p Prepared,
    plan: &'a Plan<'p, Aws>,
    view: PlanView<'a>,
    /// The progress of each step of the plan.
    statuses: Vec<StepStatus>,
    masks_secrets: bool,
}

impl SetupRun<'_, '_> {
    /// Asks, saves the backup and applies the plan.
    async fn confirm_and_apply(
        &mut self,
        args: &cli::SetupArgs,
        option: &'static dyn DeliveryOption,
    ) -> Result<SetupEnd> {
        let (context, plan) = (self.context, self.plan);
        reject_blocked_plan(context, option, plan)?;
        if changes_external_id(&plan.steps) {
            context.ui.notify(&SetupNotice::ExternalIdChanges {
                vendor: option.vendor(),
            });
        }
        if plan.is_empty() {
            return Ok(SetupEnd::Complete {
                backup_failure: None,
            });
        }
        let question = Question::ApplyPlan {
            steps: &plan.steps,
            account: &self.prepared.target.scope().account,
        };
        if !args.yes && !confirm(context, question).await? {
            return Ok(SetupEnd::Cancelled);
        }
        let backup = match &args.backup {
            Some(path) => {
                let saved = save_backup(context, self.prepared, plan, path);
                Some(context.cancellable(saved).await?)
            }
            None => None,
        };
        let applied = self.apply(args.on_failure).await;
        let backup_failure = super::backup::finish(backup).await;
        if applied.is_err()
            && let Some(error) = &backup_failure
        {
            context.ui.error(error);
        }
        applied.map(|()| SetupEnd::Complete { backup_failure })
    }

    /// Applies the plan. If a step fails, reports what was done and how to continue.
    async fn apply(&mut self, on_failure: OnFailure) -> Result<()> {
        let (context, plan) = (self.context, self.plan);
        let due = plan
            .steps
            .iter()
            .filter(|step| step.action != Action::Keep)
            .count();
        let progress = ProgressDisplay::new(context.ui, due);
        let cancellation = context.interrupt.cancellation();
        context.interrupt.set_clean_up(match on_failure {
            OnFailure::Keep => CleanUp::FinishCalls,
            OnFailure::Rollback => CleanUp::FinishCallsAndRollBack,
        });
        context.interrupt.set_leftovers(&SetupNotice::RecoverySteps);
        let observer = |event: ReconcileEvent| progress.on_event(&event);
        let options = ExecutionOptions::new(&cancellation, &observer);
        let applied = apply(plan, options).await?;
        progress.finish();
        self.statuses = applied_statuses(&plan.steps, &applied.outcomes);
        let Some(failure) = applied.failure() else {
            return Ok(());
        };
        let lost_race = applied.lost_lock_race(plan);
        if lost_race && applied.attempted_steps(plan).next().is_none() {
            context.ui.notify(&SetupNotice::LostRace {
                unchanged: context.writes.unchanged_notice(),
            });
            return Err(failure.clone());
        }
        // A run that lost the race for the alias has created a key that will never be used.
        if on_failure == OnFailure::Rollback || lost_race {
            roll_back(context, plan, &applied, &mut self.statuses).await;
            return Err(failure.clone());
        }
        let done = self
            .statuses
            .iter()
            .filter(|status| matches!(status, StepStatus::Done))
            .count();
        context.ui.notify(&SetupNotice::Stopped {
            done,
            steps: due,
            exception: context.writes.exception(),
        });
        Err(failure.clone())
    }

    /// Waits until the test event of S3 is in the new queue. Counts the messages and receives none. Returns `None` if this
    /// run makes S3 send no test event.
    async fn wait_for_test_event(&self) -> Option<bool> {
        let queue = self.prepared.target.queue_name();
        if !sends_test_event(&self.plan.steps, &queue) {
            return None;
        }
        let seen = async {
            loop {
                // The setup is complete, so an error only means that the test event was not seen.
                let counted = count_messages(&self.prepared.aws, &queue).await;
                if counted.is_ok_and(|counters| counters.total() > 0) {
                    return;
                }
                sleep(TEST_EVENT_INTERVAL).await;
            }
        };
        let cancellation = self.context.interrupt.cancellation();
        tokio::select! {
            biased;
            () = seen => Some(true),
            () = sleep(TEST_EVENT_WAIT) => Some(false),
            () = cancellation.cancelled() => Some(false),
        }
    }

    /// The end of a complete setup: its values, the test event, and the error of the backup if there was one.
    fn outcome(&self, backup_failure: Option<Error>, test_event: Option<bool>) -> CommandOutcome {
        let read = |output| {
            self.plan
                .output(output)
                .ok_or_else(|| Error::failed("show the outputs", "AWS returned no queue URL"))
        };
        let values = (
            read(&self.prepared.pipeline.queue_url),
            read(&self.prepared.pipeline.role_arn),
        );
        let (queue_url, role_arn) = match values {
            (Ok(queue_url), Ok(role_arn)) => (queue_url, role_arn),
            (Err(error), _) | (_, Err(error)) => return self.failed_outcome(error),
        };
        let is_masked = self.masks_secrets;
        let option = self.prepared.target.option();
        let external_id = &self.prepared.target.trust().external_id;
        let values = OutputValues {
            queue_url: &queue_url,
            role_arn: &role_arn,
            external_id: if is_masked {
                MASK
            } else {
                external_id.expose()
            },
            objects: vendor_objects(&*self.prepared.target),
        };
        self.context.ui.separate_result();
        let mut outcome =
            CommandOutcome::exit(Exit::Success).with_document(self.document(Some(&values), false));
        if let Some(is_seen) = test_event {
            outcome = outcome.and_notice(&SetupNotice::TestEvent {
                is_seen,
                has_topic: self.prepared.target.topic_arn().is_some(),
            });
        }
        let requests = self.prepared.target.grant_requests();
        if !self.plan.is_empty() && !requests.is_empty() {
            outcome = outcome.and_notice(&SetupNotice::GrantsNeeded(requests));
        }
        // Heeler has the values already if nothing has changed.
        if !self.plan.is_empty() {
            let mut steps = self.plan.steps.iter();
            let delivery_time = option.delivery_time();
            outcome = outcome.and_notice(&if option.vendor() == HEELER {
                SetupNotice::NextSteps {
                    is_first: steps.all(|step| step.action == Action::Create),
                    is_masked,
                    delivery_time,
                }
            } else {
                SetupNotice::VendorSteps {
                    is_masked,
                    delivery_time,
                }
            });
        }
        if changes_external_id(&self.plan.steps) {
            outcome = outcome.and_notice(&SetupNotice::ExternalIdChanged {
                is_masked,
                vendor: option.vendor(),
            });
        }
        // The setup is complete and its values are shown; only the backup is incomplete.
        outcome.and_error(backup_failure)
    }

    /// Offers verify after a first setup with a question. The result is printed before.
    async fn offer_verify(&self, args: &cli::SetupArgs, outcome: CommandOutcome) -> CommandOutcome {
        let context = self.context;
        let is_first = creates_role(&self.plan.steps);
        let can_ask = context.ui.can_prompt() && context.ui.format() == OutputFormat::Text;
        // The canary of another vendor is seen only if a trail delivers to the bucket.
        let is_heeler = self.prepared.target.option().vendor() == HEELER;
        if args.yes || !is_first || !is_heeler || !can_ask || outcome.exit_code() != Exit::Success {
            return outcome;
        }
        outcome.print(&context.ui, Envelope::Wrapped);
        // The setup is complete.
        context.interrupt.clear_leftovers();
        context.interrupt.clear_clean_up();
        match confirm(context, Question::FollowCanary).await {
            Ok(true) => {
                let verified = Box::pin(super::verify::run(context, cli::VerifyArgs::default()));
                verified.await.unwrap_or_else(CommandOutcome::from)
            }
            Ok(false) => CommandOutcome::exit(Exit::Success),
            Err(error) => CommandOutcome::exit(error.exit()),
        }
    }

    /// The end of a setup that failed: the progress of its steps, and the error.
    fn failed_outcome(&self, error: Error) -> CommandOutcome {
        CommandOutcome::from(error).with_document(self.document(None, false))
    }

    /// The end of a setup that the user did not confirm.
    fn cancelled_outcome(&self) -> CommandOutcome {
        CommandOutcome::exit(Exit::Negative)
            .with_document(self.document(None, true))
            .and_notice(&Cancelled {
                has_changes: self.context.writes.has_changes(),
            })
    }

    fn document(&self, outputs: Option<&OutputValues<'_>>, is_cancelled: bool) -> Option<Document> {
        let result = SetupResult {
            plan: self.view,
            statuses: &self.statuses,
            outputs,
            is_cancelled,
        };
        setup_document(&self.context.ui, &result)
    }
}

/// Returns the status of each step after the plan was applied.
fn applied_statuses(steps: &[PlanStep], outcomes: &[Outcome<(), Error>]) -> Vec<StepStatus> {
    let status = |(step, outcome): (&PlanStep, &Outcome<(), Error>)| match outcome {
        _ if step.action == Action::Keep => StepStatus::Unchanged,
        Outcome::Done(()) => StepStatus::Done,
        // An interrupt prevents a step that has not started.
        Outcome::Failed(error) if error.exit() == Exit::Interrupted => StepStatus::Skipped,
        Outcome::Failed(error) => StepStatus::Failed(error.clone()),
        Outcome::Skipped { .. } => StepStatus::Skipped,
    };
    steps.iter().zip(outcomes).map(status).collect()
}

/// Checks the arguments before any call is made.
fn validate(context: &Context, args: &cli::SetupArgs) -> Result<()> {
    validate_trust(&args.trust)?;
    validate_tags(&args.tag)?;
    if !args.yes && !args.dry_run && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL)
            .with_hint("use --yes to set up without a prompt, or --dry-run to show the plan"));
    }
    if let Some(option) = requested_option(args.option.as_deref(), &args.direct)? {
        reject_unused_retention_fix(args, option)?;
    }
    if args.adoption.adopt && args.on_failure == OnFailure::Rollback {
        return Err(Error::usage(
            "--adopt cannot be combined with --on-failure rollback: adopted resources are not released",
        )
        .with_hint("leave --on-failure out; the same command completes a failed setup"));
    }
    args.backup.as_deref().map_or(Ok(()), reject_existing)
}

/// Fails if `--fix-retention` has no effect for the option.
fn reject_unused_retention_fix(args: &cli::SetupArgs, option: &dyn DeliveryOption) -> Result<()> {
    if args.fix_retention && !option.uses_log_group_retention() {
        return Err(Error::usage(format!(
            "--fix-retention does not apply to option {}: it does not use a log group",
            option.name()
        )));
    }
    Ok(())
}

/// Fails if the plan has conflicts, or resources that could not be read.
fn reject_blocked_plan(
    context: &Context,
    option: &'static dyn DeliveryOption,
    plan: &Plan<'_, Aws>,
) -> Result<()> {
    if let Some(error) = plan.first_unreadable() {
        context.ui.notify(&SetupNotice::Unreadable {
            unchanged: context.writes.unchanged_notice(),
        });
        return Err(error.clone());
    }
    if plan.conflicts().next().is_none() {
        return Ok(());
    }
    let mut hint = Hint::from(
        "choose other names with --name-prefix, or remove these resources with the tool that created them",
    );
    if plan.conflicts().all(PlanStep::can_be_adopted) {
        let adopt = format!("heeler-ec plan {} --adopt", option.arguments());
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
    let group = snapshot.log_group.as_ref();
    let group = group.map_or_else(String::new, |group| group.name.clone());
    if confirm_fix(context, &question).await? {
        fixes::apply(aws, action, snapshot).await?;
        // The checks below see the new value without another call.
        snapshot.record_retention_days(1);
        context.ui.notify(&SetupNotice::RetentionSet {
            log_group: group.clone(),
        });
        context.writes.record(format!(
            "log group {group} now keeps its events for one day"
        ));
    }
    Ok(())
}
