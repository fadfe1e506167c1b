//! The evidence report of `verify` for auditors, as Markdown and as JSON.

use std::fmt::Write;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::Ui;
use super::status_line::minutes_and_seconds;
use super::verify::{VerifyReport, delay_text, verify_json};
use crate::sanitize::escape_control_chars;
use crate::verify::SightingStatus;
use crate::verify::sighting::is_complete;

/// The version of the JSON document.
const FORMAT_VERSION: u32 = 1;

/// The facts of an evidence report in addition to the result.
pub struct Evidence<'a> {
    pub report: &'a VerifyReport<'a>,
    /// ARN of the caller.
    pub caller: &'a str,
    /// The version of heeler-ec that created the deployment, if it is known.
    pub deployed_version: Option<&'a str>,
    pub generated_at: SystemTime,
}

/// The texts of an evidence report.
#[derive(Clone, Debug)]
pub struct EvidenceTexts {
    pub markdown: String,
    pub json: String,
}

/// Returns the report in both formats.
#[must_use]
pub fn evidence_texts(ui: &Ui, evidence: &Evidence<'_>) -> EvidenceTexts {
    EvidenceTexts {
        markdown: markdown(evidence),
        json: format!("{:#}\n", evidence_json(ui, evidence)),
    }
}

fn evidence_json(ui: &Ui, evidence: &Evidence<'_>) -> Value {
    json!({
        "format_version": FORMAT_VERSION,
        "generated_at": timestamp(evidence.generated_at),
        "caller": evidence.caller,
        "versions": {
            "heeler_ec": env!("CARGO_PKG_VERSION"),
            "deployment": evidence.deployed_version,
        },
        "verification": verify_json(ui, evidence.report),
    })
}

fn markdown(evidence: &Evidence<'_>) -> String {
    let report = evidence.report;
    let plan = report.plan;
    let mut text = String::from("# Evidence of event delivery to Heeler\n\n");
    let result = match (report.canary, is_complete(report.sightings)) {
        (None, _) => "no canary was sent",
        (Some(_), true) => "the canary was seen at every point that can show it",
        (Some(_), false) => "the canary was not seen yet at every point",
    };
    let mut rows = vec![
        ("Result", result.to_owned()),
        ("Report", timestamp(evidence.generated_at)),
        ("Account", plan.account.clone()),
        ("Caller", evidence.caller.to_owned()),
        (
            "Deployment",
            format!(
                "option {}, name prefix {}, region {}",
                report.option, report.name_prefix, plan.region
            ),
        ),
        ("Version of heeler-ec", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    if let Some(version) = evidence.deployed_version {
        rows.push(("Version that created the deployment", version.to_owned()));
    }
    if let Some(canary) = report.canary {
        rows.push(("Canary", canary.id.to_string()));
        rows.push(("Call", plan.call.action().to_owned()));
        rows.push(("Sent", timestamp(canary.id.sent_at())));
        for (region, call) in &canary.calls {
            let request_id = call.request_id.as_deref().unwrap_or("not known");
            rows.push(("Request ID", format!("{request_id} ({region})")));
        }
    }
    rows.push(("Delivery delay", delay_text(report.delay)));
    write_row(&mut text, &["", ""]);
    text.push_str("| --- | --- |\n");
    for (name, value) in &rows {
        write_row(&mut text, &[name, value]);
    }
    if !report.sightings.is_empty() {
        text.push_str("\n## Hops\n\n");
        write_row(
            &mut text,
            &[
                "Hop",
                "Region",
                "Status",
                "Time after the call",
                "Evidence",
                "Resource",
            ],
        );
        text.push_str("| --- | --- | --- | --- | --- | --- |\n");
    }
    for sighting in report.sightings {
        let status = match sighting.status {
            SightingStatus::Seen => "seen",
            SightingStatus::NotSeen => "not seen yet",
            SightingStatus::NotObservable => "not observable",
        };
        let time = sighting.after.map(minutes_and_seconds);
        write_row(
            &mut text,
            &[
                sighting.point,
                sighting.region.as_deref().unwrap_or_default(),
                status,
                &time.unwrap_or_default(),
                &sighting.observed,
                &sighting.resource,
            ],
        );
    }
    text.push_str(
        "\nA canary is an AWS API call with an ID in its user agent. CloudTrail records the call, and heeler-ec looks for \
         the record at each hop. heeler-ec receives no message from Heeler's queue.\n",
    );
    text
}

/// Writes a row of a table.
fn write_row(text: &mut String, cells: &[&str]) {
    for cell in cells {
        let cell = escape_control_chars(cell).replace('|', "\\|");
        let _ = write!(text, "| {cell} ");
    }
    text.push_str("|\n");
}

fn timestamp(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}
