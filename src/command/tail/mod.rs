//! `tail`: prints events as they arrive, or the events in local files.

mod alerts;
mod filters;
mod idle_timeout;
mod live;
mod local_files;
mod output_thread;
mod printer;
mod read_loop;
mod source_selection;
mod source_stream;
mod target;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::existing_deployment::require_deployment;
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::cli;
use crate::error::{Error, Result};
use crate::render::status_line::{StatusLine, tail_status};
use crate::render::{self, OutputFormat, Ui};
use crate::tail::account_names::{self, AccountNames, SharedAccountNames};
use crate::tail::formatter::RecordFormatter;
use live::LiveTail;
use output_thread::OutputThread;
use printer::RecordPrinter;
use source_selection::select_source;
use target::TailTarget;
pub(super) use target::subscription_target;

pub(super) async fn run(context: &Context, args: cli::TailArgs) -> Result<CommandOutcome> {
    if !args.columns.is_empty() && context.ui.format() != OutputFormat::Text {
        return Err(Error::usage("--columns applies only to --output table"));
    }
    if !args.files.is_empty() {
        return local_files::run(context, args).await;
    }
    let severities = filters::load_severities(context, &args.select).await?;
    let filter = filters::build_filter(&args.select, &severities)?;
    let alerts = alerts::start(context.ui, &args.alerts)?;
    let (aws, caller, deployment) = context.cancellable(require_deployment(context)).await?;
    let target = TailTarget::from_deployment(&caller, context.names(), &deployment)?;
    let source = select_source(args.source.map(Into::into), &target.sources, &target.option)?;
    let names = SharedAccountNames::default();
    let formatter = RecordFormatter {
        filter,
        alert_severities: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
        format: render::record::record_formatter(
            context.ui,
            severities,
            Arc::clone(&names),
            args.columns.clone(),
        ),
        separates_dates: render::record::separates_dates(&context.ui, &args.columns),
    };
    let printer = RecordPrinter::new(context.ui, &args, Arc::clone(&alerts));
    let live = LiveTail {
        context,
        args: &args,
        target: &target,
        names,
        output: OutputThread::spawn(formatter, printer, args.max_object_size)?,
    };
    let stopped = tokio::select! {
        stopped = live.run(&aws, source) => stopped,
        never = show_status(context.ui, &live.output) => match never {},
    };
    let exit = live.finish(stopped, source).await;
    let exit = alerts::finish(context.ui, alerts, exit).await;
    exit.map(CommandOutcome::exit)
}

/// Shows the time since the start and since the last delivery at the end of the terminal.
async fn show_status(ui: Ui, output: &OutputThread) -> Infallible {
    const INTERVAL: Duration = Duration::from_secs(1);
    let started = Instant::now();
    let line = StatusLine::start(ui);
    loop {
        let since_last = output.last_record().map(|last| last.elapsed());
        line.set_text(&tail_status(started.elapsed(), since_last));
        sleep(INTERVAL).await;
    }
}

/// Reads the account names for the table. If that fails, the table shows account IDs.
async fn account_names(context: &Context, aws: &Aws) -> AccountNames {
    if context.ui.format() != OutputFormat::Text {
        return AccountNames::new();
    }
    account_names::fetch_account_names(aws)
        .await
        .unwrap_or_else(|error| {
            if context.ui.is_verbose() {
                context.ui.error(&error);
            }
            AccountNames::new()
        })
}
