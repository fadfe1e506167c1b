//! The kinds of whole documents that resources are written into.

use crate::reconcile::graph::ResourceId;

/// A document that may hold entries or statements of several owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    BucketNotification,
    TopicPolicy,
    QueuePolicy,
    KeyPolicy,
    RoleTrust,
    ManagedPolicy,
    FunctionPolicy,
}

impl DocumentKind {
    const ALL: [Self; 7] = [
        Self::BucketNotification,
        Self::TopicPolicy,
        Self::QueuePolicy,
        Self::KeyPolicy,
        Self::RoleTrust,
        Self::ManagedPolicy,
        Self::FunctionPolicy,
    ];

    /// The words that backups and restores show.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BucketNotification => "bucket notification",
            Self::TopicPolicy => "topic policy",
            Self::QueuePolicy => "queue policy",
            Self::KeyPolicy => "key policy",
            Self::RoleTrust => "role trust",
            Self::ManagedPolicy => "managed policy",
            Self::FunctionPolicy => "function policy",
        }
    }

    /// Reads a kind back from its words, or returns `None` if there is no such kind.
    #[must_use]
    pub fn parse(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == words)
    }

    /// The identity of the document of one resource: the name of the resource, or its ARN where AWS requires one.
    #[must_use]
    pub fn id(self, resource: impl Into<String>) -> ResourceId {
        ResourceId::new(self.as_str(), resource)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_parses_back() {
        for kind in DocumentKind::ALL {
            assert_eq!(DocumentKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(DocumentKind::parse("sqs queue"), None);
    }
}
