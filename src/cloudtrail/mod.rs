//! The formats of CloudTrail: notifications about log files, log files, and records.
//!
//! Everything here is pure: it reads bytes and text, and calls nothing. `s3_notification` reads messages; `log_file` reads
//! log files through `gunzip`, `text_buffer` and `record_parser`; `record` reads the fields of a record.

pub mod gunzip;
mod json_members;
mod json_scan;
mod lenient_json;
pub mod log_file;
pub mod object_key;
pub mod record;
pub mod record_parser;
pub mod s3_notification;
pub mod skip_reason;
pub mod text_buffer;
mod user_identity;
