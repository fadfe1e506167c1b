//! The engine against a sky of toys: order, idempotence, drift, refusals, delays, and taking down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::apply::{ExecutionOptions, apply};
use super::cancel::{CancellationToken, Canceller};
use super::destroy::{DestroyAction, destroy};
use super::event::ReconcileEvent;
use super::graph::{Graph, Handle, Output, ResourceId};
use super::plan::{Action, AdoptionPlan, Conflict, Plan};
use super::retry::RetryPolicy;
use super::rollback::{IrreversibleFields, rollback};
use super::scheduler::Outcome;
use super::state::State;
use super::{Actual, KnownOutputs, Outputs, Parent, Resource};
use crate::error::{Error, Exit, Result};
use crate::ownership::Ownership;

/// What exists, what was done to it, and what it refuses.
#[derive(Default)]
struct FakeCloud {
    resources: Mutex<BTreeMap<String, (String, Ownership)>>,
    log: Mutex<Vec<String>>,
    /// So many refusals of this write are still to come.
    refusals: Mutex<BTreeMap<String, (usize, &'static str)>>,
    /// So many reads still show what was before the last write.
    stale_reads: Mutex<BTreeMap<String, usize>>,
    before: Mutex<BTreeMap<String, Option<(String, Ownership)>>>,
    /// The answers of these writes are lost once: the write is done all the same.
    lost_responses: Mutex<BTreeSet<String>>,
    /// These must not be read; with the code of the refusal.
    unreadable: BTreeMap<&'static str, &'static str>,
}

impl FakeCloud {
    fn with_resources(toys: &[(&str, &str, Ownership)]) -> Self {
        let sky = Self::default();
        for (name, value, owner) in toys {
            sky.resources
                .lock()
                .unwrap()
                .insert((*name).into(), ((*value).into(), owner.clone()));
        }
        sky
    }

    fn refusing(self, write: &str, times: usize, code: &'static str) -> Self {
        self.refusals
            .lock()
            .unwrap()
            .insert(write.into(), (times, code));
        self
    }

    fn losing_response(self, write: &str) -> Self {
        self.lost_responses.lock().unwrap().insert(write.into());
        self
    }

    fn with_stale_reads(self, name: &str, reads: usize) -> Self {
        self.stale_reads.lock().unwrap().insert(name.into(), reads);
        self
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn names(&self) -> Vec<String> {
        self.resources.lock().unwrap().keys().cloned().collect()
    }

    fn write(&self, verb: &str, name: &str, value: Option<(String, Ownership)>) -> Result<()> {
        let write = format!("{verb} {name}");
        if let Some((times, code)) = self.refusals.lock().unwrap().get_mut(&write)
            && *times > 0
        {
            *times -= 1;
            return Err(Error::failed(write, "refused").with_code(Some((*code).into()), None));
        }
        let lost = self.lost_responses.lock().unwrap().remove(&write);
        self.log.lock().unwrap().push(write.clone());
        let mut toys = self.resources.lock().unwrap();
        let shown = toys.get(name).cloned();
        self.before
            .lock()
            .unwrap()
            .entry(name.into())
            .or_insert(shown);
        match value {
            Some(value) => toys.insert(name.into(), value),
            None => toys.remove(name),
        };
        if lost {
            return Err(Error::failed(write, "no answer").with_permission("toy:Write"));
        }
        Ok(())
    }

    fn read(&self, name: &str) -> Option<(String, Ownership)> {
        if let Some(reads) = self.stale_reads.lock().unwrap().get_mut(name)
            && let Some(before) = self.before.lock().unwrap().get(name)
            && *reads > 0
        {
            *reads -= 1;
            return before.clone();
        }
        self.resources.lock().unwrap().get(name).cloned()
    }
}

/// A toy wants a value: its own word, or the serial number of another toy.
struct FakeResource {
    name: &'static str,
    value: &'static str,
    dependencies: Vec<Output>,
    parent: Option<(ResourceId, bool)>,
    immutable: bool,
    blocks_deletion: bool,
}

fn fake_resource(name: &'static str, of: &[&Handle<FakeResource>]) -> FakeResource {
    let of = of.iter().map(|handle| handle.output("serial")).collect();
    FakeResource {
        name,
        value: "new",
        dependencies: of,
        parent: None,
        immutable: false,
        blocks_deletion: false,
    }
}

#[async_trait]
impl Resource<FakeCloud> for FakeResource {
    fn id(&self) -> ResourceId {
        ResourceId {
            kind: "toy",
            name: self.name.into(),
        }
    }

    fn dependencies(&self) -> Vec<Output> {
        self.dependencies.clone()
    }

    fn blocks_deletion_of_dependencies(&self) -> bool {
        self.blocks_deletion
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        let state = State::default().with("word", self.value);
        match self.dependencies.first() {
            Some(output) => state.with_optional("of", known.get(output)),
            None => state,
        }
    }

    fn immutable_fields(&self) -> &'static [&'static str] {
        if self.immutable { &["word"] } else { &[] }
    }

    fn parent(&self) -> Option<Parent> {
        self.parent.clone().map(|(id, deletes_children)| Parent {
            id,
            deletes_children,
        })
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        refusal
            .has_code("NotYet")
            .then_some(Duration::from_secs(30))
    }

    async fn read(&self, sky: &FakeCloud, _: &KnownOutputs) -> Result<Option<Actual>> {
        if let Some(code) = sky.unreadable.get(self.name) {
            let refusal = Error::failed(format!("read {}", self.name), "refused");
            return Err(refusal.with_code(Some((*code).into()), None));
        }
        Ok(sky.read(self.name).map(|(value, ownership)| {
            let mut words = value.split('/');
            let mut state = State::default().with("word", words.next().unwrap_or_default());
            if let Some(of) = words.next() {
                state = state.with("of", of);
            }
            Actual {
                state,
                outputs: Outputs::from([("serial", format!("{}-1", self.name))]),
                ownership,
            }
        }))
    }

    async fn create(&self, sky: &FakeCloud, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        sky.write(
            "create",
            self.name,
            Some((stored_value(want), Ownership::Managed)),
        )?;
        Ok(Outputs::new())
    }

    async fn update(
        &self,
        sky: &FakeCloud,
        _: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        let owner = sky.resources.lock().unwrap()[self.name].1.clone();
        sky.write("update", self.name, Some((stored_value(want), owner)))
    }

    fn ownership_tags(&self) -> Vec<(&'static str, String)> {
        vec![("made-by", "us".into())]
    }

    async fn take_ownership(&self, sky: &FakeCloud, _: &Actual) -> Result<()> {
        let value = sky.resources.lock().unwrap()[self.name].0.clone();
        sky.write("mark", self.name, Some((value, Ownership::Managed)))
    }

    async fn delete(&self, sky: &FakeCloud, _: &Actual) -> Result<()> {
        sky.write("delete", self.name, None)
    }
}

fn stored_value(want: &State) -> String {
    let word = want.text("word").unwrap_or_default();
    want.text("of")
        .map_or_else(|| word.to_owned(), |of| format!("{word}/{of}"))
}

/// ground ← wall ← roof, and a tree on its own.
fn sample_graph() -> Graph<FakeCloud> {
    let mut graph = Graph::default();
    let ground = graph.add(fake_resource("ground", &[]));
    let wall = graph.add(fake_resource("wall", &[&ground]));
    graph.add(fake_resource("roof", &[&wall]));
    graph.add(fake_resource("tree", &[]));
    graph
}

fn never_cancelled() -> CancellationToken {
    // Nobody holds the other end, so nobody can ask.
    Canceller::new().1
}

async fn run_apply(graph: &Graph<FakeCloud>, sky: &FakeCloud) -> Vec<Outcome<(), Error>> {
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let plan = Plan::read(graph, sky).await.unwrap();
    apply(&plan, sky, manner).await.unwrap().outcomes
}

/// Builds, and takes back what was done; says how both went.
async fn run_apply_and_rollback(
    graph: &Graph<FakeCloud>,
    sky: &FakeCloud,
) -> (
    Vec<Outcome<(), Error>>,
    Vec<Outcome<IrreversibleFields, Error>>,
) {
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let plan = Plan::read(graph, sky).await.unwrap();
    let applied = apply(&plan, sky, manner).await.unwrap();
    let undone = rollback(&plan, &applied, sky, manner).await;
    (applied.outcomes, undone)
}

async fn run_destroy(graph: &Graph<FakeCloud>, sky: &FakeCloud) -> Vec<Outcome<(), Error>> {
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let plan = Plan::read(graph, sky).await.unwrap();
    destroy(&plan, sky, manner).await
}

fn all_done<T>(outcomes: &[Outcome<T, Error>]) -> bool {
    outcomes
        .iter()
        .all(|outcome| matches!(outcome, Outcome::Done(_)))
}

#[tokio::test(start_paused = true)]
async fn resources_are_created_after_their_dependencies() {
    let sky = FakeCloud::default();
    assert!(all_done(&run_apply(&sample_graph(), &sky).await));
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("create ground") < place("create wall"));
    assert!(place("create wall") < place("create roof"));
    assert_eq!(log.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn outputs_of_create_reach_dependents() {
    let sky = FakeCloud::default();
    run_apply(&sample_graph(), &sky).await;
    assert_eq!(sky.resources.lock().unwrap()["wall"].0, "new/ground-1");
}

#[tokio::test(start_paused = true)]
async fn second_plan_is_empty() {
    let sky = FakeCloud::default();
    run_apply(&sample_graph(), &sky).await;
    let writes = sky.log().len();
    let garden = sample_graph();
    assert!(Plan::read(&garden, &sky).await.unwrap().is_empty());
    run_apply(&garden, &sky).await;
    assert_eq!(sky.log().len(), writes);
}

#[tokio::test]
async fn reading_a_plan_writes_nothing() {
    let (sky, garden) = (FakeCloud::default(), sample_graph());
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert!(plan.steps.iter().all(|step| step.action == Action::Create));
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn drift_updates_only_differing_fields() {
    let sky = FakeCloud::with_resources(&[("ground", "old", Ownership::Managed)]);
    let garden = sample_graph();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let Action::Update(changes) = &plan.steps[0].action else {
        panic!("{:?}", plan.steps[0])
    };
    assert_eq!((changes[0].field, changes.len()), ("word", 1));
    run_apply(&garden, &sky).await;
    assert_eq!(sky.resources.lock().unwrap()["ground"].0, "new");
}

/// What the plan says of each, in a word.
async fn planned_actions(graph: &Graph<FakeCloud>, sky: &FakeCloud) -> Vec<&'static str> {
    let plan = Plan::read(graph, sky).await.unwrap();
    let words = plan.steps.iter().map(|step| match step.action {
        Action::Create => "create",
        Action::Update(_) => "update",
        Action::Keep => "keep",
        Action::Conflict(_) => "conflict",
        Action::Adopt(_) => "adopt",
        Action::Unknown(_) => "unknown",
    });
    words.collect()
}

#[tokio::test(start_paused = true)]
async fn unreadable_resource_is_unknown_others_are_planned() {
    let mut sky = FakeCloud::default();
    run_apply(&sample_graph(), &sky).await;
    sky.resources
        .get_mut()
        .unwrap()
        .insert("tree".into(), ("old".into(), Ownership::Managed));
    sky.unreadable.insert("ground", "AccessDenied");
    // The wall holds a value of the ground, which nobody tells.
    assert_eq!(
        planned_actions(&sample_graph(), &sky).await,
        ["unknown", "unknown", "keep", "update"]
    );
    sky.resources
        .get_mut()
        .unwrap()
        .insert("wall".into(), ("old/ground-1".into(), Ownership::Managed));
    assert_eq!(
        planned_actions(&sample_graph(), &sky).await,
        ["unknown", "update", "keep", "update"]
    );
}

#[tokio::test(start_paused = true)]
async fn child_of_unreadable_parent_is_unknown() {
    let mut sky = FakeCloud::default();
    run_apply(&parent_and_child(false), &sky).await;
    sky.unreadable.insert("house", "AccessDenied");
    assert_eq!(
        planned_actions(&parent_and_child(false), &sky).await,
        ["unknown", "unknown"]
    );
}

#[tokio::test(start_paused = true)]
async fn unreadable_resource_blocks_apply_and_deletes_of_dependencies() {
    let mut sky = FakeCloud::default();
    run_apply(&sample_graph(), &sky).await;
    let before = sky.log();
    sky.unreadable.insert("wall", "AccessDenied");
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let garden = sample_graph();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let refused = apply(&plan, &sky, manner).await.unwrap_err();
    assert!(refused.is_denied(), "{refused}");
    assert_eq!(sky.log(), before);
    destroy(&plan, &sky, manner).await;
    assert_eq!(sky.names(), ["ground", "roof", "wall"]);
}

#[tokio::test(start_paused = true)]
async fn adopting_dependent_of_unreadable_resource_is_unknown() {
    let mut sky = FakeCloud::with_resources(&[
        ("ground", "new", Ownership::Managed),
        ("wall", "new/ground-1", Ownership::Unmanaged),
    ]);
    sky.unreadable.insert("ground", "AccessDenied");
    let garden = sample_graph();
    let plan = Plan::read(&garden, &sky).await.unwrap().with_adoption();
    assert!(
        matches!(plan.steps[1].action, Action::Unknown(_)),
        "{:?}",
        plan.steps[1].action
    );
    assert!(plan.first_unreadable().is_some());
}

#[tokio::test]
async fn failed_read_fails_the_plan() {
    let mut sky = FakeCloud::default();
    sky.unreadable.insert("tree", "ThrottlingException");
    assert!(Plan::read(&sample_graph(), &sky).await.is_err());
}

#[tokio::test]
async fn unmanaged_resource_is_a_conflict_and_blocks_apply() {
    let sky = FakeCloud::with_resources(&[("roof", "theirs", Ownership::Unmanaged)]);
    let garden = sample_graph();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert_eq!(plan.steps[2].action, Action::Conflict(Conflict::NotManaged));
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let refused = apply(&plan, &sky, manner).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::Negative);
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test]
async fn changed_immutable_field_is_a_conflict() {
    let sky = FakeCloud::with_resources(&[("ground", "old", Ownership::Managed)]);
    let mut graph = Graph::default();
    graph.add(FakeResource {
        immutable: true,
        ..fake_resource("ground", &[])
    });
    let plan = Plan::read(&graph, &sky).await.unwrap();
    assert!(matches!(
        plan.steps[0].action,
        Action::Conflict(Conflict::Immutable(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn transient_refusal_is_retried() {
    let sky = FakeCloud::default().refusing("create wall", 3, "NotYet");
    assert!(all_done(&run_apply(&sample_graph(), &sky).await));
}

#[tokio::test(start_paused = true)]
async fn retry_ends_at_its_deadline() {
    let sky = FakeCloud::default().refusing("create wall", usize::MAX, "NotYet");
    let began = tokio::time::Instant::now();
    let outcomes = run_apply(&sample_graph(), &sky).await;
    let Outcome::Failed(error) = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert!(
        error
            .hint()
            .unwrap()
            .to_string()
            .contains("still refused after 30 s"),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(31));
}

#[tokio::test(start_paused = true)]
async fn failed_create_skips_dependents_and_rerun_completes() {
    let sky = FakeCloud::default().refusing("create wall", 1, "Denied");
    let outcomes = run_apply(&sample_graph(), &sky).await;
    assert!(matches!(outcomes[1], Outcome::Failed(_)));
    assert!(matches!(outcomes[2], Outcome::Skipped { blocked_by: 1 }));
    assert_eq!(sky.names(), ["ground", "tree"]);
    assert!(all_done(&run_apply(&sample_graph(), &sky).await));
    assert_eq!(sky.names(), ["ground", "roof", "tree", "wall"]);
}

#[tokio::test(start_paused = true)]
async fn delayed_write_is_awaited_and_made_once() {
    let sky = FakeCloud::default().with_stale_reads("ground", 5);
    assert!(all_done(&run_apply(&sample_graph(), &sky).await));
    assert_eq!(
        sky.log()
            .iter()
            .filter(|line| *line == "create ground")
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn write_that_never_shows_names_the_field() {
    let sky = FakeCloud::with_resources(&[("ground", "old", Ownership::Managed)])
        .with_stale_reads("ground", usize::MAX);
    let outcomes = run_apply(&sample_graph(), &sky).await;
    let Outcome::Failed(error) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert!(error.reason().contains("word"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn cancelled_apply_starts_no_step() {
    let (sky, garden) = (FakeCloud::default(), sample_graph());
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let (stopper, stop) = Canceller::new();
    let watch = |event: ReconcileEvent| {
        if matches!(event, ReconcileEvent::Finished { .. }) {
            stopper.cancel();
        }
    };
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let outcomes = apply(&plan, &sky, manner).await.unwrap().outcomes;
    assert!(sky.names().len() < 4, "{:?}", sky.names());
    assert!(outcomes.iter().any(
        |outcome| matches!(outcome, Outcome::Failed(error) if error.exit() == Exit::Interrupted)
    ));
}

#[tokio::test(start_paused = true)]
async fn destroy_runs_in_reverse_and_deletes_everything() {
    let sky = FakeCloud::default();
    run_apply(&sample_graph(), &sky).await;
    assert!(all_done(&run_destroy(&sample_graph(), &sky).await));
    assert_eq!(sky.names(), Vec::<String>::new());
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("delete roof") < place("delete wall"));
    assert!(place("delete wall") < place("delete ground"));
}

#[tokio::test(start_paused = true)]
async fn destroy_keeps_unmanaged_resources() {
    let sky = FakeCloud::with_resources(&[
        ("ground", "new", Ownership::Managed),
        ("tree", "theirs", Ownership::Unmanaged),
    ]);
    run_destroy(&sample_graph(), &sky).await;
    assert_eq!(sky.names(), ["tree"]);
}

#[tokio::test(start_paused = true)]
async fn failed_delete_keeps_only_dependencies() {
    let sky = FakeCloud::default();
    run_apply(&sample_graph(), &sky).await;
    let sky = sky.refusing("delete wall", 1, "Denied");
    run_destroy(&sample_graph(), &sky).await;
    assert_eq!(sky.names(), ["ground", "wall"]);
    run_destroy(&sample_graph(), &sky).await;
    assert_eq!(sky.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn unmanaged_dependent_blocks_deletion() {
    for (holds, left) in [(true, &["house", "tenant"][..]), (false, &["tenant"])] {
        let sky = FakeCloud::with_resources(&[
            ("house", "new", Ownership::Managed),
            ("tenant", "new/house-1", Ownership::Unmanaged),
        ]);
        let mut graph = Graph::default();
        let house = graph.add(fake_resource("house", &[]));
        graph.add(FakeResource {
            blocks_deletion: holds,
            ..fake_resource("tenant", &[&house])
        });
        run_destroy(&graph, &sky).await;
        assert_eq!(sky.names(), left);
    }
}

/// A house, and its door, which can bear no mark.
fn parent_and_child(goes_with_it: bool) -> Graph<FakeCloud> {
    let mut graph = Graph::default();
    let house = graph.add(fake_resource("house", &[]));
    let part_of = Some((house.id().clone(), goes_with_it));
    graph.add(FakeResource {
        parent: part_of,
        ..fake_resource("door", &[&house])
    });
    graph
}

#[tokio::test]
async fn child_is_never_more_managed_than_parent() {
    for (whose_house, door_says, whose_door) in [
        (Ownership::Managed, Ownership::Managed, Ownership::Managed),
        (
            Ownership::Unmanaged,
            Ownership::Managed,
            Ownership::Unmanaged,
        ),
        (
            Ownership::other_tool("other"),
            Ownership::Managed,
            Ownership::other_tool("other"),
        ),
        (
            Ownership::Managed,
            Ownership::other_tool("other"),
            Ownership::other_tool("other"),
        ),
        (
            Ownership::Unmanaged,
            Ownership::other_tool("other"),
            Ownership::other_tool("other"),
        ),
    ] {
        let sky = FakeCloud::with_resources(&[
            ("house", "new", whose_house),
            ("door", "new/house-1", door_says),
        ]);
        let house = parent_and_child(false);
        let plan = Plan::read(&house, &sky).await.unwrap();
        assert_eq!(plan.steps[1].actual.as_ref().unwrap().ownership, whose_door);
    }
}

#[tokio::test]
async fn orphaned_child_keeps_its_own_ownership() {
    let sky = FakeCloud::with_resources(&[("door", "new/house-1", Ownership::Managed)]);
    let house = parent_and_child(false);
    let plan = Plan::read(&house, &sky).await.unwrap();
    assert_eq!(plan.destroy_actions()[1].1, DestroyAction::Delete);
}

#[tokio::test(start_paused = true)]
async fn child_deleted_with_parent_is_not_deleted_separately() {
    let sky = FakeCloud::default();
    run_apply(&parent_and_child(true), &sky).await;
    run_destroy(&parent_and_child(true), &sky).await;
    let deleted: BTreeSet<String> = sky
        .log()
        .into_iter()
        .filter(|line| line.starts_with("delete"))
        .collect();
    assert_eq!(deleted, BTreeSet::from(["delete house".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn rollback_deletes_created_resources_in_reverse() {
    let sky = FakeCloud::default().refusing("create roof", usize::MAX, "Denied");
    let (built, undone) = run_apply_and_rollback(&sample_graph(), &sky).await;
    assert!(!all_done(&built) && all_done(&undone), "{undone:?}");
    assert_eq!(sky.names(), Vec::<String>::new());
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("delete wall") < place("delete ground"));
    assert!(!log.contains(&"delete roof".to_owned()), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn rollback_restores_updates_and_keeps_existing() {
    let sky = FakeCloud::with_resources(&[
        ("ground", "new", Ownership::Managed),
        ("wall", "old/ground-0", Ownership::Managed),
        ("tree", "new", Ownership::Managed),
    ])
    .refusing("create roof", usize::MAX, "Denied");
    let (_, undone) = run_apply_and_rollback(&sample_graph(), &sky).await;
    assert!(all_done(&undone), "{undone:?}");
    assert_eq!(sky.names(), ["ground", "tree", "wall"]);
    assert_eq!(sky.resources.lock().unwrap()["wall"].0, "old/ground-0");
    assert_eq!(sky.log(), ["update wall", "update wall"]);
}

#[tokio::test(start_paused = true)]
async fn rollback_skips_updates_that_changed_nothing() {
    let sky = FakeCloud::with_resources(&[("ground", "old", Ownership::Managed)]).refusing(
        "update ground",
        1,
        "Denied",
    );
    let (_, undone) = run_apply_and_rollback(&sample_graph(), &sky).await;
    assert!(all_done(&undone), "{undone:?}");
    assert_eq!(sky.resources.lock().unwrap()["ground"].0, "old");
    assert_eq!(sky.log(), ["create tree", "delete tree"]);
}

#[tokio::test(start_paused = true)]
async fn failed_create_with_existing_resource_is_rolled_back() {
    // Made, and never seen as it was written.
    let sky = FakeCloud::default().with_stale_reads("wall", 30).refusing(
        "create roof",
        usize::MAX,
        "Denied",
    );
    let (built, undone) = run_apply_and_rollback(&sample_graph(), &sky).await;
    assert!(matches!(built[1], Outcome::Failed(_)), "{built:?}");
    assert!(all_done(&undone), "{undone:?}");
    assert_eq!(sky.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn create_with_lost_response_succeeds() {
    let sky = FakeCloud::default().losing_response("create wall");
    assert!(all_done(&run_apply(&sample_graph(), &sky).await));
    assert_eq!(sky.log().len(), 4, "{:?}", sky.log());
}

#[tokio::test(start_paused = true)]
async fn matching_resource_of_concurrent_run_is_accepted() {
    let garden = sample_graph();
    let sky = FakeCloud::default();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let twin = FakeCloud::with_resources(&[("tree", "new", Ownership::Managed)]).refusing(
        "create tree",
        usize::MAX,
        "AlreadyExistsException",
    );
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let applied = apply(&plan, &twin, manner).await.unwrap();
    assert!(all_done(&applied.outcomes), "{:?}", applied.outcomes);
}

#[tokio::test(start_paused = true)]
async fn resource_of_concurrent_run_is_never_rolled_back() {
    for (value, owner) in [
        ("otherwise", Ownership::Managed),
        ("new", Ownership::Unmanaged),
    ] {
        let garden = sample_graph();
        let plan = Plan::read(&garden, &FakeCloud::default()).await.unwrap();
        let sky = FakeCloud::with_resources(&[("tree", value, owner)]).refusing(
            "create tree",
            usize::MAX,
            "AlreadyExistsException",
        );
        let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
        let manner = ExecutionOptions {
            retry_policy: RetryPolicy::default(),
            cancellation: &stop,
            observer: &watch,
        };
        let applied = apply(&plan, &sky, manner).await.unwrap();
        let failure = applied.failure().expect("a failure");
        assert!(
            failure.hint().unwrap().to_string().contains("another run"),
            "{failure:?}"
        );
        assert!(all_done(&rollback(&plan, &applied, &sky, manner).await));
        assert_eq!(sky.names(), ["tree"], "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn failed_rollback_keeps_only_dependencies() {
    let sky = FakeCloud::default()
        .refusing("create roof", usize::MAX, "Denied")
        .refusing("delete wall", usize::MAX, "Denied");
    let (_, undone) = run_apply_and_rollback(&sample_graph(), &sky).await;
    assert!(
        matches!(undone[0], Outcome::Skipped { blocked_by: 1 }),
        "{undone:?}"
    );
    assert!(matches!(undone[1], Outcome::Failed(_)), "{undone:?}");
    assert_eq!(sky.names(), ["ground", "wall"]);
}

#[tokio::test(start_paused = true)]
async fn rollback_deletes_child_with_created_parent() {
    for (found, deleted) in [
        (&[][..], ["delete house"]),
        (&[("house", "new", Ownership::Managed)], ["delete door"]),
    ] {
        let mut graph = parent_and_child(true);
        graph.add(fake_resource("lamp", &[]));
        let sky = FakeCloud::with_resources(found).refusing("create lamp", usize::MAX, "Denied");
        let (_, undone) = run_apply_and_rollback(&graph, &sky).await;
        assert!(all_done(&undone), "{undone:?}");
        let log = sky.log().into_iter();
        let deletes: Vec<String> = log.filter(|line| line.starts_with("delete")).collect();
        assert_eq!(deletes, deleted);
    }
}

/// A garden whose ground only one of two gardeners can take.
fn locked_graph() -> Graph<FakeCloud> {
    let mut graph = Graph::default();
    let spade = graph.add(fake_resource("spade", &[]));
    graph.add(fake_resource("ground", &[&spade]));
    graph.lock();
    graph.add(fake_resource("tree", &[]));
    graph
}

#[tokio::test(start_paused = true)]
async fn losing_the_lock_race_creates_nothing_more() {
    let garden = locked_graph();
    let plan = Plan::read(&garden, &FakeCloud::default()).await.unwrap();
    let sky = FakeCloud::with_resources(&[("ground", "new/of-the-first", Ownership::Managed)])
        .refusing("create ground", usize::MAX, "AlreadyExistsException");
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let applied = apply(&plan, &sky, manner).await.unwrap();
    assert!(applied.lost_lock_race(&plan), "{:?}", applied.outcomes);
    assert_eq!(sky.log(), ["create spade"]);
    rollback(&plan, &applied, &sky, manner).await;
    assert_eq!(sky.names(), ["ground"]);
}

#[tokio::test(start_paused = true)]
async fn lock_is_deleted_after_its_dependents() {
    let sky = FakeCloud::default();
    run_apply(&locked_graph(), &sky).await;
    assert!(all_done(&run_destroy(&locked_graph(), &sky).await));
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("delete tree") < place("delete ground"), "{log:?}");
}

async fn run_adoption(
    graph: &Graph<FakeCloud>,
    sky: &FakeCloud,
) -> Result<Vec<Outcome<(), Error>>> {
    let (stop, watch) = (never_cancelled(), |_: ReconcileEvent| {});
    let manner = ExecutionOptions {
        retry_policy: RetryPolicy::default(),
        cancellation: &stop,
        observer: &watch,
    };
    let plan = Plan::read(graph, sky).await?.with_adoption();
    Ok(apply(&plan, sky, manner).await?.outcomes)
}

#[tokio::test(start_paused = true)]
async fn unmanaged_resources_are_adopted_only_on_request() {
    let sky = FakeCloud::with_resources(&[
        ("ground", "old", Ownership::Unmanaged),
        ("tree", "new", Ownership::Unmanaged),
    ]);
    let garden = sample_graph();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert_eq!(plan.conflicts().count(), 2);
    let plan = plan.with_adoption();
    let adoption = |step: usize| match &plan.steps[step].action {
        Action::Adopt(AdoptionPlan { tags, changes }) => {
            let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
            (tags.clone(), fields)
        }
        other => panic!("{other:?}"),
    };
    let marks = vec![("made-by", "us".to_owned())];
    assert_eq!(adoption(0), (marks.clone(), vec!["word"]));
    assert_eq!(adoption(3), (marks, vec![]));
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn adopted_resources_are_tagged_updated_and_managed() {
    let sky = FakeCloud::with_resources(&[
        ("ground", "old", Ownership::Unmanaged),
        ("tree", "new", Ownership::Unmanaged),
    ]);
    assert!(all_done(
        &run_adoption(&sample_graph(), &sky).await.unwrap()
    ));
    let written = |name: &str| {
        let log = sky.log().into_iter();
        log.filter(|line| line.ends_with(name)).collect::<Vec<_>>()
    };
    assert_eq!(written("ground"), ["mark ground", "update ground"]);
    assert_eq!(written("tree"), ["mark tree"]);
    let garden = sample_graph();
    assert!(Plan::read(&garden, &sky).await.unwrap().is_empty());
    run_destroy(&garden, &sky).await;
    assert_eq!(sky.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn resources_managed_by_others_are_never_adopted() {
    let sky = FakeCloud::with_resources(&[
        ("ground", "new", Ownership::Unmanaged),
        ("tree", "new", Ownership::other_tool("other")),
    ]);
    assert!(run_adoption(&sample_graph(), &sky).await.is_err());
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn resource_with_immutable_difference_is_not_adopted() {
    let sky = FakeCloud::with_resources(&[("house", "old", Ownership::Unmanaged)]);
    let mut graph = Graph::default();
    graph.add(FakeResource {
        immutable: true,
        ..fake_resource("house", &[])
    });
    let plan = Plan::read(&graph, &sky).await.unwrap().with_adoption();
    assert!(matches!(
        &plan.steps[0].action,
        Action::Conflict(Conflict::Immutable(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn refused_tagging_leaves_resource_unchanged() {
    let sky = FakeCloud::with_resources(&[("ground", "old", Ownership::Unmanaged)]).refusing(
        "mark ground",
        1,
        "Denied",
    );
    let outcomes = run_adoption(&sample_graph(), &sky).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(_)));
    assert_eq!(
        sky.resources.lock().unwrap()["ground"],
        ("old".into(), Ownership::Unmanaged)
    );
    assert!(all_done(
        &run_adoption(&sample_graph(), &sky).await.unwrap()
    ));
}

#[tokio::test(start_paused = true)]
async fn delayed_tags_are_awaited() {
    let sky = FakeCloud::with_resources(&[("ground", "new", Ownership::Unmanaged)])
        .with_stale_reads("ground", 4);
    let garden = sample_graph();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert_eq!(plan.conflicts().count(), 1);
    assert!(all_done(&run_adoption(&garden, &sky).await.unwrap()));
    assert!(Plan::read(&garden, &sky).await.unwrap().is_empty());
}
