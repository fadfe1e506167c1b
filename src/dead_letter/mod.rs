//! The dead-letter queue of a deployment: its messages, the reasons why they are there, and their way back.

pub mod classify;
mod content;
pub mod log_object;
pub mod move_task;
mod preview;
pub mod queue;

pub use classify::{DeadLetterClass, DeadLetterReason};
pub use queue::{DeadLetterMessage, DeadLetterQueue};
