//! The three values to paste into Heeler, with the output names of Heeler's Terraform modules.

use serde_json::Value;

use super::document::Document;
use super::{OutputFormat, Tone, Ui};

#[derive(Clone, Copy, Debug)]
pub struct OutputValues<'a> {
    pub queue_url: &'a str,
    pub role_arn: &'a str,
    pub external_id: &'a str,
}

/// Returns the values as the result.
#[must_use]
pub fn outputs_document(ui: &Ui, outputs: &OutputValues<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(outputs_json(outputs)),
        OutputFormat::Text | OutputFormat::Csv => {
            let lines = named_values(outputs).into_iter().map(|(name, value)| {
                let name = ui.paint(Tone::Strong, &format!("{name:<29}"));
                format!("{name}  {value}\n")
            });
            Document::Text(lines.collect())
        }
    }
}

/// Returns the values as JSON.
pub(super) fn outputs_json(outputs: &OutputValues<'_>) -> Value {
    let values = named_values(outputs).into_iter();
    Value::Object(
        values
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
    )
}

fn named_values<'a>(outputs: &OutputValues<'a>) -> [(&'static str, &'a str); 3] {
    [
        ("heeler_event_queue_url", outputs.queue_url),
        ("heeler_event_role_arn", outputs.role_arn),
        ("heeler_event_role_external_id", outputs.external_id),
    ]
}
