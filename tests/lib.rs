//! What the program does, seen from outside.

mod adopt;
mod bad_input;
mod bad_luck;
mod cloudwatch_makes;
mod collect;
mod destroy;
mod documents;
mod function;
mod generated;
#[allow(
    dead_code,
    unused_imports,
    reason = "every crate that includes the harness uses another part of it"
)]
mod harness;
mod harness_itself;
mod layers;
mod pattern;
mod permissions;
mod policy;
mod preflight;
mod records;
mod setup_cloudwatch;
mod setup_makes;
mod setup_s3;
mod severity;
mod states;
mod steps;
mod tail;
mod tail_cloudwatch;
mod terminal;
mod terraform;
mod undo;
mod var_file;
