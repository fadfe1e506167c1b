//! The headings of options in help that are not the name of a group.

/// The heading of options that belong to no group. Without it, they would get the heading of the group before them.
pub(super) const GENERAL: Option<&str> = None;
