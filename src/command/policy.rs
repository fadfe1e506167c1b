//! Prints the policy that a command needs, with the names of this account in it.

use super::{Context, option_by_name};
use crate::aws::Aws;
use crate::check::permission_scope::{fill_scope, is_key_id};
use crate::cli::{self, OnFailure, PolicyCommand};
use crate::error::{Error, Exit, Result};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{Inventory, is_missing_credentials};
use crate::permissions::scope::PolicyScope;
use crate::permissions::{
    INLINE_POLICIES_MAX_CHARS, MANAGED_POLICY_MAX_CHARS, Preflight, Task, document, policy_length,
    remaining_placeholders, statements,
};
use crate::render;
use crate::sanitize::escape_control_chars;

pub(super) async fn run(world: &Context, args: cli::PolicyArgs) -> Result<Exit> {
    let task = requested_task(&args)?;
    let typed = scope_from_args(world, &args.discovery);
    let (task, place) = if args.offline {
        (task, typed)
    } else {
        scope_from_aws(world, &args, task, typed).await?
    };
    let document = document(&statements(task, &place));
    print_notes(world, &document);
    world.ui.stdout(&render::json_document(&document));
    Ok(Exit::Success)
}

/// What is to be allowed; all but preflight are there for options that can be set up.
fn requested_task(args: &cli::PolicyArgs) -> Result<Task> {
    let route = args.option.as_deref().and_then(TrailDestination::from_name);
    let (deep, fix) = (args.deep, args.fix);
    let rolls_back = args.on_failure == OnFailure::Rollback;
    if rolls_back && args.command != PolicyCommand::Setup {
        return Err(Error::usage(
            "write that policy",
            "only setup has --on-failure",
        ));
    }
    if args.command != PolicyCommand::Tail && args.source.is_some() {
        return Err(Error::usage("write that policy", "only tail has --source"));
    }
    if args.command != PolicyCommand::Preflight {
        if deep || fix {
            return Err(Error::usage(
                "write that policy",
                "only preflight has --deep and --fix",
            ));
        }
        if let Some(name) = &args.option {
            option_by_name(name)?;
        }
    }
    Ok(match args.command {
        PolicyCommand::Preflight => Task::Preflight(Preflight { route, deep, fix }),
        PolicyCommand::Plan => Task::Plan(route.unwrap_or(TrailDestination::Bucket)),
        PolicyCommand::Setup if rolls_back => {
            Task::Rollback(route.unwrap_or(TrailDestination::Bucket))
        }
        PolicyCommand::Setup => Task::Setup(route.unwrap_or(TrailDestination::Bucket)),
        PolicyCommand::Outputs => Task::Outputs(route),
        PolicyCommand::Tail if args.source == Some(cli::SourceArg::HeelerQueue) => {
            Task::TailOfHeelersQueue(route)
        }
        PolicyCommand::Tail if args.source == Some(cli::SourceArg::Bucket) => Task::TailOfBucket,
        PolicyCommand::Export => Task::Export(route),
        PolicyCommand::Tail => Task::Tail(route),
        PolicyCommand::Destroy => Task::Destroy(route),
        PolicyCommand::Restore => Task::Restore(route),
    })
}

/// What the operator said of the place.
fn scope_from_args(world: &Context, discovery: &cli::DiscoveryArgs) -> PolicyScope {
    let mut place = PolicyScope::unknown(world.names());
    let put = |part: &mut String, given: &Option<String>| {
        if let Some(given) = given {
            part.clone_from(given);
        }
    };
    put(&mut place.region, &world.global.region);
    put(&mut place.account, &world.global.account_id);
    put(&mut place.bucket, &discovery.bucket);
    put(&mut place.log_group, &discovery.log_group);
    if let Some(key) = &discovery.bucket_kms_key
        && is_key_id(key)
    {
        place.bucket_keys = vec![key.clone()];
    }
    if let Some(topic) = &discovery.sns_topic {
        place.set_existing_topic(topic);
    }
    place
}

/// What AWS tells of the place and of what is set up there, as far as it may be asked.
async fn scope_from_aws(
    world: &Context,
    args: &cli::PolicyArgs,
    task: Task,
    typed: PolicyScope,
) -> Result<(Task, PolicyScope)> {
    let aws = world.connect().await?;
    let mut place = typed;
    let caller = match aws.caller_identity().await {
        Ok(caller) => caller,
        Err(error) if is_missing_credentials(&error) => {
            let why = if error.is_unreachable() {
                "AWS cannot be reached, so no name is known"
            } else {
                "Without credentials no name is known"
            };
            world
                .ui
                .status(&format!("{why}: {}", escape_control_chars(&error.cause())));
            return Ok((task, place));
        }
        Err(error) => return Err(error),
    };
    world.check_account(&caller.account)?;
    place.account = caller.account;
    place.partition = caller.partition;
    let of_deployment = matches!(
        task,
        Task::Outputs(_)
            | Task::Export(_)
            | Task::Tail(_)
            | Task::TailOfBucket
            | Task::TailOfHeelersQueue(_)
            | Task::Destroy(_)
            | Task::Restore(_)
    );
    if of_deployment && let Some(route) = deployed_option(world, &aws, &mut place).await {
        return Ok((with_option(task, route), place));
    }
    let routes = task.destinations();
    let facts = Inventory::collect(&aws, world.hints(&args.discovery, &[]), &routes).await;
    let mut seen = Vec::new();
    for route in routes {
        let survey = facts.snapshot(route);
        if let Some(refusal) = survey.bucket_error() {
            warn_refused(world, &refusal);
        }
        fill_scope(&mut place, &survey);
        seen.extend(survey.region().map(|_| route));
    }
    // An option that has no place here was never set up.
    let task = match seen.as_slice() {
        [only] => with_option(task, *only),
        _ => task,
    };
    Ok((task, place))
}

/// The same task of the option that is there, where it was not said of which.
fn with_option(task: Task, route: TrailDestination) -> Task {
    match task {
        Task::Outputs(None) => Task::Outputs(Some(route)),
        Task::Export(None) => Task::Export(Some(route)),
        Task::Tail(None) => Task::Tail(Some(route)),
        Task::TailOfHeelersQueue(None) => Task::TailOfHeelersQueue(Some(route)),
        Task::Destroy(None) => Task::Destroy(Some(route)),
        Task::Restore(None) => Task::Restore(Some(route)),
        task => task,
    }
}

/// Which option was set up, if any, and where.
async fn deployed_option(
    world: &Context,
    aws: &Aws,
    place: &mut PolicyScope,
) -> Option<TrailDestination> {
    match world.find_deployment(aws).await {
        Ok(Some(found)) => {
            let route = TrailDestination::from_name(&found.option)?;
            place.log_group_region.clone_from(&found.region);
            place.region = found.region;
            if let Some(group) = found.log_group {
                place.log_group = group;
            }
            // A tag may have been taken off.
            if !found.bucket.is_empty() {
                place.bucket = found.bucket;
            }
            place.log_prefix = found.log_prefix;
            place.bucket_keys = found.bucket_keys;
            place.topic = found.topic;
            // Of the key of the log group, the role tells nothing.
            Some(route)
        }
        Ok(None) => None,
        Err(refusal) => {
            warn_refused(world, &refusal);
            None
        }
    }
}

fn warn_refused(world: &Context, refusal: &Error) {
    world.ui.status(&format!(
        "Could not {}: {}",
        refusal.operation(),
        escape_control_chars(&refusal.cause())
    ));
}

/// What is left to do with the document.
fn print_notes(world: &Context, document: &serde_json::Value) {
    let left = remaining_placeholders(document);
    if !left.is_empty() {
        world.ui.status("Put the real names in place of:");
        for (name, meaning) in left {
            world.ui.status_indented(&format!("  {name}: {meaning}"), 4);
        }
    }
    let length = policy_length(document);
    if length > MANAGED_POLICY_MAX_CHARS {
        world.ui.status(&format!(
            "It has {length} characters: IAM takes it as an inline policy of a role (up to {INLINE_POLICIES_MAX_CHARS}), not as a \
             managed policy (up to {MANAGED_POLICY_MAX_CHARS})."
        ));
    }
}
