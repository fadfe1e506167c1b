//! A simulated AWS organization: emulators, a recording proxy, and the program under test.
//!
//! `README.md` in this crate's folder explains the parts and the corrections of the emulators.

#![allow(
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::return_self_not_must_use,
    reason = "a test helper panics when it fails, and its callers are the tests"
)]

pub mod awscli;
pub mod clients;
pub mod cloudtrail;
mod delivery;
pub mod emulator;
pub mod event_pattern;
pub mod gate;
pub mod iam_actions;
pub mod json_schema;
pub mod lambda_runtime;
mod leftovers;
pub mod log_file;
mod metrics;
pub mod notification;
pub mod organization;
pub mod program;
mod provision;
pub mod proxy;
pub mod samples;
pub mod skip;
pub mod strict;
pub mod terraform;
pub mod vendor;
pub mod wire;
mod xml;

pub use clients::Clients;
pub use cloudtrail::{CloudTrail, CloudTrailDelays};
pub use emulator::{Emulator, Engine};
pub use gate::Gate;
pub use lambda_runtime::{Invocation, LambdaFunction, VIRTUAL_MILLISECONDS};
pub use log_file::LogFile;
pub use organization::{KeyOwner, Organization, OrganizationBuilder};
pub use program::{CTRL_C, END_OF_INPUT, HeelerEc, Run, Running};
pub use proxy::{Call, Fault, FaultAction, Proxy};
pub use strict::eventual::Rule;
pub use strict::variation::ListForm;
