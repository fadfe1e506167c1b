//! What the program does, seen from outside.

#[allow(
    dead_code,
    unused_imports,
    reason = "every crate that includes the harness uses another part of it"
)]
mod harness;
mod harness_itself;
mod setup_s3;
mod tail;
