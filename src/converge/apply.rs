//! Obeys a plan: makes and changes what it says, in the order of the edges, and reads back each write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::diff::{Change, diff};
use super::event::{Event, Observer, Verb};
use super::graph::Id;
use super::patience::{Patience, Pauses};
use super::plan::{Action, Plan};
use super::state::State;
use super::stop::Stop;
use super::walk::{Outcome, walk};
use super::{Known, Live, Owner, Resource};
use crate::error::{Error, Exit, Result};

/// What a walk needs besides the plan.
#[derive(Clone, Copy)]
pub struct Manner<'a> {
    pub patience: Patience,
    pub stop: &'a Stop,
    pub watch: Observer<'a>,
}

/// How far a step came.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// It was about to write.
    pub begun: AtomicBool,
    /// It made something, and may have failed after it.
    pub made: AtomicBool,
}

/// What came of a plan, step by step.
#[derive(Debug)]
pub struct Applied {
    pub outcomes: Vec<Outcome<(), Error>>,
    /// How far each step came.
    pub(super) progress: Vec<Progress>,
}

impl Applied {
    /// The failure to tell of: of what went wrong rather than of the wish to end early.
    #[must_use]
    pub fn failure(&self) -> Option<&Error> {
        let failures = || {
            self.outcomes.iter().filter_map(|outcome| match outcome {
                Outcome::Failed(error) => Some(error),
                _ => None,
            })
        };
        failures()
            .find(|error| error.exit() != Exit::Interrupted)
            .or_else(|| failures().next())
    }

    /// Whether another run was first at what only one can make.
    #[must_use]
    pub fn came_second<C: Sync>(&self, plan: &Plan<'_, C>) -> bool {
        let lock = plan.graph.locked_by().map(|lock| &self.outcomes[lock]);
        matches!(lock, Some(Outcome::Failed(refusal)) if refusal.is_taken())
    }
}

/// Makes and changes what the plan says. Refuses a plan with conflicts or holes before the first write.
///
/// # Errors
/// Only a conflict or a hole; failures of single steps are among the outcomes.
pub async fn apply<C: Sync>(plan: &Plan<'_, C>, cloud: &C, manner: Manner<'_>) -> Result<Applied> {
    if let Some(conflict) = plan.conflicts().next() {
        return Err(Error::no(
            format!("set up {}", conflict.id),
            "there is one of that name that is not ours",
        ));
    }
    if let Some(refusal) = plan.hole() {
        return Err(refusal.clone());
    }
    let edges = plan.graph.edges();
    let progress: Vec<Progress> = edges.iter().map(|_| Progress::default()).collect();
    let outcomes = walk(&edges, |node| {
        step(plan, node, &progress[node], cloud, manner)
    })
    .await;
    tell_of_skipped(plan, &outcomes, manner.watch);
    Ok(Applied { outcomes, progress })
}

fn verb(action: &Action) -> Option<Verb> {
    match action {
        Action::Create => Some(Verb::Create),
        Action::Update(_) => Some(Verb::Update),
        Action::Adopt(_) => Some(Verb::Adopt),
        Action::Keep | Action::Conflict(_) | Action::Unknown(_) => None,
    }
}

fn tell_of_skipped<C: Sync>(
    plan: &Plan<'_, C>,
    outcomes: &[Outcome<(), Error>],
    watch: Observer<'_>,
) {
    for (step, outcome) in plan.steps.iter().zip(outcomes) {
        if let (Outcome::Skipped { because }, Some(verb)) = (outcome, verb(&step.action)) {
            let because = plan.steps[*because].id.to_string();
            watch(Event::Skipped {
                id: step.id.clone(),
                verb,
                because,
            });
        }
    }
}

async fn step<C: Sync>(
    plan: &Plan<'_, C>,
    node: usize,
    progress: &Progress,
    cloud: &C,
    manner: Manner<'_>,
) -> Result<()> {
    let step = &plan.steps[node];
    let Some(verb) = verb(&step.action) else {
        return Ok(());
    };
    let resource = plan.graph.nodes()[node].as_ref();
    let work = Work {
        resource,
        cloud,
        known: &plan.known,
        progress,
        manner,
    };
    let want = resource.desired(&plan.known);
    report(&step.id, verb, manner, async {
        match (&step.action, &step.live) {
            (Action::Adopt(adoption), Some(live)) => {
                work.adopt(live, &want, &adoption.changes).await
            }
            (_, live) => work.converge(live.as_ref(), &want).await,
        }
    })
    .await
}

/// Runs one piece of work and tells how it went.
pub(super) async fn report(
    id: &Id,
    verb: Verb,
    manner: Manner<'_>,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    if manner.stop.asked() {
        return Err(Error::interrupted(format!("begin with {id}")));
    }
    (manner.watch)(Event::Started {
        id: id.clone(),
        verb,
    });
    let began = Instant::now();
    let result = work.await;
    let id = id.clone();
    (manner.watch)(match &result {
        Ok(()) => Event::Done {
            id,
            verb,
            took: began.elapsed(),
        },
        Err(error) => Event::Failed {
            id,
            verb,
            why: error.to_string(),
        },
    });
    result
}

/// What replicas need at most, as a rule, to show a write.
pub(super) const DELAY: Duration = Duration::from_secs(5);

pub(super) struct Work<'a, C> {
    pub resource: &'a dyn Resource<C>,
    pub cloud: &'a C,
    pub known: &'a Known,
    pub progress: &'a Progress,
    pub manner: Manner<'a>,
}

impl<C: Sync> Work<'_, C> {
    /// Creates or updates once, then reads until nothing differs; what a create could not say in one call is
    /// said by an update.
    pub(super) async fn converge(&self, live: Option<&Live>, want: &State) -> Result<()> {
        self.write(live, want).await?;
        self.settle(want).await
    }

    /// Writes a former state, and reads until the fields that a plan compares are as they were. What else is in it, such
    /// as tags, is written and not waited for: others may change it meanwhile.
    pub(super) async fn put_back(&self, live: Option<&Live>, former: &State) -> Result<()> {
        self.write(live, former).await?;
        let compared = self.resource.desired(self.known);
        self.settle(&former.among(&compared)).await
    }

    async fn write(&self, live: Option<&Live>, want: &State) -> Result<()> {
        self.progress.begun.store(true, Ordering::Relaxed);
        match live {
            None => {
                let made = self
                    .insist(async || self.resource.create(self.cloud, want, self.known).await)
                    .await;
                match made {
                    Ok(outputs) => self.known.learn(&self.resource.id(), &outputs),
                    Err(refusal) => self.find_made(want, refusal).await?,
                }
                self.progress.made.store(true, Ordering::Relaxed);
            }
            Some(live) => self.update(live, want).await?,
        }
        Ok(())
    }

    /// A create whose answer was lost is made again, and refused because of itself. What is there then is what was to
    /// be made, if it bears our mark and is as wanted; else somebody else was first.
    async fn find_made(&self, want: &State, refusal: Error) -> Result<()> {
        if !refusal.is_taken() && !refusal.is_silence() {
            return Err(refusal);
        }
        let mut pauses = Pauses::new(self.manner.patience, self.manner.stop);
        while let Ok(live) = self.resource.read(self.cloud, self.known).await {
            match live {
                Some(live) if !live.is_ours() => break,
                Some(live) if diff(&live.state, want).is_empty() => return Ok(()),
                _ => {}
            }
            // Whoever wants to leave has to know all the same that another was first.
            if !matches!(pauses.pause(DELAY, refusal.doing()).await, Ok(true)) {
                break;
            }
        }
        if refusal.is_silence() {
            return Err(refusal);
        }
        Err(refusal.hint(
            "it was made after the plan was read, perhaps by another run: run the same command again when that has ended",
        ))
    }

    /// Marks first: what a run leaves half done is ours by then, and goes on without being asked for again.
    async fn adopt(&self, live: &Live, want: &State, changes: &[Change]) -> Result<()> {
        self.insist(async || self.resource.mark(self.cloud, live).await)
            .await?;
        if !changes.is_empty() {
            self.update(live, want).await?;
        }
        self.settle(want).await
    }

    async fn update(&self, live: &Live, want: &State) -> Result<()> {
        self.insist(async || {
            self.resource
                .update(self.cloud, live, want, self.known)
                .await
        })
        .await
    }

    async fn insist<T>(&self, call: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        self.manner
            .patience
            .insist(
                |refusal| self.resource.patience(refusal),
                self.manner.stop,
                |refusal| self.waiting(refusal.cause()),
                call,
            )
            .await
    }

    fn waiting(&self, why: String) {
        (self.manner.watch)(Event::Waiting {
            id: self.resource.id(),
            why,
        });
    }

    async fn settle(&self, want: &State) -> Result<()> {
        let doing = format!("see {} as it was written", self.resource.id());
        let mut pauses = Pauses::new(self.manner.patience, self.manner.stop);
        let mut said_again = false;
        loop {
            let reads = join_all(
                (0..self.resource.reads_to_agree())
                    .map(|_| self.resource.read(self.cloud, self.known)),
            )
            .await;
            let mut lives = Vec::with_capacity(reads.len());
            for read in reads {
                lives.push(read?);
            }
            let Some(open) = lives.iter().find_map(|live| open(live.as_ref(), want)) else {
                for live in lives.iter().flatten() {
                    self.known.learn(&self.resource.id(), &live.outputs);
                }
                return Ok(());
            };
            // Not a delay any more: a field that the first write did not take. It is said once more.
            if !said_again
                && pauses.waited() >= DELAY
                && let Some(live) = lives
                    .iter()
                    .flatten()
                    .find(|live| !diff(&live.state, want).is_empty())
            {
                said_again = true;
                self.update(live, want).await?;
                continue;
            }
            self.waiting(format!("{} is not visible yet", open.words()));
            if !pauses.pause(self.manner.patience.settle, &doing).await? {
                return Err(open.error(doing, pauses.waited().as_secs()));
            }
        }
    }
}

/// What a read does not show yet.
enum Open {
    Absent,
    /// Our mark.
    Unmarked,
    Differs(Vec<Change>),
}

fn open(live: Option<&Live>, want: &State) -> Option<Open> {
    let Some(live) = live else {
        return Some(Open::Absent);
    };
    let changes = diff(&live.state, want);
    if changes.is_empty() && live.owner == Owner::Nobody {
        return Some(Open::Unmarked);
    }
    (!changes.is_empty()).then_some(Open::Differs(changes))
}

impl Open {
    fn words(&self) -> String {
        match self {
            Self::Absent => "the resource".to_owned(),
            Self::Unmarked => "the tags".to_owned(),
            Self::Differs(changes) => changes
                .iter()
                .map(|change| change.field)
                .collect::<Vec<_>>()
                .join(", "),
        }
    }

    fn error(&self, doing: String, waited: u64) -> Error {
        let why = match self {
            Self::Absent => format!("AWS did not show it for {waited} s after accepting it"),
            Self::Unmarked | Self::Differs(_) => format!(
                "AWS still reports otherwise after {waited} s: {}",
                self.words()
            ),
        };
        Error::unanswered(doing, why)
            .hint("run the same command again in a few minutes; it goes on where it stopped")
    }
}
