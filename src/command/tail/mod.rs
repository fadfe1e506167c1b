//! Shows events as they arrive, or as they lie on this machine.

mod files;
mod select;
mod show;

use std::ops::ControlFlow;
use std::time::SystemTime;

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
use crate::tail::press::{Batch, Press};
use crate::tail::record::Record;
use crate::tail::tap::{self, Tap};
use crate::tail::{Arrival, Reader, Source};
use show::Show;

pub(super) async fn run(world: &World, args: cli::Tail) -> Result<Exit> {
    if !args.files.is_empty() {
        return files::run(world, args).await;
    }
    let press = Press {
        filter: select::filter(&args.select)?,
        write: render::record::writer(world.ui),
    };
    let (aws, caller, deployment) = world.before_writing(world.deployed()).await?;
    let site = Site::deployed(&caller, world.names(), &deployment);
    let mut watch = Watch {
        world,
        args: &args,
        press,
        show: Show::new(world.ui, args.limit, args.stats),
    };
    let ended = match (&site.log_group, Route::named(&deployment.option)) {
        (Some(group), _) => watch.log_group(&aws, group).await,
        (None, Some(Route::S3)) => watch.topic(&aws, &site).await,
        (None, _) => Err(Error::unanswered(
            "show events",
            "the role's tags do not tell the log group, whose name holds what no tag may",
        )
        .hint(world.again("preflight --option cloudwatch"))),
    };
    let exit = ended?;
    watch.show.sums();
    Ok(exit)
}

/// Events as they arrive, until there are enough.
struct Watch<'a> {
    world: &'a World,
    args: &'a cli::Tail,
    press: Press,
    show: Show,
}

impl Watch<'_> {
    /// Polls the log group for what the subscription lets pass. Nothing is made, so nothing is left behind.
    async fn log_group(&mut self, aws: &Aws, group: &str) -> Result<Exit> {
        self.world.ui.story(&format!(
        "Reading log group {group}, beginning ten minutes ago: what Heeler's filter lets pass. Ctrl-C ends it."
    ));
        let feed = Feed::LogGroup(Box::new(LogGroup::new(aws, group, HEELER_PATTERN)?));
        self.follow(aws, feed).await
    }

    /// Listens with a queue of its own on the topic.
    async fn topic(&mut self, aws: &Aws, site: &Site) -> Result<Exit> {
        let world = self.world;
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
            reader: Reader::new(aws, source, self.args.max_object_size),
            tap: &tap,
        };
        let ended = self.follow(aws, feed).await;
        let closed = tap.close(aws).await;
        if closed.is_err() {
            world.interrupt.tell_left(world.ui);
        }
        let exit = ended?;
        closed?;
        world.interrupt.leaves(Vec::new());
        Ok(exit)
    }

    async fn follow(&mut self, aws: &Aws, mut feed: Feed<'_>) -> Result<Exit> {
        let mut stop = self.world.interrupt.stop();
        let timeout = self.args.timeout;
        let (mut deadline, mut beat) = (after(timeout), Instant::now() + tap::heartbeat());
        if !render::record::heading(&self.world.ui) {
            return Ok(Exit::Yes);
        }
        loop {
            let arrivals = tokio::select! {
                arrivals = feed.next() => arrivals?,
                () = stop.wait() => return Ok(Exit::Interrupted),
                () = sleep_until(deadline) => return Ok(self.nothing_arrived(&feed)),
            };
            self.show.sums_in_time();
            if Instant::now() >= beat {
                if let Err(error) = feed.keep(aws).await {
                    render::error::error(&self.world.ui, &error);
                }
                beat = Instant::now() + tap::heartbeat();
            }
            for arrival in arrivals {
                let proves = matches!(arrival, Arrival::Record(_) | Arrival::Trouble { .. });
                if self.one(arrival).is_break() {
                    return Ok(Exit::Yes);
                }
                if proves {
                    deadline = after(timeout);
                }
            }
        }
    }

    /// Shows one arrival. Breaks off when there is enough, or nobody reads any more.
    fn one(&mut self, arrival: Arrival) -> ControlFlow<()> {
        match arrival {
            Arrival::Record(text) => {
                let time = Record::read(&text).and_then(|record| record.event_time());
                if let Some(time) = time {
                    self.show.tally.lag.add(&time, SystemTime::now());
                }
                let mut batch = Batch::default();
                self.press.press(&text, &mut batch);
                return self.show.batch(&batch, "an object");
            }
            Arrival::LeftOut => self.show.left_out(),
            Arrival::Read(unit) => self.show.read(unit),
            Arrival::Skipped { unit, why, what } => self.show.skipped(unit, why, &what),
            Arrival::Trouble {
                unit,
                what,
                why,
                hint,
            } => self.show.failed(unit, &what, &why, hint.as_deref()),
        }
        ControlFlow::Continue(())
    }

    fn nothing_arrived(&self, feed: &Feed<'_>) -> Exit {
        let world = self.world;
        let waited = humantime::format_duration(self.args.timeout);
        if self.show.tally.records.shown > 0 && self.args.limit.is_none() {
            world
                .ui
                .story(&format!("Nothing more has arrived for {waited}."));
            return Exit::Yes;
        }
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
        Exit::No
    }
}

fn by_hand(commands: Vec<String>) -> Vec<String> {
    let heading = "Left behind; to remove it by hand:".to_owned();
    let commands = commands.into_iter().map(|command| format!("  {command}"));
    std::iter::once(heading).chain(commands).collect()
}

/// Where events come from.
enum Feed<'a> {
    Tap { reader: Reader<'a>, tap: &'a Tap },
    LogGroup(Box<LogGroup<'a>>),
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

/// A time-out that no clock can reach is none.
fn after(timeout: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout)
        .unwrap_or_else(|| now + std::time::Duration::from_secs(86_400 * 365))
}
