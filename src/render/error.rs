//! An error: what was being done, why it failed, what to do.

use super::{Tone, Ui};
use crate::error::Error;
use crate::tail::record::visible;

/// Prints an error to the story, also with `--quiet`.
pub fn error(ui: &Ui, error: &Error) {
    let mark = ui.tint_story(Tone::Bad, "error:");
    ui.alerted(&format!("{mark} cannot {}", visible(error.doing())), 7);
    ui.alerted(&format!("  cause: {}", visible(&error.cause())), 9);
    if let Some(hint) = error.what_to_do() {
        ui.alerted(&format!("  hint:  {}", visible(hint)), 9);
    }
}
