//! Deletes what setup made: plan, question, deletes, and what is left.

use super::backup::BackupInProgress;
use super::tail::subscription_target;
use super::{Context, NOT_A_TERMINAL, no_deployment_error, not_confirmed_error};
use crate::aws::clients::Clients;
use crate::aws::{Aws, CallerIdentity, arn};
use crate::backup::reject_existing;
use crate::check;
use crate::cli::{self, DiscoveryArgs};
use crate::deployment::scope::DeploymentScope;
use crate::error::{Error, Exit, Result};
use crate::inventory::InventoryRequest;
use crate::naming::ResourceNames;
use crate::option::{self, DeliveryOption, LocateRequest, OPTIONS, Target};
use crate::reconcile::Actual;
use crate::reconcile::apply::ExecutionOptions;
use crate::reconcile::destroy::{DestroyAction, destroy};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::{Plan, PlanStep};
use crate::reconcile::scheduler::Outcome;
use crate::render;
use crate::render::plan::PlanLocation;
use crate::render::progress::ProgressDisplay;
use crate::tail::source::temporary_queue::{self, SubscriptionTarget};

pub(super) async fn run(world: &Context, args: cli::DestroyArgs) -> Result<Exit> {
    if !args.yes && !args.dry_run && !world.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL).with_hint(
            "use --yes to delete without a prompt, or --dry-run to show what would be deleted",
        ));
    }
    if let Some(path) = &args.backup {
        reject_existing(path)?;
    }
    let DestroyTarget { aws, target } = world.cancellable(find_target(world, &args)).await?;
    let pipeline = target.build();
    let clients = Clients::new(aws.clone(), &pipeline.graph.home().account);
    let plan = world
        .cancellable(Plan::read(&pipeline.graph, &clients))
        .await?;
    let place = PlanLocation {
        option: target.option().name(),
        account: &target.scope().account,
        region: &target.scope().region,
    };
    let fates = plan.destroy_actions();
    if fates.iter().all(|(_, fate)| *fate == DestroyAction::Absent) {
        return Err(no_deployment_error(world)
            .with_hint("it may be in another account, or use another --name-prefix"));
    }
    let used = plan.used_by().await?;
    if args.dry_run {
        render::plan::print_destroy_plan(&world.ui, &place, &fates);
        fail_if_unreadable(&plan)?;
        return reject_if_in_use(world, &used).map(|()| Exit::Success);
    }
    render::plan::announce_destroy_plan(&world.ui, &place, &fates, !args.yes);
    if plan.first_unreadable().is_some() {
        world
            .ui
            .warn("Nothing was deleted, because some resources could not be read.");
    }
    fail_if_unreadable(&plan)?;
    reject_if_in_use(world, &used)?;
    let due = fates
        .iter()
        .filter(|(_, fate)| *fate == DestroyAction::Delete)
        .count();
    if due == 0 {
        return Err(Error::negative(
            "none of these resources is managed by heeler-ec; nothing was deleted",
        ));
    }
    if !args.yes
        && !world
            .confirm(
                "\nDelete these resources? Messages that Heeler has not received yet are lost.",
            )
            .await?
    {
        return Err(not_confirmed_error("nothing was deleted"));
    }
    let backup = match &args.backup {
        Some(path) => {
            let deletes = |step: &PlanStep| step.actual.as_ref().is_some_and(Actual::is_managed);
            let saved = BackupInProgress::start(
                world,
                &aws,
                &target.scope().account,
                path,
                plan.documents(deletes),
            );
            Some(world.cancellable(saved).await?)
        }
        None => None,
    };
    let parts = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, DestroyAction::DeletedWith(_)));
    let progress = ProgressDisplay::new(world.ui, due + parts.count());
    let cancellation = world.interrupt.cancellation();
    world
        .interrupt
        .set_cleanup_message("finishing the calls that are under way");
    let observer = |event: ReconcileEvent| progress.on_event(&event);
    let options = ExecutionOptions::new(&cancellation, &observer);
    let outcomes = destroy(&plan, options).await;
    progress.finish();
    if !cancellation.is_cancelled()
        && let Some(target) = subscription_target(&*target)
    {
        remove_stale_queues(world, &aws, &target).await;
    }
    let unnoted = super::backup::finish(world, backup).await;
    let exit = report_leftovers(world, &fates, &outcomes)?;
    Ok(unnoted.unwrap_or(exit))
}

/// What cannot be seen may be what leads to the rest, or what others use.
fn fail_if_unreadable(plan: &Plan<'_, Aws>) -> Result<()> {
    plan.first_unreadable()
        .map_or(Ok(()), |hole| Err(hole.clone()))
}

/// Others may have begun to use what setup made; they would lose their events.
fn reject_if_in_use(world: &Context, used: &[(&PlanStep, Vec<String>)]) -> Result<()> {
    let Some((step, users)) = used.first() else {
        return Ok(());
    };
    let refusal = Error::negative(format!(
        "{} has other subscribers: {}; nothing was deleted",
        step.id,
        users.join(", ")
    ));
    let second = users
        .iter()
        .find_map(|user| ResourceNames::from_queue_name(arn::resource_name(user)));
    Err(match second.filter(|names| *names != world.names()) {
        Some(names) => refusal.with_hint(format!(
            "a second deployment shares this topic: remove it first with `heeler-ec destroy --name-prefix {}`, or keep \
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
}

impl DestroyTarget {
    fn new(aws: &Aws, target: Box<dyn Target>) -> Self {
        Self {
            aws: aws.in_region(&target.scope().region),
            target,
        }
    }

    /// Returns true if any resource is managed by heeler-ec.
    async fn has_managed_resources(&self) -> Result<bool> {
        let pipeline = self.target.build();
        let clients = Clients::new(self.aws.clone(), &pipeline.graph.home().account);
        let plan = Plan::read(&pipeline.graph, &clients).await?;
        fail_if_unreadable(&plan)?;
        let mut actual = plan.steps.iter().filter_map(|step| step.actual.as_ref());
        Ok(actual.any(Actual::is_managed))
    }
}

/// Finds the deployment by the tags of its role, or without a role by way of the trail.
async fn find_target(world: &Context, args: &cli::DestroyArgs) -> Result<DestroyTarget> {
    let aws = world.connect().await?;
    let (caller, deployment) = tokio::join!(aws.caller_identity(), world.find_deployment(&aws));
    let caller: CallerIdentity = caller?;
    world.check_account(&caller.account)?;
    let Some(deployment) = deployment? else {
        return search_targets(world, args, &aws, &caller, OPTIONS).await;
    };
    let target = option::existing_target(&deployment, &caller, world.names())?;
    if !target.is_located() {
        let only = [target.option()];
        return search_targets(world, args, &aws, &caller, &only).await;
    }
    Ok(DestroyTarget::new(&aws, target))
}

/// Searches by way of the trail, or where the arguments say. Of several places, the first with a managed resource is
/// taken.
async fn search_targets(
    world: &Context,
    args: &cli::DestroyArgs,
    aws: &Aws,
    caller: &CallerIdentity,
    options: &[&'static dyn DeliveryOption],
) -> Result<DestroyTarget> {
    let discovery = DiscoveryArgs {
        bucket: args.bucket.clone(),
        ..DiscoveryArgs::default()
    };
    let mut request: InventoryRequest = world.hints(&discovery, &[]);
    request.expected_account = None;
    let profiles: Vec<_> = options.iter().map(|option| option.profile()).collect();
    let inventory = check::collect(aws, request, &profiles).await;
    let locate = LocateRequest {
        scope: DeploymentScope::new(caller, aws.region(), world.names()),
        log_group: args.log_group.clone(),
    };
    let (mut refusal, mut candidates) = (None, Vec::new());
    for option in options {
        let snapshot = check::snapshot(&inventory, &option.profile());
        match option.locate(&snapshot, &locate) {
            Ok(target) => candidates.push(DestroyTarget::new(aws, target)),
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
        (None, None) => Err(nothing_found_error(world)),
    }
}

/// Without the role and the trail there may still be something, which only its place tells.
fn nothing_found_error(world: &Context) -> Error {
    no_deployment_error(world).with_hint(
        "if resources remain, name the bucket or the log group that they were set up for: heeler-ec destroy --bucket BUCKET, \
         or heeler-ec destroy --log-group NAME",
    )
}

/// The queues that killed runs of tail have left. A failure is told, and stops nothing.
async fn remove_stale_queues(world: &Context, aws: &Aws, topic: &SubscriptionTarget) {
    match temporary_queue::remove_stale(aws, topic).await {
        Ok(cleared) => cleared.iter().for_each(|name| {
            world.ui.status(&format!(
                "Removed {name}, which a run of tail had left behind."
            ));
        }),
        Err(error) => world.ui.error(&error),
    }
}

/// Says what is left, and why.
fn report_leftovers(
    world: &Context,
    fates: &[(&PlanStep, DestroyAction)],
    outcomes: &[Outcome<(), Error>],
) -> Result<Exit> {
    let mut failed = None;
    let mut left = Vec::new();
    for ((step, fate), outcome) in fates.iter().zip(outcomes) {
        match (fate, outcome) {
            (DestroyAction::NotManaged, _) => {
                left.push(format!("{}: nothing says that heeler-ec made it", step.id));
            }
            (DestroyAction::BlockedBy(by), _) => {
                left.push(format!("{}: {by} holds it, which stays", step.id))
            }
            (DestroyAction::Delete, Outcome::Failed(error)) => {
                left.push(format!("{}: {}", step.id, error.cause()));
                failed.get_or_insert_with(|| error.clone());
            }
            (
                DestroyAction::Delete,
                Outcome::Skipped {
                    blocked_by: because,
                },
            ) => {
                left.push(format!(
                    "{}: it waits for {}",
                    step.id, fates[*because].0.id
                ));
            }
            (DestroyAction::Delete, Outcome::Done(())) if step.id.kind == "kms key" => {
                left.push(format!("{}: AWS deletes it in 7 days; until then it costs nothing and can be kept (aws kms cancel-key-deletion)", step.id));
            }
            _ => {}
        }
    }
    if left.is_empty() {
        world.ui.status("Nothing is left.");
    } else {
        world.ui.status("Left:");
        for line in &left {
            world.ui.status(&format!("  {line}"));
        }
    }
    match failed {
        Some(error) => {
            world
                .ui
                .warn("Run heeler-ec destroy again to delete the rest.");
            Err(error)
        }
        None => Ok(Exit::Success),
    }
}
