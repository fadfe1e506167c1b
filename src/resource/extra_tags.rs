//! The further tags that the operator wants on a resource, as a field of its state.

use serde_json::{Map, Value};

use crate::ownership::OwnershipTags;
use crate::reconcile::diff::diff;
use crate::reconcile::state::State;

/// The field. A rollback does not restore it, because no call replaces a set of tags at once.
pub(super) const FIELD: &str = "extra_tags";

/// Adds the wanted tags to a desired state. Without wanted tags there is no field, so that all tags stay as they are.
pub(super) fn with_wanted(state: State, ownership: &OwnershipTags) -> State {
    if ownership.extra.is_empty() {
        return state;
    }
    let wanted = ownership.extra.iter();
    let wanted = wanted.map(|(key, value)| (key.clone(), Value::from(value.as_str())));
    state.with(FIELD, Value::Object(wanted.collect()))
}

/// Adds the actual values of the wanted tags to an actual state.
pub(super) fn with_found<'t>(
    state: State,
    ownership: &OwnershipTags,
    tags: impl Iterator<Item = (&'t str, &'t str)>,
) -> State {
    if ownership.extra.is_empty() {
        return state;
    }
    let is_wanted = |key: &str| ownership.extra.iter().any(|(wanted, _)| wanted == key);
    let found: Map<String, Value> = tags
        .filter(|(key, _)| is_wanted(key))
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .collect();
    state.with(FIELD, Value::Object(found))
}

/// Returns true if an update has to write the tags.
pub(super) fn must_write(actual: &State, want: &State) -> bool {
    want.get(FIELD)
        .is_some_and(|wanted| actual.get(FIELD) != Some(wanted))
}

/// Returns true if an update has nothing to write but the tags.
pub(super) fn is_only_difference(actual: &State, want: &State) -> bool {
    must_write(actual, want)
        && diff(actual, want)
            .iter()
            .all(|change| change.field == FIELD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(extra: &[(&str, &str)]) -> OwnershipTags {
        let extra = extra.iter();
        OwnershipTags {
            option: "s3",
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
