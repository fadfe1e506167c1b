//! Applies a plan: creates and updates resources in dependency order, and verifies each write by reading.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::conflicting_run::{ConflictingRunSearch, Interference};
use super::diff::{Change, diff};
use super::event::{EventObserver, ReconcileEvent, Verb};
use super::graph::{Node, ResourceId};
use super::plan::{Action, Plan};
use super::retry::{Backoff, RERUN_LATER, RetryPolicy};
use super::scheduler::{Outcome, run_in_order};
use super::state::State;
use super::{Actual, KnownOutputs};
use crate::error::{Error, Exit, Result};
use crate::ownership::Ownership;

/// Settings of an execution.
#[derive(Clone, Copy)]
pub struct ExecutionOptions<'a> {
    pub retry_policy: RetryPolicy,
    pub cancellation: &'a CancellationToken,
    pub observer: EventObserver<'a>,
}

impl<'a> ExecutionOptions<'a> {
    /// Options with the default retry policy.
    #[must_use]
    pub fn new(cancellation: &'a CancellationToken, observer: EventObserver<'a>) -> Self {
        Self {
            retry_policy: RetryPolicy::default(),
            cancellation,
            observer,
        }
    }
}

/// Progress of one step.
#[derive(Debug, Default)]
pub(super) struct StepProgress {
    /// A write was about to start.
    pub attempted: AtomicBool,
    /// A resource was created. The step may have failed afterwards.
    pub created: AtomicBool,
}

/// The result of applying a plan, step by step.
#[derive(Debug)]
pub struct ApplyResult {
    pub outcomes: Vec<Outcome<(), Error>>,
    pub(super) progress: Vec<StepProgress>,
}

impl ApplyResult {
    /// The failure to report: a real one if there is one, otherwise the cancellation.
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

    /// Returns true if another run created a lock resource first.
    #[must_use]
    pub fn lost_lock_race<C: Sync>(&self, plan: &Plan<'_, C>) -> bool {
        plan.graph.lock_nodes().iter().any(|lock| {
            matches!(&self.outcomes[*lock], Outcome::Failed(refusal) if refusal.is_already_exists())
        })
    }
}

/// Creates and updates what the plan says.
///
/// # Errors
/// Only before the first write: a conflict, or an unreadable resource in the home scope. Failures of single steps are
/// among the outcomes.
pub async fn apply<C: Send + Sync>(
    plan: &Plan<'_, C>,
    options: ExecutionOptions<'_>,
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
    report_unavailable_scopes(plan, options);
    let edges = plan.graph.edges();
    let progress: Vec<StepProgress> = edges.iter().map(|_| StepProgress::default()).collect();
    let outcomes = run_in_order(&edges, |node| {
        run_step(plan, node, &progress[node], options)
    })
    .await;
    report_skipped(plan, &outcomes, options.observer);
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

pub(super) fn report_unavailable_scopes<C: Send + Sync>(
    plan: &Plan<'_, C>,
    options: ExecutionOptions<'_>,
) {
    for (scope, refusal) in plan.unavailable_scopes() {
        (options.observer)(ReconcileEvent::ScopeUnavailable {
            scope: scope.clone(),
            reason: refusal.to_string(),
        });
    }
}

fn report_skipped<C: Sync>(
    plan: &Plan<'_, C>,
    outcomes: &[Outcome<(), Error>],
    observer: EventObserver<'_>,
) {
    for (step, outcome) in plan.steps.iter().zip(outcomes) {
        if let (Outcome::Skipped { blocked_by }, Some(verb)) = (outcome, verb_for(&step.action)) {
            observer(ReconcileEvent::Skipped {
                id: step.id.clone(),
                verb,
                blocked_by: plan.steps[*blocked_by].id.to_string(),
            });
        }
    }
}

async fn run_step<C: Send + Sync>(
    plan: &Plan<'_, C>,
    node: usize,
    progress: &StepProgress,
    options: ExecutionOptions<'_>,
) -> Result<()> {
    let step = &plan.steps[node];
    if let Action::Unknown(refusal) = &step.action {
        return Err(refusal.clone());
    }
    let Some(verb) = verb_for(&step.action) else {
        return Ok(());
    };
    with_events(&step.id, verb, options, async {
        if let Some(refusal) = plan.scope_refusal(node) {
            return Err(refusal.clone());
        }
        let runner = StepRunner::new(plan, node, progress, options)?;
        let desired = runner.node.resource.desired(&plan.known);
        match (&step.action, &step.actual) {
            (Action::Adopt(adoption), Some(actual)) => {
                runner.adopt(actual, &desired, &adoption.changes).await
            }
            (_, actual) => runner.create_or_update(actual.as_ref(), &desired).await,
        }
    })
    .await
}

/// Runs one piece of work and emits its start and its result. Does not start if the run is cancelled.
pub(super) async fn with_events(
    id: &ResourceId,
    verb: Verb,
    options: ExecutionOptions<'_>,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    if options.cancellation.is_cancelled() {
        return Err(Error::interrupted(format!("stopped before {id}")));
    }
    (options.observer)(ReconcileEvent::Started {
        id: id.clone(),
        verb,
    });
    let started = Instant::now();
    let result = work.await;
    let id = id.clone();
    (options.observer)(match &result {
        Ok(()) => ReconcileEvent::Finished {
            id,
            verb,
            elapsed: started.elapsed(),
        },
        Err(error) => ReconcileEvent::Failed {
            id,
            verb,
            reason: error.to_string(),
        },
    });
    result
}

/// Time that replicas usually need at most to show a write.
pub(super) const REPLICATION_DELAY: Duration = Duration::from_secs(5);

/// Writes one resource.
pub(super) struct StepRunner<'a, C> {
    plan: &'a Plan<'a, C>,
    node: &'a Node<C>,
    index: usize,
    cloud: &'a C,
    known: &'a KnownOutputs,
    progress: &'a StepProgress,
    options: ExecutionOptions<'a>,
}

impl<'a, C: Send + Sync> StepRunner<'a, C> {
    pub(super) fn new(
        plan: &'a Plan<'a, C>,
        node: usize,
        progress: &'a StepProgress,
        options: ExecutionOptions<'a>,
    ) -> Result<Self> {
        Ok(Self {
            plan,
            index: node,
            node: &plan.graph.nodes()[node],
            cloud: plan.cloud(node)?,
            known: &plan.known,
            progress,
            options,
        })
    }

    /// Creates or updates once, then reads until nothing differs. Fields that the create could not set are set by an
    /// update.
    async fn create_or_update(&self, actual: Option<&Actual>, desired: &State) -> Result<()> {
        self.write(actual, desired).await?;
        self.wait_until_consistent(desired).await
    }

    /// Writes a former state, and reads until the fields that a plan compares have their former values. Other fields,
    /// such as tags, are written without waiting, because others may change them meanwhile.
    pub(super) async fn restore(&self, actual: Option<&Actual>, former: &State) -> Result<()> {
        self.write(actual, former).await?;
        let compared = self.node.resource.desired(self.known);
        self.wait_until_consistent(&former.restricted_to(&compared))
            .await
    }

    async fn write(&self, actual: Option<&Actual>, desired: &State) -> Result<()> {
        self.progress.attempted.store(true, Ordering::Relaxed);
        match actual {
            None => {
                let resource = self.node.resource.as_ref();
                let created = self
                    .retry(async || resource.create(self.cloud, desired, self.known).await)
                    .await;
                match created {
                    Ok(outputs) => self.known.record(&self.node.id, &outputs),
                    Err(refusal) => self.resolve_ambiguous_create(desired, refusal).await?,
                }
                self.progress.created.store(true, Ordering::Relaxed);
            }
            Some(actual) => self.update(actual, desired).await?,
        }
        Ok(())
    }

    /// Decides the outcome of a create that failed with "already exists" or without a response. An SDK retry of a
    /// create whose response was lost fails with "already exists". The create succeeded if the resource is managed and
    /// equals the desired state; otherwise another run was first.
    async fn resolve_ambiguous_create(&self, desired: &State, refusal: Error) -> Result<()> {
        if !refusal.is_already_exists() && !refusal.is_outcome_unknown() {
            return Err(refusal);
        }
        let mut backoff = Backoff::new(self.options.retry_policy, self.options.cancellation);
        let resource = self.node.resource.as_ref();
        while let Ok(actual) = resource.read(self.cloud, self.known).await {
            match actual {
                Some(actual) if !actual.is_managed() || !resource.is_own_creation(&actual) => break,
                Some(actual) if diff(&actual.state, desired).is_empty() => return Ok(()),
                _ => {}
            }
            // A cancelled run still reports that another run was first.
            let waited = backoff.wait(REPLICATION_DELAY, refusal.operation()).await;
            if !matches!(waited, Ok(true)) {
                break;
            }
        }
        if refusal.is_outcome_unknown() {
            return Err(refusal);
        }
        Err(refusal.with_hint(
            "it was created after the plan was read, perhaps by another run: run the same command again when that run has ended",
        ))
    }

    /// Sets the tags first, so that a run that fails later leaves a managed resource, which the next run completes.
    async fn adopt(&self, actual: &Actual, desired: &State, changes: &[Change]) -> Result<()> {
        let resource = self.node.resource.as_ref();
        self.retry(async || resource.take_ownership(self.cloud, actual).await)
            .await?;
        if !changes.is_empty() {
            self.update(actual, desired).await?;
        }
        self.wait_until_consistent(desired).await
    }

    async fn update(&self, actual: &Actual, desired: &State) -> Result<()> {
        let resource = self.node.resource.as_ref();
        self.retry(async || {
            resource
                .update(self.cloud, actual, desired, self.known)
                .await
        })
        .await
    }

    /// Repeats a call, unless a dependency that the plan had read no longer exists.
    async fn retry<T>(&self, mut call: impl AsyncFnMut() -> Result<T>) -> Result<T> {
        let search = self.search_deleted_dependencies();
        let is_final = AtomicBool::new(false);
        let budget_for = |refusal: &Error| {
            let budget = self.node.resource.retry_budget(refusal);
            budget.filter(|_| !is_final.load(Ordering::Relaxed))
        };
        self.options
            .retry_policy
            .retry(
                budget_for,
                self.options.cancellation,
                |refusal| self.report_waiting(self.node.resource.retry_reason(refusal)),
                async || {
                    let refusal = match call().await {
                        Err(refusal) if budget_for(&refusal).is_some() => refusal,
                        result => return result,
                    };
                    match search.search().await {
                        Some(hint) => {
                            is_final.store(true, Ordering::Relaxed);
                            Err(refusal.with_hint(hint))
                        }
                        None => Err(refusal),
                    }
                },
            )
            .await
    }

    /// Searches for a dependency that the plan had read and that no longer exists.
    fn search_deleted_dependencies(&self) -> ConflictingRunSearch<'a, C> {
        let steps = &self.plan.steps;
        let mut dependencies = self.plan.graph.edges().swap_remove(self.index);
        dependencies.retain(|node| steps[*node].actual.is_some());
        ConflictingRunSearch::new(self.plan, dependencies, Interference::Deleted)
    }

    fn report_waiting(&self, reason: String) {
        (self.options.observer)(ReconcileEvent::Waiting {
            id: self.node.id.clone(),
            reason,
        });
    }

    /// Reads until nothing differs, unless a dependency no longer exists: AWS may have deleted the resource with it.
    async fn wait_until_consistent(&self, desired: &State) -> Result<()> {
        let operation = format!("verify the write of {}", self.node.id);
        let search = self.search_deleted_dependencies();
        let mut backoff = Backoff::new(self.options.retry_policy, self.options.cancellation);
        let mut rewritten = false;
        loop {
            let reads = self.read_replicas().await?;
            let inconsistency = reads
                .iter()
                .find_map(|actual| Inconsistency::find(actual.as_ref(), desired));
            let Some(inconsistency) = inconsistency else {
                for actual in reads.iter().flatten() {
                    self.known.record(&self.node.id, &actual.outputs);
                }
                return Ok(());
            };
            // After this time it is no replication delay: the create did not set a field. Write once more. An update
            // has written every field, and only its reads are late.
            let is_created = self.progress.created.load(Ordering::Relaxed);
            if is_created
                && !rewritten
                && backoff.elapsed() >= REPLICATION_DELAY
                && let Some(actual) = reads
                    .iter()
                    .flatten()
                    .find(|actual| !diff(&actual.state, desired).is_empty())
            {
                rewritten = true;
                self.update(actual, desired).await?;
                // The update may have waited for minutes, and its write has to become visible as well.
                backoff = Backoff::new(self.options.retry_policy, self.options.cancellation);
                continue;
            }
            self.report_waiting(format!("{} is not visible yet", inconsistency.describe()));
            if let Some(hint) = search.search().await {
                let error = inconsistency.error(operation, backoff.elapsed().as_secs());
                return Err(error.with_hint(hint));
            }
            let timeout = self.options.retry_policy.visibility_timeout;
            if !backoff.wait(timeout, &operation).await? {
                return Err(inconsistency.error(operation, backoff.elapsed().as_secs()));
            }
        }
    }

    /// Reads as often, concurrently, as reads must agree.
    async fn read_replicas(&self) -> Result<Vec<Option<Actual>>> {
        let resource = self.node.resource.as_ref();
        let reads = (0..resource.properties().agreeing_reads)
            .map(|_| resource.read(self.cloud, self.known));
        join_all(reads).await.into_iter().collect()
    }
}

/// Part of a write that a read does not show yet.
enum Inconsistency {
    Absent,
    MissingTags,
    Differs(Vec<Change>),
}

impl Inconsistency {
    fn find(actual: Option<&Actual>, desired: &State) -> Option<Self> {
        let Some(actual) = actual else {
            return Some(Self::Absent);
        };
        let changes = diff(&actual.state, desired);
        if changes.is_empty() && actual.ownership == Ownership::Unmanaged {
            return Some(Self::MissingTags);
        }
        (!changes.is_empty()).then_some(Self::Differs(changes))
    }

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

    fn error(&self, operation: String, seconds: u64) -> Error {
        let reason = match self {
            Self::Absent => {
                format!("AWS accepted the call, but did not show the resource within {seconds} s")
            }
            Self::MissingTags | Self::Differs(_) => format!(
                "AWS still reports old values after {seconds} s: {}",
                self.describe()
            ),
        };
        Error::failed(operation, reason).with_hint(RERUN_LATER)
    }
}
