//! Obeys a plan: makes and changes what it says, in the order of the edges, and reads back each write.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::cancel::CancellationToken;
use super::diff::{Change, diff};
use super::event::{EventObserver, ReconcileEvent, Verb};
use super::graph::ResourceId;
use super::plan::{Action, Plan};
use super::retry::{Backoff, RetryPolicy};
use super::scheduler::{Outcome, run_in_order};
use super::state::State;
use super::{Actual, KnownOutputs, Resource};
use crate::error::{Error, Exit, Result};
use crate::ownership::Ownership;

/// What a walk needs besides the plan.
#[derive(Clone, Copy)]
pub struct ExecutionOptions<'a> {
    pub retry_policy: RetryPolicy,
    pub cancellation: &'a CancellationToken,
    pub observer: EventObserver<'a>,
}

/// How far a step came.
#[derive(Debug, Default)]
pub(super) struct StepProgress {
    /// It was about to write.
    pub attempted: AtomicBool,
    /// It made something, and may have failed after it.
    pub created: AtomicBool,
}

/// What came of a plan, step by step.
#[derive(Debug)]
pub struct ApplyResult {
    pub outcomes: Vec<Outcome<(), Error>>,
    /// How far each step came.
    pub(super) progress: Vec<StepProgress>,
}

impl ApplyResult {
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
    pub fn lost_lock_race<C: Sync>(&self, plan: &Plan<'_, C>) -> bool {
        let lock = plan.graph.lock_node().map(|lock| &self.outcomes[lock]);
        matches!(lock, Some(Outcome::Failed(refusal)) if refusal.is_already_exists())
    }
}

/// Makes and changes what the plan says. Refuses a plan with conflicts or holes before the first write.
///
/// # Errors
/// Only a conflict or a hole; failures of single steps are among the outcomes.
pub async fn apply<C: Sync>(
    plan: &Plan<'_, C>,
    cloud: &C,
    manner: ExecutionOptions<'_>,
) -> Result<ApplyResult> {
    if let Some(conflict) = plan.conflicts().next() {
        return Err(Error::negative(format!(
            "{} exists and is not managed by heeler-ec",
            conflict.id
        )));
    }
    if let Some(refusal) = plan.first_unreadable() {
        return Err(refusal.clone());
    }
    let edges = plan.graph.edges();
    let progress: Vec<StepProgress> = edges.iter().map(|_| StepProgress::default()).collect();
    let outcomes = run_in_order(&edges, |node| {
        run_step(plan, node, &progress[node], cloud, manner)
    })
    .await;
    report_skipped(plan, &outcomes, manner.observer);
    Ok(ApplyResult { outcomes, progress })
}

fn verb_for(action: &Action) -> Option<Verb> {
    match action {
        Action::Create => Some(Verb::Create),
        Action::Update(_) => Some(Verb::Update),
        Action::Adopt(_) => Some(Verb::Adopt),
        Action::Keep | Action::Conflict(_) | Action::Unknown(_) => None,
    }
}

fn report_skipped<C: Sync>(
    plan: &Plan<'_, C>,
    outcomes: &[Outcome<(), Error>],
    watch: EventObserver<'_>,
) {
    for (step, outcome) in plan.steps.iter().zip(outcomes) {
        if let (
            Outcome::Skipped {
                blocked_by: because,
            },
            Some(verb),
        ) = (outcome, verb_for(&step.action))
        {
            let because = plan.steps[*because].id.to_string();
            watch(ReconcileEvent::Skipped {
                id: step.id.clone(),
                verb,
                blocked_by: because,
            });
        }
    }
}

async fn run_step<C: Sync>(
    plan: &Plan<'_, C>,
    node: usize,
    progress: &StepProgress,
    cloud: &C,
    manner: ExecutionOptions<'_>,
) -> Result<()> {
    let step = &plan.steps[node];
    let Some(verb) = verb_for(&step.action) else {
        return Ok(());
    };
    let resource = plan.graph.nodes()[node].as_ref();
    let work = StepRunner {
        resource,
        cloud,
        known: &plan.known,
        progress,
        options: manner,
    };
    let want = resource.desired(&plan.known);
    with_events(&step.id, verb, manner, async {
        match (&step.action, &step.actual) {
            (Action::Adopt(adoption), Some(live)) => {
                work.adopt(live, &want, &adoption.changes).await
            }
            (_, live) => work.create_or_update(live.as_ref(), &want).await,
        }
    })
    .await
}

/// Runs one piece of work and tells how it went.
pub(super) async fn with_events(
    id: &ResourceId,
    verb: Verb,
    manner: ExecutionOptions<'_>,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    if manner.cancellation.is_cancelled() {
        return Err(Error::interrupted(format!("did not start {id}")));
    }
    (manner.observer)(ReconcileEvent::Started {
        id: id.clone(),
        verb,
    });
    let began = Instant::now();
    let result = work.await;
    let id = id.clone();
    (manner.observer)(match &result {
        Ok(()) => ReconcileEvent::Finished {
            id,
            verb,
            elapsed: began.elapsed(),
        },
        Err(error) => ReconcileEvent::Failed {
            id,
            verb,
            reason: error.to_string(),
        },
    });
    result
}

/// What replicas need at most, as a rule, to show a write.
pub(super) const REPLICATION_DELAY: Duration = Duration::from_secs(5);

pub(super) struct StepRunner<'a, C> {
    pub resource: &'a dyn Resource<C>,
    pub cloud: &'a C,
    pub known: &'a KnownOutputs,
    pub progress: &'a StepProgress,
    pub options: ExecutionOptions<'a>,
}

impl<C: Sync> StepRunner<'_, C> {
    /// Creates or updates once, then reads until nothing differs; what a create could not say in one call is
    /// said by an update.
    pub(super) async fn create_or_update(&self, live: Option<&Actual>, want: &State) -> Result<()> {
        self.write(live, want).await?;
        self.wait_until_consistent(want).await
    }

    /// Writes a former state, and reads until the fields that a plan compares are as they were. What else is in it, such
    /// as tags, is written and not waited for: others may change it meanwhile.
    pub(super) async fn restore(&self, live: Option<&Actual>, former: &State) -> Result<()> {
        self.write(live, former).await?;
        let compared = self.resource.desired(self.known);
        self.wait_until_consistent(&former.restricted_to(&compared))
            .await
    }

    async fn write(&self, live: Option<&Actual>, want: &State) -> Result<()> {
        self.progress.attempted.store(true, Ordering::Relaxed);
        match live {
            None => {
                let made = self
                    .retry(async || self.resource.create(self.cloud, want, self.known).await)
                    .await;
                match made {
                    Ok(outputs) => self.known.record(&self.resource.id(), &outputs),
                    Err(refusal) => self.resolve_ambiguous_create(want, refusal).await?,
                }
                self.progress.created.store(true, Ordering::Relaxed);
            }
            Some(live) => self.update(live, want).await?,
        }
        Ok(())
    }

    /// A create whose answer was lost is made again, and refused because of itself. What is there then is what was to
    /// be made, if it bears our mark and is as wanted; else somebody else was first.
    async fn resolve_ambiguous_create(&self, want: &State, refusal: Error) -> Result<()> {
        if !refusal.is_already_exists() && !refusal.is_outcome_unknown() {
            return Err(refusal);
        }
        let mut pauses = Backoff::new(self.options.retry_policy, self.options.cancellation);
        while let Ok(live) = self.resource.read(self.cloud, self.known).await {
            match live {
                Some(live) if !live.is_managed() => break,
                Some(live) if diff(&live.state, want).is_empty() => return Ok(()),
                _ => {}
            }
            // Whoever wants to leave has to know all the same that another was first.
            if !matches!(
                pauses.wait(REPLICATION_DELAY, refusal.operation()).await,
                Ok(true)
            ) {
                break;
            }
        }
        if refusal.is_outcome_unknown() {
            return Err(refusal);
        }
        Err(refusal.with_hint(
            "it was made after the plan was read, perhaps by another run: run the same command again when that has ended",
        ))
    }

    /// Marks first: what a run leaves half done is ours by then, and goes on without being asked for again.
    async fn adopt(&self, live: &Actual, want: &State, changes: &[Change]) -> Result<()> {
        self.retry(async || self.resource.take_ownership(self.cloud, live).await)
            .await?;
        if !changes.is_empty() {
            self.update(live, want).await?;
        }
        self.wait_until_consistent(want).await
    }

    async fn update(&self, live: &Actual, want: &State) -> Result<()> {
        self.retry(async || {
            self.resource
                .update(self.cloud, live, want, self.known)
                .await
        })
        .await
    }

    async fn retry<T>(&self, call: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        self.options
            .retry_policy
            .retry(
                |refusal| self.resource.retry_budget(refusal),
                self.options.cancellation,
                |refusal| self.report_waiting(refusal.cause()),
                call,
            )
            .await
    }

    fn report_waiting(&self, why: String) {
        (self.options.observer)(ReconcileEvent::Waiting {
            id: self.resource.id(),
            reason: why,
        });
    }

    async fn wait_until_consistent(&self, want: &State) -> Result<()> {
        let doing = format!("see {} as it was written", self.resource.id());
        let mut pauses = Backoff::new(self.options.retry_policy, self.options.cancellation);
        let mut said_again = false;
        loop {
            let reads = join_all(
                (0..self.resource.agreeing_reads())
                    .map(|_| self.resource.read(self.cloud, self.known)),
            )
            .await;
            let mut lives = Vec::with_capacity(reads.len());
            for read in reads {
                lives.push(read?);
            }
            let Some(open) = lives
                .iter()
                .find_map(|live| find_inconsistency(live.as_ref(), want))
            else {
                for live in lives.iter().flatten() {
                    self.known.record(&self.resource.id(), &live.outputs);
                }
                return Ok(());
            };
            // Not a delay any more: a field that the first write did not take. It is said once more.
            if !said_again
                && pauses.elapsed() >= REPLICATION_DELAY
                && let Some(live) = lives
                    .iter()
                    .flatten()
                    .find(|live| !diff(&live.state, want).is_empty())
            {
                said_again = true;
                self.update(live, want).await?;
                continue;
            }
            self.report_waiting(format!("{} is not visible yet", open.describe()));
            if !pauses
                .wait(self.options.retry_policy.visibility_timeout, &doing)
                .await?
            {
                return Err(open.error(doing, pauses.elapsed().as_secs()));
            }
        }
    }
}

/// What a read does not show yet.
enum Inconsistency {
    Absent,
    /// Our mark.
    MissingTags,
    Differs(Vec<Change>),
}

fn find_inconsistency(live: Option<&Actual>, want: &State) -> Option<Inconsistency> {
    let Some(live) = live else {
        return Some(Inconsistency::Absent);
    };
    let changes = diff(&live.state, want);
    if changes.is_empty() && live.ownership == Ownership::Unmanaged {
        return Some(Inconsistency::MissingTags);
    }
    (!changes.is_empty()).then_some(Inconsistency::Differs(changes))
}

impl Inconsistency {
    fn describe(&self) -> String {
        match self {
            Self::Absent => "the resource".to_owned(),
            Self::MissingTags => "the tags".to_owned(),
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
            Self::MissingTags | Self::Differs(_) => format!(
                "AWS still reports otherwise after {waited} s: {}",
                self.describe()
            ),
        };
        Error::failed(doing, why)
            .with_hint("run the same command again in a few minutes; it goes on where it stopped")
    }
}
