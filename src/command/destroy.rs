//! Deletes what setup made: plan, question, deletes, and what is left.

use super::backup::BackupInProgress;
use super::tail::subscription_target;
use super::{Context, no_deployment_error};
use crate::aws::{Aws, CallerIdentity, arn};
use crate::backup::reject_existing;
use crate::cli::{self, DiscoveryArgs};
use crate::deployment::target::DeploymentTarget;
use crate::error::{Error, Exit, Result};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{Inventory, InventoryRequest};
use crate::naming::ResourceNames;
use crate::option::{OPTIONS, OptionSpec, option_named};
use crate::reconcile::Actual;
use crate::reconcile::apply::ExecutionOptions;
use crate::reconcile::destroy::{DestroyAction, destroy};
use crate::reconcile::event::ReconcileEvent;
use crate::reconcile::plan::{Plan, PlanStep};
use crate::reconcile::retry::RetryPolicy;
use crate::reconcile::scheduler::Outcome;
use crate::render;
use crate::render::plan::PlanLocation;
use crate::render::progress::ProgressDisplay;
use crate::resource::role::HeelerTrust;
use crate::tail::source::temporary_queue;

pub(super) async fn run(world: &Context, args: cli::DestroyArgs) -> Result<Exit> {
    if !args.yes && !args.dry_run && !world.ui.can_prompt() {
        return Err(
            Error::usage("ask before deleting", "there is no terminal to answer on").with_hint(
                "--yes deletes without asking; --dry-run only shows what would be deleted",
            ),
        );
    }
    if let Some(path) = &args.backup {
        reject_existing(path)?;
    }
    let DestroyTarget { aws, kind, site } = world.cancellable(find_target(world, &args)).await?;
    let pipeline = (kind.build)(&site);
    let plan = world.cancellable(Plan::read(&pipeline.graph, &aws)).await?;
    let place = PlanLocation {
        option: kind.name(),
        account: &site.account,
        region: &site.region,
    };
    let fates = plan.destroy_actions();
    if fates.iter().all(|(_, fate)| *fate == DestroyAction::Absent) {
        return Err(no_deployment_error(world)
            .with_hint("it may be in another account, or have another --name-prefix"));
    }
    let used = plan.used_by(&aws).await?;
    if args.dry_run {
        render::plan::print_destroy_plan(&world.ui, &place, &fates);
        fail_if_unreadable(&plan)?;
        return reject_if_in_use(world, &used).map(|()| Exit::Success);
    }
    render::plan::announce_destroy_plan(&world.ui, &place, &fates, !args.yes);
    if plan.first_unreadable().is_some() {
        world
            .ui
            .warn("Nothing was deleted: what is there has to be seen first.");
    }
    fail_if_unreadable(&plan)?;
    reject_if_in_use(world, &used)?;
    let due = fates
        .iter()
        .filter(|(_, fate)| *fate == DestroyAction::Delete)
        .count();
    if due == 0 {
        return Err(Error::negative(
            "destroy",
            "nothing of it was made by heeler-ec; nothing was deleted",
        ));
    }
    if !args.yes
        && !world
            .confirm("\nDelete this? Messages that Heeler has not fetched yet are lost.")
            .await?
    {
        return Err(Error::negative(
            "destroy",
            "the answer was not yes; nothing was deleted",
        ));
    }
    let backup = match &args.backup {
        Some(path) => {
            let deletes = |step: &PlanStep| step.actual.as_ref().is_some_and(Actual::is_managed);
            let saved =
                BackupInProgress::start(world, &aws, &site.account, path, plan.documents(deletes));
            Some(world.cancellable(saved).await?)
        }
        None => None,
    };
    let parts = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, DestroyAction::DeletedWith(_)));
    let progress = ProgressDisplay::new(world.ui, due + parts.count());
    let stop = world.interrupt.cancellation();
    world
        .interrupt
        .set_cleanup_message("finishing the calls that are under way");
    let watch = |event: ReconcileEvent| progress.on_event(&event);
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let outcomes = destroy(&plan, &aws, manner).await;
    progress.finish();
    if !stop.is_cancelled() && kind.destination == TrailDestination::Bucket {
        remove_stale_queues(world, &aws, &site).await;
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
    let refusal = Error::negative(
        "destroy",
        format!(
            "{} also serves {}; nothing was deleted",
            step.id,
            users.join(", ")
        ),
    );
    let second = users
        .iter()
        .find_map(|user| ResourceNames::from_queue_name(arn::resource_name(user)));
    Err(match second.filter(|names| *names != world.names()) {
        Some(names) => refusal.with_hint(format!(
            "that is the queue of a second deployment, which shares this topic: destroy that one first \
             (--name-prefix {}), or keep this one as long as it is in use",
            names.prefix()
        )),
        None => refusal.with_hint(
            "move those subscriptions to another topic first (aws sns unsubscribe), then run destroy again",
        ),
    })
}

/// An option, and where it was set up.
struct DestroyTarget {
    /// In the region of the site.
    aws: Aws,
    kind: &'static OptionSpec,
    site: DeploymentTarget,
}

impl DestroyTarget {
    fn new(aws: &Aws, kind: &'static OptionSpec, site: DeploymentTarget) -> Self {
        Self {
            aws: aws.in_region(&site.region),
            kind,
            site,
        }
    }

    /// Whether anything that setup made is there.
    async fn has_managed_resources(&self) -> Result<bool> {
        let pipeline = (self.kind.build)(&self.site);
        let plan = Plan::read(&pipeline.graph, &self.aws).await?;
        fail_if_unreadable(&plan)?;
        let ours = plan
            .steps
            .iter()
            .any(|step| step.actual.as_ref().is_some_and(Actual::is_managed));
        Ok(ours)
    }
}

/// Where to look for what was set up: what the role's tags tell; without a role, where the trail leads.
async fn find_target(world: &Context, args: &cli::DestroyArgs) -> Result<DestroyTarget> {
    let aws = world.connect().await?;
    let (caller, deployment) = tokio::join!(aws.caller_identity(), world.find_deployment(&aws));
    let caller: CallerIdentity = caller?;
    world.check_account(&caller.account)?;
    let Some(deployment) = deployment? else {
        return search_targets(world, args, &aws, &caller, OPTIONS).await;
    };
    let kind = option_named(&deployment.option).ok_or_else(|| {
        Error::negative(
            "destroy",
            format!("option {} was set up by a newer version", deployment.option),
        )
    })?;
    // A tag cannot hold the name of every log group.
    if kind.destination == TrailDestination::LogGroup && deployment.log_group.is_none() {
        return search_targets(world, args, &aws, &caller, std::slice::from_ref(kind)).await;
    }
    let site = DeploymentTarget::from_deployment(&caller, world.names(), &deployment);
    Ok(DestroyTarget::new(&aws, kind, site))
}

/// Looks where the trail leads, or where the operator says. Of several places the one is taken where something of ours
/// is.
async fn search_targets(
    world: &Context,
    args: &cli::DestroyArgs,
    aws: &Aws,
    caller: &CallerIdentity,
    kinds: &'static [OptionSpec],
) -> Result<DestroyTarget> {
    let discovery = DiscoveryArgs {
        bucket: args.bucket.clone(),
        ..DiscoveryArgs::default()
    };
    let mut hints: InventoryRequest = world.hints(&discovery, &[]);
    hints.expected_account = None;
    let routes: Vec<TrailDestination> = kinds.iter().map(|kind| kind.destination).collect();
    let facts = Inventory::collect(aws, hints, &routes).await;
    let (mut refusal, mut places) = (None, Vec::new());
    for kind in kinds {
        let survey = facts.snapshot(kind.destination);
        let named = args
            .log_group
            .as_ref()
            .filter(|_| kind.destination == TrailDestination::LogGroup);
        let site = match named {
            Some(group) => Ok(DeploymentTarget::for_log_group(
                caller,
                aws.region(),
                world.names(),
                group,
            )),
            None => DeploymentTarget::from_snapshot(&survey, world.names(), HeelerTrust::empty()),
        };
        match site {
            Ok(site) => places.push(DestroyTarget::new(aws, kind, site)),
            Err(_) => refusal = refusal.or(survey.bucket_error()),
        }
    }
    for place in &places {
        if place.has_managed_resources().await? {
            return Ok(DestroyTarget::new(aws, place.kind, place.site.clone()));
        }
    }
    match (refusal, places.into_iter().next()) {
        (Some(refusal), _) => Err(refusal),
        (None, Some(first)) => Ok(first),
        (None, None) => Err(nothing_found_error(world)),
    }
}

/// Without the role and the trail there may still be something, which only its place tells.
fn nothing_found_error(world: &Context) -> Error {
    no_deployment_error(world).with_hint(
        "if something is left all the same, name what it was set up for: heeler-ec destroy --bucket BUCKET (option s3), \
         or heeler-ec destroy --log-group NAME (option cloudwatch)",
    )
}

/// The queues that killed runs of tail have left. A failure is told, and stops nothing.
async fn remove_stale_queues(world: &Context, aws: &Aws, site: &DeploymentTarget) {
    match temporary_queue::remove_stale(aws, &subscription_target(site)).await {
        Ok(cleared) => cleared.iter().for_each(|name| {
            world.ui.status(&format!(
                "Removed {name}, which a run of tail had left behind."
            ));
        }),
        Err(error) => render::error::print_error(&world.ui, &error),
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
