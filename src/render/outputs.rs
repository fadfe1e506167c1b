//! The three values to paste into Heeler, with the output names of Heeler's Terraform modules.

use serde_json::json;

use super::{OutputFormat, Tone, Ui, json_document};

pub struct OutputValues<'a> {
    pub queue_url: &'a str,
    pub role_arn: &'a str,
    pub external_id: &'a str,
}

pub fn print_outputs(ui: &Ui, outputs: &OutputValues<'_>) {
    let rows = [
        ("heeler_event_queue_url", outputs.queue_url),
        ("heeler_event_role_arn", outputs.role_arn),
        ("heeler_event_role_external_id", outputs.external_id),
    ];
    let text = match ui.format() {
        OutputFormat::Json => json_document(&json!({
            (rows[0].0): rows[0].1,
            (rows[1].0): rows[1].1,
            (rows[2].0): rows[2].1,
        })),
        OutputFormat::Table | OutputFormat::Csv => rows
            .iter()
            .map(|(name, value)| {
                format!(
                    "{}  {value}\n",
                    ui.paint(Tone::Strong, &format!("{name:<29}"))
                )
            })
            .collect(),
    };
    ui.stdout(&text);
}

/// Prints how to use the values.
pub fn print_next_steps(ui: &Ui) {
    ui.status("");
    ui.status(
        "Next:  open https://app.heeler.com/administration/connections/organizations, edit the Event Collection \
         Settings of this organization, and paste these three values.");
    ui.status(
        "Then:  run `heeler-ec tail` to see events arrive (CloudTrail delivers about every 5 minutes).");
}
