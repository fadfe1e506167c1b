//! An error: what was being done, why it failed, what to do.

use super::{Tone, Ui};
use crate::error::{Error, Exit};
use crate::sanitize::escape_control_chars;

/// Prints an error to the story, also with `--quiet`.
pub fn print_error(ui: &Ui, error: &Error) {
    if error.exit() == Exit::Interrupted {
        ui.warn_indented(
            &format!(
                "Interrupted: did not {}.",
                escape_control_chars(error.operation())
            ),
            2,
        );
        return;
    }
    let mark = ui.paint_stderr(Tone::Bad, "error:");
    ui.warn_indented(
        &format!("{mark} cannot {}", escape_control_chars(error.operation())),
        7,
    );
    ui.warn_indented(
        &format!("  cause: {}", escape_control_chars(&error.cause())),
        9,
    );
    if let Some(hint) = error.hint() {
        let hint = format!("  hint:  {}", escape_control_chars(hint));
        if holds_a_command(&hint) {
            // It is to be copied, and one that is broken is another.
            ui.warn_verbatim(&hint);
        } else {
            ui.warn_indented(&hint, 9);
        }
    }
}

fn holds_a_command(text: &str) -> bool {
    text.contains("heeler-ec ") || text.contains("aws ")
}
