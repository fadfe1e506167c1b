//! The sentences that commands print on standard error while they run, one file per command.

pub mod plan;
pub mod setup;
