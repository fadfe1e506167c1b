//! State against state: the only comparison there is. It makes the plan, settles a write and reports drift.

use super::state::{State, Value};

/// One field that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub field: &'static str,
    pub before: Option<Value>,
    /// `None` is a value that is known only after other writes.
    pub after: Option<Value>,
    /// Whether the values must not be shown.
    pub secret: bool,
    /// What the difference means, where it does not speak for itself.
    pub reason: Option<String>,
}

/// The wanted fields that the live state has otherwise, or not at all. What is not wanted is not looked at.
#[must_use]
pub fn diff(live: &State, want: &State) -> Vec<Change> {
    want.fields()
        .filter_map(|(field, wanted)| {
            let before = live.get(field).cloned();
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
        let live = State::default()
            .with("retention", 7200)
            .with("owner", "somebody");
        assert_eq!(diff(&live, &State::default().with("retention", 7200)), []);
    }

    #[test]
    fn missing_and_unknown_values_differ() {
        let live = State::default().with("key", "old");
        let want = State::default()
            .with_optional("key", None::<&str>)
            .with("reuse", 300);
        let fields: Vec<_> = diff(&live, &want)
            .into_iter()
            .map(|change| change.field)
            .collect();
        assert_eq!(fields, ["key", "reuse"]);
    }

    #[test]
    fn secrets_stay_marked_and_masked_in_debug() {
        let live = State::default().with_secret("external_id", "old-secret");
        let want = State::default().with_secret("external_id", "new-secret");
        assert!(diff(&live, &want)[0].secret);
        assert!(!format!("{want:?}").contains("new-secret"));
    }
}
