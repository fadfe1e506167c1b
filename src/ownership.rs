//! Ownership of a resource: the tags that record it, and the one rule that reads it back from tags.

/// The tag that shows people which tool manages a resource. It is written and never read as a sign of ownership, because
/// tagging tools write it too.
pub const MANAGED_BY_TAG: &str = "managed-by";
/// The tag that marks a managed resource. Its value is the delivery option that the resource belongs to.
pub const OPTION_TAG: &str = "heeler-ec:option";
/// The tag that records which version created or adopted a resource. It is informational and never compared.
pub(crate) const VERSION_TAG: &str = "heeler-ec:version";
/// The value of `managed-by` on every resource of this program.
pub(crate) const PROGRAM: &str = env!("CARGO_PKG_NAME");

/// The owner of a resource, as its tags show it. The order is that of inheritance: a part never ranks above the resource
/// that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ownership {
    /// Another tool, or another option of this program, manages it.
    ManagedByOther(OtherOwner),
    /// No tag marks it as managed, so the resource can be adopted.
    Unmanaged,
    /// This program manages it, as part of the requested option.
    Managed,
}

/// The owner of a resource that is not part of the requested option.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OtherOwner {
    /// Another option of this program.
    Option(String),
    /// Anything else: the ARN that a resource without tags refers to.
    Tool(String),
}

impl Ownership {
    /// The ownership of a resource that another tool manages.
    #[must_use]
    pub fn other_tool(name: &str) -> Self {
        Self::ManagedByOther(OtherOwner::Tool(name.to_owned()))
    }
}

/// The start of all tag keys that only this program writes.
pub const TAG_PREFIX: &str = "heeler-ec:";

/// Finds the value of a tag. IAM treats keys that differ only in case as the same key, so any spelling counts.
fn find_tag<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>, key: &str) -> Option<&'t str> {
    let mut similar = None;
    for (found, value) in tags {
        if found == key {
            return Some(value);
        }
        if found.eq_ignore_ascii_case(key) {
            similar = Some(value);
        }
    }
    similar
}

/// Returns true if the tags mark a resource as managed by this program, for whichever option.
pub fn is_managed_by_program<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>) -> bool {
    find_tag(tags, OPTION_TAG).is_some()
}

/// A delivery option, as the tags of its resources name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionName {
    pub name: &'static str,
    /// The options of a command line that select it, such as `--option NAME`.
    pub arguments: &'static str,
    /// All delivery options. A value of the option tag that is none of them was overwritten by another tool.
    pub all: &'static [&'static str],
}

impl OptionName {
    /// Reads the owner of a resource of this option from its tags. Only the option tag counts.
    pub fn ownership<'t>(self, tags: impl Iterator<Item = (&'t str, &'t str)>) -> Ownership {
        match find_tag(tags, OPTION_TAG) {
            Some(found) if found != self.name && self.all.contains(&found) => {
                Ownership::ManagedByOther(OtherOwner::Option(found.to_owned()))
            }
            Some(_) => Ownership::Managed,
            None => Ownership::Unmanaged,
        }
    }
}

/// The tags that this program writes on every resource that it manages: those that record ownership, and further ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipTags {
    /// The delivery option that the resource belongs to.
    pub option: OptionName,
    /// Further tags that the operator wants, as `(key, value)`. Ownership does not depend on them.
    pub extra: Vec<(String, String)>,
}

impl OwnershipTags {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let extra = self.extra.iter();
        [
            (MANAGED_BY_TAG, PROGRAM),
            (OPTION_TAG, self.option.name),
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

    /// Returns the compared tags as they should be. The version is not compared.
    #[must_use]
    pub fn compared(&self) -> [(&'static str, &'static str); 2] {
        [(MANAGED_BY_TAG, PROGRAM), (OPTION_TAG, self.option.name)]
    }

    /// Returns the compared tags that a managed resource has. Of any other resource, returns the desired ones, because
    /// adoption writes them.
    pub fn found<'t>(
        &self,
        tags: &(impl Iterator<Item = (&'t str, &'t str)> + Clone),
    ) -> Vec<(&'static str, &'t str)> {
        let desired = self.compared();
        if self.ownership(tags.clone()) != Ownership::Managed {
            return desired.to_vec();
        }
        let find = |wanted| find_tag(tags.clone(), wanted).map(|value| (wanted, value));
        desired.iter().filter_map(|(key, _)| find(key)).collect()
    }

    /// Reads the owner of a resource of this option from its tags.
    pub fn ownership<'t>(&self, tags: impl Iterator<Item = (&'t str, &'t str)>) -> Ownership {
        self.option.ownership(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S3: OptionName = OptionName {
        name: "s3",
        arguments: "--option s3",
        all: &["s3", "cloudwatch"],
    };
    const TAGS: OwnershipTags = OwnershipTags {
        option: S3,
        extra: Vec::new(),
    };

    #[test]
    fn tags_decide_ownership() {
        let option = |name: &str| Ownership::ManagedByOther(OtherOwner::Option(name.into()));
        let table: [(&[(&str, &str)], Ownership); 9] = [
            (&[], Ownership::Unmanaged),
            (&[("Name", "HeelerEventCollection")], Ownership::Unmanaged),
            (&[(OPTION_TAG, "s3")], Ownership::Managed),
            (
                &[(MANAGED_BY_TAG, "platform"), (OPTION_TAG, "s3")],
                Ownership::Managed,
            ),
            (&[("Heeler-EC:Option", "s3")], Ownership::Managed),
            (&[(OPTION_TAG, "platform")], Ownership::Managed),
            (
                &[(MANAGED_BY_TAG, "heeler-ec"), (OPTION_TAG, "cloudwatch")],
                option("cloudwatch"),
            ),
            (&[(MANAGED_BY_TAG, "heeler-ec")], Ownership::Unmanaged),
            (&[(MANAGED_BY_TAG, "terraform")], Ownership::Unmanaged),
        ];
        for (tags, ownership) in table {
            let found = TAGS.ownership(tags.iter().copied());
            assert_eq!(found, ownership, "{tags:?}");
        }
    }

    #[test]
    fn written_tags_read_back_as_managed() {
        let tags = OwnershipTags {
            option: S3,
            extra: vec![("team".to_owned(), "security".to_owned())],
        };
        assert_eq!(tags.ownership(tags.iter()), Ownership::Managed);
        assert!(is_managed_by_program(tags.iter()));
    }

    #[test]
    fn overwritten_tags_are_compared() {
        let overwritten = [(MANAGED_BY_TAG, "platform"), (OPTION_TAG, "finance")];
        assert_eq!(TAGS.found(&overwritten.into_iter()), overwritten);
        let lost = [(OPTION_TAG, "s3")];
        assert_eq!(TAGS.found(&lost.into_iter()), lost);
        let desired = TAGS.compared();
        let unmanaged = [(MANAGED_BY_TAG, "platform")];
        assert_eq!(TAGS.found(&unmanaged.into_iter()), desired);
        assert_eq!(TAGS.found(&TAGS.compared().into_iter()), desired);
    }

    #[test]
    fn ownership_is_ordered_for_inheritance() {
        let other = Ownership::other_tool("terraform");
        assert!(other < Ownership::Unmanaged && Ownership::Unmanaged < Ownership::Managed);
    }
}
