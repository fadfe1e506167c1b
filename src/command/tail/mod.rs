//! Shows events as they arrive, or as they lie on this machine.

mod alerts;
mod feed;
mod files;
mod place;
mod screen;
mod select;
mod show;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, timeout_at};

use super::World;
use crate::aws::{Aws, arn};
use crate::cli;
use crate::error::{Exit, Result};
use crate::pipeline::cloudwatch_filter::HEELER_PATTERN;
use crate::pipeline::site::Site;
use crate::render::{self, Ui};
use crate::route::Route;
use crate::tail::accounts::{self, Accounts};
use crate::tail::bucket::Bucket;
use crate::tail::heelers_queue::{HeelersQueue, Worn};
use crate::tail::log_group::LogGroup;
use crate::tail::press::Press;
use crate::tail::reader::Reader;
use crate::tail::tap::{self, Tap};
use crate::tail::{Arrival, Source};
use feed::Feed;
use place::{Place, place};
use screen::{Enough, Screen};
use show::Show;

pub(super) async fn run(world: &World, args: cli::Tail) -> Result<Exit> {
    if !args.files.is_empty() {
        return files::run(world, args).await;
    }
    let severities = select::severities(&args.select)?;
    let filter = select::filter(&args.select, &severities)?;
    let alerts = alerts::alerts(world.ui, &args.alerts)?;
    let (aws, caller, deployment) = world.before_writing(world.deployed()).await?;
    let site = Site::deployed(&caller, world.names(), &deployment);
    let place = place(&args, &site, &deployment)?;
    let accounts = world.before_writing(accounts(world, &aws)).await?;
    let press = Press {
        filter,
        alerts: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
        write: render::record::writer(world.ui, severities, accounts),
    };
    let show = Show::new(world.ui, &args, Arc::clone(&alerts));
    let watch = Watch {
        world,
        args: &args,
        screen: Screen::light(press, show, args.max_object_size)?,
        route: Route::named(&deployment.option).unwrap_or(Route::S3),
    };
    let ended = watch.look(&aws, &site, place).await;
    let ended = watch.finish(ended, place).await;
    alerts::end(world.ui, alerts, ended.as_ref().ok().copied()).await;
    ended
}

/// Names for the table. Without them it shows ids.
async fn accounts(world: &World, aws: &Aws) -> Result<Accounts> {
    if world.global.output != cli::Format::Table {
        return Ok(Accounts::new());
    }
    Ok(accounts::names(aws).await.unwrap_or_else(|error| {
        if world.ui.is_verbose() {
            render::error::error(&world.ui, &error);
        }
        Accounts::new()
    }))
}

/// Events as they arrive, until there are enough.
struct Watch<'a> {
    world: &'a World,
    args: &'a cli::Tail,
    screen: Screen,
    /// The option that is set up.
    route: Route,
}

/// Why nothing more is waited for.
enum End {
    /// What was asked for is there, or nobody reads any more.
    Enough,
    Interrupted,
    /// Nothing has come for as long as the operator wanted to wait.
    Silent,
    /// Nothing more can come; for the sake of this message, if any.
    Exhausted(Option<Worn>),
}

impl Watch<'_> {
    async fn look(&self, aws: &Aws, site: &Site, place: Place) -> Result<End> {
        match place {
            Place::Tap => self.topic(aws, site).await,
            Place::Bucket => self.bucket(aws, site).await,
            Place::LogGroup => self.log_group(aws, site).await,
            Place::HeelersQueue => self.heelers_queue(aws, site).await,
        }
    }

    /// Polls the log group for what the subscription lets pass. Nothing is made, so nothing is left behind.
    async fn log_group(&self, aws: &Aws, site: &Site) -> Result<End> {
        let group = site.log_group.as_deref().unwrap_or_default();
        self.world.ui.story(&format!(
            "Reading log group {group}, beginning {}: what Heeler's filter lets pass. Ctrl-C ends it.",
            self.beginning()
        ));
        let mut group = LogGroup::new(aws, group, HEELER_PATTERN)?;
        if let Some(since) = self.args.select.since {
            group = group.since(since);
        }
        self.follow(&mut Feed::LogGroup(Box::new(group))).await
    }

    /// Lists the bucket again and again. Nothing is made here, either.
    async fn bucket(&self, aws: &Aws, site: &Site) -> Result<End> {
        self.world.ui.story(&format!(
            "Looking for new objects in bucket {}, beginning {}. Ctrl-C ends it.",
            site.bucket,
            self.beginning()
        ));
        let since = self.args.select.since;
        let since = since.map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
        let bucket = Bucket::new(aws, logs_of(site), &site.log_prefix, since);
        let reader = Reader::of_bucket(aws, bucket, logs_of(site), self.args.max_object_size);
        self.follow(&mut Feed::Objects(reader)).await
    }

    /// Looks at Heeler's own messages, and says first what that costs.
    async fn heelers_queue(&self, aws: &Aws, site: &Site) -> Result<End> {
        let name = match site.log_group {
            Some(_) => site.names.fifo_queue(),
            None => site.names.queue(),
        };
        self.world.ui.alert(&format!(
            "Looking into Heeler's own queue {name}. Each look is a receive: it hides messages from Heeler for a moment, \
             and a message that was received four times goes to the dead letter queue. All are given back at once, none \
             is deleted, and the looking ends at the first that was received more than twice."
        ));
        let queue = HeelersQueue::find(aws, &name).await?;
        let largest = self.args.max_object_size;
        let reader = Reader::of_heelers_queue(aws, queue, logs_of(site), largest);
        self.world
            .interrupt
            .cleans_up("giving back what was received");
        let mut feed = Feed::Objects(reader);
        let ended = self.follow(&mut feed).await;
        if let Feed::Objects(reader) = &mut feed {
            let troubles = reader.finish().await?;
            if let Err(Enough) = self.screen.put(troubles).await {
                return ended;
            }
        }
        ended
    }

    fn beginning(&self) -> String {
        match self.args.select.since {
            None => "ten minutes ago".to_owned(),
            Some(since) => format!("at {}", humantime::format_rfc3339_seconds(since)),
        }
    }

    /// Listens with a queue of its own on the topic.
    async fn topic(&self, aws: &Aws, site: &Site) -> Result<End> {
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
        let reader = Reader::of_tap(aws, &tap, logs_of(site), self.args.max_object_size);
        let mut feed = Feed::Objects(reader);
        let ended = tokio::select! {
            ended = self.follow(&mut feed) => ended,
            never = keep_alive(world.ui, aws, &tap) => match never {},
        };
        drop(feed);
        let closed = tap.close(aws).await;
        if closed.is_err() {
            world.interrupt.tell_left(world.ui);
        }
        let end = ended?;
        closed?;
        world.interrupt.leaves(Vec::new());
        Ok(end)
    }

    /// Puts on the screen what the feed gives, until somebody wants to end, or it gives nothing any more.
    async fn follow(&self, feed: &mut Feed<'_>) -> Result<End> {
        if !render::record::heading(&self.world.ui) {
            return Ok(End::Enough);
        }
        let mut stop = self.world.interrupt.stop();
        tokio::select! {
            () = stop.wait() => Ok(End::Interrupted),
            () = self.screen.closed() => Ok(End::Enough),
            ended = self.pass_on(feed) => ended,
        }
    }

    async fn pass_on(&self, feed: &mut Feed<'_>) -> Result<End> {
        let mut deadline = after(self.args.timeout);
        let mut worn = None;
        loop {
            let Ok(next) = timeout_at(deadline, feed.next()).await else {
                return feed
                    .trouble()
                    .map_or(Ok(End::Silent), |error| Err(error.clone()));
            };
            let Some(arrivals) = next? else {
                return Ok(End::Exhausted(worn));
            };
            let proves = arrivals.iter().any(proves);
            worn = worn.or_else(|| arrivals.iter().find_map(worn_out));
            let began = Instant::now();
            let Ok(shown) = self.screen.put(arrivals).await else {
                return Ok(End::Enough);
            };
            if feed.is_sparing() && shown.wait().await.is_err() {
                return Ok(End::Enough);
            }
            // While nobody reads, nothing is waited for.
            deadline = match deadline.checked_add(began.elapsed()) {
                Some(later) if !proves => later,
                _ => after(self.args.timeout),
            };
        }
    }

    /// Waits for the screen, tells the sums, and why it ended.
    async fn finish(self, ended: Result<End>, place: Place) -> Result<Exit> {
        let Self {
            world,
            args,
            screen,
            route,
        } = self;
        let show = screen.off(world.interrupt.stop()).await;
        let end = ended?;
        let Some(show) = show else {
            return Ok(Exit::Interrupted);
        };
        let shown = show.tally.records.shown;
        let exit = match end {
            End::Enough => Exit::Yes,
            End::Interrupted => Exit::Interrupted,
            End::Exhausted(worn) => {
                if let Some(worn) = worn {
                    world.ui.alert(&format!(
                        "Ended: message {} has been received {} times, and at four it is lost to Heeler.",
                        worn.id, worn.receives
                    ));
                }
                if shown > 0 { Exit::Yes } else { Exit::No }
            }
            End::Silent if shown > 0 && args.limit.is_none() => {
                let waited = humantime::format_duration(args.timeout);
                let nothing = format!("Nothing more has arrived for {waited}.");
                world.ui.story(&nothing);
                Exit::Yes
            }
            End::Silent => {
                nothing_arrived(world, args.timeout, route, place);
                Exit::No
            }
        };
        show.sums();
        Ok(exit)
    }
}

/// Tells others, time and again, that the queue is in use.
async fn keep_alive(ui: Ui, aws: &Aws, tap: &Tap) -> Infallible {
    loop {
        sleep(tap::heartbeat()).await;
        if let Err(error) = tap.keep(aws).await {
            render::error::error(&ui, &error);
        }
    }
}

/// Whether the pipeline has delivered something.
fn proves(arrival: &Arrival) -> bool {
    matches!(
        arrival,
        Arrival::Record(_) | Arrival::Object { .. } | Arrival::Trouble { unit: Some(_), .. }
    )
}

fn worn_out(arrival: &Arrival) -> Option<Worn> {
    match arrival {
        Arrival::Worn(worn) => Some(worn.clone()),
        _ => None,
    }
}

fn nothing_arrived(world: &World, waited: Duration, route: Route, place: Place) {
    let waited = humantime::format_duration(waited);
    world.ui.alert(&format!(
        "Nothing has arrived for {waited}. What to look at:"
    ));
    let (route, delivers) = match place {
        Place::HeelersQueue => (
            route,
            "Heeler may have fetched everything: what it has read is not in its queue any more",
        ),
        Place::Tap | Place::Bucket => (
            Route::S3,
            "CloudTrail delivers every 5 minutes or so, a new notification takes effect after about 5 more",
        ),
        Place::LogGroup => (
            Route::CloudWatch,
            "CloudTrail delivers some minutes late, and Heeler's filter lets only successful writes pass, and not all of them",
        ),
    };
    world.ui.alerted(&format!("  - {delivers}"), 4);
    let preflight = format!("preflight --option {}", route.name());
    for (question, command) in [
        ("whether the trail logs and delivers:", &*preflight),
        (
            "whether anything of the pipeline has changed:",
            "plan --check",
        ),
    ] {
        world.ui.alerted(&format!("  - {question}"), 4);
        // It stays whole, to be copied.
        let command = world.again(command);
        world.ui.alert_as_it_is(&format!("      {command}"));
    }
}

fn by_hand(commands: Vec<String>) -> Vec<String> {
    let heading = "Left behind; to remove it by hand:".to_owned();
    let commands = commands.into_iter().map(|command| format!("  {command}"));
    std::iter::once(heading).chain(commands).collect()
}

/// Where log objects may be fetched from.
fn logs_of(site: &Site) -> Source {
    Source {
        bucket: site.bucket.clone(),
        owner: site.account.clone(),
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
fn after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout)
        .unwrap_or_else(|| now + Duration::from_secs(86_400 * 365))
}
