//! Verification with a canary: a call with a unique ID, which is followed from CloudTrail to Heeler's queue.
//!
//! A delivery option describes its canary and its observation points in a [`VerifyPlan`]. Each observation point has a
//! file with an observer. All observers run concurrently and record what they see on the [`SightingBoard`].

pub mod canary;
pub mod delay;
mod event_history;
mod follow;
mod function_log;
mod log_files;
mod log_group;
mod notification;
pub mod plan;
mod queue_counters;
mod retry;
pub mod sighting;

pub use canary::{Canary, CanaryId};
pub use follow::{FollowRequest, follow};
pub use plan::{CanaryCall, ObservationPoint, VerifyPlan};
pub use queue_counters::{QueueCounters, count_messages};
pub use sighting::{Sighting, SightingBoard, SightingStatus};

/// The tag of Heeler's queue that a canary writes. Setup, plan and status ignore it, and destroy deletes it with the
/// queue.
pub const CANARY_TAG: &str = "heeler-ec:verified";
