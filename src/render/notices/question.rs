//! The questions before a change.

/// A question that the user answers with `yes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    ApplyPlan,
    DeleteResources,
    RestoreDocuments,
}

impl Question {
    /// Returns the question.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::ApplyPlan => "\nApply this plan?",
            Self::DeleteResources => {
                "\nDelete these resources? Messages that Heeler has not received yet are lost."
            }
            Self::RestoreDocuments => "\nRestore these documents?",
        }
    }
}
