//! What arrives: messages, the objects they announce, and the records in them.

mod actor;
pub mod decode;
pub mod notice;
pub mod record;
mod shape;
