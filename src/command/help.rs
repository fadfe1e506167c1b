//! Prints the help of a command, or a help topic.

use super::{CommandOutcome, Context};
use crate::cli;
use crate::cli::help_topics::topic_text;
use crate::error::{Error, Result};
use crate::render::document::Document;

pub(super) fn run(context: &Context, topic: Option<&str>) -> Result<CommandOutcome> {
    let ui = &context.ui;
    let mut root = cli::command();
    root.build();
    if let Some(text) = topic.and_then(|topic| topic_text(&root, topic)) {
        let text = ui.wrap_columns(&ui.ascii_text(&text));
        return Ok(CommandOutcome::result(Document::Text(text)));
    }
    let help = match topic {
        None => root.render_long_help(),
        // The command line accepts no other names.
        Some(name) => root
            .find_subcommand_mut(name)
            .ok_or_else(|| Error::usage(format!("there is no command or help topic {name:?}")))?
            .render_long_help(),
    };
    let text = ui.styled_text(&help.ansi().to_string(), &help.to_string());
    Ok(CommandOutcome::result(Document::Text(text)))
}
