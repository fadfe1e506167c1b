//! The messages of a dead-letter queue with the reasons why they are there, and the result of a redrive.

use std::fmt::Write;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::document::Document;
use super::{OutputFormat, Tone, Ui};
use crate::aws::arn::is_fifo_queue;
use crate::dead_letter::move_task::MoveTask;
use crate::dead_letter::{DeadLetterClass, DeadLetterMessage, DeadLetterReason};
use crate::inventory::pipeline::PipelineFacts;
use crate::sanitize::escape_control_chars;

/// The width of the longest ID of a class.
const CLASS_WIDTH: usize = 17;
/// As text, at most this number of messages of a class is shown.
const SHOWN_MESSAGES: usize = 5;

/// The deployment and its dead-letter queue.
#[derive(Clone, Copy, Debug)]
pub struct DlqLocation<'a> {
    pub option: &'a str,
    pub name_prefix: &'a str,
    pub facts: &'a PipelineFacts,
}

/// The result of `dlq`.
pub struct DlqReport<'a> {
    pub location: DlqLocation<'a>,
    /// The number of messages in the queue before the reading, as SQS counts it approximately.
    pub approximate_messages: u64,
    pub messages: Vec<(DeadLetterMessage, DeadLetterReason)>,
    /// False if the limit or an interruption ended the reading.
    pub is_complete: bool,
}

/// The result of `dlq redrive`.
pub struct RedriveReport<'a> {
    pub location: DlqLocation<'a>,
    /// `None` if no task was started.
    pub task: Option<MoveTask>,
    /// The user did not confirm the redrive.
    pub is_cancelled: bool,
    /// The number of messages that are left; `None` if it is not known.
    pub remaining: Option<u64>,
}

/// Returns the messages and their reasons as the result.
#[must_use]
pub fn dlq_document(ui: &Ui, report: &DlqReport<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(dlq_json(ui, report)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(dlq_text(*ui, report)),
    }
}

/// Returns the redrive as the result.
#[must_use]
pub fn redrive_document(ui: &Ui, report: &RedriveReport<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(redrive_json(report)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(redrive_text(*ui, report)),
    }
}

/// Describes how many messages were read.
#[must_use]
pub fn reading_progress(read: usize, total: u64) -> String {
    format!("Reading the dead-letter queue: {read} of about {total} messages")
}

/// Describes how many messages were moved.
#[must_use]
pub fn redrive_progress(task: &MoveTask) -> String {
    match task.total {
        Some(total) => format!("Moved {} of about {total} messages", task.moved),
        None => format!("Moved about {} messages", task.moved),
    }
}

fn rfc3339(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

impl DlqLocation<'_> {
    fn deployment_json(&self) -> Value {
        json!({
            "option": self.option,
            "name_prefix": self.name_prefix,
            "account": self.facts.request.account,
            "region": self.facts.request.region,
        })
    }

    fn dead_letter_queue_arn(&self) -> String {
        let name = &self.facts.request.dead_letter_queue;
        self.facts.regional_arn("sqs", name)
    }
}

impl DlqReport<'_> {
    fn count(&self, class: DeadLetterClass) -> usize {
        self.of_class(class).count()
    }

    fn of_class(
        &self,
        class: DeadLetterClass,
    ) -> impl Iterator<Item = &(DeadLetterMessage, DeadLetterReason)> {
        let messages = self.messages.iter();
        messages.filter(move |(_, reason)| reason.class == class)
    }

    /// The number of messages that were not read, approximately.
    fn unread(&self) -> u64 {
        let read = u64::try_from(self.messages.len()).unwrap_or(u64::MAX);
        self.approximate_messages.saturating_sub(read)
    }

    fn is_fifo(&self) -> bool {
        let name = &self.location.facts.request.dead_letter_queue;
        is_fifo_queue(name)
    }

    /// Explains why messages were not read; `None` if all were read.
    fn unread_reason(&self) -> Option<String> {
        let unread = self.unread();
        if unread == 0 && self.is_complete {
            return None;
        }
        Some(if !self.is_complete {
            format!(
                "About {unread} messages were not read; --limit sets the number of messages to read."
            )
        } else if self.is_fifo() {
            format!(
                "About {unread} messages were not read: SQS returns at most ten messages of a group before the first are \
                 deleted or moved."
            )
        } else {
            format!(
                "About {unread} messages were not read: another reader holds them, or the count is not up to date."
            )
        })
    }
}

fn dlq_json(ui: &Ui, report: &DlqReport<'_>) -> Value {
    let classes = DeadLetterClass::ALL
        .into_iter()
        .filter(|class| report.count(*class) > 0)
        .map(|class| {
            json!({
                "id": class.as_str(),
                "messages": report.count(class),
                "meaning": class.meaning(),
                "hint": ui.repeated.complete_text(class.advice()).replace('`', ""),
            })
        });
    let messages = report.messages.iter();
    let messages = messages.map(|(message, reason)| message_json(message, reason));
    json!({
        "deployment": report.location.deployment_json(),
        "queue": report.location.dead_letter_queue_arn(),
        "approximate_messages": report.approximate_messages,
        "read": report.messages.len(),
        "complete": report.is_complete && report.unread() == 0,
        "classes": classes.collect::<Vec<_>>(),
        "messages": messages.collect::<Vec<_>>(),
    })
}

fn message_json(message: &DeadLetterMessage, reason: &DeadLetterReason) -> Value {
    let objects = reason
        .objects
        .iter()
        .map(|object| json!({ "bucket": object.bucket, "key": object.key }));
    let record = reason.record.as_ref().map(|record| {
        json!({
            "event_id": record.event_id,
            "event_source": record.event_source,
            "event_name": record.event_name,
            "region": record.aws_region,
            "account": record.recipient_account_id,
            "cut_members": record.cut_members.as_deref().unwrap_or_default(),
        })
    });
    json!({
        "id": message.id,
        "class": reason.class.as_str(),
        "observed": reason.observed,
        "sent_at": message.sent_at.map(rfc3339),
        "first_received_at": message.first_received_at.map(rfc3339),
        "receives": message.receives,
        "group": message.group,
        "source_queue": message.source_queue,
        "objects": objects.collect::<Vec<_>>(),
        "record": record,
        "preview": reason.preview,
    })
}

fn redrive_json(report: &RedriveReport<'_>) -> Value {
    let task = report.task.as_ref().map(|task| {
        json!({
            "status": task.status.as_str(),
            "moved": task.moved,
            "total": task.total,
            "started_at": task.started_at.map(rfc3339),
            "failure_reason": task.failure_reason,
        })
    });
    json!({
        "deployment": report.location.deployment_json(),
        "queue": report.location.dead_letter_queue_arn(),
        "destination": report.location.facts.queue_arn(),
        "task": task,
        "cancelled": report.is_cancelled,
        "remaining": report.remaining,
    })
}

fn dlq_text(ui: Ui, report: &DlqReport<'_>) -> String {
    let queue = &report.location.facts.request.dead_letter_queue;
    if report.messages.is_empty() && report.unread() == 0 {
        return format!("The dead-letter queue {queue} is empty.\n");
    }
    let mut text = String::new();
    let title = format!("Dead-letter queue {queue}");
    let read = report.messages.len();
    let _ = writeln!(text, "{}", ui.paint(Tone::Strong, &title));
    let counts = format!(
        "{} read and returned, of about {}",
        count(read),
        report
            .approximate_messages
            .max(u64::try_from(read).unwrap_or(u64::MAX))
    );
    let _ = writeln!(text, "{}\n", ui.wrap_stdout(&counts, 0));
    let present = || {
        let classes = DeadLetterClass::ALL.into_iter();
        classes.filter(|class| report.count(*class) > 0)
    };
    for class in present() {
        let line = format!(
            "{:>5}  {:<CLASS_WIDTH$} {}",
            report.count(class),
            class.as_str(),
            class.meaning()
        );
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, CLASS_WIDTH + 8));
    }
    for class in present() {
        let _ = writeln!(text, "\n{}", ui.paint(Tone::Strong, class.as_str()));
        for (message, reason) in report.of_class(class).take(SHOWN_MESSAGES) {
            write_message(ui, &mut text, message, reason);
        }
        let hidden = report.count(class).saturating_sub(SHOWN_MESSAGES);
        if hidden > 0 {
            let line = format!("  and {}, which -o json shows", count(hidden));
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 2));
        }
        let advice = ui.repeated.complete_text(class.advice());
        let _ = writeln!(text, "{}", ui.wrap_stdout(&format!("  {advice}"), 2));
    }
    if let Some(reason) = report.unread_reason() {
        let _ = writeln!(text, "\n{}", ui.wrap_stdout(&reason, 0));
    }
    text
}

/// Writes a message as one line: times and ID. Below it are what was found and what the message is about.
fn write_message(
    ui: Ui,
    text: &mut String,
    message: &DeadLetterMessage,
    reason: &DeadLetterReason,
) {
    let sent = message
        .sent_at
        .map_or_else(|| "not known".to_owned(), rfc3339);
    let id = escape_control_chars(&message.id);
    let _ = writeln!(text, "  sent {sent}  {id}");
    let mut line = |content: String| {
        let line = format!("    {}", ui.ascii_fallback(&escape_control_chars(&content)));
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 4));
    };
    line(reason.observed.clone());
    for object in &reason.objects {
        line(match &object.bucket {
            Some(bucket) => format!("s3://{bucket}/{}", object.key),
            None => object.key.clone(),
        });
    }
    if let Some(record) = &reason.record {
        let parts = [
            &record.event_source,
            &record.event_name,
            &record.recipient_account_id,
            &record.aws_region,
            &record.event_id,
        ];
        let parts: Vec<&str> = parts
            .into_iter()
            .filter_map(|part| part.as_deref())
            .collect();
        line(parts.join(" "));
    }
    if let Some(preview) = reason
        .preview
        .as_ref()
        .filter(|preview| !preview.is_empty())
    {
        line(format!("body: {preview}"));
    }
}

fn redrive_text(ui: Ui, report: &RedriveReport<'_>) -> String {
    let request = &report.location.facts.request;
    let Some(task) = report.task.as_ref() else {
        return String::new();
    };
    let mut text = format!(
        "Moved about {} from {} to {}: {}.\n",
        count(usize::try_from(task.moved).unwrap_or(usize::MAX)),
        request.dead_letter_queue,
        request.queue,
        task.status.as_str()
    );
    if let Some(reason) = &task.failure_reason {
        let _ = writeln!(text, "Reason: {}", escape_control_chars(reason));
    }
    if let Some(remaining) = report.remaining.filter(|remaining| *remaining > 0) {
        let _ = writeln!(
            text,
            "About {} left in the dead-letter queue.",
            count(usize::try_from(remaining).unwrap_or(usize::MAX))
        );
    }
    let lines = text.lines().map(|line| ui.wrap_stdout(line, 0));
    lines.map(|line| line + "\n").collect()
}

fn count(messages: usize) -> String {
    match messages {
        1 => "1 message".to_owned(),
        messages => format!("{messages} messages"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_fits_every_class() {
        let longest = DeadLetterClass::ALL
            .iter()
            .map(|class| class.as_str().len());
        assert_eq!(longest.max(), Some(CLASS_WIDTH));
    }

    #[test]
    fn control_characters_of_a_message_are_escaped() {
        let message = DeadLetterMessage {
            id: "a\u{1b}[2J".to_owned(),
            ..DeadLetterMessage::default()
        };
        let reason = DeadLetterReason {
            class: DeadLetterClass::OtherObject,
            observed: "object \u{1b}]0;x\u{7}".to_owned(),
            objects: Vec::new(),
            record: None,
            preview: Some("\u{1b}c".to_owned()),
        };
        let mut text = String::new();
        write_message(Ui::plain(None), &mut text, &message, &reason);
        let is_safe = |c: char| c == '\n' || !c.is_control();
        assert!(text.chars().all(is_safe), "{text:?}");
    }
}
