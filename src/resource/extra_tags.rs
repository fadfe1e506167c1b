//! The tags that are compared as fields of a resource's state. These are the ownership tags and the extra tags that the
//! operator specifies.

use serde_json::{Map, Value};

use crate::ownership::OwnershipTags;
use crate::reconcile::diff::diff;
use crate::reconcile::state::State;

/// The field of the extra tags that the operator specifies.
pub(super) const FIELD: &str = "extra_tags";
/// The field of the tags that record ownership. A value that another tool wrote is drift.
pub(super) const OWNERSHIP_FIELD: &str = "ownership_tags";
/// The fields that a rollback does not restore, because no call replaces a set of tags at once.
pub(super) const FIELDS: &[&str] = &[FIELD, OWNERSHIP_FIELD];

/// Adds the desired tags to a desired state. If there are no extra tags, the state has no field for them, and existing
/// tags stay unchanged.
pub(super) fn with_wanted(state: State, ownership: &OwnershipTags) -> State {
    let state = state.with(OWNERSHIP_FIELD, object(ownership.compared().into_iter()));
    if ownership.extra.is_empty() {
        return state;
    }
    let wanted = ownership.extra.iter();
    let wanted = wanted.map(|(key, value)| (key.as_str(), value.as_str()));
    state.with(FIELD, object(wanted))
}

/// Adds the actual values of the desired tags to an actual state.
pub(super) fn with_found<'t>(
    state: State,
    ownership: &OwnershipTags,
    tags: impl Iterator<Item = (&'t str, &'t str)> + Clone,
) -> State {
    let found = ownership.found(&tags);
    let state = state.with(OWNERSHIP_FIELD, object(found.into_iter()));
    if ownership.extra.is_empty() {
        return state;
    }
    let is_wanted = |key: &str| ownership.extra.iter().any(|(wanted, _)| wanted == key);
    state.with(FIELD, object(tags.filter(|(key, _)| is_wanted(key))))
}

fn object<'t>(tags: impl Iterator<Item = (&'t str, &'t str)>) -> Value {
    let tags = tags.map(|(key, value)| (key.to_owned(), Value::from(value)));
    Value::Object(tags.collect::<Map<_, _>>())
}

/// Returns true if an update must write the tags.
pub(super) fn must_write(actual: &State, want: &State) -> bool {
    let is_different = |field: &&str| {
        want.get(field)
            .is_some_and(|wanted| actual.get(field) != Some(wanted))
    };
    FIELDS.iter().any(is_different)
}

/// Returns true if an update must write only the tags.
pub(super) fn is_only_difference(actual: &State, want: &State) -> bool {
    must_write(actual, want)
        && diff(actual, want)
            .iter()
            .all(|change| FIELDS.contains(&change.field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ownership::OptionName;

    fn tags(extra: &[(&str, &str)]) -> OwnershipTags {
        let extra = extra.iter();
        OwnershipTags {
            option: OptionName {
                name: "s3",
                arguments: "--option s3",
                all: &["s3", "cloudwatch"],
            },
            extra: extra
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn unwanted_tags_are_no_difference() {
        let wanted = tags(&[("team", "security")]);
        let want = with_wanted(State::default().with("retention", 1), &wanted);
        for (found, differs) in [
            (vec![("team", "security"), ("stage", "prod")], false),
            (vec![("team", "platform")], true),
            (vec![], true),
        ] {
            let actual = State::default().with("retention", 1);
            let actual = with_found(actual, &wanted, found.into_iter());
            assert_eq!(must_write(&actual, &want), differs, "{actual:?}");
            assert_eq!(is_only_difference(&actual, &want), differs, "{actual:?}");
        }
    }

    #[test]
    fn tags_are_not_compared_without_wanted_ones() {
        let none = tags(&[]);
        let want = with_wanted(State::default(), &none);
        let actual = with_found(State::default(), &none, [("team", "security")].into_iter());
        assert_eq!(
            (diff(&actual, &want), must_write(&actual, &want)),
            (vec![], false)
        );
    }

    #[test]
    fn other_difference_is_written_too() {
        let wanted = tags(&[("team", "security")]);
        let want = with_wanted(State::default().with("retention", 1), &wanted);
        let actual = with_found(
            State::default().with("retention", 2),
            &wanted,
            [].into_iter(),
        );
        assert!(must_write(&actual, &want) && !is_only_difference(&actual, &want));
    }
}
