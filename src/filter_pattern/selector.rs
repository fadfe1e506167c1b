//! Property selectors: paths from a log event to the values that are tested.

use serde_json::Value;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PropertySelector(pub Vec<SelectorStep>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SelectorStep {
    Field(String),
    AnyField,
    Element(usize),
    AnyElement,
}

impl PropertySelector {
    /// The selected values: at most one, unless the selector has a wildcard.
    pub(super) fn select<'v>(&self, event: &'v Value) -> Vec<&'v Value> {
        self.0.iter().fold(vec![event], |reached, step| {
            reached
                .into_iter()
                .flat_map(|value| step.select_from(value))
                .collect()
        })
    }
}

impl SelectorStep {
    pub(super) fn is_wildcard(&self) -> bool {
        matches!(self, Self::AnyField | Self::AnyElement)
    }

    fn select_from<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match (self, value) {
            (Self::Field(name), Value::Object(fields)) => fields.get(name).into_iter().collect(),
            (Self::AnyField, Value::Object(fields)) => fields.values().collect(),
            (Self::Element(index), Value::Array(elements)) => {
                elements.get(*index).into_iter().collect()
            }
            (Self::AnyElement, Value::Array(elements)) => elements.iter().collect(),
            _ => Vec::new(),
        }
    }
}
