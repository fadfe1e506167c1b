//! The CloudTrail format: notifications, log files and records; pure.

pub mod gunzip;
pub mod json_members;
pub mod json_scan;
pub mod lenient_json;
pub mod log_file;
pub mod object_key;
pub mod record;
pub mod record_parser;
pub mod s3_notification;
pub mod skip_reason;
pub mod text_buffer;
pub mod user_identity;
