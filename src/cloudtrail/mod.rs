//! The formats of CloudTrail: notifications about log files, log files, and records.
//!
//! Everything here is pure: it reads bytes and text, and calls nothing. `s3_notification` reads messages; `log_file` reads
//! log files through `text_reader`, `text_buffer` and `record_parser`; `record` reads the fields of a record.
//!
//! Records also occur in the output of AWS commands and in the messages of other services. `layout` recognises their
//! layout, and `wrapped_record` unwraps them.

pub mod archive;
pub mod gunzip;
mod json_elements;
mod json_members;
mod json_scan;
mod layout;
pub(crate) mod lenient_json;
pub mod log_file;
pub mod object_key;
pub mod record;
pub mod record_parser;
pub mod s3_notification;
pub mod skip_reason;
pub mod text_buffer;
pub mod text_reader;
mod user_identity;
mod wrapped_record;
