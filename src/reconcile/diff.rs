//! The comparison of two states, used to plan, to verify a write, and to report drift.

use super::state::{State, Value};

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub field: &'static str,
    pub before: Option<Value>,
    /// `None` for a value that is known only after other writes.
    pub after: Option<Value>,
    /// The values must not be displayed.
    pub secret: bool,
    /// Explanation of a change whose values do not explain themselves.
    pub reason: Option<String>,
}

/// Returns the desired fields that differ from the actual state or are missing in it. Other fields are ignored.
#[must_use]
pub fn diff(actual: &State, desired: &State) -> Vec<Change> {
    desired
        .fields()
        .filter_map(|(field, wanted)| {
            let before = actual.get(field).cloned();
            (before.is_none() || wanted.value != before).then(|| Change {
                field,
                before,
                after: wanted.value.clone(),
                secret: wanted.secret,
                reason: None,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_states_have_no_diff() {
        let state = State::default().with("retention", 7200).with("fifo", false);
        assert_eq!(diff(&state, &state), []);
    }

    #[test]
    fn fields_not_desired_are_ignored() {
        let actual = State::default()
            .with("retention", 7200)
            .with("owner", "somebody");
        assert_eq!(diff(&actual, &State::default().with("retention", 7200)), []);
    }

    #[test]
    fn missing_and_unknown_values_differ() {
        let actual = State::default().with("key", "old");
        let desired = State::default()
            .with_optional("key", None::<&str>)
            .with("reuse", 300);
        let fields: Vec<_> = diff(&actual, &desired)
            .into_iter()
            .map(|change| change.field)
            .collect();
        assert_eq!(fields, ["key", "reuse"]);
    }

    #[test]
    fn secrets_stay_marked_and_masked_in_debug() {
        let actual = State::default().with_secret("external_id", "old-secret");
        let desired = State::default().with_secret("external_id", "new-secret");
        assert!(diff(&actual, &desired)[0].secret);
        assert!(!format!("{desired:?}").contains("new-secret"));
    }
}
