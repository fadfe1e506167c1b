//! Shows events as they arrive, or as they lie on this machine.

mod alerts;
mod feed;
mod files;
mod place;
mod select;
mod show;
mod shown;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::{Instant, sleep_until};

use super::World;
use crate::aws::{Aws, arn};
use crate::cli;
use crate::error::{Exit, Result};
use crate::pipeline::cloudwatch_filter::HEELER_PATTERN;
use crate::pipeline::site::Site;
use crate::render;
use crate::route::Route;
use crate::tail::accounts::{self, Accounts};
use crate::tail::bucket::Bucket;
use crate::tail::heelers_queue::{HeelersQueue, Worn};
use crate::tail::log_group::LogGroup;
use crate::tail::object::{self, Limits, Packed};
use crate::tail::press::{Batch, Press};
use crate::tail::reader::Reader;
use crate::tail::record::Record;
use crate::tail::tap::{self, Tap};
use crate::tail::{Arrival, Source, Unit};
use feed::Feed;
use place::{Place, place};
use show::Show;
use shown::Shown;

/// What an object may hold of memory while it is shown; a larger one is unpacked twice.
const HELD: usize = 16 * 1024 * 1024;

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
    let mut watch = Watch {
        world,
        args: &args,
        press: Press {
            filter,
            alerts: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
            write: render::record::writer(world.ui, severities, accounts),
        },
        show: Show::new(world.ui, &args, Arc::clone(&alerts)),
        route: Route::named(&deployment.option).unwrap_or(Route::S3),
        worn: None,
    };
    let ended = watch.look(&aws, &site, place).await;
    if ended.is_ok() {
        watch.show.sums();
    }
    drop(watch);
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
    press: Press,
    show: Show,
    /// The option that is set up.
    route: Route,
    /// The message for whose sake the looking into Heeler's queue ends.
    worn: Option<Worn>,
}

impl Watch<'_> {
    async fn look(&mut self, aws: &Aws, site: &Site, place: Place) -> Result<Exit> {
        match place {
            Place::Tap => self.topic(aws, site).await,
            Place::Bucket => self.bucket(aws, site).await,
            Place::LogGroup => self.log_group(aws, site).await,
            Place::HeelersQueue => self.heelers_queue(aws, site).await,
        }
    }

    /// Polls the log group for what the subscription lets pass. Nothing is made, so nothing is left behind.
    async fn log_group(&mut self, aws: &Aws, site: &Site) -> Result<Exit> {
        let group = site.log_group.as_deref().unwrap_or_default();
        self.world.ui.story(&format!(
            "Reading log group {group}, beginning {}: what Heeler's filter lets pass. Ctrl-C ends it.",
            self.beginning()
        ));
        let mut group = LogGroup::new(aws, group, HEELER_PATTERN)?;
        if let Some(since) = self.args.select.since {
            group = group.since(since);
        }
        self.follow(aws, &mut Feed::LogGroup(Box::new(group))).await
    }

    /// Lists the bucket again and again. Nothing is made here, either.
    async fn bucket(&mut self, aws: &Aws, site: &Site) -> Result<Exit> {
        self.world.ui.story(&format!(
            "Looking for new objects in bucket {}, beginning {}. Ctrl-C ends it.",
            site.bucket,
            self.beginning()
        ));
        let since = self.args.select.since;
        let since = since.map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
        let bucket = Bucket::new(aws, logs_of(site), &site.log_prefix, since);
        let reader = Reader::of_bucket(aws, bucket, logs_of(site), self.args.max_object_size);
        self.follow(aws, &mut Feed::Bucket(reader)).await
    }

    /// Looks at Heeler's own messages, and says first what that costs.
    async fn heelers_queue(&mut self, aws: &Aws, site: &Site) -> Result<Exit> {
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
        let mut feed = Feed::HeelersQueue(reader);
        let ended = self.follow(aws, &mut feed).await;
        if let Feed::HeelersQueue(reader) = &mut feed {
            for trouble in reader.finish().await? {
                let _ = self.one(trouble);
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
        let mut feed = Feed::Tap {
            reader: Reader::of_tap(aws, &tap, logs_of(site), self.args.max_object_size),
            tap: &tap,
        };
        let ended = self.follow(aws, &mut feed).await;
        drop(feed);
        let closed = tap.close(aws).await;
        if closed.is_err() {
            world.interrupt.tell_left(world.ui);
        }
        let exit = ended?;
        closed?;
        world.interrupt.leaves(Vec::new());
        Ok(exit)
    }

    async fn follow(&mut self, aws: &Aws, feed: &mut Feed<'_>) -> Result<Exit> {
        let mut stop = self.world.interrupt.stop();
        let timeout = self.args.timeout;
        let (mut deadline, mut beat) = (after(timeout), Instant::now() + tap::heartbeat());
        if !render::record::heading(&self.world.ui) {
            return Ok(Exit::Yes);
        }
        loop {
            let arrivals = tokio::select! {
                arrivals = feed.next() => match arrivals? {
                    Some(arrivals) => arrivals,
                    None => return Ok(self.worn()),
                },
                () = stop.wait() => return Ok(Exit::Interrupted),
                () = sleep_until(deadline) => return Ok(self.nothing_arrived(feed)),
            };
            self.show.sums_in_time();
            if Instant::now() >= beat {
                if let Err(error) = feed.keep(aws).await {
                    render::error::error(&self.world.ui, &error);
                }
                beat = Instant::now() + tap::heartbeat();
            }
            for arrival in arrivals {
                let proves = matches!(
                    arrival,
                    Arrival::Record(_) | Arrival::Object { .. } | Arrival::Trouble { .. }
                );
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
                let mut batch = Batch::default();
                self.late(&text);
                self.press.press(&text, &mut batch);
                return self.show.batch(&batch, "the log group");
            }
            Arrival::Object { unit, what, packed } => return self.object(unit, &what, packed),
            Arrival::Worn(worn) => self.worn = Some(worn),
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

    fn late(&mut self, record: &str) {
        if let Some(time) = Record::read(record).and_then(|record| record.event_time()) {
            self.show.tally.lag.add(&time, SystemTime::now());
        }
    }

    /// Shows the records of an object, which is looked through to its end before.
    fn object(&mut self, unit: Unit, what: &str, packed: Packed) -> ControlFlow<()> {
        let limits = Limits {
            object: self.args.max_object_size,
            held: HELD,
        };
        let mut shown = Shown {
            watch: self,
            what,
            batch: Batch::default(),
            flow: ControlFlow::Continue(()),
        };
        let read = object::read(packed, limits, &mut shown);
        shown.hand_on();
        let flow = shown.flow;
        match read {
            Ok(()) => self.show.read(unit),
            Err(why) => self.show.failed(Some(unit), what, &why.to_string(), None),
        }
        flow
    }

    /// Says why Heeler's queue is left alone from now on.
    fn worn(&self) -> Exit {
        if let Some(worn) = &self.worn {
            self.world.ui.alert(&format!(
                "Ended: message {} has been received {} times, and at four it is lost to Heeler.",
                worn.id, worn.receives
            ));
        }
        if self.show.tally.records.shown > 0 {
            Exit::Yes
        } else {
            Exit::No
        }
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
            Feed::HeelersQueue(_) => (
                self.route,
                "Heeler may have fetched everything: what it has read is not in its queue any more",
            ),
            Feed::Tap { .. } | Feed::Bucket(_) => (
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
fn after(timeout: std::time::Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout)
        .unwrap_or_else(|| now + std::time::Duration::from_secs(86_400 * 365))
}
