//! Deletes the resources of a deployment: plan, prompt, deletions, and a list of what remains.

use std::sync::{Mutex, PoisonError};

use super::backup::BackupInProgress;
use super::changed_tags::{TargetOrigin, reject_changed_tags};
use super::existing_deployment::{check_account, find_role, other_deployment_hint};
use super::next_steps::no_deployment_error;
use super::prepare::inventory_request;
use super::prompt::{NOT_A_TERMINAL, confirm};
use super::tail::subscription_target;
use super::{CommandOutcome, Context, with_status_line};
use crate::aws::arn::Arn;
use crate::aws::clients::Clients;
use crate::aws::{Aws, CallerIdentity, arn};
use crate::backup::reject_existing;
use crate::check;
use crate::cli::{self, DiscoveryArgs};
use crate::deployment::resources::identifies_option;
use crate::deployment::scope::DeploymentScope;
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::InventoryRequest;
use crate::naming::ResourceNames;
use crate::option::{self, DeliveryOption, LocateRequest, Target};
use crate::ownership::OPTION_TAG;
use crate::reconcile::apply::ExecutionOptions;
use crate::reconcile::destroy::{DestroyAction, destroy};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::graph::ResourceId;
use crate::reconcile::plan::{Plan, PlanStep};
use crate::reconcile::scheduler::Outcome;
use crate::reconcile::{Actual, OtherUsers};
use crate::render::notices::destroy::{DestroyNotice, RemainingReason, RemainingResource};
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::question::{Cancelled, Question};
use crate::render::plan::PlanLocation;
use crate::render::progress::ProgressDisplay;
use crate::render::run_document::{destroy_document, initial_destroy_statuses};
use crate::render::step_status::StepStatus;
use crate::render::{self, OutputFormat};
use crate::tail::source::stale_queues;
use crate::tail::source::temporary_queue::SubscriptionTarget;

pub(super) async fn run(context: &Context, args: cli::DestroyArgs) -> Result<CommandOutcome> {
    if !args.yes && !args.dry_run && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL).with_hint(
            "use --yes to delete without a prompt, or --dry-run to show what would be deleted",
        ));
    }
    if let Some(path) = &args.backup {
        reject_existing(path)?;
    }
    let target = context.cancellable(Box::pin(find_target(context, &args)));
    let target = with_status_line(context.ui, "Reading the deployment", target);
    let DestroyTarget {
        aws,
        target,
        origin,
    } = target.await?;
    let pipeline = target.build();
    let clients = Clients::new(aws.clone(), &pipeline.graph.home().account);
    let read = Box::pin(async {
        reject_changed_tags(context, &aws, &*target, origin).await?;
        let plan = Plan::read(&pipeline.graph, &clients).await?;
        plan.with_duplicates().await
    });
    let plan = context.cancellable(read);
    let plan = with_status_line(context.ui, "Reading the deployment", plan).await?;
    let location = PlanLocation {
        option: target.option().name(),
        account: &target.scope().account,
        region: &target.scope().region,
    };
    let actions = plan.destroy_actions();
    if actions
        .iter()
        .all(|(_, action)| *action == DestroyAction::Absent)
    {
        let hint = other_deployment_hint(&aws).await;
        let hint = hint.unwrap_or_else(|| {
            Hint::from("it may be in another account, or use another --name-prefix")
        });
        return Err(no_deployment_error(context).with_hint(hint));
    }
    let used_resources = plan.used_by().await?;
    let mut statuses = initial_destroy_statuses(&actions);
    if args.dry_run {
        let document = destroy_document(&context.ui, &location, &actions, &statuses, false);
        let refusal =
            fail_if_unreadable(&plan).and_then(|()| reject_if_in_use(context, &used_resources));
        return Ok(CommandOutcome::result(document).and_error(refusal.err()));
    }
    render::destroy_plan::announce_destroy_plan(&context.ui, &location, &actions, !args.yes);
    let run = DestroyRun {
        context,
        args: &args,
        aws: &aws,
        target: &*target,
        plan: &plan,
        actions: &actions,
    };
    let result = run.confirm_and_delete(&used_resources, &mut statuses).await;
    let is_cancelled = matches!(result, Ok(DestroyEnd::Cancelled));
    // As text, the messages show what was deleted and what remains.
    let document = (context.ui.format() == OutputFormat::Json)
        .then(|| destroy_document(&context.ui, &location, &actions, &statuses, is_cancelled));
    let outcome = match result {
        Ok(DestroyEnd::Complete) => CommandOutcome::exit(Exit::Success),
        Ok(DestroyEnd::Cancelled) => CommandOutcome::exit(Exit::Negative).and_notice(&Cancelled {
            has_changes: context.writes.has_changes(),
        }),
        Err(error) => CommandOutcome::from(error),
    };
    Ok(outcome.with_document(document))
}

/// The end of a destroy without a failure.
enum DestroyEnd {
    Complete,
    /// The user did not confirm the deletions.
    Cancelled,
}

/// A destroy whose plan is known.
struct DestroyRun<'a, 'p> {
    context: &'a Context,
    args: &'a cli::DestroyArgs,
    aws: &'a Aws,
    target: &'a dyn Target,
    plan: &'a Plan<'p, Aws>,
    actions: &'a [(&'a PlanStep, DestroyAction)],
}

impl DestroyRun<'_, '_> {
    /// Asks, saves the backup, deletes the resources and reports what remains.
    async fn confirm_and_delete(
        &self,
        used: &[(&PlanStep, OtherUsers)],
        statuses: &mut Vec<Vec<StepStatus>>,
    ) -> Result<DestroyEnd> {
        let context = self.context;
        if self.plan.first_unreadable().is_some() {
            context.ui.notify(&DestroyNotice::Unreadable);
        }
        fail_if_unreadable(self.plan)?;
        reject_if_in_use(context, used)?;
        let deletions = self.deletions();
        if deletions == 0 {
            return Err(Error::negative(
                "none of these resources is managed by heeler-ec; nothing was deleted",
            ));
        }
        let question = Question::DeleteResources {
            count: deletions,
            account: &self.target.scope().account,
        };
        if !self.args.yes && !confirm(context, question).await? {
            return Ok(DestroyEnd::Cancelled);
        }
        let backup = match &self.args.backup {
            Some(path) => {
                let deletes =
                    |step: &PlanStep| step.actual.as_ref().is_some_and(Actual::is_managed);
                let account = &self.target.scope().account;
                let documents = self.plan.documents(deletes);
                let saved = BackupInProgress::start(context, self.aws, account, path, documents);
                Some(context.cancellable(saved).await?)
            }
            None => None,
        };
        let (outcomes, deletions) = self.delete().await;
        *statuses = destroy_statuses(self.actions, &outcomes, &deletions);
        let backup_failure = super::backup::finish(backup).await;
        let failure = report_leftovers(context, self.actions, &outcomes, &deletions).err();
        let requests = self.target.grant_requests();
        if failure.is_none() && !requests.is_empty() {
            context.ui.notify(&DestroyNotice::GrantsRemain(requests));
        }
        match (failure, backup_failure) {
            (Some(failure), backup_failure) => {
                if let Some(error) = &backup_failure {
                    context.ui.error(error);
                }
                Err(failure)
            }
            (None, Some(backup_failure)) => Err(backup_failure),
            (None, None) => Ok(DestroyEnd::Complete),
        }
    }

    /// The number of resources to delete, also together with another one. It is 0 if none is deleted by a call.
    fn deletions(&self) -> usize {
        let actions = || self.actions.iter().map(|(_, action)| action);
        if !actions().any(|action| *action == DestroyAction::Delete) {
            return 0;
        }
        let deleted = self.actions.iter().filter(|(_, action)| {
            matches!(
                action,
                DestroyAction::Delete | DestroyAction::DeletedWith(_)
            )
        });
        deleted.map(|(step, _)| 1 + step.duplicates.len()).sum()
    }

    /// Deletes the resources, and afterwards the temporary queues of killed runs of tail.
    async fn delete(&self) -> (Vec<Outcome<(), Error>>, DeletionResults) {
        let context = self.context;
        let delayed = self.actions.iter().flat_map(|(step, _)| {
            let duplicates = step.duplicates.iter().map(|duplicate| &duplicate.id);
            let ids = std::iter::once(&step.id).chain(duplicates);
            ids.filter_map(|id| Some((id.clone(), step.deletion_delay_days()?)))
        });
        let progress =
            ProgressDisplay::new(context.ui, self.deletions()).with_deletion_days(delayed);
        let cancellation = context.interrupt.cancellation();
        context.interrupt.set_clean_up(CleanUp::FinishCalls);
        let deletions = Mutex::new(DeletionResults::default());
        let observer = |event: ReconcileEvent| {
            progress.on_event(&event);
            let mut deletions = deletions.lock().unwrap_or_else(PoisonError::into_inner);
            deletions.record(event);
        };
        let options = ExecutionOptions::new(&cancellation, &observer);
        let outcomes = destroy(self.plan, options).await;
        progress.finish();
        if !cancellation.is_cancelled()
            && let Some(topic) = subscription_target(self.target)
        {
            remove_stale_queues(context, self.aws, &topic).await;
        }
        let deletions = deletions.into_inner();
        let deletions = deletions.unwrap_or_else(PoisonError::into_inner);
        (outcomes, deletions)
    }
}

/// The deletions of a destroy. The outcome of a step does not say which of its duplicates failed.
#[derive(Debug, Default)]
struct DeletionResults {
    finished: Vec<ResourceId>,
    /// The resources that were not deleted, each with the reason.
    failed: Vec<(ResourceId, String)>,
}

impl DeletionResults {
    fn record(&mut self, event: ReconcileEvent) {
        match event {
            ReconcileEvent::Finished { id, .. } => self.finished.push(id),
            ReconcileEvent::Failed { id, reason, .. } => self.failed.push((id, reason)),
            _ => {}
        }
    }

    fn failure_of(&self, id: &ResourceId) -> Option<&str> {
        let mut failed = self.failed.iter();
        let (_, reason) = failed.find(|(failed, _)| failed == id)?;
        Some(reason)
    }
}

/// Returns the status of each resource and its duplicates after a destroy.
fn destroy_statuses(
    actions: &[(&PlanStep, DestroyAction)],
    outcomes: &[Outcome<(), Error>],
    deletions: &DeletionResults,
) -> Vec<Vec<StepStatus>> {
    let status = |initial: StepStatus, outcome: &Outcome<(), Error>, id: &ResourceId| match outcome
    {
        _ if !matches!(initial, StepStatus::Pending) => initial,
        Outcome::Done(()) => StepStatus::Done,
        Outcome::Failed(_) if deletions.finished.contains(id) => StepStatus::Done,
        Outcome::Failed(error) if error.exit() == Exit::Interrupted => StepStatus::Skipped,
        Outcome::Failed(error) => StepStatus::Failed(error.clone()),
        Outcome::Skipped { .. } => StepStatus::Skipped,
    };
    let initial = initial_destroy_statuses(actions).into_iter();
    let steps = actions.iter().zip(outcomes).zip(initial);
    let statuses = steps.map(|(((step, _), outcome), initial)| {
        let duplicates = step.duplicates.iter().map(|copy| &copy.id);
        let ids = std::iter::once(&step.id).chain(duplicates);
        let rows = initial.into_iter().zip(ids);
        rows.map(|(initial, id)| status(initial, outcome, id))
            .collect()
    });
    statuses.collect()
}

/// Fails if a resource could not be read: it may lead to other resources, or others may use it.
fn fail_if_unreadable(plan: &Plan<'_, Aws>) -> Result<()> {
    plan.first_unreadable()
        .map_or(Ok(()), |error| Err(error.clone()))
}

/// Fails if others use the resources: they would lose their events, or AWS would refuse the deletion.
fn reject_if_in_use(context: &Context, used_resources: &[(&PlanStep, OtherUsers)]) -> Result<()> {
    if used_resources.is_empty() {
        return Ok(());
    }
    let uses: Vec<String> = used_resources
        .iter()
        .map(|(step, found)| format!("{} {}: {}", step.id, found.relation, found.users.join(", ")))
        .collect();
    let refusal = Error::negative(format!("{}; nothing was deleted", uses.join("; ")));
    let mut release = OtherUsers::default();
    for (_, found) in used_resources {
        let commands = found.release_commands.iter().cloned();
        release.release_commands.extend(commands);
    }
    // Subscribers need another topic first, so there is no command for them.
    let subscribers = used_resources
        .iter()
        .find(|(_, found)| found.release_commands.is_empty());
    let Some((_, subscribers)) = subscribers else {
        return Err(refusal.with_hint(release.release_hint()));
    };
    let other_deployment = subscribers
        .users
        .iter()
        .find_map(|user| ResourceNames::from_queue_name(arn::resource_name(user)));
    Err(match other_deployment.filter(|names| *names != context.names()) {
        Some(names) => refusal.with_hint(format!(
            "a second deployment shares this topic: delete it first with `heeler-ec destroy --name-prefix {}`, or keep \
             this one while the other is in use",
            names.prefix()
        )),
        None => refusal.with_hint(
            "move these subscriptions to another topic first (`aws sns unsubscribe`), then run `heeler-ec destroy` again",
        ),
    })
}

/// A deployment to destroy.
struct DestroyTarget {
    /// In the region of the target.
    aws: Aws,
    target: Box<dyn Target>,
    origin: TargetOrigin,
}

impl DestroyTarget {
    /// A target that a search has found.
    fn new(aws: &Aws, target: Box<dyn Target>) -> Self {
        Self {
            aws: aws.in_region(&target.scope().region),
            target,
            origin: TargetOrigin::Search,
        }
    }

    /// Returns true if any resource that only this option has is managed by heeler-ec.
    async fn has_managed_resources(&self) -> Result<bool> {
        let pipeline = self.target.build();
        let clients = Clients::new(self.aws.clone(), &pipeline.graph.home().account);
        let plan = Plan::read(&pipeline.graph, &clients).await?;
        fail_if_unreadable(&plan)?;
        let steps = plan.steps.iter().filter(|step| identifies_option(&step.id));
        let mut actual = steps.filter_map(|step| step.actual.as_ref());
        Ok(actual.any(Actual::is_managed))
    }
}

/// Finds the deployment by the tags of its role. If there is no role, finds it through the trail.
async fn find_target(context: &Context, args: &cli::DestroyArgs) -> Result<DestroyTarget> {
    let aws = context.connect().await?;
    let (caller, role) = tokio::join!(aws.caller_identity(), find_role(context, &aws));
    let caller: CallerIdentity = caller?;
    check_account(context, &caller.account)?;
    let role = role?;
    // A role without its tags still has the path that its ARN contains.
    let names = role.as_ref().map_or_else(
        || context.names(),
        |role| context.names().with_role_path(&arn::role_path(role.arn())),
    );
    let search = TargetSearch {
        context,
        args,
        aws: &aws,
        caller: &caller,
        names,
    };
    let Some(deployment) = role.as_ref().and_then(option::deployment_of) else {
        let options: Vec<_> = option::all().collect();
        return search.find(&options).await;
    };
    let mut target = option::existing_target(&deployment, &caller, context.names())?;
    target.include_optional_resources();
    if !target.is_located() {
        let only = [target.option()];
        return search.find(&only).await;
    }
    Ok(DestroyTarget {
        origin: TargetOrigin::RoleTags,
        ..DestroyTarget::new(&aws, target)
    })
}

/// A search for a deployment that the tags of its role do not describe.
struct TargetSearch<'a> {
    context: &'a Context,
    args: &'a cli::DestroyArgs,
    aws: &'a Aws,
    caller: &'a CallerIdentity,
    /// The names, with the path of the role.
    names: ResourceNames,
}

impl TargetSearch<'_> {
    /// Searches where the arguments say, or where the trail delivers. Returns the first target with a managed resource.
    async fn find(&self, options: &[&'static dyn DeliveryOption]) -> Result<DestroyTarget> {
        let discovery = DiscoveryArgs {
            bucket: self.args.bucket.clone(),
            ..DiscoveryArgs::default()
        };
        let mut request: InventoryRequest = inventory_request(self.context, &discovery);
        request.expected_account = None;
        request.names = self.names.clone();
        let profiles: Vec<_> = options.iter().map(|option| option.profile()).collect();
        let inventory = check::collect(self.aws, request, &profiles).await;
        let locate = LocateRequest {
            scope: DeploymentScope::new(self.caller, self.aws.region(), self.names.clone()),
            log_group: self.args.log_group.clone(),
        };
        let (mut refusal, mut candidates) = (None, Vec::new());
        for option in options {
            let snapshot = check::snapshot(&inventory, &option.profile());
            match option.locate(&snapshot, &locate) {
                Ok(target) => candidates.push(DestroyTarget::new(self.aws, target)),
                Err(_) => refusal = refusal.or(snapshot.bucket_error()),
            }
        }
        for number in 0..candidates.len() {
            if candidates[number].has_managed_resources().await? {
                return Ok(candidates.swap_remove(number));
            }
        }
        match (refusal, candidates.into_iter().next()) {
            (Some(refusal), _) => Err(refusal),
            (None, Some(first)) => Ok(first),
            (None, None) => Err(nothing_found_error(self.context, self.aws).await),
        }
    }
}

/// Creates the error if neither the role nor the trail identifies a deployment. Resources may remain nevertheless.
async fn nothing_found_error(context: &Context, aws: &Aws) -> Error {
    let hint = other_deployment_hint(aws).await;
    let hint = hint.unwrap_or_else(|| {
        Hint::from(
            "if resources remain, name their bucket or log group: `heeler-ec destroy --bucket BUCKET` or \
             `heeler-ec destroy --log-group NAME`",
        )
    });
    no_deployment_error(context).with_hint(hint)
}

/// Deletes the temporary queues of runs of tail that were killed. A failure is printed and ends nothing.
async fn remove_stale_queues(context: &Context, aws: &Aws, topic: &SubscriptionTarget) {
    match stale_queues::remove_stale(aws, topic).await {
        Ok(cleared) => cleared.into_iter().for_each(|name| {
            context
                .ui
                .notify(&DestroyNotice::StaleQueueDeleted { name });
        }),
        Err(error) => context.ui.error(&error),
    }
}

/// Describes a resource that the cloud deletes later, and how to keep it.
fn pending_deletion(step: &PlanStep, actual: &Actual) -> Option<RemainingReason> {
    let days = step.deletion_delay_days()?;
    let key = actual.outputs.get("arn")?;
    let region = Arn::parse(key)?.region;
    Some(RemainingReason::DeletionDelayed {
        days,
        cancel_command: format!("aws kms cancel-key-deletion --region {region} --key-id {key}"),
        enable_command: format!("aws kms enable-key --region {region} --key-id {key}"),
        release_command: format!(
            "aws kms untag-resource --region {region} --key-id {key} --tag-keys {OPTION_TAG}"
        ),
    })
}

/// Returns a resource and its duplicates.
fn copies(step: &PlanStep) -> impl Iterator<Item = (&ResourceId, &Actual)> {
    let own = step.actual.iter().map(|actual| (&step.id, actual));
    let duplicates = step.duplicates.iter();
    own.chain(duplicates.map(|copy| (&copy.id, &copy.actual)))
}

/// Returns what remains of a resource and its duplicates, of which at least one was not deleted.
fn remaining_copies(
    step: &PlanStep,
    error: &Error,
    deletions: &DeletionResults,
) -> Vec<RemainingResource> {
    let remaining = copies(step).filter_map(|(id, actual)| {
        let reason = if deletions.finished.contains(id) {
            pending_deletion(step, actual)?
        } else {
            // The error is that of the first resource that was not deleted.
            let reason = deletions.failure_of(id);
            let other = reason.filter(|reason| *reason != error.to_string());
            let cause = other.map_or_else(|| error.cause(), str::to_owned);
            RemainingReason::Failed { cause }
        };
        Some(RemainingResource {
            id: id.clone(),
            reason,
        })
    });
    remaining.collect()
}

/// Reports the resources that remain, with the reasons.
fn report_leftovers(
    context: &Context,
    actions: &[(&PlanStep, DestroyAction)],
    outcomes: &[Outcome<(), Error>],
    deletions: &DeletionResults,
) -> Result<()> {
    let mut failed = None;
    let mut remaining = Vec::new();
    for ((step, action), outcome) in actions.iter().zip(outcomes) {
        let reason = match (action, outcome) {
            (DestroyAction::NotManaged, _) => RemainingReason::NotManaged,
            (DestroyAction::BlockedBy(by), _) => RemainingReason::InUseBy(by.clone()),
            (DestroyAction::Delete, Outcome::Failed(error)) => {
                failed.get_or_insert_with(|| error.clone());
                let left = remaining_copies(step, error, deletions);
                remaining.extend(left);
                continue;
            }
            (DestroyAction::Delete, Outcome::Skipped { blocked_by }) => {
                RemainingReason::DependsOn(actions[*blocked_by].0.id.clone())
            }
            (DestroyAction::Delete, Outcome::Done(())) => {
                remaining.extend(copies(step).filter_map(|(id, actual)| {
                    Some(RemainingResource {
                        id: id.clone(),
                        reason: pending_deletion(step, actual)?,
                    })
                }));
                continue;
            }
            _ => continue,
        };
        remaining.push(RemainingResource {
            id: step.id.clone(),
            reason,
        });
    }
    context.ui.notify(&if remaining.is_empty() {
        DestroyNotice::AllDeleted
    } else {
        DestroyNotice::Remaining(remaining)
    });
    match failed {
        Some(error) => {
            context.ui.notify(&DestroyNotice::RunAgain);
            Err(error)
        }
        None => Ok(()),
    }
}
