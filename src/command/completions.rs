//! Prints a shell completion script.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use super::Context;
use crate::cli::Cli;
use crate::error::Exit;

pub(super) fn run(context: &Context, shell: Shell) -> Exit {
    let mut script = Vec::new();
    generate(
        shell,
        &mut Cli::command(),
        env!("CARGO_PKG_NAME"),
        &mut script,
    );
    context.ui.stdout(&String::from_utf8_lossy(&script));
    Exit::Success
}
