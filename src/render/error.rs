//! An error: headline, cause, and hint.

use serde_json::json;

use super::document::error_json;
use super::{ProgressFormat, Tone, Ui};
use crate::error::{Error, Exit};
use crate::hint::HintPart;
use crate::sanitize::escape_control_chars;

impl Ui {
    /// Prints an error on stderr, also with `--quiet`.
    pub fn error(&self, error: &Error) {
        if self.options.progress == ProgressFormat::Json {
            self.progress_line(&json!({ "type": "error", "error": error_json(self, error) }));
            return;
        }
        let headline = escape_control_chars(&error.headline());
        if error.exit() == Exit::Interrupted {
            self.warn("interrupted", &format!("Interrupted: {headline}."));
            return;
        }
        let mark = self.paint_stderr(Tone::Bad, "error:");
        self.warn_unwrapped(&self.wrap_stderr(&format!("{mark} {headline}"), 7));
        let cause = error.cause();
        if !cause.is_empty() {
            let cause = format!("  cause: {}", escape_control_chars(&cause));
            self.warn("cause", &cause);
        }
        let Some(hint) = error.hint() else { return };
        match hint.parts() {
            // Without backticks, to be copied.
            [HintPart::Text(text), HintPart::Command(command)] if text.ends_with(": ") => {
                self.warn_unwrapped(&format!(
                    "  hint:  {}{}",
                    escape_control_chars(text),
                    escape_control_chars(&self.repeated.complete(command))
                ));
            }
            parts => {
                let text: String = parts.iter().map(marked).collect();
                self.warn("hint", &format!("  hint:  {text}"));
            }
        }
    }
}

/// Returns a part as text; backticks around a command keep it from being wrapped.
fn marked(part: &HintPart) -> String {
    match part {
        HintPart::Text(text) => escape_control_chars(text),
        HintPart::Command(command) => format!("`{}`", escape_control_chars(command)),
    }
}
