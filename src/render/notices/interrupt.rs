//! The notice after the first Ctrl-C.

use crate::render::message::{Message, Notice};

/// The clean-up after the first Ctrl-C.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanUp {
    FinishCalls,
    FinishCallsAndRollBack,
    RollBack,
    FinishDocument,
    ReturnMessages,
    DeleteTemporaryQueue,
    CancelMoveTask,
}

impl Notice for CleanUp {
    fn message(&self) -> Message {
        let action = match self {
            Self::FinishCalls => "finishing the calls in progress",
            Self::FinishCallsAndRollBack => "finishing the calls in progress, then rolling back",
            Self::RollBack => "rolling back",
            Self::FinishDocument => "finishing the current document",
            Self::ReturnMessages => "returning the received messages",
            Self::DeleteTemporaryQueue => "deleting the temporary queue",
            Self::CancelMoveTask => "cancelling the move task",
        };
        Message::status(
            "interrupted",
            format!("Interrupted: {action}. Press Ctrl-C again to exit immediately."),
        )
    }
}
