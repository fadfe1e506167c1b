//! An error: what was being done, why it failed, what to do.

use super::{Tone, Ui};
use crate::error::{Error, Exit};
use crate::tail::record::visible;

/// Prints an error to the story, also with `--quiet`.
pub fn error(ui: &Ui, error: &Error) {
    if error.exit() == Exit::Interrupted {
        ui.alerted(
            &format!("Interrupted: did not {}.", visible(error.doing())),
            2,
        );
        return;
    }
    let mark = ui.tint_story(Tone::Bad, "error:");
    ui.alerted(&format!("{mark} cannot {}", visible(error.doing())), 7);
    ui.alerted(&format!("  cause: {}", visible(&error.cause())), 9);
    if let Some(hint) = error.what_to_do() {
        let hint = format!("  hint:  {}", visible(hint));
        if holds_a_command(&hint) {
            // It is to be copied, and one that is broken is another.
            ui.alert_as_it_is(&hint);
        } else {
            ui.alerted(&hint, 9);
        }
    }
}

fn holds_a_command(text: &str) -> bool {
    text.contains("heeler-ec ") || text.contains("aws ")
}
