//! A shell command that is run for each alert, with the record on its standard input.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;

use super::delivery::{Alert, DeliveryError};

/// A command line for the shell. Event data is never part of it, so it cannot inject commands.
#[derive(Clone, Debug)]
pub struct ShellCommand(pub String);

impl ShellCommand {
    pub(super) async fn deliver(&self, alert: &Alert) -> Result<(), DeliveryError> {
        let mut child = shell(&self.0)
            .env("HEELER_EC_SEVERITY", alert.level.name())
            // Secrets of this program, which the command does not need.
            .env_remove("HEELER_EC_EXTERNAL_ID")
            .env_remove("HEELER_EC_WEBHOOK")
            .stdin(Stdio::piped())
            // Standard output is reserved for events.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| DeliveryError::Permanent(format!("it cannot be started: {error}")))?;
        if let Some(mut input) = child.stdin.take() {
            // The command may close its standard input without reading it.
            let _ = input.write_all(alert.record.as_bytes()).await;
            let _ = input.write_all(b"\n").await;
        }
        let status = child
            .wait()
            .await
            .map_err(|error| DeliveryError::Permanent(error.to_string()))?;
        if status.success() {
            Ok(())
        } else {
            Err(DeliveryError::Retryable(status.to_string(), None))
        }
    }
}

#[cfg(not(windows))]
fn shell(line: &str) -> tokio::process::Command {
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", line]);
    shell
}

#[cfg(windows)]
fn shell(line: &str) -> tokio::process::Command {
    let mut shell = tokio::process::Command::new("cmd");
    shell.args(["/C", line]);
    shell
}
