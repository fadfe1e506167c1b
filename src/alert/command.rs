//! A command that is run for each alert, with the record on its standard input.

use std::process::Stdio;

use tokio::io::AsyncWriteExt;

use super::{Alert, DeliveryError};

/// A line for the shell. Nothing of the event is put into it: what others wrote can do no harm there.
#[derive(Clone, Debug)]
pub struct ShellCommand(pub String);

impl ShellCommand {
    pub(super) async fn deliver(&self, alert: &Alert) -> Result<(), DeliveryError> {
        let mut child = shell(&self.0)
            .env("HEELER_EC_SEVERITY", alert.level.name())
            .stdin(Stdio::piped())
            // Standard output is for the events.
            .stdout(std::io::stderr())
            .kill_on_drop(true)
            .spawn()
            .map_err(|why| DeliveryError::Permanent(format!("it does not start: {why}")))?;
        if let Some(mut input) = child.stdin.take() {
            // A command that has no use for the record may close its input.
            let _ = input.write_all(alert.record.as_bytes()).await;
            let _ = input.write_all(b"\n").await;
        }
        let status = child
            .wait()
            .await
            .map_err(|why| DeliveryError::Permanent(why.to_string()))?;
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
