//! The engine against a sky of toys: order, idempotence, drift, refusals, delays, and taking down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use super::apply::{Manner, apply};
use super::destroy::{Fate, destroy};
use super::event::Event;
use super::graph::{Graph, Handle, Id, Output};
use super::patience::Patience;
use super::plan::{Action, Adoption, Conflict, Plan};
use super::rollback::{Lasting, rollback};
use super::state::State;
use super::stop::{Stop, Stopper};
use super::walk::Outcome;
use super::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Exit, Result};

/// What exists, what was done to it, and what it refuses.
#[derive(Default)]
struct Sky {
    toys: Mutex<BTreeMap<String, (String, Owner)>>,
    log: Mutex<Vec<String>>,
    /// So many refusals of this write are still to come.
    refusals: Mutex<BTreeMap<String, (usize, &'static str)>>,
    /// So many reads still show what was before the last write.
    lag: Mutex<BTreeMap<String, usize>>,
    before: Mutex<BTreeMap<String, Option<(String, Owner)>>>,
    /// The answers of these writes are lost once: the write is done all the same.
    lost: Mutex<BTreeSet<String>>,
    /// These must not be read; with the code of the refusal.
    hidden: BTreeMap<&'static str, &'static str>,
}

impl Sky {
    fn holding(toys: &[(&str, &str, Owner)]) -> Self {
        let sky = Self::default();
        for (name, value, owner) in toys {
            sky.toys
                .lock()
                .unwrap()
                .insert((*name).into(), ((*value).into(), *owner));
        }
        sky
    }

    fn refuse(self, write: &str, times: usize, code: &'static str) -> Self {
        self.refusals
            .lock()
            .unwrap()
            .insert(write.into(), (times, code));
        self
    }

    fn lose(self, write: &str) -> Self {
        self.lost.lock().unwrap().insert(write.into());
        self
    }

    fn lag(self, name: &str, reads: usize) -> Self {
        self.lag.lock().unwrap().insert(name.into(), reads);
        self
    }

    fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    fn names(&self) -> Vec<String> {
        self.toys.lock().unwrap().keys().cloned().collect()
    }

    fn write(&self, verb: &str, name: &str, value: Option<(String, Owner)>) -> Result<()> {
        let write = format!("{verb} {name}");
        if let Some((times, code)) = self.refusals.lock().unwrap().get_mut(&write)
            && *times > 0
        {
            *times -= 1;
            return Err(Error::unanswered(write, "refused").code(Some((*code).into()), None));
        }
        let lost = self.lost.lock().unwrap().remove(&write);
        self.log.lock().unwrap().push(write.clone());
        let mut toys = self.toys.lock().unwrap();
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
            return Err(Error::unanswered(write, "no answer").action("toy:Write"));
        }
        Ok(())
    }

    fn read(&self, name: &str) -> Option<(String, Owner)> {
        if let Some(reads) = self.lag.lock().unwrap().get_mut(name)
            && let Some(before) = self.before.lock().unwrap().get(name)
            && *reads > 0
        {
            *reads -= 1;
            return before.clone();
        }
        self.toys.lock().unwrap().get(name).cloned()
    }
}

/// A toy wants a value: its own word, or the serial number of another toy.
struct Toy {
    name: &'static str,
    word: &'static str,
    of: Vec<Output>,
    part_of: Option<(Id, bool)>,
    fixed: bool,
    holds: bool,
}

fn toy(name: &'static str, of: &[&Handle<Toy>]) -> Toy {
    let of = of.iter().map(|handle| handle.output("serial")).collect();
    Toy {
        name,
        word: "new",
        of,
        part_of: None,
        fixed: false,
        holds: false,
    }
}

#[async_trait]
impl Resource<Sky> for Toy {
    fn id(&self) -> Id {
        Id {
            kind: "toy",
            name: self.name.into(),
        }
    }

    fn needs(&self) -> Vec<Output> {
        self.of.clone()
    }

    fn holds(&self) -> bool {
        self.holds
    }

    fn desired(&self, known: &Known) -> State {
        let state = State::default().with("word", self.word);
        match self.of.first() {
            Some(output) => state.with_known("of", known.get(output)),
            None => state,
        }
    }

    fn fixed(&self) -> &'static [&'static str] {
        if self.fixed { &["word"] } else { &[] }
    }

    fn part_of(&self) -> Option<Part> {
        self.part_of
            .clone()
            .map(|(of, goes_with_it)| Part { of, goes_with_it })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        refusal.is("NotYet").then_some(Duration::from_secs(30))
    }

    async fn read(&self, sky: &Sky, _: &Known) -> Result<Option<Live>> {
        if let Some(code) = sky.hidden.get(self.name) {
            let refusal = Error::unanswered(format!("read {}", self.name), "refused");
            return Err(refusal.code(Some((*code).into()), None));
        }
        Ok(sky.read(self.name).map(|(value, owner)| {
            let mut words = value.split('/');
            let mut state = State::default().with("word", words.next().unwrap_or_default());
            if let Some(of) = words.next() {
                state = state.with("of", of);
            }
            Live {
                state,
                outputs: Outputs::from([("serial", format!("{}-1", self.name))]),
                owner,
            }
        }))
    }

    async fn create(&self, sky: &Sky, want: &State, _: &Known) -> Result<Outputs> {
        sky.write("create", self.name, Some((value(want), Owner::Us)))?;
        Ok(Outputs::new())
    }

    async fn update(&self, sky: &Sky, _: &Live, want: &State, _: &Known) -> Result<()> {
        let owner = sky.toys.lock().unwrap()[self.name].1;
        sky.write("update", self.name, Some((value(want), owner)))
    }

    fn marks(&self) -> Vec<(&'static str, String)> {
        vec![("made-by", "us".into())]
    }

    async fn mark(&self, sky: &Sky, _: &Live) -> Result<()> {
        let value = sky.toys.lock().unwrap()[self.name].0.clone();
        sky.write("mark", self.name, Some((value, Owner::Us)))
    }

    async fn delete(&self, sky: &Sky, _: &Live) -> Result<()> {
        sky.write("delete", self.name, None)
    }
}

fn value(want: &State) -> String {
    let word = want.text("word").unwrap_or_default();
    want.text("of")
        .map_or_else(|| word.to_owned(), |of| format!("{word}/{of}"))
}

/// ground ← wall ← roof, and a tree on its own.
fn garden() -> Graph<Sky> {
    let mut graph = Graph::default();
    let ground = graph.add(toy("ground", &[]));
    let wall = graph.add(toy("wall", &[&ground]));
    graph.add(toy("roof", &[&wall]));
    graph.add(toy("tree", &[]));
    graph
}

fn never() -> Stop {
    // Nobody holds the other end, so nobody can ask.
    Stopper::new().1
}

async fn build(graph: &Graph<Sky>, sky: &Sky) -> Vec<Outcome<(), Error>> {
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let plan = Plan::read(graph, sky).await.unwrap();
    apply(&plan, sky, manner).await.unwrap().outcomes
}

/// Builds, and takes back what was done; says how both went.
async fn build_and_undo(
    graph: &Graph<Sky>,
    sky: &Sky,
) -> (Vec<Outcome<(), Error>>, Vec<Outcome<Lasting, Error>>) {
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let plan = Plan::read(graph, sky).await.unwrap();
    let applied = apply(&plan, sky, manner).await.unwrap();
    let undone = rollback(&plan, &applied, sky, manner).await;
    (applied.outcomes, undone)
}

async fn clear(graph: &Graph<Sky>, sky: &Sky) -> Vec<Outcome<(), Error>> {
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
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
async fn each_is_made_after_what_it_needs() {
    let sky = Sky::default();
    assert!(all_done(&build(&garden(), &sky).await));
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("create ground") < place("create wall"));
    assert!(place("create wall") < place("create roof"));
    assert_eq!(log.len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_value_that_is_learnt_by_creating_reaches_those_who_need_it() {
    let sky = Sky::default();
    build(&garden(), &sky).await;
    assert_eq!(sky.toys.lock().unwrap()["wall"].0, "new/ground-1");
}

#[tokio::test(start_paused = true)]
async fn the_second_plan_is_empty() {
    let sky = Sky::default();
    build(&garden(), &sky).await;
    let writes = sky.log().len();
    let garden = garden();
    assert!(Plan::read(&garden, &sky).await.unwrap().is_empty());
    build(&garden, &sky).await;
    assert_eq!(sky.log().len(), writes);
}

#[tokio::test]
async fn reading_a_plan_writes_nothing_and_knows_what_it_cannot_know_yet() {
    let (sky, garden) = (Sky::default(), garden());
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert!(plan.steps.iter().all(|step| step.action == Action::Create));
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn drift_is_an_update_of_the_fields_that_differ() {
    let sky = Sky::holding(&[("ground", "old", Owner::Us)]);
    let garden = garden();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let Action::Update(changes) = &plan.steps[0].action else {
        panic!("{:?}", plan.steps[0])
    };
    assert_eq!((changes[0].field, changes.len()), ("word", 1));
    build(&garden, &sky).await;
    assert_eq!(sky.toys.lock().unwrap()["ground"].0, "new");
}

/// What the plan says of each, in a word.
async fn told(graph: &Graph<Sky>, sky: &Sky) -> Vec<&'static str> {
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
async fn what_must_not_be_read_is_a_hole_and_the_rest_is_told() {
    let mut sky = Sky::default();
    build(&garden(), &sky).await;
    sky.toys
        .get_mut()
        .unwrap()
        .insert("tree".into(), ("old".into(), Owner::Us));
    sky.hidden.insert("ground", "AccessDenied");
    // The wall holds a value of the ground, which nobody tells.
    assert_eq!(
        told(&garden(), &sky).await,
        ["unknown", "unknown", "keep", "update"]
    );
    sky.toys
        .get_mut()
        .unwrap()
        .insert("wall".into(), ("old/ground-1".into(), Owner::Us));
    assert_eq!(
        told(&garden(), &sky).await,
        ["unknown", "update", "keep", "update"]
    );
}

#[tokio::test(start_paused = true)]
async fn whose_a_part_is_cannot_be_told_without_its_whole() {
    let mut sky = Sky::default();
    build(&house(false), &sky).await;
    sky.hidden.insert("house", "AccessDenied");
    assert_eq!(told(&house(false), &sky).await, ["unknown", "unknown"]);
}

#[tokio::test(start_paused = true)]
async fn with_a_hole_nothing_is_written_and_what_hangs_from_it_stays() {
    let mut sky = Sky::default();
    build(&garden(), &sky).await;
    let before = sky.log();
    sky.hidden.insert("wall", "AccessDenied");
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let garden = garden();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let refused = apply(&plan, &sky, manner).await.unwrap_err();
    assert!(refused.is_denied(), "{refused}");
    assert_eq!(sky.log(), before);
    destroy(&plan, &sky, manner).await;
    assert_eq!(sky.names(), ["ground", "roof", "wall"]);
}

#[tokio::test(start_paused = true)]
async fn what_only_a_hole_would_tell_of_what_is_adopted_is_unknown_too() {
    let mut sky = Sky::holding(&[
        ("ground", "new", Owner::Us),
        ("wall", "new/ground-1", Owner::Nobody),
    ]);
    sky.hidden.insert("ground", "AccessDenied");
    let garden = garden();
    let plan = Plan::read(&garden, &sky).await.unwrap().adopting();
    assert!(
        matches!(plan.steps[1].action, Action::Unknown(_)),
        "{:?}",
        plan.steps[1].action
    );
    assert!(plan.hole().is_some());
}

#[tokio::test]
async fn a_read_that_fails_otherwise_fails_the_plan() {
    let mut sky = Sky::default();
    sky.hidden.insert("tree", "ThrottlingException");
    assert!(Plan::read(&garden(), &sky).await.is_err());
}

#[tokio::test]
async fn what_is_not_ours_is_a_conflict_and_nothing_is_written() {
    let sky = Sky::holding(&[("roof", "theirs", Owner::Nobody)]);
    let garden = garden();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert_eq!(plan.steps[2].action, Action::Conflict(Conflict::Foreign));
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let refused = apply(&plan, &sky, manner).await.unwrap_err();
    assert_eq!(refused.exit(), Exit::No);
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test]
async fn a_field_that_cannot_change_in_place_is_a_conflict() {
    let sky = Sky::holding(&[("ground", "old", Owner::Us)]);
    let mut graph = Graph::default();
    graph.add(Toy {
        fixed: true,
        ..toy("ground", &[])
    });
    let plan = Plan::read(&graph, &sky).await.unwrap();
    assert!(matches!(
        plan.steps[0].action,
        Action::Conflict(Conflict::Fixed(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_is_waited_for() {
    let sky = Sky::default().refuse("create wall", 3, "NotYet");
    assert!(all_done(&build(&garden(), &sky).await));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_does_not_pass_ends_at_its_deadline() {
    let sky = Sky::default().refuse("create wall", usize::MAX, "NotYet");
    let began = tokio::time::Instant::now();
    let outcomes = build(&garden(), &sky).await;
    let Outcome::Failed(error) = &outcomes[1] else {
        panic!("{outcomes:?}")
    };
    assert!(
        error
            .what_to_do()
            .unwrap()
            .contains("still refused after 30 s"),
        "{error:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(31));
}

#[tokio::test(start_paused = true)]
async fn a_final_refusal_skips_only_what_hangs_from_it_and_running_again_completes() {
    let sky = Sky::default().refuse("create wall", 1, "Denied");
    let outcomes = build(&garden(), &sky).await;
    assert!(matches!(outcomes[1], Outcome::Failed(_)));
    assert!(matches!(outcomes[2], Outcome::Skipped { because: 1 }));
    assert_eq!(sky.names(), ["ground", "tree"]);
    assert!(all_done(&build(&garden(), &sky).await));
    assert_eq!(sky.names(), ["ground", "roof", "tree", "wall"]);
}

#[tokio::test(start_paused = true)]
async fn a_write_that_shows_late_is_waited_for_and_made_once() {
    let sky = Sky::default().lag("ground", 5);
    assert!(all_done(&build(&garden(), &sky).await));
    assert_eq!(
        sky.log()
            .iter()
            .filter(|line| *line == "create ground")
            .count(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_write_that_never_shows_fails_and_says_which_field() {
    let sky = Sky::holding(&[("ground", "old", Owner::Us)]).lag("ground", usize::MAX);
    let outcomes = build(&garden(), &sky).await;
    let Outcome::Failed(error) = &outcomes[0] else {
        panic!("{outcomes:?}")
    };
    assert!(error.why().contains("word"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn after_an_interrupt_nothing_is_begun() {
    let (sky, garden) = (Sky::default(), garden());
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let (stopper, stop) = Stopper::new();
    let watch = |event: Event| {
        if matches!(event, Event::Done { .. }) {
            stopper.stop();
        }
    };
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let outcomes = apply(&plan, &sky, manner).await.unwrap().outcomes;
    assert!(sky.names().len() < 4, "{:?}", sky.names());
    assert!(outcomes.iter().any(
        |outcome| matches!(outcome, Outcome::Failed(error) if error.exit() == Exit::Interrupted)
    ));
}

#[tokio::test(start_paused = true)]
async fn taking_down_goes_backwards_and_leaves_nothing_of_ours() {
    let sky = Sky::default();
    build(&garden(), &sky).await;
    assert!(all_done(&clear(&garden(), &sky).await));
    assert_eq!(sky.names(), Vec::<String>::new());
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("delete roof") < place("delete wall"));
    assert!(place("delete wall") < place("delete ground"));
}

#[tokio::test(start_paused = true)]
async fn taking_down_leaves_everything_of_others() {
    let sky = Sky::holding(&[
        ("ground", "new", Owner::Us),
        ("tree", "theirs", Owner::Nobody),
    ]);
    clear(&garden(), &sky).await;
    assert_eq!(sky.names(), ["tree"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_delete_keeps_only_what_it_needs() {
    let sky = Sky::default();
    build(&garden(), &sky).await;
    let sky = sky.refuse("delete wall", 1, "Denied");
    clear(&garden(), &sky).await;
    assert_eq!(sky.names(), ["ground", "wall"]);
    clear(&garden(), &sky).await;
    assert_eq!(sky.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_somebody_elses_holds_is_left() {
    for (holds, left) in [(true, &["house", "tenant"][..]), (false, &["tenant"])] {
        let sky = Sky::holding(&[
            ("house", "new", Owner::Us),
            ("tenant", "new/house-1", Owner::Nobody),
        ]);
        let mut graph = Graph::default();
        let house = graph.add(toy("house", &[]));
        graph.add(Toy {
            holds,
            ..toy("tenant", &[&house])
        });
        clear(&graph, &sky).await;
        assert_eq!(sky.names(), left);
    }
}

/// A house, and its door, which can bear no mark.
fn house(goes_with_it: bool) -> Graph<Sky> {
    let mut graph = Graph::default();
    let house = graph.add(toy("house", &[]));
    let part_of = Some((house.id().clone(), goes_with_it));
    graph.add(Toy {
        part_of,
        ..toy("door", &[&house])
    });
    graph
}

#[tokio::test]
async fn a_part_is_ours_when_the_whole_is_and_it_does_not_deny_it() {
    for (whose_house, door_says, whose_door) in [
        (Owner::Us, Owner::Us, Owner::Us),
        (Owner::Nobody, Owner::Us, Owner::Nobody),
        (Owner::Other, Owner::Us, Owner::Other),
        (Owner::Us, Owner::Other, Owner::Other),
        (Owner::Nobody, Owner::Other, Owner::Other),
    ] {
        let sky = Sky::holding(&[
            ("house", "new", whose_house),
            ("door", "new/house-1", door_says),
        ]);
        let house = house(false);
        let plan = Plan::read(&house, &sky).await.unwrap();
        assert_eq!(plan.steps[1].live.as_ref().unwrap().owner, whose_door);
    }
}

#[tokio::test]
async fn a_part_whose_whole_is_gone_speaks_for_itself() {
    let sky = Sky::holding(&[("door", "new/house-1", Owner::Us)]);
    let house = house(false);
    let plan = Plan::read(&house, &sky).await.unwrap();
    assert_eq!(plan.fates()[1].1, Fate::Delete);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_goes_with_the_whole_is_not_deleted_by_itself() {
    let sky = Sky::default();
    build(&house(true), &sky).await;
    clear(&house(true), &sky).await;
    let deleted: BTreeSet<String> = sky
        .log()
        .into_iter()
        .filter(|line| line.starts_with("delete"))
        .collect();
    assert_eq!(deleted, BTreeSet::from(["delete house".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_run_made_is_taken_back_backwards() {
    let sky = Sky::default().refuse("create roof", usize::MAX, "Denied");
    let (built, undone) = build_and_undo(&garden(), &sky).await;
    assert!(!all_done(&built) && all_done(&undone), "{undone:?}");
    assert_eq!(sky.names(), Vec::<String>::new());
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("delete wall") < place("delete ground"));
    assert!(!log.contains(&"delete roof".to_owned()), "{log:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_run_changed_is_put_back_and_what_it_found_stays() {
    let sky = Sky::holding(&[
        ("ground", "new", Owner::Us),
        ("wall", "old/ground-0", Owner::Us),
        ("tree", "new", Owner::Us),
    ])
    .refuse("create roof", usize::MAX, "Denied");
    let (_, undone) = build_and_undo(&garden(), &sky).await;
    assert!(all_done(&undone), "{undone:?}");
    assert_eq!(sky.names(), ["ground", "tree", "wall"]);
    assert_eq!(sky.toys.lock().unwrap()["wall"].0, "old/ground-0");
    assert_eq!(sky.log(), ["update wall", "update wall"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_refused_before_it_changed_anything_is_not_written() {
    let sky = Sky::holding(&[("ground", "old", Owner::Us)]).refuse("update ground", 1, "Denied");
    let (_, undone) = build_and_undo(&garden(), &sky).await;
    assert!(all_done(&undone), "{undone:?}");
    assert_eq!(sky.toys.lock().unwrap()["ground"].0, "old");
    assert_eq!(sky.log(), ["create tree", "delete tree"]);
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_and_is_there_all_the_same_was_made_by_this_run() {
    // Made, and never seen as it was written.
    let sky = Sky::default()
        .lag("wall", 30)
        .refuse("create roof", usize::MAX, "Denied");
    let (built, undone) = build_and_undo(&garden(), &sky).await;
    assert!(matches!(built[1], Outcome::Failed(_)), "{built:?}");
    assert!(all_done(&undone), "{undone:?}");
    assert_eq!(sky.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_was_lost_is_done() {
    let sky = Sky::default().lose("create wall");
    assert!(all_done(&build(&garden(), &sky).await));
    assert_eq!(sky.log().len(), 4, "{:?}", sky.log());
}

#[tokio::test(start_paused = true)]
async fn what_another_run_made_meanwhile_as_it_is_wanted_is_taken_as_made() {
    let garden = garden();
    let sky = Sky::default();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    let twin = Sky::holding(&[("tree", "new", Owner::Us)]).refuse(
        "create tree",
        usize::MAX,
        "AlreadyExistsException",
    );
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let applied = apply(&plan, &twin, manner).await.unwrap();
    assert!(all_done(&applied.outcomes), "{:?}", applied.outcomes);
}

#[tokio::test(start_paused = true)]
async fn what_another_made_meanwhile_is_told_and_never_taken_back() {
    for (value, owner) in [("otherwise", Owner::Us), ("new", Owner::Nobody)] {
        let garden = garden();
        let plan = Plan::read(&garden, &Sky::default()).await.unwrap();
        let sky = Sky::holding(&[("tree", value, owner)]).refuse(
            "create tree",
            usize::MAX,
            "AlreadyExistsException",
        );
        let (stop, watch) = (never(), |_: Event| {});
        let manner = Manner {
            patience: Patience::default(),
            stop: &stop,
            watch: &watch,
        };
        let applied = apply(&plan, &sky, manner).await.unwrap();
        let failure = applied.failure().expect("a failure");
        assert!(
            failure.what_to_do().unwrap().contains("another run"),
            "{failure:?}"
        );
        assert!(all_done(&rollback(&plan, &applied, &sky, manner).await));
        assert_eq!(sky.names(), ["tree"], "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_fails_keeps_only_what_its_rest_needs() {
    let sky = Sky::default()
        .refuse("create roof", usize::MAX, "Denied")
        .refuse("delete wall", usize::MAX, "Denied");
    let (_, undone) = build_and_undo(&garden(), &sky).await;
    assert!(
        matches!(undone[0], Outcome::Skipped { because: 1 }),
        "{undone:?}"
    );
    assert!(matches!(undone[1], Outcome::Failed(_)), "{undone:?}");
    assert_eq!(sky.names(), ["ground", "wall"]);
}

#[tokio::test(start_paused = true)]
async fn a_part_that_goes_with_a_whole_that_was_made_is_not_deleted_by_itself() {
    for (found, deleted) in [
        (&[][..], ["delete house"]),
        (&[("house", "new", Owner::Us)], ["delete door"]),
    ] {
        let mut graph = house(true);
        graph.add(toy("lamp", &[]));
        let sky = Sky::holding(found).refuse("create lamp", usize::MAX, "Denied");
        let (_, undone) = build_and_undo(&graph, &sky).await;
        assert!(all_done(&undone), "{undone:?}");
        let log = sky.log().into_iter();
        let deletes: Vec<String> = log.filter(|line| line.starts_with("delete")).collect();
        assert_eq!(deletes, deleted);
    }
}

/// A garden whose ground only one of two gardeners can take.
fn locked_garden() -> Graph<Sky> {
    let mut graph = Graph::default();
    let spade = graph.add(toy("spade", &[]));
    graph.add(toy("ground", &[&spade]));
    graph.lock();
    graph.add(toy("tree", &[]));
    graph
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_second_makes_nothing_that_two_could_have_made() {
    let garden = locked_garden();
    let plan = Plan::read(&garden, &Sky::default()).await.unwrap();
    let sky = Sky::holding(&[("ground", "new/of-the-first", Owner::Us)]).refuse(
        "create ground",
        usize::MAX,
        "AlreadyExistsException",
    );
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let applied = apply(&plan, &sky, manner).await.unwrap();
    assert!(applied.came_second(&plan), "{:?}", applied.outcomes);
    assert_eq!(sky.log(), ["create spade"]);
    rollback(&plan, &applied, &sky, manner).await;
    assert_eq!(sky.names(), ["ground"]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_taken_down_after_all_that_waited_for_it() {
    let sky = Sky::default();
    build(&locked_garden(), &sky).await;
    assert!(all_done(&clear(&locked_garden(), &sky).await));
    let log = sky.log();
    let place = |write: &str| log.iter().position(|line| line == write).unwrap();
    assert!(place("delete tree") < place("delete ground"), "{log:?}");
}

async fn adopt(graph: &Graph<Sky>, sky: &Sky) -> Result<Vec<Outcome<(), Error>>> {
    let (stop, watch) = (never(), |_: Event| {});
    let manner = Manner {
        patience: Patience::default(),
        stop: &stop,
        watch: &watch,
    };
    let plan = Plan::read(graph, sky).await?.adopting();
    Ok(apply(&plan, sky, manner).await?.outcomes)
}

#[tokio::test(start_paused = true)]
async fn what_bears_no_mark_is_adopted_only_when_that_is_asked_for() {
    let sky = Sky::holding(&[
        ("ground", "old", Owner::Nobody),
        ("tree", "new", Owner::Nobody),
    ]);
    let garden = garden();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert_eq!(plan.conflicts().count(), 2);
    let plan = plan.adopting();
    let adoption = |step: usize| match &plan.steps[step].action {
        Action::Adopt(Adoption { marks, changes }) => {
            let fields: Vec<&str> = changes.iter().map(|change| change.field).collect();
            (marks.clone(), fields)
        }
        other => panic!("{other:?}"),
    };
    let marks = vec![("made-by", "us".to_owned())];
    assert_eq!(adoption(0), (marks.clone(), vec!["word"]));
    assert_eq!(adoption(3), (marks, vec![]));
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_is_adopted_is_marked_brought_in_line_and_ours_from_then_on() {
    let sky = Sky::holding(&[
        ("ground", "old", Owner::Nobody),
        ("tree", "new", Owner::Nobody),
    ]);
    assert!(all_done(&adopt(&garden(), &sky).await.unwrap()));
    let written = |name: &str| {
        let log = sky.log().into_iter();
        log.filter(|line| line.ends_with(name)).collect::<Vec<_>>()
    };
    assert_eq!(written("ground"), ["mark ground", "update ground"]);
    assert_eq!(written("tree"), ["mark tree"]);
    let garden = garden();
    assert!(Plan::read(&garden, &sky).await.unwrap().is_empty());
    clear(&garden, &sky).await;
    assert_eq!(sky.names(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_bears_the_mark_of_others_is_never_adopted() {
    let sky = Sky::holding(&[
        ("ground", "new", Owner::Nobody),
        ("tree", "new", Owner::Other),
    ]);
    assert!(adopt(&garden(), &sky).await.is_err());
    assert_eq!(sky.log(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_change_in_place_is_not_adopted() {
    let sky = Sky::holding(&[("house", "old", Owner::Nobody)]);
    let mut graph = Graph::default();
    graph.add(Toy {
        fixed: true,
        ..toy("house", &[])
    });
    let plan = Plan::read(&graph, &sky).await.unwrap().adopting();
    assert!(matches!(
        &plan.steps[0].action,
        Action::Conflict(Conflict::Fixed(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_is_refused_leaves_the_rest_as_it_was() {
    let sky = Sky::holding(&[("ground", "old", Owner::Nobody)]).refuse("mark ground", 1, "Denied");
    let outcomes = adopt(&garden(), &sky).await.unwrap();
    assert!(matches!(&outcomes[0], Outcome::Failed(_)));
    assert_eq!(
        sky.toys.lock().unwrap()["ground"],
        ("old".into(), Owner::Nobody)
    );
    assert!(all_done(&adopt(&garden(), &sky).await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_does_not_show_yet_is_waited_for() {
    let sky = Sky::holding(&[("ground", "new", Owner::Nobody)]).lag("ground", 4);
    let garden = garden();
    let plan = Plan::read(&garden, &sky).await.unwrap();
    assert_eq!(plan.conflicts().count(), 1);
    assert!(all_done(&adopt(&garden, &sky).await.unwrap()));
    assert!(Plan::read(&garden, &sky).await.unwrap().is_empty());
}
