//! The document of a command on standard output: its result, its error, or both.

use serde_json::{Value, json};

use super::record::escape_json;
use super::{OutputFormat, Ui};
use crate::error::{Error, Exit};
use crate::hint::HintPart;

/// The result of a command in the output format of the run.
#[derive(Clone, Debug)]
pub enum Document {
    /// Text for reading, or a document that is text in every format, such as configuration.
    Text(String),
    /// The result as a JSON value, without its envelope.
    Json(Value),
}

/// The arrangement of result and error on standard output with `--output json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Envelope {
    /// One document `{"result": ..., "error": ...}`.
    Wrapped,
    /// The result itself, or one document `{"error": ...}`.
    Bare,
    /// Results that were printed as lines, and after a failure a last line `{"error": ...}`.
    Lines,
}

/// Prints the end of a command on standard output. Without `--output json` the error is not part of it.
pub fn print_document(
    ui: &Ui,
    envelope: Envelope,
    document: Option<Document>,
    error: Option<&Error>,
) {
    if ui.format() != OutputFormat::Json {
        match document {
            Some(Document::Text(text)) => ui.stdout(&text),
            Some(Document::Json(value)) => ui.stdout(&indented(&value)),
            None => true,
        };
        return;
    }
    let result = match document {
        Some(Document::Json(value)) => value,
        Some(Document::Text(text)) => Value::String(text),
        None => Value::Null,
    };
    if let Some(text) = envelope_text(ui, envelope, &result, error) {
        ui.stdout(&text);
    }
}

/// Formats result and error; `None` if there is nothing to print.
fn envelope_text(
    ui: &Ui,
    envelope: Envelope,
    result: &Value,
    error: Option<&Error>,
) -> Option<String> {
    let error_value = error.map(|error| error_json(ui, error));
    match (envelope, error_value) {
        (Envelope::Wrapped, error) => Some(indented(&json!({ "result": result, "error": error }))),
        (Envelope::Bare, Some(error)) => Some(indented(&json!({ "error": error }))),
        (Envelope::Bare, None) if result.is_null() => None,
        (Envelope::Bare, None) => Some(indented(result)),
        // An interrupt is the usual end of an endless command.
        (Envelope::Lines, Some(_)) if error.is_some_and(is_interrupt) => None,
        (Envelope::Lines, Some(error)) => Some(format!("{}\n", json!({ "error": error }))),
        (Envelope::Lines, None) => None,
    }
}

fn is_interrupt(error: &Error) -> bool {
    error.exit() == Exit::Interrupted
}

/// Returns an error as JSON. All keys are present; an unknown value is null.
#[must_use]
pub fn error_json(ui: &Ui, error: &Error) -> Value {
    let hint = error.hint().map(|hint| {
        let parts = hint.parts().iter().map(|part| match part {
            HintPart::Text(text) => text.clone(),
            HintPart::Command(command) => ui.repeated.complete(command),
        });
        parts.collect::<String>()
    });
    json!({
        "operation": error.failed_operation(),
        "cause": error.cause_without_codes(),
        "code": error.error_code(),
        "request_id": error.request_id(),
        "hint": hint,
        "exit_code": error.exit() as u8,
    })
}

/// Formats one JSON document, indented, with a line end. Control characters are written as JSON escapes, which have the
/// same meaning, so that none reaches a terminal.
fn indented(value: &Value) -> String {
    let text = format!("{value:#}");
    let lines = text.split('\n').map(escape_json);
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ui() -> Ui {
        Ui::plain(None)
    }

    fn refusal() -> Error {
        Error::failed("create the queue", "not authorized")
            .with_code(Some("AccessDenied".into()), Some("1-2-3".into()))
            .with_hint("ask for `sqs:CreateQueue`")
    }

    #[test]
    fn error_of_aws_has_all_keys() {
        assert_eq!(
            error_json(&ui(), &refusal()),
            json!({
                "operation": "create the queue",
                "cause": "not authorized",
                "code": "AccessDenied",
                "request_id": "1-2-3",
                "hint": "ask for sqs:CreateQueue",
                "exit_code": 3,
            })
        );
    }

    #[test]
    fn error_without_operation_has_null_keys() {
        let error = Error::usage("--account-id is invalid").with_reason("it has 11 digits");
        assert_eq!(
            error_json(&ui(), &error),
            json!({
                "operation": null,
                "cause": "--account-id is invalid: it has 11 digits",
                "code": null,
                "request_id": null,
                "hint": null,
                "exit_code": 2,
            })
        );
    }

    #[test]
    fn envelopes_of_result_and_error() {
        let result = json!({ "ready": true });
        let error = refusal();
        let shown = |envelope, result: &Value, error| {
            let text = envelope_text(&ui(), envelope, result, error)?;
            Some(serde_json::from_str::<Value>(&text).expect("one document"))
        };
        let (some, null) = (Some(&error), Value::Null);
        let wrapped = Envelope::Wrapped;
        assert_eq!(
            shown(wrapped, &result, None),
            Some(json!({ "result": result, "error": null }))
        );
        assert_eq!(
            shown(wrapped, &null, some),
            Some(json!({ "result": null, "error": error_json(&ui(), &error) }))
        );
        assert_eq!(
            shown(wrapped, &result, some),
            Some(json!({ "result": result, "error": error_json(&ui(), &error) }))
        );
        let only_error = Some(json!({ "error": error_json(&ui(), &error) }));
        assert_eq!(shown(Envelope::Bare, &result, None), Some(result.clone()));
        assert_eq!(shown(Envelope::Bare, &null, some), only_error);
        assert_eq!(shown(Envelope::Lines, &null, None), None);
        assert_eq!(shown(Envelope::Lines, &null, some), only_error);
        let interrupted = Error::interrupted("no changes were made");
        assert_eq!(shown(Envelope::Lines, &null, Some(&interrupted)), None);
    }

    #[test]
    fn error_line_is_one_line() {
        let text = envelope_text(&ui(), Envelope::Lines, &Value::Null, Some(&refusal()));
        let text = text.expect("a line");
        assert_eq!(text.matches('\n').count(), 1, "{text}");
    }
}
