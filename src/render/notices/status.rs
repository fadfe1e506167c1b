//! The notices of `status`.

use crate::render::message::{Message, Notice};

/// Something that `status` reports.
#[derive(Clone, Debug)]
pub enum StatusNotice {
    /// A hop is broken, and may work later.
    Waiting {
        /// The ID of the hop.
        hop: &'static str,
    },
}

impl Notice for StatusNotice {
    fn message(&self) -> Message {
        let Self::Waiting { hop } = self;
        Message::status("waiting", format!("Waiting for {hop}."))
    }
}
