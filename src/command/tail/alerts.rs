//! Who is told of grave events, as the operator says, and for how long anybody waits for it.

use std::sync::Arc;
use std::time::Duration;

use crate::alert::{Alerts, Command, Form, Listener, Manner, Receiver, Webhook};
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::pipeline::input;
use crate::render::{self, Ui};
use crate::web::Poster;

/// How long the last alerts may take when all is read, and when the operator wants to leave.
const GRACE: Duration = Duration::from_secs(30);
const SHORT_GRACE: Duration = Duration::from_secs(3);

pub(super) fn alerts(ui: Ui, args: &cli::Alerts) -> Result<Arc<Alerts>> {
    let mut receivers = Vec::new();
    if let Some(line) = &args.exec {
        receivers.push(Receiver::Command(Command(line.clone())));
    }
    if let Some(url) = &args.webhook {
        // The address may be a secret, and an error of the command line would show it.
        input::endpoint(url).map_err(|why| Error::usage("use the address of --webhook", why))?;
        let form = match args.webhook_format {
            cli::WebhookFormat::Json => Form::Json,
            cli::WebhookFormat::Slack => Form::Slack,
        };
        receivers.push(Receiver::Webhook(Webhook::new(
            url.clone(),
            form,
            Poster::new()?,
        )));
    }
    let listener: Listener = Arc::new(move |who, why| render::record::untold(&ui, who, why));
    Ok(Arc::new(Alerts::new(
        receivers,
        Manner::default(),
        &listener,
    )))
}

/// Waits for the last of them, and tells what became of all.
pub(super) async fn end(ui: Ui, alerts: Arc<Alerts>, exit: Option<Exit>) {
    let Some(alerts) = Arc::into_inner(alerts) else {
        return;
    };
    let grace = if exit == Some(Exit::Interrupted) {
        SHORT_GRACE
    } else {
        GRACE
    };
    let told = alerts.end(grace).await;
    render::record::told(&ui, &told);
}
