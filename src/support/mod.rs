//! The archive for a support ticket: which values it must not contain, and its files. Pure, except for the archive itself.

pub mod archive;
mod patterns;
pub mod redaction;
