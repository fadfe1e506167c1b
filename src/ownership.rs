//! Ownership of a resource: the tags that record it, and the one rule that reads it back from tags.

/// The tag that names the tool that manages a resource.
pub const MANAGED_BY_TAG: &str = "managed-by";
/// The tag that names the delivery option a resource belongs to.
pub const OPTION_TAG: &str = "heeler-ec:option";
/// The tag that records which version created or adopted a resource. It is informational and never compared.
const VERSION_TAG: &str = "heeler-ec:version";
/// The value of `managed-by` on every resource of this program.
const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// The owner of a resource, as its tags show it. The order is that of inheritance: a part never ranks above the resource
/// that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ownership {
    /// Another tool, or another option of this program, manages it.
    ManagedByOther(OtherOwner),
    /// No tag names an owner, so the resource can be adopted.
    Unmanaged,
    /// This program manages it, as part of the requested option.
    Managed,
}

/// The owner of a resource that is not part of the requested option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherOwner {
    /// Another option of this program.
    Option(String),
    /// Anything else: the value of the tag that was found, or the ARN that a resource without tags refers to.
    Tool(String),
}

impl Ownership {
    /// Reads the owner from tags. A resource is managed when both tags have exactly the values that this program writes
    /// for `option`. IAM treats tag keys that differ only in case as the same key, so any spelling of the two keys
    /// marks the resource as managed by someone.
    pub fn from_tags<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>, option: &str) -> Self {
        let (mut managed_by, mut found_option, mut similar) = (None, None, None);
        for (key, value) in tags {
            if key == MANAGED_BY_TAG {
                managed_by = Some(value);
            } else if key == OPTION_TAG {
                found_option = Some(value);
            } else if key.eq_ignore_ascii_case(MANAGED_BY_TAG)
                || key.eq_ignore_ascii_case(OPTION_TAG)
            {
                similar = Some(value);
            }
        }
        match (managed_by, found_option) {
            (Some(PROGRAM), Some(found)) if found == option => Self::Managed,
            (Some(PROGRAM), Some(found)) => {
                Self::ManagedByOther(OtherOwner::Option(found.to_owned()))
            }
            (Some(other), _) | (None, Some(other)) => Self::other_tool(other),
            (None, None) => similar.map_or(Self::Unmanaged, Self::other_tool),
        }
    }

    /// The ownership of a resource that another tool manages.
    #[must_use]
    pub fn other_tool(name: &str) -> Self {
        Self::ManagedByOther(OtherOwner::Tool(name.to_owned()))
    }
}

/// The start of all tag keys that only this program writes.
pub const TAG_PREFIX: &str = "heeler-ec:";

/// Returns true if the tags name this program as the manager, for whichever option.
pub fn is_managed_by_program<'t>(mut tags: impl Iterator<Item = (&'t str, &'t str)>) -> bool {
    tags.any(|tag| tag == (MANAGED_BY_TAG, PROGRAM))
}

/// The tags that this program writes on every resource that it manages: those that record ownership, and further ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipTags {
    pub option: &'static str,
    /// Further tags that the operator wants, as `(key, value)`. Ownership does not depend on them.
    pub extra: Vec<(String, String)>,
}

impl OwnershipTags {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let extra = self.extra.iter();
        [
            (MANAGED_BY_TAG, PROGRAM),
            (OPTION_TAG, self.option),
            (VERSION_TAG, env!("CARGO_PKG_VERSION")),
        ]
        .into_iter()
        .chain(extra.map(|(key, value)| (key.as_str(), value.as_str())))
    }

    #[must_use]
    pub fn to_vec(&self) -> Vec<(String, String)> {
        self.iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// Reads the owner of a resource of this option from its tags.
    pub fn ownership<'t>(&self, tags: impl Iterator<Item = (&'t str, &'t str)>) -> Ownership {
        Ownership::from_tags(tags, self.option)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_decide_ownership() {
        let option = |name: &str| Ownership::ManagedByOther(OtherOwner::Option(name.into()));
        let tool = Ownership::other_tool;
        let table: [(&[(&str, &str)], Ownership); 8] = [
            (&[], Ownership::Unmanaged),
            (&[("Name", "HeelerEventCollection")], Ownership::Unmanaged),
            (
                &[(MANAGED_BY_TAG, "heeler-ec"), (OPTION_TAG, "s3")],
                Ownership::Managed,
            ),
            (
                &[(MANAGED_BY_TAG, "heeler-ec"), (OPTION_TAG, "cloudwatch")],
                option("cloudwatch"),
            ),
            (&[(MANAGED_BY_TAG, "heeler-ec")], tool("heeler-ec")),
            (&[(OPTION_TAG, "s3")], tool("s3")),
            (&[(MANAGED_BY_TAG, "terraform")], tool("terraform")),
            (&[("Managed-By", "platform")], tool("platform")),
        ];
        for (tags, ownership) in table {
            let found = Ownership::from_tags(tags.iter().copied(), "s3");
            assert_eq!(found, ownership, "{tags:?}");
        }
    }

    #[test]
    fn written_tags_read_back_as_managed() {
        let tags = OwnershipTags {
            option: "s3",
            extra: vec![("team".to_owned(), "security".to_owned())],
        };
        assert_eq!(tags.ownership(tags.iter()), Ownership::Managed);
        assert!(is_managed_by_program(tags.iter()));
    }

    #[test]
    fn ownership_is_ordered_for_inheritance() {
        let other = Ownership::other_tool("terraform");
        assert!(other < Ownership::Unmanaged && Ownership::Unmanaged < Ownership::Managed);
    }
}
