//! Prompts that have to be confirmed before a command changes anything.

use super::context::Context;
use crate::error::{Error, Result};
use crate::render::notices::question::Question;

/// Headline of the error when a prompt is needed and cannot be shown.
pub(crate) const NOT_A_TERMINAL: &str =
    "confirmation is needed, but standard input is not a terminal";

/// Asks a question. Returns true if the user types `yes`.
pub(crate) async fn confirm(context: &Context, question: Question) -> Result<bool> {
    confirm_by_typing(context, question.text(), "yes").await
}

/// Asks a question. Returns true if the user types `expected_answer`; fails if the user interrupts.
pub(crate) async fn confirm_by_typing(
    context: &Context,
    question: &str,
    expected_answer: &str,
) -> Result<bool> {
    let (ui, cancellation) = (context.ui, context.interrupt.cancellation());
    let (question, expected) = (question.to_owned(), expected_answer.to_owned());
    let answer = tokio::task::spawn_blocking(move || ui.prompt(&question, &expected));
    tokio::select! {
        answer = answer => Ok(answer.unwrap_or(false)),
        () = cancellation.cancelled() => {
            // The cursor is behind the question.
            context.ui.warn("");
            Err(context.interrupted_error())
        }
    }
}

/// Creates the error for a prompt that was not confirmed.
pub(crate) fn not_confirmed_error(notice: &str) -> Error {
    Error::negative(format!("not confirmed; {notice}"))
}
