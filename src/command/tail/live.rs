//! Reads events from AWS as they arrive, until the limit is reached, nothing arrives any more, or Ctrl-C is pressed.

use std::time::SystemTime;

use super::output_thread::{OutputClosed, OutputThread};
use super::read_loop::{ReadLoop, StopReason};
use super::source_stream::SourceStream;
use super::target::TailTarget;
use crate::aws::{Aws, arn};
use crate::cli;
use crate::command::Context;
use crate::command::temporary_queue::TemporaryQueueSession;
use crate::error::{Error, Exit, Result};
use crate::option::HEELER_PATTERN;
use crate::render;
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::tail::TailNotice;
use crate::render::record::ColumnLayout;
use crate::tail::account_names::SharedAccountNames;
use crate::tail::source::SourceKind;
use crate::tail::source::bucket_listing::BucketListing;
use crate::tail::source::heeler_queue::HeelerQueue;
use crate::tail::source::log_group::LogGroupPoller;
use crate::tail::source::object_reader::{DownloadLimits, ObjectReader};

/// A run of `tail` on a deployment.
pub(super) struct LiveTail<'a> {
    pub context: &'a Context,
    pub args: &'a cli::TailArgs,
    pub target: &'a TailTarget,
    pub names: SharedAccountNames,
    pub output: OutputThread,
}

impl LiveTail<'_> {
    pub async fn run(&self, aws: &Aws, source: SourceKind) -> Result<StopReason> {
        match source {
            SourceKind::Queue => self.receive_temporary_queue(aws).await,
            SourceKind::Bucket => self.list_bucket(aws).await,
            SourceKind::LogGroup => self.poll_log_group(aws).await,
            SourceKind::HeelerQueue => self.receive_heeler_queue(aws).await,
        }
    }

    /// Polls the log group for events that match Heeler's filter. Creates nothing.
    async fn poll_log_group(&self, aws: &Aws) -> Result<StopReason> {
        let name = self.target.log_group.as_deref().ok_or_else(|| {
            Error::failed(
                "read events",
                "the tags of the role do not contain the name of the log group",
            )
        })?;
        self.context.ui.notify(&TailNotice::ReadingLogGroup {
            log_group: name.to_owned(),
            since: self.args.select.since,
        });
        let mut poller = LogGroupPoller::new(aws, name, HEELER_PATTERN)?;
        if let Some(since) = self.args.select.since {
            poller = poller.starting_at(since);
        }
        self.run_source(aws, &mut SourceStream::LogGroup(Box::new(poller)))
            .await
    }

    /// Lists the bucket periodically. Creates nothing.
    async fn list_bucket(&self, aws: &Aws) -> Result<StopReason> {
        let log_bucket = &self.target.log_bucket;
        let prefix = self.target.read_log_prefix(aws);
        let prefix = self.context.cancellable(prefix).await?;
        self.context.ui.notify(&TailNotice::ListingBucket {
            bucket: log_bucket.bucket.clone(),
            since: self.args.select.since,
        });
        let lookback = self
            .args
            .select
            .since
            .map(|since| SystemTime::now().duration_since(since).unwrap_or_default());
        let listing = BucketListing::new(aws, log_bucket.clone(), &prefix, lookback);
        let reader = ObjectReader::from_bucket_listing(
            aws,
            listing,
            log_bucket.clone(),
            self.download_limits(),
        );
        self.run_source(aws, &mut SourceStream::Objects(Box::new(reader)))
            .await
    }

    /// Peeks at Heeler's own queue, after a warning about the consequences.
    async fn receive_heeler_queue(&self, aws: &Aws) -> Result<StopReason> {
        let name = &self.target.heeler_queue;
        self.context.ui.notify(&TailNotice::PeekingHeelerQueue {
            queue: name.clone(),
        });
        let queue = HeelerQueue::find(aws, name).await?;
        let reader = ObjectReader::from_heeler_queue(
            aws,
            queue,
            self.target.log_bucket.clone(),
            self.download_limits(),
        );
        self.context.interrupt.set_clean_up(CleanUp::ReturnMessages);
        let mut stream = SourceStream::Objects(Box::new(reader));
        let stopped = self.run_source(aws, &mut stream).await;
        if let SourceStream::Objects(reader) = &mut stream {
            let failures = reader.finish().await?;
            if let Err(OutputClosed) = self.output.send(failures).await {
                return stopped;
            }
        }
        stopped
    }

    fn read_loop(&self) -> ReadLoop<'_> {
        ReadLoop {
            ui: self.context.ui,
            output: &self.output,
            timeout: self.args.timeout,
            give_up_after: self.args.give_up_after,
        }
    }

    fn download_limits(&self) -> DownloadLimits {
        DownloadLimits {
            max_object_bytes: self.args.max_object_size,
            give_up_after: self.args.give_up_after,
        }
    }

    /// Receives from a temporary queue that is subscribed to the topic, and deletes it at the end.
    async fn receive_temporary_queue(&self, aws: &Aws) -> Result<StopReason> {
        let context = self.context;
        let target = self
            .target
            .subscription
            .as_ref()
            .ok_or_else(|| Error::failed("read events", "the deployment has no topic"))?;
        let session = TemporaryQueueSession {
            context,
            aws,
            target,
            give_up_after: self.args.give_up_after,
            on_outage: &|error| self.warn_outage(error),
        };
        session
            .run(async |queue| {
                context.ui.notify(&TailNotice::ReceivingTopic {
                    topic: arn::resource_name(&target.topic).to_owned(),
                    queue: queue.name.clone(),
                });
                let reader = ObjectReader::from_temporary_queue(
                    aws,
                    queue,
                    self.target.log_bucket.clone(),
                    self.download_limits(),
                );
                self.run_source(aws, &mut SourceStream::Objects(Box::new(reader)))
                    .await
            })
            .await
    }

    fn warn_outage(&self, error: &Error) {
        render::record::warn_outage(&self.context.ui, error, self.args.give_up_after);
    }

    /// Sends everything from the source to the output thread, until one of them ends or Ctrl-C is pressed.
    async fn run_source(&self, aws: &Aws, stream: &mut SourceStream<'_>) -> Result<StopReason> {
        let read = async {
            if self.print_heading(aws).await {
                self.read_loop().run(stream).await
            } else {
                Ok(StopReason::OutputEnded)
            }
        };
        let cancellation = self.context.interrupt.cancellation();
        tokio::select! {
            () = cancellation.cancelled() => Ok(StopReason::Interrupted),
            () = self.output.closed() => Ok(StopReason::OutputEnded),
            stopped = read => stopped,
        }
    }

    /// Reads the account names and prints the heading, whose columns depend on them. Returns false if standard output is
    /// closed. A temporary queue is subscribed before, because an organization may have thousands of accounts.
    async fn print_heading(&self, aws: &Aws) -> bool {
        let names = super::account_names(self.context, aws).await;
        let columns = ColumnLayout::new(&self.context.ui, &names, &self.args.columns);
        // The names are set only here.
        let _ = self.names.set(names);
        render::record::print_heading(&self.context.ui, &columns)
    }

    /// Waits for the output thread, prints the statistics and the reason for stopping.
    pub async fn finish(self, stopped: Result<StopReason>, source: SourceKind) -> Result<Exit> {
        let printer = self
            .output
            .join(self.context.interrupt.cancellation())
            .await;
        let Some(printer) = printer else {
            // Standard output is blocked, so nothing more can be written to it.
            return Ok(stopped.err().map_or(Exit::Interrupted, |error| {
                self.context.ui.error(&error);
                error.exit()
            }));
        };
        let reason = stopped?;
        let ui = self.context.ui;
        let shown = printer.stats.records.shown;
        if let StopReason::TimedOut | StopReason::Exhausted(None) = reason
            && let Some(error) = printer.read_error()
        {
            printer.print_stats();
            return Err(error);
        }
        let exit = match reason {
            StopReason::OutputEnded => Exit::Success,
            StopReason::Interrupted => Exit::Interrupted,
            StopReason::Exhausted(limit_reached) => {
                if let Some(message) = limit_reached {
                    ui.notify(&TailNotice::ReceiveLimitReached {
                        message_id: message.message_id,
                        receive_count: message.receive_count,
                    });
                }
                if shown > 0 {
                    Exit::Success
                } else {
                    Exit::Negative
                }
            }
            StopReason::TimedOut if shown > 0 && self.args.limit.is_none() => {
                ui.notify(&TailNotice::NoMoreEvents {
                    timeout: self.args.timeout,
                });
                Exit::Success
            }
            StopReason::TimedOut => {
                let timeout = self.args.timeout;
                let filtered = printer.stats.records.filtered;
                ui.notify(&match self.args.limit {
                    Some(limit) if shown > 0 => TailNotice::FewEvents {
                        timeout,
                        shown,
                        limit,
                        filtered,
                    },
                    _ if filtered > 0 => TailNotice::AllFiltered { timeout, filtered },
                    _ => TailNotice::NoEvents {
                        timeout,
                        preflight_arguments: self.target.preflight_arguments.clone(),
                        source,
                    },
                });
                Exit::Negative
            }
        };
        printer.print_stats();
        Ok(exit)
    }
}
