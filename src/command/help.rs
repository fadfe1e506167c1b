//! Prints the help of a command, or a help topic.

use super::{CommandOutcome, Context};
use crate::cli;
use crate::cli::help_topics::{TOPICS, topic_text};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::render::document::Document;

pub(super) fn run(context: &Context, topic: Option<&str>) -> Result<CommandOutcome> {
    let ui = &context.ui;
    let mut root = cli::command();
    root.build();
    if let Some(text) = topic.and_then(|topic| topic_text(&root, topic)) {
        return Ok(CommandOutcome::result(Document::Text(ui.ascii_text(&text))));
    }
    let help = match topic {
        None => root.render_long_help(),
        Some(name) => {
            let names: Vec<&str> = TOPICS.iter().map(|(name, _)| *name).collect();
            let command = root.find_subcommand_mut(name).ok_or_else(|| {
                let topics = names.join(", ");
                Error::usage(format!("there is no command or help topic {name:?}")).with_hint(
                    Hint::from(format!("the topics are {topics}; to list the commands: "))
                        .and_command("heeler-ec --help"),
                )
            })?;
            command.render_long_help()
        }
    };
    let text = ui.styled_text(&help.ansi().to_string(), &help.to_string());
    Ok(CommandOutcome::result(Document::Text(text)))
}
