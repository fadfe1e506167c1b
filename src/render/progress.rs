//! Shows the events of the reconciliation engine: a progress bar in a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::{ProgressFormat, Tone, Ui};
use crate::aws::AwsCall;
use crate::reconcile::event::{ReconcileEvent, Verb};
use crate::reconcile::graph::ResourceId;
use crate::sanitize::escape_control_chars;

pub struct ProgressDisplay {
    ui: Ui,
    bar: ProgressBar,
}

impl ProgressDisplay {
    #[must_use]
    pub fn new(ui: Ui, total: usize) -> Self {
        let shown = io::stderr().is_terminal()
            && !ui.options.quiet
            && !ui.options.verbose
            && ui.options.progress == ProgressFormat::Text;
        let target = if shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {wide_msg}") {
            bar.set_style(if ui.unicode {
                style
            } else {
                style.progress_chars("=> ")
            });
        }
        Self { ui, bar }
    }

    pub fn on_event(&self, event: &ReconcileEvent) {
        if self.ui.options.progress == ProgressFormat::Json {
            if !self.ui.options.quiet {
                self.ui.progress_line(&event_json(event));
            }
            return;
        }
        match event {
            ReconcileEvent::Started { id, verb } => {
                self.bar.set_message(
                    self.ui
                        .ascii_fallback(&format!("{} {id}", present_participle(*verb))),
                );
            }
            ReconcileEvent::Waiting { id, reason } => {
                let line = format!("  ... waiting for {id}: {}", escape_control_chars(reason));
                self.bar
                    .set_message(self.ui.ascii_fallback(&format!("waiting for {id}")));
                if self.bar.is_hidden() {
                    self.print_line(&line);
                }
            }
            ReconcileEvent::Finished { id, verb, elapsed } => {
                let seconds = elapsed.as_secs_f64();
                self.print_line(&format!("  {} {id} ({seconds:.1} s)", self.label(*verb)));
                self.bar.inc(1);
            }
            ReconcileEvent::DeletedWith { id, parent } => {
                let label = self.label(Verb::Delete);
                self.print_line(&format!("  {label} {id} (with {parent})"));
                self.bar.inc(1);
            }
            ReconcileEvent::Failed { id, verb, reason } => {
                let head = self.ui.paint_stderr(Tone::Bad, "! failed");
                self.print_line(&format!(
                    "  {head} to {} {id}: {}",
                    infinitive(*verb),
                    escape_control_chars(reason)
                ));
                self.bar.inc(1);
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

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The symbol and the word for a finished step.
    fn label(&self, verb: Verb) -> String {
        let (symbol, word, tone) = past_tense_label(verb);
        self.ui.paint_stderr(tone, &format!("{symbol} {word}"))
    }

    fn print_line(&self, line: &str) {
        let line = self.ui.wrap_stderr(&self.ui.ascii_fallback(line), 4);
        if self.bar.is_hidden() {
            self.ui.status_unwrapped(&line);
        } else {
            self.bar.println(line);
        }
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

/// Prints one finished call, for `--verbose`.
pub fn print_call(ui: Ui, call: &AwsCall) {
    if ui.options.progress == ProgressFormat::Json {
        ui.progress_line(&json!({
            "type": "call",
            "service": call.service,
            "operation": call.operation,
            "status": call.status,
            "request_id": call.request_id,
            "elapsed_ms": u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX),
        }));
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
