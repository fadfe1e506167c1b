//! Who is told of grave events, as the operator says, and for how long anybody waits for it.

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

/// How long the last alerts may take when all is read, and when the operator wants to leave.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);
const INTERRUPT_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) fn start(ui: Ui, args: &cli::AlertArgs) -> Result<Arc<AlertDispatcher>> {
    let mut receivers = Vec::new();
    if let Some(line) = &args.exec {
        receivers.push(AlertReceiver::Command(ShellCommand(line.clone())));
    }
    if let Some(url) = &args.webhook {
        // The address may be a secret, and an error of the command line would show it.
        value_parsers::endpoint(url)
            .map_err(|why| Error::usage("use the address of --webhook", why))?;
        let form = match args.webhook_format {
            cli::WebhookFormat::Json => PayloadFormat::Json,
            cli::WebhookFormat::Slack => PayloadFormat::Slack,
        };
        receivers.push(AlertReceiver::Webhook(Webhook::new(
            url.clone(),
            form,
            WebhookClient::new()?,
        )));
    }
    let listener: FailureListener =
        Arc::new(move |who, why| render::record::warn_alert_failed(&ui, who, why));
    Ok(Arc::new(AlertDispatcher::new(
        receivers,
        DeliveryPolicy::default(),
        &listener,
    )))
}

/// Waits for the last of them, and tells what became of all.
pub(super) async fn finish(ui: Ui, alerts: Arc<AlertDispatcher>, exit: Option<Exit>) {
    let Some(alerts) = Arc::into_inner(alerts) else {
        return;
    };
    let grace = if exit == Some(Exit::Interrupted) {
        INTERRUPT_TIMEOUT
    } else {
        SHUTDOWN_TIMEOUT
    };
    let told = alerts.finish(grace).await;
    render::record::print_alert_stats(&ui, &told);
}
