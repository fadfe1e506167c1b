//! The loop that passes arrivals from a source to the output, until one of them ends or no event arrives any more.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::idle_timeout::IdleTimeout;
use super::output_thread::OutputThread;
use crate::error::{Error, Result};
use crate::render::notices::tail::TailNotice;
use crate::render::{self, Ui};
use crate::tail::arrival::Arrival;
use crate::tail::retry::RetrySchedule;
use crate::tail::source::heeler_queue::ReceiveLimitReached;

/// The reason why reading stopped.
#[derive(Debug)]
pub(super) enum StopReason {
    /// The limit is reached, or standard output was closed.
    OutputEnded,
    Interrupted,
    /// No event arrived within `--timeout`.
    TimedOut,
    /// The source has ended, possibly because a message has been received too often.
    Exhausted(Option<ReceiveLimitReached>),
}

/// A source of arrivals.
pub(super) trait ArrivalSource {
    /// Returns true if each poll has a cost, so that the next one must wait until everything is printed.
    fn is_metered(&self) -> bool;

    /// Returns true if silence means that there are no events. Before its first answer, a listing says nothing.
    fn has_answered(&self) -> bool;

    /// The next arrivals; `None` if the source has ended. This method is cancel safe.
    async fn next(&mut self) -> Result<Option<Vec<Arrival>>>;
}

/// The loop, with the output and the limits of a run.
pub(super) struct ReadLoop<'a> {
    pub ui: Ui,
    pub output: &'a OutputThread,
    pub timeout: Duration,
    pub give_up_after: Duration,
}

impl ReadLoop<'_> {
    /// Reads until something ends. The timeout starts when the source has answered once.
    ///
    /// # Errors
    /// Returns an error of the source, if it is not transient, lasts longer than `give_up_after`, or lasts until the
    /// timeout.
    pub async fn run(&self, source: &mut impl ArrivalSource) -> Result<StopReason> {
        let mut idle = IdleTimeout::start(self.timeout);
        let mut limit_reached = None;
        let mut schedule = RetrySchedule::new(self.give_up_after);
        let mut last_error = None;
        loop {
            let had_answered = source.has_answered();
            let next = if had_answered {
                timeout_at(idle.deadline(), source.next()).await
            } else {
                if let Some(error) = last_error.take_if(|_| idle.deadline() <= Instant::now()) {
                    return Err(error);
                }
                // A first listing may take longer than the timeout, also if an earlier attempt failed.
                let next = source.next().await;
                if next.is_ok() || last_error.is_none() {
                    idle = IdleTimeout::start(self.timeout);
                }
                Ok(next)
            };
            let Ok(next) = next else {
                // Only the output thread knows whether an object had records.
                let last_record = self.output.last_record();
                if last_record.is_some_and(|read| idle.restart_from(read)) {
                    continue;
                }
                return last_error.map_or(Ok(StopReason::TimedOut), Err);
            };
            let next = match next {
                // Each receive from Heeler's queue has a cost.
                Err(error) if error.is_transient() && !source.is_metered() => {
                    last_error = Some(error.clone());
                    let wait = self.wait_for_retry(&mut schedule, error);
                    if let Ok(waited) = timeout_at(idle.deadline(), wait).await {
                        waited?;
                    }
                    continue;
                }
                next => next?,
            };
            last_error = None;
            if let Some(outage) = schedule.record_success() {
                self.ui.notify(&TailNotice::OutageEnded { outage });
                if had_answered {
                    idle.extend(outage);
                }
            }
            let Some(arrivals) = next else {
                return Ok(StopReason::Exhausted(limit_reached));
            };
            limit_reached =
                limit_reached.or_else(|| arrivals.iter().find_map(receive_limit_reached));
            let sending_since = Instant::now();
            let Ok(receipt) = self.output.send(arrivals).await else {
                return Ok(StopReason::OutputEnded);
            };
            if source.is_metered() && receipt.wait().await.is_err() {
                return Ok(StopReason::OutputEnded);
            }
            // The time in which the output was blocked does not count towards the timeout.
            idle.extend(sending_since.elapsed());
        }
    }

    /// Waits before the next attempt, after a notice at the first failure.
    ///
    /// # Errors
    /// The error, if it is time to give up.
    async fn wait_for_retry(&self, schedule: &mut RetrySchedule, error: Error) -> Result<()> {
        let is_first = !schedule.is_failing();
        let Some(delay) = schedule.record_failure() else {
            return Err(error);
        };
        if is_first {
            render::record::warn_outage(&self.ui, &error, self.give_up_after);
        }
        sleep(delay).await;
        Ok(())
    }
}

fn receive_limit_reached(arrival: &Arrival) -> Option<ReceiveLimitReached> {
    match arrival {
        Arrival::ReceiveLimitReached(message) => Some(message.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::command::tail::output_thread::ManualOutput;
    use crate::tail::arrival::StatsUnit;

    const TIMEOUT: Duration = Duration::from_secs(60);

    /// The result of a poll.
    enum FakePoll {
        /// An object that cannot be read.
        Unreadable,
        /// An object with records.
        Readable,
        Failure(Error),
    }

    /// A source whose polls have these delays and results. Afterwards it is silent.
    struct FakeSource {
        polls: VecDeque<(Duration, FakePoll)>,
        has_answered: bool,
        next_poll: Option<Instant>,
    }

    impl FakeSource {
        fn new(polls: impl IntoIterator<Item = (u64, FakePoll)>) -> Self {
            let polls = polls.into_iter();
            Self {
                polls: polls
                    .map(|(seconds, poll)| (Duration::from_secs(seconds), poll))
                    .collect(),
                has_answered: false,
                next_poll: None,
            }
        }
    }

    impl ArrivalSource for FakeSource {
        fn is_metered(&self) -> bool {
            false
        }

        fn has_answered(&self) -> bool {
            self.has_answered
        }

        async fn next(&mut self) -> Result<Option<Vec<Arrival>>> {
            let Some((delay, _)) = self.polls.front() else {
                return std::future::pending().await;
            };
            let due = *self.next_poll.get_or_insert(Instant::now() + *delay);
            tokio::time::sleep_until(due).await;
            self.next_poll = None;
            let poll = self.polls.pop_front().map(|(_, poll)| poll);
            self.has_answered |= !matches!(poll, Some(FakePoll::Failure(_)));
            match poll {
                Some(FakePoll::Readable) => Ok(Some(vec![Arrival::Read(StatsUnit::Object)])),
                Some(FakePoll::Unreadable) => Ok(Some(vec![Arrival::Failed {
                    unit: Some(StatsUnit::Object),
                    problem: "cannot read object".to_owned(),
                    cause: "Access Denied".to_owned(),
                    hint: None,
                }])),
                Some(FakePoll::Failure(error)) => Err(error),
                None => Ok(None),
            }
        }
    }

    /// Runs the loop while a consumer takes each batch after a pause. Returns the seconds until the end, and the reason.
    async fn run_loop(mut source: FakeSource, pause: Duration) -> (u64, Result<StopReason>) {
        let (output, mut consumer) = ManualOutput::start();
        let read_loop = ReadLoop {
            ui: Ui::plain(None),
            output: &output,
            timeout: TIMEOUT,
            give_up_after: TIMEOUT * 1_000,
        };
        let started = Instant::now();
        let consume = async {
            loop {
                consumer.take_batch(pause).await;
            }
        };
        let stopped = tokio::select! {
            stopped = read_loop.run(&mut source) => stopped,
            () = consume => unreachable!("batches have no end"),
        };
        (started.elapsed().as_secs(), stopped)
    }

    fn throttled() -> FakePoll {
        let error = Error::failed("read log group trail", "Rate exceeded");
        FakePoll::Failure(error.with_transience(true))
    }

    #[tokio::test(start_paused = true)]
    async fn unreadable_objects_do_not_extend_timeout() {
        let polls = (0..1_000).map(|_| (1, FakePoll::Unreadable));
        let (seconds, stopped) = run_loop(FakeSource::new(polls), Duration::ZERO).await;
        assert!(matches!(stopped, Ok(StopReason::TimedOut)), "{stopped:?}");
        // The timeout starts with the first answer.
        assert_eq!(seconds, 1 + TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn events_extend_timeout() {
        let polls = (0..10).map(|_| (50, FakePoll::Readable));
        let (seconds, stopped) = run_loop(FakeSource::new(polls), Duration::ZERO).await;
        assert!(matches!(stopped, Ok(StopReason::TimedOut)), "{stopped:?}");
        assert_eq!(seconds, 10 * 50 + TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn blocked_stdout_pauses_the_timeout() {
        // Two batches wait in the channel, and the loop waits with the third one.
        let polls = (0..3).map(|_| (1, FakePoll::Unreadable));
        let hour = Duration::from_secs(3_600);
        let (seconds, stopped) = run_loop(FakeSource::new(polls), hour).await;
        assert!(matches!(stopped, Ok(StopReason::TimedOut)), "{stopped:?}");
        // The third send is blocked from the third second to the end of the hour.
        assert_eq!(seconds, 1 + TIMEOUT.as_secs() + hour.as_secs() - 3);
    }

    #[tokio::test(start_paused = true)]
    async fn timeout_waits_for_the_first_answer() {
        let polls = [(10 * TIMEOUT.as_secs(), FakePoll::Readable)];
        let (seconds, stopped) = run_loop(FakeSource::new(polls), Duration::ZERO).await;
        assert!(matches!(stopped, Ok(StopReason::TimedOut)), "{stopped:?}");
        assert_eq!(seconds, 11 * TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn unanswered_polls_are_an_error_not_silence() {
        let polls = (0..1_000).map(|_| (5, throttled()));
        let (seconds, stopped) = run_loop(FakeSource::new(polls), Duration::ZERO).await;
        let error = stopped.expect_err("the error of the last poll");
        assert_eq!(error.headline(), "cannot read log group trail");
        assert_eq!(seconds, 5 + TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn repeated_first_listing_may_outlast_the_timeout() {
        let listing = 10 * TIMEOUT.as_secs();
        let polls = [(10, throttled()), (listing, FakePoll::Readable)];
        let (seconds, stopped) = run_loop(FakeSource::new(polls), Duration::ZERO).await;
        assert!(matches!(stopped, Ok(StopReason::TimedOut)), "{stopped:?}");
        // The second attempt starts after a pause of a second.
        assert_eq!(seconds, 10 + 1 + listing + TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn outage_does_not_count_as_silence() {
        let outage = [
            (1, FakePoll::Unreadable),
            (49, throttled()),
            (9, FakePoll::Unreadable),
        ];
        let (seconds, stopped) = run_loop(FakeSource::new(outage), Duration::ZERO).await;
        assert!(matches!(stopped, Ok(StopReason::TimedOut)), "{stopped:?}");
        // The outage lasts from the failure to the next answer: a delay of 1 s and 9 s.
        assert_eq!(seconds, 1 + TIMEOUT.as_secs() + 10);
    }
}
