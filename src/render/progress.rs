//! Shows the events of the reconciliation engine: a line per running step in a terminal, plain lines elsewhere.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::message::{Message, Notice};
use super::{ProgressFormat, Tone, Ui};
use crate::aws::AwsCall;
use crate::reconcile::event::{ReconcileEvent, Verb};
use crate::reconcile::graph::ResourceId;
use crate::sanitize::escape_control_chars;

/// The progress of a run. In a terminal, each running step has a line with its time and the reason of a wait, and the
/// last line shows how many steps are finished.
pub struct ProgressDisplay {
    ui: Ui,
    /// True in a terminal, where lines are redrawn.
    is_drawn: bool,
    lines: MultiProgress,
    total: ProgressBar,
    running: Mutex<BTreeMap<ResourceId, RunningStep>>,
    finished: Mutex<Vec<Verb>>,
    /// Days until the cloud deletes a resource whose deletion was requested.
    deletion_days: BTreeMap<ResourceId, u64>,
    started: Instant,
}

struct RunningStep {
    verb: Verb,
    line: ProgressBar,
}

impl ProgressDisplay {
    #[must_use]
    pub fn new(ui: Ui, total: usize) -> Self {
        let is_drawn = ui.can_redraw();
        let target = if is_drawn {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let lines = MultiProgress::with_draw_target(target);
        let total = lines.add(ProgressBar::new(total as u64));
        if let Ok(style) = ProgressStyle::with_template("  {bar:30} {pos}/{len}") {
            total.set_style(if ui.unicode {
                style
            } else {
                style.progress_chars("=> ")
            });
        }
        Self {
            ui,
            is_drawn,
            lines,
            total,
            running: Mutex::default(),
            finished: Mutex::default(),
            deletion_days: BTreeMap::new(),
            started: Instant::now(),
        }
    }

    /// Sets the resources whose deletion is only scheduled, with the days until the cloud deletes them.
    #[must_use]
    pub fn with_deletion_days(mut self, days: impl Iterator<Item = (ResourceId, u64)>) -> Self {
        self.deletion_days = days.collect();
        self
    }

    pub fn on_event(&self, event: &ReconcileEvent) {
        self.count(event);
        if self.ui.options.progress == ProgressFormat::Json {
            if !self.ui.options.quiet {
                self.ui.progress_line(&event_json(event));
            }
            return;
        }
        match event {
            ReconcileEvent::Started { id, verb } => self.start_line(id, *verb),
            ReconcileEvent::Waiting { id, reason } => self.show_wait(id, reason),
            ReconcileEvent::Finished { id, verb, elapsed } => {
                let seconds = elapsed.as_secs_f64();
                self.end_line(id);
                self.print_line(&match self.deletion_days.get(id) {
                    Some(days) if *verb == Verb::Delete => {
                        let label = self.ui.paint_stderr(Tone::Bad, "- scheduled");
                        format!("  {label} {id} for deletion in {days} days ({seconds:.1} s)")
                    }
                    _ => format!("  {} {id} ({seconds:.1} s)", self.label(*verb)),
                });
            }
            ReconcileEvent::DeletedWith { id, parent } => {
                let label = self.label(Verb::Delete);
                self.end_line(id);
                self.print_line(&format!("  {label} {id} (with {parent})"));
            }
            ReconcileEvent::Failed { id, verb, reason } => {
                let head = self.ui.paint_stderr(Tone::Bad, "! failed");
                self.end_line(id);
                self.print_line(&format!(
                    "  {head} to {} {id}: {}",
                    infinitive(*verb),
                    escape_control_chars(reason)
                ));
            }
            ReconcileEvent::Skipped {
                id,
                verb,
                blocked_by,
            } => {
                self.print_line(&format!(
                    "  - skipped: {} {id} (depends on {blocked_by})",
                    infinitive(*verb)
                ));
            }
            ReconcileEvent::ScopeUnavailable { scope, reason } => {
                self.print_line(&format!(
                    "  ! skipped {scope}: {}",
                    escape_control_chars(reason)
                ));
            }
        }
    }

    /// Ends the display, and prints how many resources were changed in which time.
    pub fn finish(&self) {
        for (_, step) in std::mem::take(&mut *lock(&self.running)) {
            step.line.finish_and_clear();
        }
        self.total.finish_and_clear();
        let total = StepTotal {
            finished: lock(&self.finished).clone(),
            elapsed: self.started.elapsed(),
        };
        if !total.finished.is_empty() {
            self.ui.notify(&total);
        }
    }

    fn count(&self, event: &ReconcileEvent) {
        match event {
            ReconcileEvent::Finished { verb, .. } => lock(&self.finished).push(*verb),
            ReconcileEvent::DeletedWith { .. } => lock(&self.finished).push(Verb::Delete),
            _ => {}
        }
    }

    /// Adds the line of a running step.
    fn start_line(&self, id: &ResourceId, verb: Verb) {
        if !self.is_drawn {
            return;
        }
        let line = ProgressBar::new_spinner();
        let line = self.lines.insert_before(&self.total, line);
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {elapsed:>3} {wide_msg}") {
            line.set_style(if self.ui.unicode {
                style
            } else {
                style.tick_chars("-\\|/ ")
            });
        }
        line.set_message(self.step_text(id, verb));
        line.enable_steady_tick(TICK);
        lock(&self.running).insert(id.clone(), RunningStep { verb, line });
    }

    /// Removes the line of a step that has ended.
    fn end_line(&self, id: &ResourceId) {
        if let Some(step) = lock(&self.running).remove(id) {
            step.line.finish_and_clear();
        }
        self.total.inc(1);
    }

    fn show_wait(&self, id: &ResourceId, reason: &str) {
        let reason = escape_control_chars(reason);
        if !self.is_drawn {
            let seconds = self.started.elapsed().as_secs();
            self.print_line(&format!("  ... {seconds} s: waiting for {id}: {reason}"));
            return;
        }
        if let Some(step) = lock(&self.running).get(id) {
            let text = self.step_text(id, step.verb);
            let text = self
                .ui
                .ascii_fallback(&format!("{text}, waiting: {reason}"));
            step.line.set_message(text);
        }
    }

    fn step_text(&self, id: &ResourceId, verb: Verb) -> String {
        self.ui
            .ascii_fallback(&format!("{} {id}", present_participle(verb)))
    }

    /// The symbol and the word for a finished step.
    fn label(&self, verb: Verb) -> String {
        let (symbol, word, tone) = past_tense_label(verb);
        self.ui.paint_stderr(tone, &format!("{symbol} {word}"))
    }

    fn print_line(&self, line: &str) {
        let line = self.ui.wrap_stderr(&self.ui.ascii_fallback(line), 4);
        if self.is_drawn {
            // A closed terminal is no reason to end.
            let _ = self.lines.println(line);
        } else {
            self.ui.status_unwrapped(&line);
        }
    }
}

/// Time between two pictures of a spinner.
const TICK: Duration = Duration::from_millis(100);

fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of changed resources and the time of a run.
struct StepTotal {
    /// The verb of each finished step.
    finished: Vec<Verb>,
    elapsed: Duration,
}

impl Notice for StepTotal {
    fn message(&self) -> Message {
        let verbs = [
            Verb::Create,
            Verb::Update,
            Verb::Adopt,
            Verb::Delete,
            Verb::Restore,
        ];
        let counted = verbs.into_iter().filter_map(|verb| {
            let count = self.finished.iter().filter(|done| **done == verb).count();
            (count > 0).then(|| (past_tense_label(verb).1, count))
        });
        let mut parts = Vec::new();
        for (index, (verb, count)) in counted.enumerate() {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(if index == 0 {
                let (first, rest) = verb.split_at(1);
                format!("{}{rest} {count} resource{plural}", first.to_uppercase())
            } else {
                format!("{verb} {count}")
            });
        }
        let seconds = self.elapsed.as_secs_f64();
        let text = format!("{} ({seconds:.1} s).", parts.join(", "));
        Message::status("total", text)
    }
}

fn present_participle(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Adopt => "adopting",
        Verb::Delete => "deleting",
        Verb::Restore => "restoring",
    }
}

fn past_tense_label(verb: Verb) -> (&'static str, &'static str, Tone) {
    match verb {
        Verb::Create => ("+", "created", Tone::Good),
        Verb::Update => ("~", "updated", Tone::Change),
        Verb::Adopt => (">", "adopted", Tone::Change),
        Verb::Delete => ("-", "deleted", Tone::Bad),
        Verb::Restore => ("~", "restored", Tone::Change),
    }
}

fn infinitive(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Adopt => "adopt",
        Verb::Delete => "delete",
        Verb::Restore => "restore",
    }
}

/// Returns an event as a line of `--progress json`.
fn event_json(event: &ReconcileEvent) -> Value {
    let step = |event: &str, id: &ResourceId, verb: Option<Verb>, reason: Option<&str>| {
        json!({
            "type": "step",
            "event": event,
            "action": verb.map(infinitive),
            "kind": id.kind,
            "name": id.name,
            "reason": reason,
            "elapsed_ms": null,
        })
    };
    match event {
        ReconcileEvent::Started { id, verb } => step("started", id, Some(*verb), None),
        ReconcileEvent::Waiting { id, reason } => step("waiting", id, None, Some(reason)),
        ReconcileEvent::Finished { id, verb, elapsed } => {
            let mut line = step("finished", id, Some(*verb), None);
            let elapsed = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            line["elapsed_ms"] = json!(elapsed);
            line
        }
        ReconcileEvent::DeletedWith { id, parent } => {
            let reason = format!("with {parent}");
            step("finished", id, Some(Verb::Delete), Some(&reason))
        }
        ReconcileEvent::Failed { id, verb, reason } => {
            step("failed", id, Some(*verb), Some(reason))
        }
        ReconcileEvent::Skipped {
            id,
            verb,
            blocked_by,
        } => {
            let reason = format!("depends on {blocked_by}");
            step("skipped", id, Some(*verb), Some(&reason))
        }
        ReconcileEvent::ScopeUnavailable { scope, reason } => json!({
            "type": "scope_unavailable",
            "scope": scope.to_string(),
            "reason": reason,
        }),
    }
}

/// Returns one finished call as a JSON object.
fn call_json(call: &AwsCall) -> Value {
    json!({
        "type": "call",
        "service": call.service,
        "operation": call.operation,
        "status": call.status,
        "error_code": call.error_code,
        "request_id": call.request_id,
        "attempts": call.attempts,
        "elapsed_ms": u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Returns the line of a call that finished now, for `--log-file`: like that of `--progress json`, with the time.
#[must_use]
pub fn call_log_line(call: &AwsCall) -> String {
    let mut line = call_json(call);
    let time = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    if let Some(fields) = line.as_object_mut() {
        fields.insert("time".to_owned(), time.into());
    }
    format!("{line}\n")
}

/// Prints one finished call, for `--verbose`.
pub fn print_call(ui: Ui, call: &AwsCall) {
    if ui.options.progress == ProgressFormat::Json {
        ui.progress_line(&call_json(call));
        return;
    }
    let status = call
        .status
        .map_or_else(|| "no response".to_owned(), |status| status.to_string());
    let request_id = call.request_id.as_deref().unwrap_or("-");
    let line = format!(
        "  {} {}:{} {status} {request_id} {} ms",
        ui.paint_stderr(Tone::Faint, "call"),
        call.service,
        call.operation,
        call.duration.as_millis()
    );
    ui.status("call", &line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_counts_each_action() {
        let total = |finished: &[Verb]| StepTotal {
            finished: finished.to_vec(),
            elapsed: Duration::from_millis(2_120),
        };
        for (finished, text) in [
            (
                &[Verb::Create, Verb::Update, Verb::Create][..],
                "Created 2 resources, updated 1 (2.1 s).",
            ),
            (&[Verb::Delete], "Deleted 1 resource (2.1 s)."),
        ] {
            assert_eq!(total(finished).message(), Message::status("total", text));
        }
    }
}
