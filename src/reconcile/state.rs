//! The fields of a resource that are compared.

use std::collections::BTreeMap;
use std::fmt;

pub use serde_json::Value;

/// One field. A value of `None` is not known yet: the cloud has not assigned it.
#[derive(Clone, PartialEq)]
pub struct FieldValue {
    pub value: Option<Value>,
    /// The form to write, if `value` is a normalized form for comparison only.
    write_form: Option<Value>,
    /// The value must not be displayed.
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

    /// Adds a field whose value may not be known yet.
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

    /// Adds a document that is compared in one form and written in another. The written form is never displayed.
    #[must_use]
    pub fn with_document(
        mut self,
        field: &'static str,
        compared: Value,
        write_form: Value,
    ) -> Self {
        self.0.insert(
            field,
            FieldValue {
                value: Some(compared),
                write_form: Some(write_form),
                secret: false,
            },
        );
        self
    }

    /// Adds a value that is compared and never displayed.
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

    /// Returns the field in the form in which it is written.
    #[must_use]
    pub fn write_form(&self, field: &str) -> Option<&Value> {
        let field = self.0.get(field)?;
        field.write_form.as_ref().or(field.value.as_ref())
    }

    /// Returns all fields except these.
    #[must_use]
    pub fn without(&self, fields: &[&str]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| !fields.contains(name));
        Self(kept.map(|(name, field)| (*name, field.clone())).collect())
    }

    /// Returns the fields that `other` has as well.
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
