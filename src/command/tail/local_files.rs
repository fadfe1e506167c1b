//! Prints the events in local files. Makes no AWS calls, so it needs no credentials.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::printer::{RecordPrinter, counted};
use super::{alerts, filters};
use crate::cli;
use crate::cloudtrail::log_file::LogFileError;
use crate::command::{CommandOutcome, Context};
use crate::error::{Error, Exit, Result};
use crate::render::record::{ColumnLayout, EventColumn};
use crate::render::{self, Ui};
use crate::tail::account_names::{AccountNames, SharedAccountNames};
use crate::tail::arrival::StatsUnit;
use crate::tail::formatter::RecordFormatter;
use crate::tail::source::local_files::{LocalPath, STANDARD_INPUT, find_log_files};
use crate::tail::worker_pool::{LocalInput, WorkerMessage, WorkerPool};

/// Interval at which cancellation is checked while a worker sends nothing.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn run(context: &Context, args: cli::TailArgs) -> Result<CommandOutcome> {
    if context.global.region.is_some() {
        return Err(Error::usage("--region cannot be used with FILE")
            .with_reason("--region selects where AWS is called, and local files need no calls")
            .with_hint("use --event-region REGION to filter events by region"));
    }
    let paths = find_log_files(&args.files).map_err(|(path, reason)| {
        Error::usage(format!("cannot read {}", path.display())).with_reason(reason)
    })?;
    let severities = filters::load_severities(context, &args.select).await?;
    let alerts = alerts::start(context.ui, &args.alerts)?;
    let formatter = RecordFormatter {
        filter: filters::build_filter(&args.select, &severities)?,
        alert_severities: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
        format: render::record::record_formatter(
            context.ui,
            severities,
            SharedAccountNames::default(),
            args.columns.clone(),
        ),
        separates_dates: render::record::separates_dates(&context.ui, &args.columns),
    };
    let reader = LocalFileReader {
        ui: context.ui,
        printer: RecordPrinter::new(context.ui, &args, Arc::clone(&alerts)),
        columns: args.columns.clone(),
        cancelled: Arc::default(),
    };
    let (cancelled, cancellation) = (
        Arc::clone(&reader.cancelled),
        context.interrupt.cancellation(),
    );
    let mut work = tokio::task::spawn_blocking(move || {
        reader.read_all(&paths, formatter, args.max_object_size)
    });
    let exit = tokio::select! {
        exit = &mut work => exit,
        () = cancellation.cancelled() => {
            cancelled.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let exit = exit.unwrap_or_else(|error| Err(Error::failed("read files", error.to_string())));
    let exit = alerts::finish(context.ui, alerts, exit).await;
    exit.map(CommandOutcome::exit)
}

/// Prints the records that the worker threads read.
struct LocalFileReader {
    ui: Ui,
    printer: RecordPrinter,
    columns: Vec<EventColumn>,
    /// Set when Ctrl-C is pressed.
    cancelled: Arc<AtomicBool>,
}

impl LocalFileReader {
    fn read_all(
        mut self,
        paths: &[LocalPath],
        formatter: RecordFormatter,
        max_file_bytes: u64,
    ) -> Result<Exit> {
        let inputs = self.readable_inputs(paths);
        let columns = ColumnLayout::new(&self.ui, &AccountNames::new(), &self.columns);
        let flow = if render::record::print_heading(&self.ui, &columns) {
            let inputs: Arc<[LocalInput]> = inputs.into();
            let pool = WorkerPool::spawn(&inputs, &Arc::new(formatter), max_file_bytes)
                .map_err(|reason| Error::failed("read files", reason.to_string()))?;
            inputs
                .iter()
                .enumerate()
                .try_for_each(|(file, input)| self.print_input(&pool, file, input))
        } else {
            ControlFlow::Break(())
        };
        self.printer.print_stats();
        self.exit_code(flow)
    }

    /// Returns the inputs to read, and reports all others.
    fn readable_inputs(&mut self, paths: &[LocalPath]) -> Vec<LocalInput> {
        let mut inputs = Vec::new();
        for path in paths {
            match path {
                LocalPath::File(path) => inputs.push(LocalInput::File(path.clone())),
                LocalPath::Stream(path) => inputs.push(LocalInput::Stream(path.clone())),
                LocalPath::Skipped(reason, path) => {
                    self.printer.count_skipped(
                        StatsUnit::Object,
                        reason.description(),
                        &display_name(path),
                    );
                }
                LocalPath::Unreadable(path, reason) => {
                    self.printer.count_failed(
                        Some(StatsUnit::Object),
                        &format!("cannot read {}", display_name(path)),
                        reason,
                        None,
                    );
                }
            }
        }
        inputs
    }

    fn print_input(
        &mut self,
        pool: &WorkerPool,
        file: usize,
        input: &LocalInput,
    ) -> ControlFlow<()> {
        let (LocalInput::File(path) | LocalInput::Stream(path)) = input;
        let name = display_name(path);
        loop {
            if self.cancelled.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            self.printer.print_stats_if_due();
            match pool.recv_timeout(file, POLL_INTERVAL) {
                None => {}
                Some(WorkerMessage::Batch(batch)) => self.printer.print_batch(&batch, &name)?,
                Some(WorkerMessage::Finished(Ok(()))) => {
                    self.printer.count_read(StatsUnit::Object);
                    return ControlFlow::Continue(());
                }
                Some(WorkerMessage::Finished(Err(reason))) => {
                    let hint = unpack_hint(&reason, path);
                    let reason = reason.to_string();
                    let problem = format!("cannot read {name}");
                    self.printer.count_failed(
                        Some(StatsUnit::Object),
                        &problem,
                        &reason,
                        hint.as_deref(),
                    );
                    return ControlFlow::Continue(());
                }
            }
        }
    }

    /// # Errors
    /// If a file or a record could not be read.
    fn exit_code(&self, flow: ControlFlow<()>) -> Result<Exit> {
        let stats = &self.printer.stats;
        if self.cancelled.load(Ordering::Relaxed) {
            Ok(Exit::Interrupted)
        } else if stats.has_failures() {
            Err(unreadable_error(
                stats.objects.failed,
                stats.records.unreadable,
            ))
        } else if flow.is_continue() && stats.records.shown == 0 {
            Ok(Exit::Negative)
        } else {
            Ok(Exit::Success)
        }
    }
}

/// A hint with the command that unpacks the file.
fn unpack_hint(reason: &LogFileError, path: &Path) -> Option<String> {
    let LogFileError::Packed(format) = reason else {
        return None;
    };
    let Some(command) = format.unpack_command() else {
        return Some("convert it to JSON first".to_owned());
    };
    if path.as_os_str() == STANDARD_INPUT {
        return Some(format!("pipe it through `{command}` first"));
    }
    let name = path.display().to_string();
    let file = shlex::try_quote(&name).unwrap_or_default();
    Some(format!(
        "unpack it first: `{command} {file} | heeler-ec tail -`"
    ))
}

/// Creates the error for files and records that could not be read; each was reported before.
fn unreadable_error(files: u64, records: u64) -> Error {
    let counts = counted([(files, "file"), (records, "record")]);
    let reason = format!("{counts} could not be read");
    Error::failed("read all events", reason)
}

fn display_name(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
