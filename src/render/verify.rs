//! The result of `verify`: the delivery delay, and the sightings of the canary, as text and as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::document::Document;
use super::result_sign::ResultSign;
use super::status_line::minutes_and_seconds;
use super::{OutputFormat, Tone, Ui};
use crate::sanitize::escape_control_chars;
use crate::verify::delay::MeasuredDelay;
use crate::verify::sighting::is_complete;
use crate::verify::{Canary, Sighting, SightingStatus, VerifyPlan};

/// The width of the longest status.
const STATUS_WIDTH: usize = 14;
/// The width of the longest ID of a point.
const POINT_WIDTH: usize = 13;
/// The width of the longest region.
const REGION_WIDTH: usize = 14;
const TIME_WIDTH: usize = 12;

/// The result of `verify`.
pub struct VerifyReport<'a> {
    pub option: &'a str,
    pub name_prefix: &'a str,
    pub plan: &'a VerifyPlan,
    /// `None` without a canary.
    pub canary: Option<&'a Canary>,
    pub delay: Option<MeasuredDelay>,
    /// True if a notice has shown the delay before the canary.
    pub is_delay_announced: bool,
    pub sightings: &'a [Sighting],
    /// The command that looks for the canary later.
    pub resume: Option<&'a str>,
}

/// Returns the sightings as the result.
#[must_use]
pub fn verify_document(ui: &Ui, report: &VerifyReport<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(verify_json(ui, report)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(verify_text(*ui, report)),
    }
}

/// Describes the measured delivery delay in one sentence.
#[must_use]
pub fn delay_text(delay: Option<MeasuredDelay>) -> String {
    match delay {
        Some(delay) => format!(
            "Newest deliveries: {} after the event (median of {}), {} at most.",
            minutes_and_seconds(delay.median),
            delay.samples,
            minutes_and_seconds(delay.max)
        ),
        None => "Newest deliveries: no recent events, so no delivery delay.".to_owned(),
    }
}

pub(super) fn verify_json(ui: &Ui, report: &VerifyReport<'_>) -> Value {
    let plan = report.plan;
    let seconds = |time: Duration| (time.as_secs_f64() * 10.0).round() / 10.0;
    let canary = report.canary.map(|canary| {
        let calls = canary
            .calls
            .iter()
            .map(|(region, call)| json!({ "region": region, "request_id": call.request_id }));
        json!({
            "id": canary.id.to_string(),
            "call": plan.call.action(),
            "sent_at": humantime::format_rfc3339_seconds(canary.id.sent_at()).to_string(),
            "calls": calls.collect::<Vec<_>>(),
        })
    });
    let sightings = report.sightings.iter().map(|sighting| {
        json!({
            "id": sighting.point,
            "region": sighting.region,
            "status": sighting.status.as_str(),
            "seconds": sighting.after.map(seconds),
            "observed": sighting.observed,
            "resource": sighting.resource,
        })
    });
    json!({
        "deployment": {
            "option": report.option,
            "name_prefix": report.name_prefix,
            "account": plan.account,
            "region": plan.region,
        },
        "seen": report.canary.map(|_| is_complete(report.sightings)),
        "canary": canary,
        "delivery_delay": report.delay.map(|delay| json!({
            "samples": delay.samples,
            "median_seconds": seconds(delay.median),
            "max_seconds": seconds(delay.max),
        })),
        "hops": sightings.collect::<Vec<_>>(),
        "resume": report.resume.map(|command| ui.repeated.complete(command)),
    })
}

fn verify_text(ui: Ui, report: &VerifyReport<'_>) -> String {
    let mut text = String::new();
    // A terminal that shows both outputs has the sentence already.
    if !(report.is_delay_announced && ui.has_status_beside_result()) {
        let delay = ui.wrap_stdout(&delay_text(report.delay), 0);
        let _ = writeln!(text, "{delay}");
    }
    let Some(canary) = report.canary else {
        return text;
    };
    let call = report.plan.call.action();
    let title = format!("Canary {} ({call})", canary.id);
    let _ = writeln!(text, "\n{}\n", ui.paint(Tone::Strong, &title));
    for sighting in report.sightings {
        write_sighting(ui, &mut text, sighting);
    }
    text
}

/// Writes a sighting as one line.
fn write_sighting(ui: Ui, text: &mut String, sighting: &Sighting) {
    let (sign, tone, status) = match sighting.status {
        SightingStatus::Seen => (ResultSign::Good, Tone::Good, "seen"),
        SightingStatus::NotSeen => (ResultSign::Unknown, Tone::Change, "not seen yet"),
        SightingStatus::NotObservable => (ResultSign::Skipped, Tone::Faint, "not observable"),
    };
    let sign = sign.text(ui);
    let time = sighting.after.map(minutes_and_seconds).unwrap_or_default();
    let region = sighting.region.as_deref().unwrap_or_default();
    let observed = match sighting.status {
        SightingStatus::NotSeen => String::new(),
        _ => escape_control_chars(&sighting.observed),
    };
    let line = format!(
        "{sign} {status:<STATUS_WIDTH$} {:<POINT_WIDTH$} {region:<REGION_WIDTH$} {time:<TIME_WIDTH$} {observed}",
        sighting.point,
    );
    let indent = STATUS_WIDTH + POINT_WIDTH + REGION_WIDTH + TIME_WIDTH + 6;
    let line = ui.wrap_stdout(&ui.ascii_fallback(line.trim_end()), indent);
    let _ = writeln!(text, "{}", line.replacen(sign, &ui.paint(tone, sign), 1));
}
