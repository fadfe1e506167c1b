//! The notices of `cost`.

use crate::render::message::{Message, Notice};

/// Something that `cost` reports.
#[derive(Clone, Debug)]
pub enum CostNotice {
    /// A part of the accounts was listed.
    Progress { text: String },
}

impl Notice for CostNotice {
    fn message(&self) -> Message {
        match self {
            Self::Progress { text } => Message::status("progress", format!("{text}.")),
        }
    }
}
