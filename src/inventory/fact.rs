//! The result of one read from AWS.

use crate::error::{Error, Result};

/// A piece of information from AWS, or the reason why it is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Fact<T> {
    /// No call was made, because the fact does not apply or depends on another one.
    #[default]
    NotRequested,
    /// The call was refused or failed.
    Failed(Error),
    /// The resource or setting does not exist.
    Absent,
    Present(T),
}

impl<T> Fact<T> {
    /// Wraps the result of a call that always returns a value.
    #[must_use]
    pub fn from_result(result: Result<T>) -> Self {
        match result {
            Ok(value) => Self::Present(value),
            Err(error) => Self::Failed(error),
        }
    }

    /// Wraps the result of a call about a resource that may not exist.
    #[must_use]
    pub fn from_optional(result: Result<Option<T>>) -> Self {
        match result {
            Ok(Some(value)) => Self::Present(value),
            Ok(None) => Self::Absent,
            Err(error) => Self::Failed(error),
        }
    }

    #[must_use]
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            _ => None,
        }
    }

    #[must_use]
    pub fn present_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Present(value) => Some(value),
            _ => None,
        }
    }

    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Returns true if the resource or setting does not exist.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}
