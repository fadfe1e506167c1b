//! A line at the end of the terminal that shows what the program is doing. Everything else is printed above it.

use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Ui;
use crate::aws::CallEvent;

/// The time after which a wait is shown.
const DELAY: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(100);
/// The average interval of the deliveries of `CloudTrail`, according to its documentation.
const DELIVERY_INTERVAL: Duration = Duration::from_secs(300);

/// The line that is shown.
static SHOWN: Mutex<Option<ShownLine>> = Mutex::new(None);

#[derive(Clone)]
struct ShownLine {
    bar: ProgressBar,
    /// The calls of the command, if the line shows them after its text.
    calls: Option<CallCounts>,
}

/// The calls to AWS since the start of a line.
#[derive(Clone, Debug, Default)]
struct CallCounts {
    /// The text before the calls.
    text: String,
    finished: usize,
    /// The calls without an answer, the oldest one first.
    open: Vec<String>,
}

impl CallCounts {
    fn add(&mut self, event: &CallEvent) {
        match event {
            CallEvent::Started(name) => self.open.push(name.clone()),
            CallEvent::Finished(call) => {
                self.finished += 1;
                let name = format!("{}:{}", call.service, call.operation);
                if let Some(position) = self.open.iter().position(|open| *open == name) {
                    self.open.remove(position);
                }
            }
        }
    }

    /// Describes the progress, such as `Running the checks: 12 calls finished, waiting for s3:HeadBucket and 2 others`.
    fn describe(&self) -> String {
        let plural = if self.finished == 1 { "" } else { "s" };
        let mut text = format!("{}: {} call{plural} finished", self.text, self.finished);
        if let [oldest, others @ ..] = self.open.as_slice() {
            let _ = write!(text, ", waiting for {oldest}");
            match others.len() {
                0 => {}
                1 => text.push_str(" and 1 other"),
                many => {
                    let _ = write!(text, " and {many} others");
                }
            }
        }
        text
    }
}

/// Shows the start or the end of a call in a line that counts calls.
pub fn show_call(event: &CallEvent) {
    let mut shown = shown();
    let Some(ShownLine {
        bar,
        calls: Some(calls),
    }) = shown.as_mut()
    else {
        return;
    };
    calls.add(event);
    bar.set_message(calls.describe());
}

/// A line that is removed at its end. It is invisible without a terminal, with `--quiet` and `--verbose`, and in
/// continuous integration, where the variable `CI` is set.
pub struct StatusLine {
    bar: ProgressBar,
    /// The thread that makes the line visible, and a channel that ends it.
    timer: Option<(mpsc::Sender<()>, JoinHandle<()>)>,
}

impl StatusLine {
    /// Starts a line without text.
    #[must_use]
    pub fn start(ui: Ui) -> Self {
        let bar = hidden_bar(ui);
        if can_show(ui) {
            make_visible(&bar);
            *shown() = Some(ShownLine {
                bar: bar.clone(),
                calls: None,
            });
        }
        Self { bar, timer: None }
    }

    /// Starts a line that becomes visible if it lasts longer than a second, and counts the calls to AWS.
    #[must_use]
    pub fn start_delayed(ui: Ui, text: &str) -> Self {
        let bar = hidden_bar(ui);
        bar.set_message(text.to_owned());
        let mut timer = None;
        if can_show(ui) {
            let (end, ended) = mpsc::channel();
            let later = bar.clone();
            let thread = thread::Builder::new().spawn(move || {
                if ended.recv_timeout(DELAY) == Err(mpsc::RecvTimeoutError::Timeout) {
                    make_visible(&later);
                }
            });
            timer = thread.ok().map(|thread| (end, thread));
            *shown() = Some(ShownLine {
                bar: bar.clone(),
                calls: Some(CallCounts {
                    text: text.to_owned(),
                    ..CallCounts::default()
                }),
            });
        }
        Self { bar, timer }
    }

    /// Returns true if the line may be shown, so that other progress is not necessary.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        self.timer.is_some()
    }

    /// Replaces the text of the line. The line then counts no calls.
    pub fn set_text(&self, text: &str) {
        if let Some(line) = shown().as_mut() {
            line.calls = None;
        }
        self.bar.set_message(text.to_owned());
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        if let Some((end, thread)) = self.timer.take() {
            drop(end);
            // The thread cannot panic.
            let _ = thread.join();
        }
        self.bar.finish_and_clear();
        *shown() = None;
    }
}

fn shown() -> MutexGuard<'static, Option<ShownLine>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hidden_bar(ui: Ui) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        bar.set_style(if ui.unicode {
            style
        } else {
            style.tick_chars("|/-\\ ")
        });
    }
    bar
}

fn can_show(ui: Ui) -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    ui.can_redraw() && !is_set("CI")
}

fn make_visible(bar: &ProgressBar) {
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.enable_steady_tick(TICK);
}

/// Removes the line for the rest of the command, because a question is at the end of the terminal.
pub(super) fn end_status_line() {
    if let Some(line) = shown().take() {
        line.bar.finish_and_clear();
    }
}

/// Prints above the line.
pub(super) fn print_above<R>(print: impl FnOnce() -> R) -> R {
    let line = shown().clone();
    match line {
        Some(line) => line.bar.suspend(print),
        None => print(),
    }
}

/// A duration in minutes and seconds, such as `4 min 02 s`.
#[must_use]
pub fn minutes_and_seconds(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, seconds) => format!("{minutes} min {seconds:02} s"),
    }
}

/// Describes how long `verify` has been waiting, for which points, and when the canary is expected.
#[must_use]
pub fn verify_status(elapsed: Duration, awaited: &[&str], expected: Option<Duration>) -> String {
    let elapsed_text = minutes_and_seconds(elapsed);
    let mut text = format!("{elapsed_text}: waiting for {}", awaited.join(", "));
    if let Some(expected) = expected.filter(|expected| *expected > elapsed) {
        let expected = minutes_and_seconds(expected);
        let _ = write!(text, ", expected by about {expected}");
    }
    text
}

/// Describes how long `tail` has been waiting, and when the next delivery is expected.
#[must_use]
pub fn tail_status(elapsed: Duration, since_last: Option<Duration>) -> String {
    let show = minutes_and_seconds;
    let elapsed = show(elapsed);
    match since_last {
        None => format!(
            "{elapsed}: no event yet. CloudTrail delivers about every 5 minutes; Ctrl-C ends it."
        ),
        Some(since) => match DELIVERY_INTERVAL.checked_sub(since) {
            Some(left) => format!(
                "{elapsed}: last delivery {} ago, the next one in about {}",
                show(since),
                show(left)
            ),
            None => format!(
                "{elapsed}: last delivery {} ago, the next one is due",
                show(since)
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::AwsCall;

    #[test]
    fn status_of_tail_names_the_next_delivery() {
        let seconds = Duration::from_secs;
        let status = tail_status(seconds(65), None);
        assert!(status.starts_with("1 min 05 s: no event yet."), "{status}");
        assert_eq!(
            tail_status(seconds(400), Some(seconds(120))),
            "6 min 40 s: last delivery 2 min 00 s ago, the next one in about 3 min 00 s"
        );
        assert_eq!(
            tail_status(seconds(900), Some(seconds(301))),
            "15 min 00 s: last delivery 5 min 01 s ago, the next one is due"
        );
    }

    #[test]
    fn status_of_verify_names_the_awaited_points() {
        let seconds = Duration::from_secs;
        let expected = Some(seconds(468));
        assert_eq!(
            verify_status(seconds(250), &["log_file", "notification"], expected),
            "4 min 10 s: waiting for log_file, notification, expected by about 7 min 48 s"
        );
        let late = verify_status(seconds(500), &["queue"], expected);
        assert_eq!(late, "8 min 20 s: waiting for queue");
    }

    #[test]
    fn line_counts_finished_calls_and_names_the_oldest() {
        let start = |name: &str| CallEvent::Started(name.to_owned());
        let end = |service: &str, operation: &str| {
            CallEvent::Finished(AwsCall {
                service: service.to_owned(),
                operation: operation.to_owned(),
                region: None,
                status: None,
                error_code: None,
                request_id: None,
                extended_request_id: None,
                attempts: 1,
                duration: Duration::ZERO,
                finished_at: std::time::SystemTime::UNIX_EPOCH,
                server_time: None,
            })
        };
        let mut calls = CallCounts {
            text: "Reading".to_owned(),
            ..CallCounts::default()
        };
        for event in [
            start("sts:GetCallerIdentity"),
            end("sts", "GetCallerIdentity"),
            start("s3:HeadBucket"),
            start("kms:ListGrants"),
            start("kms:ListGrants"),
        ] {
            calls.add(&event);
        }
        let text = "Reading: 1 call finished, waiting for s3:HeadBucket and 2 others";
        assert_eq!(calls.describe(), text);
        for event in [end("s3", "HeadBucket"), end("kms", "ListGrants")] {
            calls.add(&event);
        }
        let text = "Reading: 3 calls finished, waiting for kms:ListGrants";
        assert_eq!(calls.describe(), text);
        calls.add(&end("kms", "ListGrants"));
        assert_eq!(calls.describe(), "Reading: 4 calls finished");
    }

    #[test]
    fn text_is_printed_with_and_without_a_line() {
        assert_eq!(print_above(|| 1), 1);
        let line = StatusLine::start(Ui::plain(None));
        line.set_text("waiting");
        assert_eq!(print_above(|| 2), 2);
        drop(line);
        assert_eq!(print_above(|| 3), 3);
    }
}
