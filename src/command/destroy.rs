//! Deletes what setup made: plan, question, deletes, and what is left.

use super::backup::Running;
use super::tail::hook;
use super::{World, nothing_set_up};
use crate::aws::{Aws, Caller, arn};
use crate::backup::refuse_existing;
use crate::check::survey::{Facts, Hints};
use crate::cli::{self, Discovery};
use crate::converge::Live;
use crate::converge::apply::Manner;
use crate::converge::destroy::{Fate, destroy};
use crate::converge::event::Event;
use crate::converge::patience::Patience;
use crate::converge::plan::{Plan, Step};
use crate::converge::walk::Outcome;
use crate::error::{Error, Exit, Result};
use crate::names::Names;
use crate::pipeline::site::Site;
use crate::pipeline::{KINDS, Kind, kind};
use crate::render;
use crate::render::plan::Place;
use crate::render::progress::Progress;
use crate::resource::role::Trust;
use crate::route::Route;
use crate::tail::tap;

pub(super) async fn run(world: &World, args: cli::Destroy) -> Result<Exit> {
    if !args.yes && !args.dry_run && !world.ui.can_ask() {
        return Err(
            Error::usage("ask before deleting", "there is no terminal to answer on")
                .hint("--yes deletes without asking; --dry-run only shows what would be deleted"),
        );
    }
    if let Some(path) = &args.backup {
        refuse_existing(path)?;
    }
    let Found { aws, kind, site } = world.before_writing(find(world, &args)).await?;
    let pipeline = (kind.build)(&site);
    let plan = world
        .before_writing(Plan::read(&pipeline.graph, &aws))
        .await?;
    let place = Place {
        option: kind.name(),
        account: &site.account,
        region: &site.region,
    };
    let fates = plan.fates();
    if fates.iter().all(|(_, fate)| *fate == Fate::Absent) {
        return Err(nothing_set_up(world)
            .hint("it may be in another account, or have another --name-prefix"));
    }
    let used = plan.used_by(&aws).await?;
    if args.dry_run {
        render::plan::fates(&world.ui, &place, &fates);
        refuse_hole(&plan)?;
        return refuse_if_used(world, &used).map(|()| Exit::Yes);
    }
    render::plan::announce_fates(&world.ui, &place, &fates, !args.yes);
    if plan.hole().is_some() {
        world
            .ui
            .alert("Nothing was deleted: what is there has to be seen first.");
    }
    refuse_hole(&plan)?;
    refuse_if_used(world, &used)?;
    let due = fates
        .iter()
        .filter(|(_, fate)| *fate == Fate::Delete)
        .count();
    if due == 0 {
        return Err(Error::no(
            "destroy",
            "nothing of it was made by heeler-ec; nothing was deleted",
        ));
    }
    if !args.yes
        && !world
            .confirms("\nDelete this? Messages that Heeler has not fetched yet are lost.")
            .await?
    {
        return Err(Error::no(
            "destroy",
            "the answer was not yes; nothing was deleted",
        ));
    }
    let backup = match &args.backup {
        Some(path) => {
            let deletes = |step: &Step| step.live.as_ref().is_some_and(Live::is_ours);
            let saved = Running::begin(world, &aws, &site.account, path, plan.documents(deletes));
            Some(world.before_writing(saved).await?)
        }
        None => None,
    };
    let parts = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::GoesWith(_)));
    let progress = Progress::new(world.ui, due + parts.count());
    let stop = world.interrupt.stop();
    world
        .interrupt
        .cleans_up("finishing the calls that are under way");
    let watch = |event: Event| progress.tell(&event);
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let outcomes = destroy(&plan, &aws, manner).await;
    progress.finish();
    if !stop.asked() && kind.route == Route::S3 {
        clear_taps(world, &aws, &site).await;
    }
    let unnoted = super::backup::end(world, backup).await;
    let exit = ended(world, &fates, &outcomes)?;
    Ok(unnoted.unwrap_or(exit))
}

/// What cannot be seen may be what leads to the rest, or what others use.
fn refuse_hole(plan: &Plan<'_, Aws>) -> Result<()> {
    plan.hole().map_or(Ok(()), |hole| Err(hole.clone()))
}

/// Others may have begun to use what setup made; they would lose their events.
fn refuse_if_used(world: &World, used: &[(&Step, Vec<String>)]) -> Result<()> {
    let Some((step, users)) = used.first() else {
        return Ok(());
    };
    let refusal = Error::no(
        "destroy",
        format!(
            "{} also serves {}; nothing was deleted",
            step.id,
            users.join(", ")
        ),
    );
    let second = users
        .iter()
        .find_map(|user| Names::of_queue(arn::last(user)));
    Err(match second.filter(|names| *names != world.names()) {
        Some(names) => refusal.hint(format!(
            "that is the queue of a second deployment, which shares this topic: destroy that one first \
             (--name-prefix {}), or keep this one as long as it is in use",
            names.prefix()
        )),
        None => refusal.hint(
            "move those subscriptions to another topic first (aws sns unsubscribe), then run destroy again",
        ),
    })
}

/// An option, and where it was set up.
struct Found {
    /// In the region of the site.
    aws: Aws,
    kind: &'static Kind,
    site: Site,
}

impl Found {
    fn new(aws: &Aws, kind: &'static Kind, site: Site) -> Self {
        Self {
            aws: aws.at(&site.region),
            kind,
            site,
        }
    }

    /// Whether anything that setup made is there.
    async fn has_ours(&self) -> Result<bool> {
        let pipeline = (self.kind.build)(&self.site);
        let plan = Plan::read(&pipeline.graph, &self.aws).await?;
        refuse_hole(&plan)?;
        let ours = plan
            .steps
            .iter()
            .any(|step| step.live.as_ref().is_some_and(Live::is_ours));
        Ok(ours)
    }
}

/// Where to look for what was set up: what the role's tags tell; without a role, where the trail leads.
async fn find(world: &World, args: &cli::Destroy) -> Result<Found> {
    let aws = world.aws().await?;
    let (caller, deployment) = tokio::join!(aws.caller(), world.deployment(&aws));
    let caller: Caller = caller?;
    world.refuse_other_account(&caller.account)?;
    let Some(deployment) = deployment? else {
        return search(world, args, &aws, &caller, KINDS).await;
    };
    let kind = kind(&deployment.option).ok_or_else(|| {
        Error::no(
            "destroy",
            format!("option {} was set up by a newer version", deployment.option),
        )
    })?;
    // A tag cannot hold the name of every log group.
    if kind.route == Route::CloudWatch && deployment.log_group.is_none() {
        return search(world, args, &aws, &caller, std::slice::from_ref(kind)).await;
    }
    let site = Site::deployed(&caller, world.names(), &deployment);
    Ok(Found::new(&aws, kind, site))
}

/// Looks where the trail leads, or where the operator says. Of several places the one is taken where something of ours
/// is.
async fn search(
    world: &World,
    args: &cli::Destroy,
    aws: &Aws,
    caller: &Caller,
    kinds: &'static [Kind],
) -> Result<Found> {
    let discovery = Discovery {
        bucket: args.bucket.clone(),
        ..Discovery::default()
    };
    let mut hints: Hints = world.hints(&discovery, &[]);
    hints.account = None;
    let routes: Vec<Route> = kinds.iter().map(|kind| kind.route).collect();
    let facts = Facts::take(aws, hints, &routes).await;
    let (mut refusal, mut places) = (None, Vec::new());
    for kind in kinds {
        let survey = facts.view(kind.route);
        let named = args
            .log_group
            .as_ref()
            .filter(|_| kind.route == Route::CloudWatch);
        let site = match named {
            Some(group) => Ok(Site::at_log_group(
                caller,
                aws.region(),
                world.names(),
                group,
            )),
            None => Site::surveyed(&survey, world.names(), Trust::nobody()),
        };
        match site {
            Ok(site) => places.push(Found::new(aws, kind, site)),
            Err(_) => refusal = refusal.or(survey.refusal()),
        }
    }
    for place in &places {
        if place.has_ours().await? {
            return Ok(Found::new(aws, place.kind, place.site.clone()));
        }
    }
    match (refusal, places.into_iter().next()) {
        (Some(refusal), _) => Err(refusal),
        (None, Some(first)) => Ok(first),
        (None, None) => Err(nothing_found(world)),
    }
}

/// Without the role and the trail there may still be something, which only its place tells.
fn nothing_found(world: &World) -> Error {
    nothing_set_up(world).hint(
        "if something is left all the same, name what it was set up for: heeler-ec destroy --bucket BUCKET (option s3), \
         or heeler-ec destroy --log-group NAME (option cloudwatch)",
    )
}

/// The queues that killed runs of tail have left. A failure is told, and stops nothing.
async fn clear_taps(world: &World, aws: &Aws, site: &Site) {
    match tap::clear(aws, &hook(site)).await {
        Ok(cleared) => cleared.iter().for_each(|name| {
            world.ui.story(&format!(
                "Removed {name}, which a run of tail had left behind."
            ));
        }),
        Err(error) => render::error::error(&world.ui, &error),
    }
}

/// Says what is left, and why.
fn ended(world: &World, fates: &[(&Step, Fate)], outcomes: &[Outcome<(), Error>]) -> Result<Exit> {
    let mut failed = None;
    let mut left = Vec::new();
    for ((step, fate), outcome) in fates.iter().zip(outcomes) {
        match (fate, outcome) {
            (Fate::Stays, _) => {
                left.push(format!("{}: nothing says that heeler-ec made it", step.id));
            }
            (Fate::Held(by), _) => left.push(format!("{}: {by} holds it, which stays", step.id)),
            (Fate::Delete, Outcome::Failed(error)) => {
                left.push(format!("{}: {}", step.id, error.cause()));
                failed.get_or_insert_with(|| error.clone());
            }
            (Fate::Delete, Outcome::Skipped { because }) => {
                left.push(format!(
                    "{}: it waits for {}",
                    step.id, fates[*because].0.id
                ));
            }
            (Fate::Delete, Outcome::Done(())) if step.id.kind == "kms key" => {
                left.push(format!("{}: AWS deletes it in 7 days; until then it costs nothing and can be kept (aws kms cancel-key-deletion)", step.id));
            }
            _ => {}
        }
    }
    if left.is_empty() {
        world.ui.story("Nothing is left.");
    } else {
        world.ui.story("Left:");
        for line in &left {
            world.ui.story(&format!("  {line}"));
        }
    }
    match failed {
        Some(error) => {
            world
                .ui
                .alert("Run heeler-ec destroy again to delete the rest.");
            Err(error)
        }
        None => Ok(Exit::Yes),
    }
}
