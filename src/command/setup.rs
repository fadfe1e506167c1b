//! Sets the pipeline up: checks, plan, question, writes, and the three values.

use std::path::Path;

use super::backup::Running;
use super::plan::{Prepared, input_is_valid, prepare};
use super::rollback::roll_back;
use super::{World, option};
use crate::aws::Aws;
use crate::backup::refuse_existing;
use crate::check::survey::Hints;
use crate::check::{Repair, repair};
use crate::cli::{self, OnFailure};
use crate::converge::apply::{Manner, apply};
use crate::converge::event::Event;
use crate::converge::patience::Patience;
use crate::converge::plan::{Action, Plan, Step};
use crate::converge::walk::Outcome;
use crate::error::{Error, Exit, Result};
use crate::pipeline::Kind;
use crate::render;
use crate::render::outputs::Outputs;
use crate::render::progress::Progress;
use crate::route::Route;

const SET_RETENTION: &str = "set the retention of the log group";

pub(super) async fn run(world: &World, args: cli::Setup) -> Result<Exit> {
    let kind = option(&args.choice.option)?;
    input_is_valid(&args.trust)?;
    if !args.yes && !args.dry_run && !world.ui.can_ask() {
        return Err(
            Error::usage("ask before writing", "there is no terminal to answer on")
                .hint("--yes sets up without asking; --dry-run only shows the plan"),
        );
    }
    if args.fix_retention && kind.route != Route::CloudWatch {
        return Err(Error::usage(
            SET_RETENTION,
            "only option cloudwatch uses one",
        ));
    }
    if args.adoption.adopt && args.on_failure == OnFailure::Rollback {
        return Err(Error::usage(
            "set up with --adopt and --on-failure rollback",
            "what is adopted is not given back",
        )
        .hint("leave --on-failure out: the same command completes what failed"));
    }
    if let Some(path) = &args.backup {
        refuse_existing(path)?;
    }
    let aws = world.aws().await?;
    let hints = Hints {
        accepted: args.accept.accepted.clone(),
        adopt: args.adoption.adopt,
        ..world.hints(&args.discovery, &args.trust.heeler_role_arn)
    };
    if args.fix_retention {
        fix_retention(world, &aws, kind, hints.clone()).await?;
    }
    let prepared = world
        .before_writing(prepare(world, &aws, kind, hints, &args.trust, args.dry_run))
        .await?;
    let plan = world
        .before_writing(prepared.plan(args.adoption.adopt))
        .await?;
    if args.dry_run {
        render::plan::plan(&world.ui, &prepared.place(kind), &plan.steps);
        return plan.hole().map_or(Ok(Exit::Yes), |hole| Err(hole.clone()));
    }
    render::plan::announce(&world.ui, &prepared.place(kind), &plan.steps, !args.yes);
    if let Some(hole) = plan.hole() {
        world.ui.alert(&format!(
            "What is there has to be seen first; {}.",
            world.nothing_written()
        ));
        return Err(hole.clone());
    }
    if plan.conflicts().next().is_some() {
        return Err(in_conflict(world, kind, &plan));
    }
    let has_new_id = changes_id(&plan.steps);
    if has_new_id {
        world.ui.alerted(
            "\nThe external id changes: from the write on, Heeler cannot assume the role until it is given the new one. \
             It is printed at the end.",
            0,
        );
    }
    let mut unnoted = None;
    if plan.is_empty() {
        world.ui.story(&format!(
            "Everything is set up already; {}.",
            world.nothing_written()
        ));
    } else {
        if !args.yes && !world.confirms("\nSet this up?").await? {
            return Err(Error::no(
                "set up",
                format!("the answer was not yes; {}", world.nothing_written()),
            ));
        }
        let backup = match &args.backup {
            Some(path) => Some(
                world
                    .before_writing(save(world, &prepared, &plan, path))
                    .await?,
            ),
            None => None,
        };
        let ended = obey(world, args.on_failure, &prepared, &plan).await;
        unnoted = super::backup::end(world, backup).await;
        ended?;
    }
    let answered = answer(world, &prepared, &plan)?;
    if has_new_id {
        world.ui.alerted(
            "\nThe external id has changed: paste the new one into Heeler now. Until then Heeler cannot assume the role, \
             and messages wait in the queue for two hours at most.",
            0,
        );
    }
    // What was set up is set up, and its values are shown; only the backup is not complete.
    Ok(unnoted.unwrap_or(answered))
}

/// Whether the role would ask for another external id than it does today.
fn changes_id(steps: &[Step]) -> bool {
    let mut changes = steps.iter().flat_map(|step| step.action.changes());
    changes.any(|change| change.secret)
}

/// Saves what the plan changes, as it is before the first write.
async fn save<'a>(
    world: &World,
    prepared: &'a Prepared,
    plan: &Plan<'_, Aws>,
    path: &Path,
) -> Result<Running<'a>> {
    let documents = plan.documents(|step| step.action != Action::Keep);
    Running::begin(
        world,
        &prepared.aws,
        &prepared.site.account,
        path,
        documents,
    )
    .await
}

fn in_conflict(world: &World, kind: &Kind, plan: &Plan<'_, Aws>) -> Error {
    let mut hint =
        "choose other names with --name-prefix, or remove those resources with what made them"
            .to_owned();
    if plan.conflicts().all(Step::can_be_adopted) {
        let adopting = world.again(&format!("plan --option {} --adopt", kind.name()));
        hint = format!("{hint}; {adopting} shows what taking them over would change");
    }
    Error::no(
        format!("set up option {}", kind.name()),
        format!(
            "names are taken by resources that are not ours; {}",
            world.nothing_written()
        ),
    )
    .hint(hint)
}

/// Asks for the name of the log group, and then keeps its events for a day only.
async fn fix_retention(world: &World, aws: &Aws, kind: &Kind, hints: Hints) -> Result<()> {
    let facts = world
        .before_writing(world.look(aws, hints, &[kind.route]))
        .await?;
    let survey = facts.view(kind.route);
    let offered = repair::offered(&survey).into_iter();
    for (what, observed) in offered.filter(|(what, _)| *what == Repair::RetentionOfOneDay) {
        if !world.ui.can_ask() {
            return Err(Error::no(SET_RETENTION, "there is no terminal to ask on")
                .hint("run the same command in a terminal, or leave --fix-retention out"));
        }
        let question = repair::question(what, &survey, &observed);
        if world.confirms_by(&question.text, &question.word).await? {
            repair::repair(aws, what, &survey).await?;
            let group = question.word;
            world.ui.story(&format!(
                "Log group {group} now keeps its events for one day."
            ));
            world.has_written(format!("log group {group} keeps its events for one day"));
        }
    }
    Ok(())
}

/// Writes, and fails with what is done, what is not, and how to go on.
async fn obey(
    world: &World,
    on_failure: OnFailure,
    prepared: &Prepared,
    plan: &Plan<'_, Aws>,
) -> Result<()> {
    let due = plan
        .steps
        .iter()
        .filter(|step| step.action != Action::Keep)
        .count();
    let progress = Progress::new(world.ui, due);
    let stop = world.interrupt.stop();
    world.interrupt.cleans_up(match on_failure {
        OnFailure::Keep => "finishing the calls that are under way",
        OnFailure::Rollback => "finishing the calls that are under way, then rolling back",
    });
    world.interrupt.leaves(how_to_go_on(world).into());
    let watch = |event: Event| progress.tell(&event);
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let applied = apply(plan, &prepared.aws, manner).await?;
    progress.finish();
    let Some(failure) = applied.failure() else {
        return Ok(());
    };
    // Whoever is not first has made what nobody will ever use.
    if on_failure == OnFailure::Rollback || applied.came_second(plan) {
        roll_back(world, &prepared.aws, plan, &applied).await;
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
    world.ui.alert(&format!(
        "\n{done} of {due} done. What was made stays, and nothing that was there is lost{}.",
        world.but_for()
    ));
    tell_how_to_go_on(world);
    Err(failure.clone())
}

/// A command has a line of its own, to be copied.
fn how_to_go_on(world: &World) -> [String; 2] {
    [
        "Run the same command again to complete it. To remove it:".to_owned(),
        format!("  {}", world.again("destroy")),
    ]
}

pub(super) fn tell_how_to_go_on(world: &World) {
    for line in how_to_go_on(world) {
        world.ui.alert_as_it_is(&line);
    }
}

fn answer(world: &World, prepared: &Prepared, plan: &Plan<'_, Aws>) -> Result<Exit> {
    let read = |output| {
        plan.output(output)
            .ok_or_else(|| Error::unanswered("show the outputs", "AWS named no queue URL"))
    };
    let (queue_url, role_arn) = (
        read(&prepared.pipeline.queue_url)?,
        read(&prepared.pipeline.role_arn)?,
    );
    world.ui.story("");
    render::outputs::outputs(
        &world.ui,
        &Outputs {
            queue_url: &queue_url,
            role_arn: &role_arn,
            external_id: prepared.site.trust.external_id.expose(),
        },
    );
    render::outputs::next_step(&world.ui);
    Ok(Exit::Yes)
}

impl World {
    /// Until the first write an interrupt ends a command at once.
    pub(super) async fn before_writing<T>(
        &self,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut stop = self.interrupt.stop();
        tokio::select! {
            done = work => done,
            () = stop.wait() => Err(self.interrupted()),
        }
    }
}
