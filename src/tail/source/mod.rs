//! The sources that events come from.

pub mod bucket_listing;
pub mod heeler_queue;
pub mod local_files;
pub mod log_group;
pub mod queue_lock;
pub mod temporary_queue;
