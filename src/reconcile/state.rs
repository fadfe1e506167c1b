//! The fields that a resource is compared on.

use std::collections::BTreeMap;
use std::fmt;

pub use serde_json::Value;

/// One field; a value of `None` has not been given out by the cloud yet.
#[derive(Clone, PartialEq)]
pub struct FieldValue {
    pub value: Option<Value>,
    /// The words to write it in, where the value is a form of them that is only for comparing.
    write_form: Option<Value>,
    /// Whether the value must not be shown.
    pub secret: bool,
}

impl fmt::Debug for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.value, self.secret) {
            (Some(_), true) => f.write_str("(masked)"),
            (Some(value), false) => write!(f, "{value}"),
            (None, _) => f.write_str("(not known yet)"),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct State(BTreeMap<&'static str, FieldValue>);

impl State {
    #[must_use]
    pub fn with(self, field: &'static str, value: impl Into<Value>) -> Self {
        self.with_optional(field, Some(value))
    }

    #[must_use]
    pub fn with_optional(mut self, field: &'static str, value: Option<impl Into<Value>>) -> Self {
        self.0.insert(
            field,
            FieldValue {
                value: value.map(Into::into),
                write_form: None,
                secret: false,
            },
        );
        self
    }

    /// A document that is compared in one form and written in another: its own words. These are never shown.
    #[must_use]
    pub fn with_document(mut self, field: &'static str, compared: Value, written: Value) -> Self {
        self.0.insert(
            field,
            FieldValue {
                value: Some(compared),
                write_form: Some(written),
                secret: false,
            },
        );
        self
    }

    /// A value that is compared but never shown.
    #[must_use]
    pub fn with_secret(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.0.insert(
            field,
            FieldValue {
                value: Some(value.into()),
                write_form: None,
                secret: true,
            },
        );
        self
    }

    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)?.value.as_ref()
    }

    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str()
    }

    /// The field in the words that it is written in.
    #[must_use]
    pub fn write_form(&self, field: &str) -> Option<&Value> {
        let field = self.0.get(field)?;
        field.write_form.as_ref().or(field.value.as_ref())
    }

    /// All but these fields.
    #[must_use]
    pub fn without(&self, fields: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !fields.contains(name));
        Self(kept.map(|(name, field)| (*name, field.clone())).collect())
    }

    /// Those fields that the other has, too.
    #[must_use]
    pub fn restricted_to(&self, other: &Self) -> Self {
        let kept = self
            .0
            .iter()
            .filter(|(name, _)| other.0.contains_key(*name));
        Self(kept.map(|(name, field)| (*name, field.clone())).collect())
    }

    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &FieldValue)> {
        self.0.iter().map(|(name, field)| (*name, field))
    }
}
