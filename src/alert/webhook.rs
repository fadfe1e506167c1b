//! A webhook: each alert is posted to a URL, with the secrets in the record masked.

use std::fmt;

use serde_json::{Value, json};

use super::delivery::{Alert, DeliveryError};
use super::mask;
use crate::http::{WebhookClient, WebhookResponse};
use crate::sanitize::escape_control_chars;

/// A webhook.
#[derive(Clone)]
pub struct Webhook {
    /// Often a secret itself, so it is never printed.
    url: String,
    format: PayloadFormat,
    poster: WebhookClient,
}

/// The format of the posted payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadFormat {
    /// The fields of the event and the record.
    #[default]
    Json,
    /// A message for Slack's incoming webhooks.
    Slack,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Webhook")
            .field("form", &self.format)
            .finish_non_exhaustive()
    }
}

impl Webhook {
    #[must_use]
    pub fn new(url: String, format: PayloadFormat, poster: WebhookClient) -> Self {
        Self {
            url,
            format,
            poster,
        }
    }

    pub(super) async fn deliver(&self, alert: &Alert) -> Result<(), DeliveryError> {
        let body = match self.format {
            PayloadFormat::Json => json_payload(alert),
            PayloadFormat::Slack => slack_payload(alert),
        };
        let reply = self.poster.post(&self.url, body.to_string()).await;
        classify_reply(reply)
    }
}

fn classify_reply(reply: Result<WebhookResponse, String>) -> Result<(), DeliveryError> {
    let WebhookResponse {
        status,
        retry_after,
    } = reply.map_err(|reason| DeliveryError::Retryable(reason, None))?;
    let reason = format!("HTTP status {status}");
    match status {
        200..=299 => Ok(()),
        408 | 429 | 500..=599 => Err(DeliveryError::Retryable(reason, retry_after)),
        300..=399 => Err(DeliveryError::Permanent(format!(
            "{reason}: use the URL that it redirects to"
        ))),
        _ => Err(DeliveryError::Permanent(reason)),
    }
}

fn json_payload(alert: &Alert) -> Value {
    json!({
        "severity": alert.level.name(),
        "event_time": alert.time,
        "account": alert.account,
        "region": alert.region,
        "service": alert.service,
        "event_name": alert.event,
        "actor": alert.actor,
        "error_code": alert.error,
        "event_id": alert.event_id,
        "record": mask::mask_record(&alert.record),
    })
}

/// A message that Slack neither searches for links nor expands. Source:
/// <https://docs.slack.dev/messaging/formatting-message-text>.
fn slack_payload(alert: &Alert) -> Value {
    json!({
        "text": slack_text(alert),
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// A sentence in Slack's markup.
fn slack_text(alert: &Alert) -> String {
    let text = |field: &Option<String>| {
        field
            .as_deref()
            .map_or_else(|| "?".to_owned(), escape_slack)
    };
    let failed = alert
        .error
        .as_deref()
        .map(|error| format!(", which failed: {}", escape_slack(error)))
        .unwrap_or_default();
    format!(
        "*{}* {} ({}) by {} in account {}, {}, at {}{failed}",
        alert.level,
        text(&alert.event),
        text(&alert.service),
        text(&alert.actor),
        text(&alert.account),
        text(&alert.region),
        text(&alert.time),
    )
}

/// Escapes event data for Slack: no mentions, links, markup, invisible characters or line breaks.
fn escape_slack(text: &str) -> String {
    // Slack makes links of bare addresses. This notation is common for addresses that must not be opened.
    let text = escape_control_chars(text).replace("://", "[://]");
    let mut escaped = String::with_capacity(text.len());
    let mut previous = None;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '*' | '`' | '~' => escaped.push('\u{2217}'),
            // Between letters, as in most names, an underscore is not markup.
            '_' if !is_alphanumeric(previous) || !is_alphanumeric(characters.peek().copied()) => {
                escaped.push('\u{2cd}');
            }
            _ => escaped.push(c),
        }
        previous = Some(c);
    }
    escaped
}

fn is_alphanumeric(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::severity::SeverityLevel;

    fn alert() -> Alert {
        Alert {
            level: SeverityLevel::High,
            time: Some("2023-07-10T12:27:31Z".into()),
            account: Some("111122223333".into()),
            region: Some("eu-west-1".into()),
            service: Some("s3".into()),
            event: Some("DeleteBucket".into()),
            actor: Some("alice".into()),
            error: None,
            event_id: Some("e-1".into()),
            record: r#"{"eventName":"DeleteBucket","responseElements":{"sessionToken":"FwoG"}}"#
                .into(),
        }
    }

    #[test]
    fn json_payload_masks_secrets_in_the_record() {
        assert_eq!(
            json_payload(&alert()),
            json!({
                "severity": "high",
                "event_time": "2023-07-10T12:27:31Z",
                "account": "111122223333",
                "region": "eu-west-1",
                "service": "s3",
                "event_name": "DeleteBucket",
                "actor": "alice",
                "error_code": null,
                "event_id": "e-1",
                "record": {"eventName": "DeleteBucket", "responseElements": {"sessionToken": "(masked)"}},
            })
        );
    }

    #[test]
    fn slack_payload_is_one_sentence() {
        assert_eq!(
            slack_text(&alert()),
            "*high* DeleteBucket (s3) by alice in account 111122223333, eu-west-1, at 2023-07-10T12:27:31Z"
        );
        let failed = Alert {
            error: Some("AccessDenied".into()),
            account: None,
            ..alert()
        };
        assert_eq!(
            slack_text(&failed),
            "*high* DeleteBucket (s3) by alice in account ?, eu-west-1, at 2023-07-10T12:27:31Z, which failed: AccessDenied"
        );
    }

    #[test]
    fn slack_markup_in_event_data_is_escaped() {
        let alert = Alert {
            actor: Some("<!channel> *x*\n&\u{1b}[31m".into()),
            ..alert()
        };
        let text = slack_text(&alert);
        assert!(
            text.contains("by &lt;!channel&gt; \u{2217}x\u{2217}\\n&amp;\\u{1b}[31m in"),
            "{text}"
        );
    }

    #[test]
    fn slack_links_and_italics_are_escaped() {
        for (text, expected) in [
            ("https://evil.example/x", "https[://]evil.example/x"),
            ("_i_", "\u{2cd}i\u{2cd}"),
            ("a _b_ c", "a \u{2cd}b\u{2cd} c"),
            ("my_role_name", "my_role_name"),
            ("\u{202e}gpj.exe", r"\u{202e}gpj.exe"),
            ("a\u{200b}b\u{e0100}", r"a\u{200b}b\u{e0100}"),
        ] {
            assert_eq!(escape_slack(text), expected);
        }
        assert_eq!(slack_payload(&alert())["parse"], "none");
    }

    #[test]
    fn debug_output_hides_the_url() {
        let url = "https://hooks.example.com/services/T0/B0/secret";
        let webhook = Webhook::new(
            url.into(),
            PayloadFormat::Slack,
            WebhookClient::new().unwrap(),
        );
        assert!(!format!("{webhook:?}").contains("secret"));
    }

    #[test]
    fn retryable_statuses() {
        let classify = |status| {
            classify_reply(Ok(WebhookResponse {
                status,
                retry_after: Some(Duration::from_secs(3)),
            }))
        };
        assert_eq!(classify(204), Ok(()));
        for status in [408, 429, 500, 503] {
            assert!(
                matches!(classify(status), Err(DeliveryError::Retryable(_, Some(wait))) if wait.as_secs() == 3),
                "{status}"
            );
        }
        for status in [301, 400, 403, 404, 410] {
            assert!(
                matches!(classify(status), Err(DeliveryError::Permanent(_))),
                "{status}"
            );
        }
        assert!(matches!(
            classify_reply(Err("connection refused".into())),
            Err(DeliveryError::Retryable(..))
        ));
    }
}
