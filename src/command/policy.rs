//! Prints the policy that a command needs, with the names of this account in it.

use super::{World, option};
use crate::aws::Aws;
use crate::check::place::{fill, is_key};
use crate::check::survey::{Facts, without_credentials};
use crate::cli::{self, OnFailure, Permitted};
use crate::error::{Error, Exit, Result};
use crate::permit::place::Place;
use crate::permit::{
    INLINE_LIMIT, MANAGED_LIMIT, Preflight, Task, document, length, placeholders, statements,
};
use crate::render;
use crate::route::Route;
use crate::tail::record::visible;

pub(super) async fn run(world: &World, args: cli::Policy) -> Result<Exit> {
    let task = task(&args)?;
    let typed = typed(world, &args.discovery);
    let (task, place) = if args.offline {
        (task, typed)
    } else {
        discovered(world, &args, task, typed).await?
    };
    let document = document(&statements(task, &place));
    tell(world, &document);
    world.ui.answer(&render::document(&document));
    Ok(Exit::Yes)
}

/// What is to be allowed; all but preflight are there for options that can be set up.
fn task(args: &cli::Policy) -> Result<Task> {
    let route = args.option.as_deref().and_then(Route::named);
    let (deep, fix) = (args.deep, args.fix);
    let rolls_back = args.on_failure == OnFailure::Rollback;
    if rolls_back && args.command != Permitted::Setup {
        return Err(Error::usage(
            "write that policy",
            "only setup has --on-failure",
        ));
    }
    if args.command != Permitted::Tail && (args.from_heelers_queue || args.source.is_some()) {
        return Err(Error::usage(
            "write that policy",
            "only tail has --source and --from-heelers-queue",
        ));
    }
    if args.command != Permitted::Preflight {
        if deep || fix {
            return Err(Error::usage(
                "write that policy",
                "only preflight has --deep and --fix",
            ));
        }
        if let Some(name) = &args.option {
            option(name)?;
        }
    }
    Ok(match args.command {
        Permitted::Preflight => Task::Preflight(Preflight { route, deep, fix }),
        Permitted::Plan => Task::Plan(route.unwrap_or(Route::S3)),
        Permitted::Setup if rolls_back => Task::Rollback(route.unwrap_or(Route::S3)),
        Permitted::Setup => Task::Setup(route.unwrap_or(Route::S3)),
        Permitted::Outputs => Task::Outputs(route),
        Permitted::Tail if args.from_heelers_queue => Task::TailOfHeelersQueue(route),
        Permitted::Tail if args.source == Some(cli::Source::Bucket) => Task::TailOfBucket,
        Permitted::Export => Task::Export(route),
        Permitted::Tail => Task::Tail(route),
        Permitted::Destroy => Task::Destroy(route),
        Permitted::Restore => Task::Restore(route),
    })
}

/// What the operator said of the place.
fn typed(world: &World, discovery: &cli::Discovery) -> Place {
    let mut place = Place::anywhere(world.names());
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
        && is_key(key)
    {
        place.bucket_keys = vec![key.clone()];
    }
    if let Some(topic) = &discovery.sns_topic {
        place.use_topic(topic);
    }
    place
}

/// What AWS tells of the place and of what is set up there, as far as it may be asked.
async fn discovered(
    world: &World,
    args: &cli::Policy,
    task: Task,
    typed: Place,
) -> Result<(Task, Place)> {
    let aws = world.aws().await?;
    let mut place = typed;
    let caller = match aws.caller().await {
        Ok(caller) => caller,
        Err(error) if without_credentials(&error) => {
            let why = if error.lacks_network() {
                "AWS cannot be reached, so no name is known"
            } else {
                "Without credentials no name is known"
            };
            world
                .ui
                .story(&format!("{why}: {}", visible(&error.cause())));
            return Ok((task, place));
        }
        Err(error) => return Err(error),
    };
    world.refuse_other_account(&caller.account)?;
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
    if of_deployment && let Some(route) = deployed(world, &aws, &mut place).await {
        return Ok((of(task, route), place));
    }
    let routes = task.routes();
    let facts = Facts::take(&aws, world.hints(&args.discovery, &[]), &routes).await;
    let mut seen = Vec::new();
    for route in routes {
        let survey = facts.view(route);
        if let Some(refusal) = survey.refusal() {
            refused(world, &refusal);
        }
        fill(&mut place, &survey);
        seen.extend(survey.region().map(|_| route));
    }
    // An option that has no place here was never set up.
    let task = match seen.as_slice() {
        [only] => of(task, *only),
        _ => task,
    };
    Ok((task, place))
}

/// The same task of the option that is there, where it was not said of which.
fn of(task: Task, route: Route) -> Task {
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
async fn deployed(world: &World, aws: &Aws, place: &mut Place) -> Option<Route> {
    match world.deployment(aws).await {
        Ok(Some(found)) => {
            let route = Route::named(&found.option)?;
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
            refused(world, &refusal);
            None
        }
    }
}

fn refused(world: &World, refusal: &Error) {
    world.ui.story(&format!(
        "Could not {}: {}",
        refusal.doing(),
        visible(&refusal.cause())
    ));
}

/// What is left to do with the document.
fn tell(world: &World, document: &serde_json::Value) {
    let left = placeholders(document);
    if !left.is_empty() {
        world.ui.story("Put the real names in place of:");
        for (name, meaning) in left {
            world.ui.told(&format!("  {name}: {meaning}"), 4);
        }
    }
    let length = length(document);
    if length > MANAGED_LIMIT {
        world.ui.story(&format!(
            "It has {length} characters: IAM takes it as an inline policy of a role (up to {INLINE_LIMIT}), not as a \
             managed policy (up to {MANAGED_LIMIT})."
        ));
    }
}
