//! Looks for the canary in the log of the function, which logs the SQS message ID of each canary.

use serde_json::Value;

use super::canary::Canary;
use super::log_group::{from_epoch_ms, wait_for_event};
use super::sighting::SightingBoard;
use crate::aws::Aws;
use crate::error::Result;

/// Searches the log group of the function until it has the line of the canary.
pub(super) async fn observe(
    aws: &Aws,
    log_group: &str,
    region: &str,
    canary: &Canary,
    board: &SightingBoard<'_>,
) -> Result<()> {
    let pattern = format!("\"{}\"", canary.id.app_name());
    let event = wait_for_event(aws, log_group, &pattern, canary).await?;
    let after = event.timestamp.and_then(from_epoch_ms);
    let after = after.map_or_else(|| canary.age(), |time| canary.age_at(time));
    let message_id = message_id(event.message().unwrap_or_default(), &canary.id.app_name());
    let observed = match message_id {
        Some(id) => format!("sent as SQS message {id}"),
        None => "processed".to_owned(),
    };
    board.record_seen("function", Some(region), Some(after), observed, None);
    Ok(())
}

/// Returns the SQS message ID of the canary in a report of the function.
fn message_id(line: &str, canary: &str) -> Option<String> {
    let report: Value = serde_json::from_str(line.trim()).ok()?;
    let id = report["canaries"].get(canary)?.as_str()?;
    Some(id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_id_is_read_from_the_report() {
        let line = r#"{"sent": 1, "canaries": {"heeler-ec-canary-1": "0e9d2b1a"}}"#;
        let id = message_id(line, "heeler-ec-canary-1");
        assert_eq!(id.as_deref(), Some("0e9d2b1a"));
        assert_eq!(message_id(line, "heeler-ec-canary-2"), None);
        assert_eq!(message_id("no JSON", "heeler-ec-canary-1"), None);
    }
}
