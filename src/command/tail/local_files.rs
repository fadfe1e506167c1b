//! Events that lie on this machine. Nothing is called, so no credentials are needed.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::printer::RecordPrinter;
use super::{alerts, filters};
use crate::cli;
use crate::command::Context;
use crate::error::{Error, Exit, Result};
use crate::render::{self, Ui};
use crate::tail::account_names::AccountNames;
use crate::tail::arrival::StatsUnit;
use crate::tail::formatter::RecordFormatter;
use crate::tail::source::local_files::{LocalPath, STANDARD_INPUT, find_log_files};
use crate::tail::worker_pool::{LocalInput, WorkerMessage, WorkerPool};

/// How long a reader may be silent before somebody looks whether to go on.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

pub(super) async fn run(world: &Context, args: cli::TailArgs) -> Result<Exit> {
    if world.global.region.is_some() {
        return Err(Error::usage("--region cannot be used with FILE")
            .with_reason("--region selects where AWS is called, and local files need no calls")
            .with_hint("use --event-region REGION to filter events by region"));
    }
    let found = find_log_files(&args.files).map_err(|(path, why)| {
        Error::usage(format!("cannot read {}", path.display())).with_reason(why)
    })?;
    let severities = filters::load_severities(&args.select)?;
    let alerts = alerts::start(world.ui, &args.alerts)?;
    let press = RecordFormatter {
        filter: filters::build_filter(&args.select, &severities)?,
        alert_severities: (!alerts.is_empty()).then(|| Arc::clone(&severities)),
        format: render::record::record_formatter(world.ui, severities, AccountNames::new()),
    };
    let reading = LocalFileReader {
        ui: world.ui,
        printer: RecordPrinter::new(world.ui, &args, Arc::clone(&alerts)),
        cancelled: Arc::default(),
    };
    let (stopped, cancellation) = (
        Arc::clone(&reading.cancelled),
        world.interrupt.cancellation(),
    );
    let mut work =
        tokio::task::spawn_blocking(move || reading.read_all(&found, press, args.max_object_size));
    let ended = tokio::select! {
        ended = &mut work => ended,
        () = cancellation.cancelled() => {
            stopped.store(true, Ordering::Relaxed);
            work.await
        }
    };
    let ended = ended.unwrap_or_else(|why| Err(Error::failed("read files", why.to_string())));
    alerts::finish(world.ui, alerts, ended.as_ref().ok().copied()).await;
    ended
}

struct LocalFileReader {
    ui: Ui,
    printer: RecordPrinter,
    /// Set when the operator wants no more.
    cancelled: Arc<AtomicBool>,
}

impl LocalFileReader {
    fn read_all(
        mut self,
        found: &[LocalPath],
        press: RecordFormatter,
        largest: u64,
    ) -> Result<Exit> {
        let places = self.readable_inputs(found);
        let go_on = if render::record::print_heading(&self.ui) {
            let places: Arc<[LocalInput]> = places.into();
            let crew = WorkerPool::spawn(&places, &Arc::new(press), largest)
                .map_err(|why| Error::failed("read files", why.to_string()))?;
            places
                .iter()
                .enumerate()
                .try_for_each(|(number, place)| self.print_input(&crew, number, place))
        } else {
            ControlFlow::Break(())
        };
        self.printer.print_stats();
        Ok(self.exit_code(go_on))
    }

    /// Wrong names are no objects, and told at once.
    fn readable_inputs(&mut self, found: &[LocalPath]) -> Vec<LocalInput> {
        let mut places = Vec::new();
        for found in found {
            match found {
                LocalPath::File(path) => places.push(LocalInput::File(path.clone())),
                LocalPath::Stream(path) => places.push(LocalInput::Stream(path.clone())),
                LocalPath::Skipped(skip, path) => {
                    self.printer.count_skipped(
                        StatsUnit::Object,
                        skip.description(),
                        &display_name(path),
                    );
                }
                LocalPath::Unreadable(path, why) => {
                    self.printer.count_failed(
                        Some(StatsUnit::Object),
                        &format!("cannot read {}", display_name(path)),
                        why,
                        None,
                    );
                }
            }
        }
        places
    }

    fn print_input(
        &mut self,
        crew: &WorkerPool,
        number: usize,
        place: &LocalInput,
    ) -> ControlFlow<()> {
        let (LocalInput::File(path) | LocalInput::Stream(path)) = place;
        let name = display_name(path);
        loop {
            if self.cancelled.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            self.printer.print_stats_if_due();
            match crew.recv_timeout(number, POLL_INTERVAL) {
                None => {}
                Some(WorkerMessage::Batch(batch)) => self.printer.print_batch(&batch, &name)?,
                Some(WorkerMessage::Finished(Ok(()))) => {
                    self.printer.count_read(StatsUnit::Object);
                    return ControlFlow::Continue(());
                }
                Some(WorkerMessage::Finished(Err(why))) => {
                    let why = why.to_string();
                    let problem = format!("cannot read {name}");
                    self.printer
                        .count_failed(Some(StatsUnit::Object), &problem, &why, None);
                    return ControlFlow::Continue(());
                }
            }
        }
    }

    fn exit_code(&self, go_on: ControlFlow<()>) -> Exit {
        if self.cancelled.load(Ordering::Relaxed) {
            Exit::Interrupted
        } else if self.printer.stats.has_failures() {
            Exit::Failed
        } else if go_on.is_continue() && self.printer.stats.records.shown == 0 {
            Exit::Negative
        } else {
            Exit::Success
        }
    }
}

fn display_name(path: &Path) -> String {
    if path.as_os_str() == STANDARD_INPUT {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}
