//! The notices of `--var-file`.

use std::path::PathBuf;

use crate::render::message::{Message, Notice};
use crate::sanitize::escape_control_chars;

/// Something that reading a `--var-file` reports.
#[derive(Clone, Debug)]
pub enum VarFileNotice {
    UnknownVariable {
        file: PathBuf,
        line: usize,
        name: String,
    },
}

impl Notice for VarFileNotice {
    fn message(&self) -> Message {
        let Self::UnknownVariable { file, line, name } = self;
        let text = format!(
            "{}, line {line}: unknown variable {name}; it is ignored.",
            file.display()
        );
        Message::warning("unknown_variable", escape_control_chars(&text))
    }
}
