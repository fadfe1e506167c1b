//! Deletes what setup made: plan, question, deletes, and what is left.

use super::tail::hook;
use super::{World, nothing_set_up};
use crate::aws::{Aws, Caller};
use crate::check::survey::{Facts, Hints};
use crate::cli::{self, Discovery};
use crate::converge::apply::Manner;
use crate::converge::destroy::{Fate, destroy};
use crate::converge::event::Event;
use crate::converge::patience::Patience;
use crate::converge::plan::{Plan, Step};
use crate::converge::walk::Outcome;
use crate::error::{Error, Exit, Result};
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
    let (aws, kind, site) = world.before_writing(find(world, &args)).await?;
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
        return Err(nothing_set_up(world));
    }
    let used = plan.used_by(&aws).await?;
    if args.dry_run {
        render::plan::fates(&world.ui, &place, &fates);
        return refuse_if_used(&used).map(|()| Exit::Yes);
    }
    render::plan::announce_fates(&world.ui, &place, &fates, !args.yes);
    refuse_if_used(&used)?;
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
    let progress = Progress::new(world.ui, due);
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
    if !stop.asked() {
        clear_taps(world, &aws, &site).await;
    }
    ended(world, &fates, &outcomes)
}

/// Others may have begun to use what setup made; they would lose their events.
fn refuse_if_used(used: &[(&Step, Vec<String>)]) -> Result<()> {
    let Some((step, users)) = used.first() else {
        return Ok(());
    };
    Err(Error::no("destroy", format!("{} also serves {}; nothing was deleted", step.id, users.join(", ")))
        .hint("move those subscriptions to another topic first (aws sns unsubscribe), then run destroy again"))
}

/// Where to look for what was set up: what the role's tags tell; without a role, where the trail leads.
async fn find(world: &World, args: &cli::Destroy) -> Result<(Aws, &'static Kind, Site)> {
    let aws = world.aws().await?;
    let (caller, deployment) = tokio::join!(aws.caller(), world.deployment(&aws));
    let caller: Caller = caller?;
    world.refuse_other_account(&caller.account)?;
    if let Some(deployment) = deployment? {
        let kind = kind(&deployment.option).ok_or_else(|| {
            Error::no(
                "destroy",
                format!("option {} was set up by a newer version", deployment.option),
            )
        })?;
        let site = Site::deployed(&caller, world.names(), &deployment);
        return Ok((aws.at(&site.region), kind, site));
    }
    let discovery = Discovery {
        bucket: args.bucket.clone(),
        ..Discovery::default()
    };
    let mut hints: Hints = world.hints(&discovery, &[]);
    hints.account = None;
    let survey = Facts::take(&aws, hints, &[Route::S3]).await.view(Route::S3);
    let site = Site::surveyed(&survey, world.names(), Trust::nobody())
        .map_err(|_| survey.refusal().unwrap_or_else(|| nothing_found(world)))?;
    Ok((aws.at(&site.region), &KINDS[0], site))
}

/// Without the role and the trail's bucket there may still be something, which only its place tells.
fn nothing_found(world: &World) -> Error {
    nothing_set_up(world).hint(
        "if something is left all the same, name the bucket it was set up for: heeler-ec destroy --bucket BUCKET",
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
            (Fate::Stays, _) => left.push(format!("{}: heeler-ec did not make it", step.id)),
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
