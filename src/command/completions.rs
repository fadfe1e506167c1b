//! Prints a shell completion script.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::CommandOutcome;
use crate::cli::Cli;
use crate::render::document::Document;

pub(super) fn run(shell: Shell) -> CommandOutcome {
    let mut script = Vec::new();
    generate(
        shell,
        &mut Cli::command(),
        env!("CARGO_PKG_NAME"),
        &mut script,
    );
    CommandOutcome::result(Document::Text(
        String::from_utf8_lossy(&script).into_owned(),
    ))
}
