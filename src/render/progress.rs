//! The engine's events: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Tone, Ui};
use crate::aws::Call;
use crate::converge::event::{Event, Verb};
use crate::tail::record::visible;

pub struct Progress {
    ui: Ui,
    bar: ProgressBar,
}

impl Progress {
    #[must_use]
    pub fn new(ui: Ui, total: usize) -> Self {
        let shown = io::stderr().is_terminal() && !ui.quiet && !ui.verbose;
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

    pub fn tell(&self, event: &Event) {
        match event {
            Event::Started { id, verb } => {
                self.bar
                    .set_message(self.ui.spell(&format!("{} {id}", doing(*verb))));
            }
            Event::Waiting { id, why } => {
                let line = format!("  ... waiting for {id}: {}", visible(why));
                self.bar
                    .set_message(self.ui.spell(&format!("waiting for {id}")));
                if self.bar.is_hidden() {
                    self.line(&line);
                }
            }
            Event::Done { id, verb, took } => {
                let (sign, word, tone) = done(*verb);
                let head = self.ui.tint_story(tone, &format!("{sign} {word}"));
                self.line(&format!("  {head} {id} ({:.1} s)", took.as_secs_f64()));
                self.bar.inc(1);
            }
            Event::Gone { id, with } => {
                let (sign, word, tone) = done(Verb::Delete);
                let head = self.ui.tint_story(tone, &format!("{sign} {word}"));
                self.line(&format!("  {head} {id} (with {with})"));
                self.bar.inc(1);
            }
            Event::Failed { id, verb, why } => {
                let head = self.ui.tint_story(Tone::Bad, "! failed");
                self.line(&format!(
                    "  {head} to {} {id}: {}",
                    infinitive(*verb),
                    visible(why)
                ));
                self.bar.inc(1);
            }
            Event::Skipped { id, verb, because } => {
                self.line(&format!(
                    "  - did not {} {id}: it needs {because}",
                    infinitive(*verb)
                ));
            }
        }
    }

    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, line: &str) {
        let line = self.ui.fitted_to_story(&self.ui.spell(line), 4);
        if self.bar.is_hidden() {
            self.ui.story_as_it_is(&line);
        } else {
            self.bar.println(line);
        }
    }
}

fn doing(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "creating",
        Verb::Update => "updating",
        Verb::Adopt => "adopting",
        Verb::Delete => "deleting",
        Verb::PutBack => "putting back",
    }
}

fn done(verb: Verb) -> (&'static str, &'static str, Tone) {
    match verb {
        Verb::Create => ("+", "created", Tone::Good),
        Verb::Update => ("~", "updated", Tone::Change),
        Verb::Adopt => (">", "adopted", Tone::Change),
        Verb::Delete => ("-", "deleted", Tone::Bad),
        Verb::PutBack => ("~", "put back", Tone::Change),
    }
}

fn infinitive(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Adopt => "adopt",
        Verb::Delete => "delete",
        Verb::PutBack => "put back",
    }
}

/// One finished call, for `--verbose`.
pub fn call(ui: Ui, call: &Call) {
    let status = call
        .status
        .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let request_id = call.request_id.as_deref().unwrap_or("-");
    ui.story(&format!(
        "  {} {}:{} {status} {request_id} {} ms",
        ui.tint_story(Tone::Faint, "call"),
        call.service,
        call.operation,
        call.took.as_millis()
    ));
}
