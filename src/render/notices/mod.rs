//! The sentences that commands print on standard error while they run, one file per command.

pub mod backup;
pub mod cost;
pub mod coverage;
pub mod destroy;
pub mod dlq;
pub mod export;
pub mod guide;
pub mod interrupt;
pub mod plan;
pub mod policy;
pub mod preflight;
pub mod question;
pub mod restore;
pub mod rollback;
pub mod setup;
pub mod status;
pub mod support;
pub mod tail;
pub mod var_file;
pub mod verify;
