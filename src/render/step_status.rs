//! The progress of each step of a run, as a part of its JSON document.

use serde_json::{Map, Value, json};

use super::Ui;
use super::document::error_json;
use crate::error::Error;

/// The progress of a step when the run ended.
#[derive(Clone, Debug)]
pub enum StepStatus {
    /// Not tried.
    Pending,
    /// There was nothing to do.
    Unchanged,
    Done,
    Failed(Error),
    /// Depends on a step that failed, or the run was interrupted.
    Skipped,
    /// Undone, except these fields.
    RolledBack(Vec<&'static str>),
    /// Not undone. The error is `None` if the rollback of another step failed first.
    NotRolledBack(Option<Error>),
}

impl StepStatus {
    fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unchanged => "unchanged",
            Self::Done => "done",
            Self::Failed(_) => "failed",
            Self::Skipped => "skipped",
            Self::RolledBack(_) => "rolled_back",
            Self::NotRolledBack(_) => "not_rolled_back",
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            Self::NotRolledBack(error) => error.as_ref(),
            _ => None,
        }
    }

    /// Adds the keys `status` and `error` to the JSON of a step, and `irreversible_fields` if there are any.
    pub(super) fn add_to(&self, ui: &Ui, row: &mut Map<String, Value>) {
        row.insert("status".into(), self.name().into());
        row.insert(
            "error".into(),
            json!(self.error().map(|error| error_json(ui, error))),
        );
        if let Self::RolledBack(fields) = self
            && !fields.is_empty()
        {
            row.insert("irreversible_fields".into(), json!(fields));
        }
    }
}
