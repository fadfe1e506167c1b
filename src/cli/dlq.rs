//! The arguments of `dlq`.

use clap::{Args, ValueEnum};

use crate::cli::output::{OutputArgs, ResultFormat};

#[derive(Args, Debug)]
pub struct DlqArgs {
    /// Action; without it, only show why the messages are there
    #[arg(value_enum, value_name = "ACTION")]
    pub action: Option<DlqAction>,

    /// Read at most this many messages
    #[arg(long, value_name = "N", default_value = "1000", value_parser = clap::value_parser!(u32).range(1..=10_000), conflicts_with = "action")]
    pub limit: u32,

    /// Skip the confirmation prompt of redrive
    #[arg(short, long, requires = "action")]
    pub yes: bool,

    /// Move the messages although a hop is broken, or although messages were moved within the last 5 minutes
    #[arg(long, requires = "action")]
    pub force: bool,

    /// Move at most this many messages per second [default: chosen by SQS]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=500), requires = "action")]
    pub rate: Option<u32>,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DlqAction {
    /// Move all messages back to Heeler's queue
    Redrive,
}
