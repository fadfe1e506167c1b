//! Prompts on standard error, answered with one line on standard input.

use std::io::{self, BufRead, Write};

use serde_json::json;

use super::layout::wrap_line;
use super::status_line::end_status_line;
use super::{ProgressFormat, Ui};
use crate::sanitize::escape_control_chars;

impl Ui {
    /// Asks a question. Returns true if the user answers `y` or `yes` in any case. Asks again after an answer that is
    /// neither yes nor no. An empty answer and the end of the input are a no.
    #[must_use]
    pub fn confirm(&self, question: &str) -> bool {
        let prompt = format!("{question} [y/N]");
        loop {
            let answer = self.ask(&prompt, question, Some("yes"));
            match parse_confirmation(&answer) {
                Some(confirmed) => return confirmed,
                // A program that answers differently would not stop.
                None if self.is_progress_json() => return false,
                None => self.warn_unwrapped("Answer y or n."),
            }
        }
    }

    /// Asks a question about a destructive change. Returns true if the user types `expected_answer`.
    #[must_use]
    pub fn confirm_by_typing(&self, question: &str, expected_answer: &str) -> bool {
        let prompt = format!("{question}\nType '{expected_answer}' to continue:");
        self.ask(&prompt, question, Some(expected_answer)) == expected_answer
    }

    /// Asks for the code of an MFA device, given its serial number or ARN. Returns the line that the user types, which
    /// is empty at the end of the input.
    #[must_use]
    pub fn mfa_code(&self, serial: &str) -> String {
        let question = format!("MFA code for {serial}:");
        self.ask(&question, &question, None)
    }

    /// Asks for a value. Returns `None` at the end of the input.
    #[must_use]
    pub fn ask_value(&self, question: &str) -> Option<String> {
        self.ask_line(question, question, None)
    }

    /// Prints a prompt and reads a line, which is empty at the end of the input. With `--progress json`, prints the question and the expected answer instead.
    fn ask(&self, prompt: &str, question: &str, expected_answer: Option<&str>) -> String {
        let answer = self.ask_line(prompt, question, expected_answer);
        answer.unwrap_or_default()
    }

    fn ask_line(
        &self,
        prompt: &str,
        question: &str,
        expected_answer: Option<&str>,
    ) -> Option<String> {
        end_status_line();
        if self.is_progress_json() {
            self.progress_line(&json!({
                "type": "prompt",
                "message": question.trim(),
                "expected_answer": expected_answer,
            }));
        } else {
            let lines = prompt.lines();
            let lines =
                lines.map(|line| wrap_line(&escape_control_chars(line), 0, self.stderr.width));
            let text = lines.collect::<Vec<_>>().join("\n") + " ";
            let mut err = io::stderr().lock();
            // One write, so that the echo of an early answer cannot precede the last space. A closed stderr is no reason
            // to end.
            let _ = err.write_all(text.as_bytes());
            let _ = err.flush();
        }
        self.read_line()
    }

    fn is_progress_json(&self) -> bool {
        self.options.progress == ProgressFormat::Json
    }

    fn read_line(&self) -> Option<String> {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if !line.ends_with('\n') {
            // The end of the input leaves the cursor behind the question.
            self.end_line();
        }
        let is_read = read.is_ok_and(|length| length > 0);
        is_read.then(|| line.trim().to_owned())
    }
}

/// Returns true for a yes, false for a no or an empty answer, and `None` for another answer.
fn parse_confirmation(answer: &str) -> Option<bool> {
    match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "" | "n" | "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_is_accepted_in_any_case() {
        for (answer, expected) in [
            ("y", Some(true)),
            ("Y", Some(true)),
            ("yes", Some(true)),
            ("YES", Some(true)),
            ("", Some(false)),
            ("n", Some(false)),
            ("No", Some(false)),
            ("yess", None),
            ("ye", None),
            ("delete", None),
        ] {
            assert_eq!(parse_confirmation(answer), expected, "{answer:?}");
        }
    }
}
