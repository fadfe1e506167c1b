//! The three values to paste into Heeler, with the output names of Heeler's Terraform modules.

use serde_json::json;

use super::document::Document;
use super::{OutputFormat, Tone, Ui};

pub struct OutputValues<'a> {
    pub queue_url: &'a str,
    pub role_arn: &'a str,
    pub external_id: &'a str,
}

/// Returns the values as the result.
#[must_use]
pub fn outputs_document(ui: &Ui, outputs: &OutputValues<'_>) -> Document {
    let rows = [
        ("heeler_event_queue_url", outputs.queue_url),
        ("heeler_event_role_arn", outputs.role_arn),
        ("heeler_event_role_external_id", outputs.external_id),
    ];
    match ui.format() {
        OutputFormat::Json => Document::Json(json!({
            (rows[0].0): rows[0].1,
            (rows[1].0): rows[1].1,
            (rows[2].0): rows[2].1,
        })),
        OutputFormat::Text | OutputFormat::Csv => {
            let lines = rows.iter().map(|(name, value)| {
                let name = ui.paint(Tone::Strong, &format!("{name:<29}"));
                format!("{name}  {value}\n")
            });
            Document::Text(lines.collect())
        }
    }
}
