//! Runs the program against a simulated AWS organization and watches what it calls.

pub mod awscli;
pub mod clients;
pub mod emulator;
pub mod heeler;
pub mod module;
pub mod notification;
pub mod object;
pub mod permission;
pub mod program;
pub mod proxy;
pub mod runtime;
pub mod samples;
pub mod terraform;
pub mod wire;
pub mod world;

pub use clients::Clients;
pub use emulator::{Emulator, Engine};
pub use object::Object;
pub use program::{CTRL_C, END_OF_INPUT, Heeler, Run, Running};
pub use proxy::{Call, Fault, Proxy, What};
pub use runtime::{Function, Invocation};
pub use world::World;
