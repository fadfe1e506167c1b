//! Shows events as they arrive.

use tokio::time::{Instant, sleep_until};

use super::World;
use crate::aws::{Aws, arn};
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::pipeline::cloudwatch_filter::HEELER_PATTERN;
use crate::pipeline::site::Site;
use crate::render;
use crate::route::Route;
use crate::tail::log_group::LogGroup;
use crate::tail::tap::{self, Tap};
use crate::tail::{Arrival, Reader, Source};

pub(super) async fn run(world: &World, args: cli::Tail) -> Result<Exit> {
    let (aws, caller, deployment) = world.before_writing(world.deployed()).await?;
    let site = Site::deployed(&caller, world.names(), &deployment);
    let ended = match (&site.log_group, Route::named(&deployment.option)) {
        (Some(group), _) => from_log_group(world, &aws, group, &args).await,
        (None, Some(Route::S3)) => from_topic(world, &aws, &site, &args).await,
        (None, _) => Err(Error::unanswered(
            "show events",
            "the role's tags do not tell the log group, whose name holds what no tag may",
        )
        .hint(world.again("preflight --option cloudwatch"))),
    };
    let tally = ended?;
    world.ui.story(&tally.words());
    Ok(tally.exit)
}

/// Polls the log group for what the subscription lets pass. Nothing is made, so nothing is left behind.
async fn from_log_group(world: &World, aws: &Aws, group: &str, args: &cli::Tail) -> Result<Tally> {
    world.ui.story(&format!(
        "Reading log group {group}, beginning ten minutes ago: what Heeler's filter lets pass. Ctrl-C ends it."
    ));
    let feed = Feed::LogGroup(LogGroup::new(aws, group, HEELER_PATTERN)?);
    follow(world, aws, feed, args).await
}

/// Listens with a queue of its own on the topic.
async fn from_topic(world: &World, aws: &Aws, site: &Site, args: &cli::Tail) -> Result<Tally> {
    let hook = hook(site);
    for left in tap::clear(aws, &hook).await? {
        world.ui.story(&format!(
            "Removed {left}, which an earlier run had left behind."
        ));
    }
    let name = tap::name(&hook.prefix);
    world.interrupt.leaves(by_hand(vec![format!(
        "aws sqs delete-queue --region {0} --queue-url \"$(aws sqs get-queue-url --region {0} --queue-name {name} --query QueueUrl --output text)\"",
        aws.region()
    )]));
    let tap = Tap::open(aws, &hook, &name).await?;
    world.interrupt.leaves(by_hand(tap.by_hand(aws.region())));
    world
        .interrupt
        .cleans_up("removing the queue that was listened with");
    world.ui.story(&format!(
        "Listening on topic {}. Ctrl-C ends it.",
        arn::last(&hook.topic)
    ));
    world
        .ui
        .story(&format!("The queue {} is removed at the end.", tap.name));
    let source = Source {
        bucket: site.bucket.clone(),
        owner: site.account.clone(),
    };
    let feed = Feed::Tap {
        reader: Reader::new(aws, source),
        tap: &tap,
    };
    let ended = follow(world, aws, feed, args).await;
    let closed = tap.close(aws).await;
    if closed.is_err() {
        world.interrupt.tell_left(world.ui);
    }
    let tally = ended?;
    closed?;
    world.interrupt.leaves(Vec::new());
    Ok(tally)
}

fn by_hand(commands: Vec<String>) -> Vec<String> {
    let heading = "Left behind; to remove it by hand:".to_owned();
    let commands = commands.into_iter().map(|command| format!("  {command}"));
    std::iter::once(heading).chain(commands).collect()
}

/// Where events come from.
enum Feed<'a> {
    Tap { reader: Reader<'a>, tap: &'a Tap },
    LogGroup(LogGroup<'a>),
}

impl Feed<'_> {
    async fn next(&mut self) -> Result<Vec<Arrival>> {
        match self {
            Self::Tap { reader, tap } => reader.next(tap).await,
            Self::LogGroup(group) => group.next().await,
        }
    }

    /// Tells others that the queue is in use.
    async fn keep(&self, aws: &Aws) -> Result<()> {
        match self {
            Self::Tap { tap, .. } => tap.keep(aws).await,
            Self::LogGroup(_) => Ok(()),
        }
    }
}

/// What a queue of `tail` hangs on.
pub(super) fn hook(site: &Site) -> tap::Site {
    tap::Site {
        partition: site.partition.clone(),
        account: site.account.clone(),
        topic: site.topic.clone().unwrap_or_else(|| site.own_topic()),
        prefix: site.names.tap(),
    }
}

/// What was seen; each thing is counted once.
struct Tally {
    shown: u64,
    duplicate: u64,
    skipped: u64,
    trouble: u64,
    exit: Exit,
}

impl Tally {
    fn words(&self) -> String {
        format!(
            "{} shown, {} delivered twice, {} skipped, {} unreadable.",
            self.shown, self.duplicate, self.skipped, self.trouble
        )
    }
}

async fn follow(world: &World, aws: &Aws, mut feed: Feed<'_>, args: &cli::Tail) -> Result<Tally> {
    let mut tally = Tally {
        shown: 0,
        duplicate: 0,
        skipped: 0,
        trouble: 0,
        exit: Exit::Yes,
    };
    let mut stop = world.interrupt.stop();
    let (mut deadline, mut beat) = (after(args.timeout), Instant::now() + tap::heartbeat());
    render::record::heading(&world.ui);
    loop {
        let arrivals = tokio::select! {
            arrivals = feed.next() => arrivals?,
            () = stop.wait() => {
                tally.exit = Exit::Interrupted;
                return Ok(tally);
            }
            () = sleep_until(deadline) => {
                nothing_arrived(world, &feed, args, &mut tally);
                return Ok(tally);
            }
        };
        if Instant::now() >= beat {
            if let Err(error) = feed.keep(aws).await {
                render::error::error(&world.ui, &error);
            }
            beat = Instant::now() + tap::heartbeat();
        }
        for arrival in arrivals {
            let proves = matches!(arrival, Arrival::Record(_) | Arrival::Trouble { .. });
            let wanted = show(world, arrival, &mut tally);
            if !wanted || args.limit.is_some_and(|limit| tally.shown >= limit) {
                return Ok(tally);
            }
            if proves {
                deadline = after(args.timeout);
            }
        }
    }
}

/// A time-out that no clock can reach is none.
fn after(timeout: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout)
        .unwrap_or_else(|| now + std::time::Duration::from_secs(86_400 * 365))
}

/// Shows one arrival. False when nobody reads any more.
fn show(world: &World, arrival: Arrival, tally: &mut Tally) -> bool {
    match arrival {
        Arrival::Record(record) => {
            tally.shown += 1;
            return render::record::record(&world.ui, &record);
        }
        Arrival::Duplicate => tally.duplicate += 1,
        Arrival::Skipped { why, what } => {
            tally.skipped += 1;
            if world.ui.is_verbose() {
                render::record::skipped(&world.ui, why, &what);
            }
        }
        Arrival::Trouble { what, why, hint } => {
            tally.trouble += 1;
            render::record::trouble(&world.ui, &what, &why, hint.as_deref());
        }
    }
    true
}

fn nothing_arrived(world: &World, feed: &Feed<'_>, args: &cli::Tail, tally: &mut Tally) {
    let waited = humantime::format_duration(args.timeout);
    if tally.shown > 0 && args.limit.is_none() {
        world
            .ui
            .story(&format!("Nothing more has arrived for {waited}."));
        return;
    }
    tally.exit = Exit::No;
    world.ui.alert(&format!(
        "Nothing has arrived for {waited}. What to look at:"
    ));
    let (route, delivers) = match feed {
        Feed::Tap { .. } => (
            Route::S3,
            "CloudTrail delivers every 5 minutes or so, a new notification takes effect after about 5 more",
        ),
        Feed::LogGroup(_) => (
            Route::CloudWatch,
            "CloudTrail delivers some minutes late, and Heeler's filter lets only successful writes pass, and not all of them",
        ),
    };
    let option = route.name();
    for advice in [
        delivers.to_owned(),
        format!(
            "{} says whether the trail logs and delivers",
            world.again(&format!("preflight --option {option}"))
        ),
        format!(
            "{} says whether anything of the pipeline has changed",
            world.again("plan --check")
        ),
    ] {
        world.ui.alert(&format!("  - {advice}"));
    }
}
