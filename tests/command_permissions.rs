//! The IAM actions that the policy of a command allows; every run of the tests is held to it.

use std::collections::BTreeSet;

use heeler_ec::inventory::trail_destination::TrailDestination;
use heeler_ec::naming::ResourceNames;
use heeler_ec::permissions::scope::PolicyScope;
use heeler_ec::permissions::{Preflight, Task, statements};

/// Returns the actions that a command line may need; `None` if it calls nothing, or is of another program.
pub fn allowed_actions(args: &[String]) -> Option<BTreeSet<String>> {
    let tasks = tasks(args);
    (!tasks.is_empty()).then(|| tasks.into_iter().flat_map(permitted).collect())
}

/// What a command line wants to do; nothing for one that calls nothing, or is not of our program.
pub fn tasks(args: &[String]) -> Vec<Task> {
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let route = args
        .windows(2)
        .find(|pair| pair[0] == "--option")
        .and_then(|pair| TrailDestination::from_name(&pair[1]));
    // Without an option it is about the one that was set up.
    let routes = || route.map_or(TrailDestination::ALL.to_vec(), |route| vec![route]);
    let planned = || routes().into_iter().map(Task::Plan).collect();
    let found = args.iter().find_map(|arg| match arg.as_str() {
        "preflight" => Some(vec![Task::Preflight(Preflight {
            route,
            deep: has("--deep"),
            fix: has("--fix"),
        })]),
        "plan" => Some(planned()),
        "setup" if has("--dry-run") => Some(planned()),
        "setup" if has("rollback") => Some(routes().into_iter().map(Task::Rollback).collect()),
        "setup" => Some(routes().into_iter().map(Task::Setup).collect()),
        "outputs" => Some(vec![Task::Outputs(None)]),
        "tail" if has("bucket") => Some(vec![Task::TailOfBucket]),
        "tail" if has("heeler-queue") => Some(vec![Task::TailOfHeelersQueue(None)]),
        "export" => Some(vec![Task::Export(None)]),
        "tail" => Some(vec![Task::Tail(None)]),
        "destroy" => Some(vec![Task::Destroy(None)]),
        "restore" => Some(vec![Task::Restore(None)]),
        // It asks what preflight asks.
        "policy" => Some(vec![Task::Preflight(Preflight::default())]),
        _ => None,
    });
    found.unwrap_or_default()
}

/// The actions of a task's policy.
pub fn permitted(task: Task) -> BTreeSet<String> {
    let place = PolicyScope::unknown(ResourceNames::new("heeler"));
    statements(task, &place)
        .into_iter()
        .flat_map(|statement| statement.actions)
        .map(str::to_owned)
        .collect()
}
