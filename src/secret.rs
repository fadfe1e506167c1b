//! Values that are shown only where the operator asks for them.

use std::fmt;

/// The external ID that Heeler must present to assume the role. `outputs` shows it, and setup shows it once. It has no
/// `Display`, and its `Debug` form is masked, so that it cannot end up in a log by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalId(String);

impl ExternalId {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The ID itself, for a trust policy and for the operator who has to paste it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for ExternalId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalId(masked)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_form_is_masked() {
        let shown = format!("{:?}", ExternalId::new("very-secret-id"));
        assert_eq!(shown, "ExternalId(masked)");
    }
}
