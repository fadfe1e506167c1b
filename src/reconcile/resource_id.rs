//! Identities of resources and of the values that they provide.

use std::fmt;

use super::scope::Scope;

/// Identity of a resource: `sqs queue heeler_event_collection_queue`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    pub kind: &'static str,
    pub name: String,
    /// `None` in the home scope of the graph.
    pub scope: Option<Scope>,
}

impl ResourceId {
    #[must_use]
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            scope: None,
        }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)?;
        match &self.scope {
            Some(scope) => write!(f, " ({scope})"),
            None => Ok(()),
        }
    }
}

/// A value that a resource provides to others, such as the `arn` of a queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Output {
    pub resource: ResourceId,
    pub name: &'static str,
}
