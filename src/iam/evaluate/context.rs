//! The condition keys of a request, as far as they are known.

use std::collections::BTreeMap;

/// The value of a condition key in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// The request certainly does not have the key.
    Absent,
    /// A key with one value.
    Value(String),
    /// A key with one value, which is one of these.
    OneOf(Vec<String>),
    /// A multivalued key, such as `aws:PrincipalOrgPaths`.
    List(Vec<String>),
}

/// The condition keys of a request. Names of keys ignore case. A key that is not listed is unknown: it may be absent, or
/// have any value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestContext {
    values: BTreeMap<String, ContextValue>,
}

impl RequestContext {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a key with one value.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<String>) -> Self {
        self.with_value(key, ContextValue::Value(value.into()))
    }

    /// Sets a key with one value, which is one of these.
    #[must_use]
    pub fn with_one_of<T: Into<String>>(
        self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.with_value(key, ContextValue::OneOf(values))
    }

    /// Sets a multivalued key.
    #[must_use]
    pub fn with_list<T: Into<String>>(
        self,
        key: &str,
        values: impl IntoIterator<Item = T>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.with_value(key, ContextValue::List(values))
    }

    /// States that the request does not have these keys.
    #[must_use]
    pub fn without(mut self, keys: &[&str]) -> Self {
        for key in keys {
            self = self.with_value(key, ContextValue::Absent);
        }
        self
    }

    /// States that nothing is known about a key.
    #[must_use]
    pub fn with_unknown(mut self, key: &str) -> Self {
        self.values.remove(&key.to_ascii_lowercase());
        self
    }

    /// Sets a key, or replaces its value.
    #[must_use]
    pub fn with_value(mut self, key: &str, value: ContextValue) -> Self {
        self.values.insert(key.to_ascii_lowercase(), value);
        self
    }

    /// Returns the value of a key, or `None` if it is unknown.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&ContextValue> {
        self.values.get(&key.to_ascii_lowercase())
    }
}
