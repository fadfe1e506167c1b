//! Starts and finishes the delivery of alerts as requested on the command line.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::{
    AlertDispatcher, AlertReceiver, DeliveryPolicy, FailureListener, PayloadFormat, ShellCommand,
    Webhook,
};
use crate::cli;
use crate::cli::value_parsers;
use crate::error::{Error, Exit, Result};
use crate::http::WebhookClient;
use crate::render::{self, Ui};

/// Time for the last alerts to be delivered when tail ends normally.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for the last alerts to be delivered after Ctrl-C.
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn start(ui: Ui, args: &cli::AlertArgs) -> Result<Arc<AlertDispatcher>> {
    let mut receivers = Vec::new();
    if let Some(line) = &args.exec {
        receivers.push(AlertReceiver::Command(ShellCommand(line.clone())));
    }
    if let Some(url) = &args.webhook {
        // Not validated by clap, because its errors would print the URL, which may be a secret.
        value_parsers::endpoint(url).map_err(|reason| {
            Error::usage("the URL of --webhook is invalid").with_reason(reason)
        })?;
        let format = match args.webhook_format {
            cli::WebhookFormat::Json => PayloadFormat::Json,
            cli::WebhookFormat::Slack => PayloadFormat::Slack,
        };
        receivers.push(AlertReceiver::Webhook(Webhook::new(
            url.clone(),
            format,
            WebhookClient::new()?,
        )));
    }
    let listener: FailureListener = Arc::new(move |receiver, reason| {
        render::record::warn_alert_failed(&ui, receiver, reason);
    });
    Ok(Arc::new(AlertDispatcher::new(
        receivers,
        DeliveryPolicy::default(),
        &listener,
    )))
}

/// Waits for the last alerts and prints the statistics of their delivery. Returns the exit code of the run: alerts that were
/// not delivered are a failure.
pub(super) async fn finish(
    ui: Ui,
    alerts: Arc<AlertDispatcher>,
    result: Result<Exit>,
) -> Result<Exit> {
    let Some(alerts) = Arc::into_inner(alerts) else {
        return result;
    };
    let exit = result.as_ref().ok().copied();
    let timeout = if exit == Some(Exit::Interrupted) {
        INTERRUPT_TIMEOUT
    } else {
        SHUTDOWN_TIMEOUT
    };
    let stats = alerts.finish(timeout).await;
    render::record::print_alert_stats(&ui, &stats);
    let lost: u64 = stats.iter().map(|stats| stats.failed + stats.dropped).sum();
    match exit {
        Some(Exit::Success | Exit::Negative) if lost > 0 => Err(Error::failed(
            "deliver all alerts",
            format!("{lost} alerts were not delivered"),
        )),
        _ => result,
    }
}
