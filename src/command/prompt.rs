//! Prompts that have to be confirmed before a command changes anything.

use super::context::Context;
use crate::check::fixes::Confirmation;
use crate::error::Result;
use crate::render::Ui;
use crate::render::notices::question::Question;

/// Headline of the error when a prompt is needed and cannot be shown.
pub(crate) const NOT_A_TERMINAL: &str =
    "confirmation is needed, but standard input is not a terminal";

/// The word that confirms a destructive change.
const CONFIRMATION_WORD: &str = "yes";

/// Asks a question. Returns true if the user confirms: with `y`, or by typing `yes` if the change is destructive. Fails
/// if the user interrupts.
pub(crate) async fn confirm(context: &Context, question: Question<'_>) -> Result<bool> {
    let word = question
        .is_destructive()
        .then(|| CONFIRMATION_WORD.to_owned());
    confirm_text(context, question.text(), word).await
}

/// Asks the question of a fix. Returns true if the user confirms; fails if the user interrupts.
pub(crate) async fn confirm_fix(context: &Context, confirmation: &Confirmation) -> Result<bool> {
    let Confirmation {
        prompt,
        expected_answer,
    } = confirmation.clone();
    confirm_text(context, prompt, expected_answer).await
}

async fn confirm_text(context: &Context, question: String, word: Option<String>) -> Result<bool> {
    let confirmed = answer(context, move |ui: Ui| match word {
        Some(word) => ui.confirm_by_typing(&question, &word),
        None => ui.confirm(&question),
    });
    Ok(confirmed.await?.unwrap_or(false))
}

/// Asks a question on a thread of its own. Returns `None` if that thread fails.
///
/// # Errors
/// If the user interrupts.
pub(crate) async fn answer<T: Send + 'static>(
    context: &Context,
    ask: impl FnOnce(Ui) -> T + Send + 'static,
) -> Result<Option<T>> {
    let (ui, cancellation) = (context.ui, context.interrupt.cancellation());
    let answer = tokio::task::spawn_blocking(move || ask(ui));
    tokio::select! {
        answer = answer => Ok(answer.ok()),
        () = cancellation.cancelled() => {
            // The cursor is behind the question.
            context.ui.end_line();
            Err(context.interrupted_error())
        }
    }
}
