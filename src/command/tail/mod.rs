//! Shows events as they arrive, or as they lie on this machine.

mod alerts;
mod filters;
mod local_files;
mod output_thread;
mod printer;
mod source_selection;
mod source_stream;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep, timeout_at};

use super::Context;
use crate::aws::{Aws, arn};
use crate::cli;
use crate::deployment::target::DeploymentTarget;
use crate::error::{Exit, Result};
use crate::inventory::trail_destination::TrailDestination;
use crate::option::cloudwatch_filter::HEELER_PATTERN;
use crate::render::{self, Ui};
use crate::tail::account_names::{self, AccountNames};
use crate::tail::formatter::RecordFormatter;
use crate::tail::object_reader::ObjectReader;
use crate::tail::source::bucket_listing::BucketListing;
use crate::tail::source::heeler_queue::{HeelerQueue, ReceiveLimitReached};
use crate::tail::source::log_group::LogGroupPoller;
use crate::tail::source::temporary_queue;
use crate::tail::source::temporary_queue::TemporaryQueue;
use crate::tail::{Arrival, LogBucket};
use output_thread::{OutputClosed, OutputThread};
use printer::RecordPrinter;
use source_selection::{SourceKind, select_source};
use source_stream::SourceStream;

pub(super) async fn run(world: &Context, args: cli::TailArgs) -> Result<Exit> {
    if !args.files.is_empty() {
        return local_files::run(world, args).await;
    }
    let severities = filters::load_severities(&args.select)?;
    let filter = filters::build_filter(&args.select, &severities)?;
    let alerts = alerts::start(world.ui, &args.alerts)?;
    let (aws, caller, deployment) = world.cancellable(world.require_deployment()).await?;
    let site = DeploymentTarget::from_deployment(&caller, world.names(), &deployment);
    let place = select_source(&args, &site, &deployment)?;
    let accounts = world.cancellable(account_names(world, &aws)).await?;
    let press = RecordFormatter {
        filter,
        alert_severities: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
        format: render::record::record_formatter(world.ui, severities, accounts),
    };
    let show = RecordPrinter::new(world.ui, &args, Arc::clone(&alerts));
    let watch = LiveTail {
        world,
        args: &args,
        output: OutputThread::spawn(press, show, args.max_object_size)?,
        route: TrailDestination::from_name(&deployment.option).unwrap_or(TrailDestination::Bucket),
    };
    let ended = watch.run(&aws, &site, place).await;
    let ended = watch.finish(ended, place).await;
    alerts::finish(world.ui, alerts, ended.as_ref().ok().copied()).await;
    ended
}

/// Names for the table. Without them it shows ids.
async fn account_names(world: &Context, aws: &Aws) -> Result<AccountNames> {
    if world.global.output != cli::OutputFormat::Table {
        return Ok(AccountNames::new());
    }
    Ok(account_names::fetch_account_names(aws)
        .await
        .unwrap_or_else(|error| {
            if world.ui.is_verbose() {
                render::error::print_error(&world.ui, &error);
            }
            AccountNames::new()
        }))
}

/// Events as they arrive, until there are enough.
struct LiveTail<'a> {
    world: &'a Context,
    args: &'a cli::TailArgs,
    output: OutputThread,
    /// The option that is set up.
    route: TrailDestination,
}

/// Why nothing more is waited for.
enum StopReason {
    /// What was asked for is there, or nobody reads any more.
    OutputEnded,
    Interrupted,
    /// Nothing has come for as long as the operator wanted to wait.
    TimedOut,
    /// Nothing more can come; for the sake of this message, if any.
    Exhausted(Option<ReceiveLimitReached>),
}

impl LiveTail<'_> {
    async fn run(
        &self,
        aws: &Aws,
        site: &DeploymentTarget,
        place: SourceKind,
    ) -> Result<StopReason> {
        match place {
            SourceKind::Queue => self.receive_temporary_queue(aws, site).await,
            SourceKind::Bucket => self.list_bucket(aws, site).await,
            SourceKind::LogGroup => self.poll_log_group(aws, site).await,
            SourceKind::HeelerQueue => self.receive_heeler_queue(aws, site).await,
        }
    }

    /// Polls the log group for what the subscription lets pass. Nothing is made, so nothing is left behind.
    async fn poll_log_group(&self, aws: &Aws, site: &DeploymentTarget) -> Result<StopReason> {
        let group = site.log_group.as_deref().unwrap_or_default();
        self.world.ui.status(&format!(
            "Reading log group {group}, beginning {}: what Heeler's filter lets pass. Ctrl-C ends it.",
            self.start_description()
        ));
        let mut group = LogGroupPoller::new(aws, group, HEELER_PATTERN)?;
        if let Some(since) = self.args.select.since {
            group = group.starting_at(since);
        }
        self.run_source(&mut SourceStream::LogGroup(Box::new(group)))
            .await
    }

    /// Lists the bucket again and again. Nothing is made here, either.
    async fn list_bucket(&self, aws: &Aws, site: &DeploymentTarget) -> Result<StopReason> {
        self.world.ui.status(&format!(
            "Looking for new objects in bucket {}, beginning {}. Ctrl-C ends it.",
            site.bucket,
            self.start_description()
        ));
        let since = self.args.select.since;
        let since = since.map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
        let bucket = BucketListing::new(aws, log_bucket(site), &site.log_prefix, since);
        let reader = ObjectReader::from_bucket_listing(
            aws,
            bucket,
            log_bucket(site),
            self.args.max_object_size,
        );
        self.run_source(&mut SourceStream::Objects(reader)).await
    }

    /// Looks at Heeler's own messages, and says first what that costs.
    async fn receive_heeler_queue(&self, aws: &Aws, site: &DeploymentTarget) -> Result<StopReason> {
        let name = match site.log_group {
            Some(_) => site.names.fifo_queue(),
            None => site.names.queue(),
        };
        self.world.ui.warn(&format!(
            "Looking into Heeler's own queue {name}. Each look is a receive: it hides messages from Heeler for a moment, \
             and a message that was received four times goes to the dead letter queue. All are given back at once, none \
             is deleted, and the looking ends at the first that was received more than twice."
        ));
        let queue = HeelerQueue::find(aws, &name).await?;
        let largest = self.args.max_object_size;
        let reader = ObjectReader::from_heeler_queue(aws, queue, log_bucket(site), largest);
        self.world
            .interrupt
            .set_cleanup_message("giving back what was received");
        let mut feed = SourceStream::Objects(reader);
        let ended = self.run_source(&mut feed).await;
        if let SourceStream::Objects(reader) = &mut feed {
            let troubles = reader.finish().await?;
            if let Err(OutputClosed) = self.output.send(troubles).await {
                return ended;
            }
        }
        ended
    }

    fn start_description(&self) -> String {
        match self.args.select.since {
            None => "ten minutes ago".to_owned(),
            Some(since) => format!("at {}", humantime::format_rfc3339_seconds(since)),
        }
    }

    /// Listens with a queue of its own on the topic.
    async fn receive_temporary_queue(
        &self,
        aws: &Aws,
        site: &DeploymentTarget,
    ) -> Result<StopReason> {
        let world = self.world;
        let hook = subscription_target(site);
        for left in temporary_queue::remove_stale(aws, &hook).await? {
            world.ui.status(&format!(
                "Removed {left}, which an earlier run had left behind."
            ));
        }
        let name = temporary_queue::generate_name(&hook.name_prefix);
        world.interrupt.set_leftovers(cleanup_notice(vec![format!(
        "aws sqs delete-queue --region {0} --queue-url \"$(aws sqs get-queue-url --region {0} --queue-name {name} --query QueueUrl --output text)\"",
        aws.region()
    )]));
        let tap = TemporaryQueue::create(aws, &hook, &name).await?;
        world
            .interrupt
            .set_leftovers(cleanup_notice(tap.manual_cleanup_commands(aws.region())));
        world
            .interrupt
            .set_cleanup_message("removing the queue that was listened with");
        world.ui.status(&format!(
            "Listening on topic {}. Ctrl-C ends it.",
            arn::resource_name(&hook.topic)
        ));
        world
            .ui
            .status(&format!("The queue {} is removed at the end.", tap.name));
        let reader = ObjectReader::from_temporary_queue(
            aws,
            &tap,
            log_bucket(site),
            self.args.max_object_size,
        );
        let mut feed = SourceStream::Objects(reader);
        let ended = tokio::select! {
            ended = self.run_source(&mut feed) => ended,
            never = send_heartbeats(world.ui, aws, &tap) => match never {},
        };
        drop(feed);
        let closed = tap.delete(aws).await;
        if closed.is_err() {
            world.interrupt.print_leftovers(world.ui);
        }
        let end = ended?;
        closed?;
        world.interrupt.set_leftovers(Vec::new());
        Ok(end)
    }

    /// Puts on the screen what the feed gives, until somebody wants to end, or it gives nothing any more.
    async fn run_source(&self, feed: &mut SourceStream<'_>) -> Result<StopReason> {
        if !render::record::print_heading(&self.world.ui) {
            return Ok(StopReason::OutputEnded);
        }
        let mut stop = self.world.interrupt.cancellation();
        tokio::select! {
            () = stop.cancelled() => Ok(StopReason::Interrupted),
            () = self.output.closed() => Ok(StopReason::OutputEnded),
            ended = self.pump(feed) => ended,
        }
    }

    async fn pump(&self, feed: &mut SourceStream<'_>) -> Result<StopReason> {
        let mut deadline = deadline_after(self.args.timeout);
        let mut worn = None;
        loop {
            let Ok(next) = timeout_at(deadline, feed.next()).await else {
                return feed
                    .last_error()
                    .map_or(Ok(StopReason::TimedOut), |error| Err(error.clone()));
            };
            let Some(arrivals) = next? else {
                return Ok(StopReason::Exhausted(worn));
            };
            let proves = arrivals.iter().any(is_delivery_evidence);
            worn = worn.or_else(|| arrivals.iter().find_map(receive_limit_reached));
            let began = Instant::now();
            let Ok(shown) = self.output.send(arrivals).await else {
                return Ok(StopReason::OutputEnded);
            };
            if feed.is_metered() && shown.wait().await.is_err() {
                return Ok(StopReason::OutputEnded);
            }
            // While nobody reads, nothing is waited for.
            deadline = match deadline.checked_add(began.elapsed()) {
                Some(later) if !proves => later,
                _ => deadline_after(self.args.timeout),
            };
        }
    }

    /// Waits for the screen, tells the sums, and why it ended.
    async fn finish(self, ended: Result<StopReason>, place: SourceKind) -> Result<Exit> {
        let Self {
            world,
            args,
            output: screen,
            route,
        } = self;
        let show = screen.join(world.interrupt.cancellation()).await;
        let end = ended?;
        let Some(show) = show else {
            return Ok(Exit::Interrupted);
        };
        let shown = show.stats.records.shown;
        let exit = match end {
            StopReason::OutputEnded => Exit::Success,
            StopReason::Interrupted => Exit::Interrupted,
            StopReason::Exhausted(worn) => {
                if let Some(worn) = worn {
                    world.ui.warn(&format!(
                        "Ended: message {} has been received {} times, and at four it is lost to Heeler.",
                        worn.message_id, worn.receive_count
                    ));
                }
                if shown > 0 {
                    Exit::Success
                } else {
                    Exit::Negative
                }
            }
            StopReason::TimedOut if shown > 0 && args.limit.is_none() => {
                let waited = humantime::format_duration(args.timeout);
                let nothing = format!("Nothing more has arrived for {waited}.");
                world.ui.status(&nothing);
                Exit::Success
            }
            StopReason::TimedOut => {
                report_timeout(world, args.timeout, route, place);
                Exit::Negative
            }
        };
        show.print_stats();
        Ok(exit)
    }
}

/// Tells others, time and again, that the queue is in use.
async fn send_heartbeats(ui: Ui, aws: &Aws, tap: &TemporaryQueue) -> Infallible {
    loop {
        sleep(temporary_queue::heartbeat_interval()).await;
        if let Err(error) = tap.heartbeat(aws).await {
            render::error::print_error(&ui, &error);
        }
    }
}

/// Whether the pipeline has delivered something.
fn is_delivery_evidence(arrival: &Arrival) -> bool {
    matches!(
        arrival,
        Arrival::Record { .. } | Arrival::Object { .. } | Arrival::Failed { unit: Some(_), .. }
    )
}

fn receive_limit_reached(arrival: &Arrival) -> Option<ReceiveLimitReached> {
    match arrival {
        Arrival::ReceiveLimitReached(worn) => Some(worn.clone()),
        _ => None,
    }
}

fn report_timeout(world: &Context, waited: Duration, route: TrailDestination, place: SourceKind) {
    let waited = humantime::format_duration(waited);
    world.ui.warn(&format!("Nothing has arrived for {waited}."));
    world.ui.status("What to look at:");
    let (route, delivers) = match place {
        SourceKind::HeelerQueue => (
            route,
            "Heeler may have fetched everything: what it has read is not in its queue any more",
        ),
        SourceKind::Queue | SourceKind::Bucket => (
            TrailDestination::Bucket,
            "CloudTrail delivers every 5 minutes or so, a new notification takes effect after about 5 more",
        ),
        SourceKind::LogGroup => (
            TrailDestination::LogGroup,
            "CloudTrail delivers some minutes late, and Heeler's filter lets only successful writes pass, and not all of them",
        ),
    };
    world.ui.status_indented(&format!("  - {delivers}"), 4);
    let preflight = format!("preflight --option {}", route.name());
    for (question, command) in [
        ("whether the trail logs and delivers:", &*preflight),
        (
            "whether anything of the pipeline has changed:",
            "plan --check",
        ),
    ] {
        world.ui.status_indented(&format!("  - {question}"), 4);
        // It stays whole, to be copied.
        let command = world.command_line(command);
        world.ui.status_verbatim(&format!("      {command}"));
    }
}

fn cleanup_notice(commands: Vec<String>) -> Vec<String> {
    let heading = "Left behind; to remove it by hand:".to_owned();
    let commands = commands.into_iter().map(|command| format!("  {command}"));
    std::iter::once(heading).chain(commands).collect()
}

/// Where log objects may be fetched from.
fn log_bucket(site: &DeploymentTarget) -> LogBucket {
    LogBucket {
        bucket: site.bucket.clone(),
        owner: site.account.clone(),
    }
}

/// What a queue of `tail` hangs on.
pub(super) fn subscription_target(site: &DeploymentTarget) -> temporary_queue::SubscriptionTarget {
    temporary_queue::SubscriptionTarget {
        partition: site.partition.clone(),
        account: site.account.clone(),
        topic: site
            .topic
            .clone()
            .unwrap_or_else(|| site.managed_topic_arn()),
        name_prefix: site.names.temporary_queue_prefix(),
    }
}

/// A time-out that no clock can reach is none.
fn deadline_after(timeout: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(timeout)
        .unwrap_or_else(|| now + Duration::from_secs(86_400 * 365))
}
