//! Three-valued logic: true, false, or unknown with the facts that are missing.

use super::decision::MissingFacts;

/// The value of a condition, or of a statement that applies or does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown(MissingFacts),
}

impl Truth {
    /// Returns true only if both are true, and false if one of them is false.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown(left), Self::Unknown(right)) => Self::Unknown(left.merge(right)),
            (Self::Unknown(missing), Self::True) | (Self::True, Self::Unknown(missing)) => {
                Self::Unknown(missing)
            }
            (Self::True, Self::True) => Self::True,
        }
    }

    /// Returns true if one of them is true, and false only if both are false.
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::Unknown(left), Self::Unknown(right)) => Self::Unknown(left.merge(right)),
            (Self::Unknown(missing), Self::False) | (Self::False, Self::Unknown(missing)) => {
                Self::Unknown(missing)
            }
            (Self::False, Self::False) => Self::False,
        }
    }

    pub fn negate(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            unknown @ Self::Unknown(_) => unknown,
        }
    }

    pub fn all(values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(Self::True, Self::and)
    }

    pub fn any(values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(Self::False, Self::or)
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(key: &str) -> Truth {
        Truth::Unknown(MissingFacts::condition_key(key))
    }

    #[test]
    fn known_values_decide_over_unknown_ones() {
        assert_eq!(unknown("a").and(Truth::False), Truth::False);
        assert_eq!(Truth::True.or(unknown("a")), Truth::True);
        assert_eq!(unknown("a").and(Truth::True), unknown("a"));
        assert_eq!(unknown("a").or(Truth::False), unknown("a"));
        assert_eq!(unknown("a").negate(), unknown("a"));
        assert_eq!(Truth::all([]), Truth::True);
        assert_eq!(Truth::any([]), Truth::False);
    }

    #[test]
    fn missing_facts_are_listed_once() {
        let both = Truth::all([unknown("a"), unknown("b"), unknown("a")]);
        let Truth::Unknown(missing) = both else {
            panic!("{both:?}");
        };
        assert_eq!(missing.condition_keys, ["a", "b"]);
    }
}
