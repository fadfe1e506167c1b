//! Prints each record once, submits its alert, and counts everything.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alert::{Alert, AlertDispatcher};
use crate::cli;
use crate::error::Error;
use crate::render::notices::tail::TailNotice;
use crate::render::{self, Ui};
use crate::tail::arrival::StatsUnit;
use crate::tail::dedup::RecentIds;
use crate::tail::formatter::{BatchItem, RecordBatch};
use crate::tail::stats::{Stats, UnitCounts};

/// Interval between statistics with `--stats`.
const STATS_INTERVAL: Duration = Duration::from_secs(30);

/// Number of unreadable records that are reported individually.
const MAX_REPORTED_RECORDS: u64 = 5;

/// A printer of records with its statistics.
pub(super) struct RecordPrinter {
    ui: Ui,
    pub stats: Stats,
    recent_ids: RecentIds,
    alerts: Arc<AlertDispatcher>,
    limit: Option<u64>,
    next_stats: Option<Instant>,
    /// The date that was printed last.
    last_date: Option<String>,
    /// The last message or object that could not be read.
    last_failure: Option<Failure>,
    /// The failure of downloads that are repeated; `None` if the last download succeeded.
    outage: Option<Failure>,
}

/// A failure to read a message or an object.
struct Failure {
    problem: String,
    cause: String,
    hint: Option<String>,
}

impl RecordPrinter {
    pub fn new(ui: Ui, args: &cli::TailArgs, alerts: Arc<AlertDispatcher>) -> Self {
        Self {
            ui,
            stats: Stats::default(),
            recent_ids: RecentIds::default(),
            alerts,
            limit: args.limit,
            next_stats: args.stats.then(|| Instant::now() + STATS_INTERVAL),
            last_date: None,
            last_failure: None,
            outage: None,
        }
    }

    /// Prints the new records of a batch. Breaks if the limit is reached or standard output is closed.
    pub fn print_batch(&mut self, batch: &RecordBatch, source_name: &str) -> ControlFlow<()> {
        let mut pending = 0..0;
        for item in &batch.items {
            self.stats.records.received += 1;
            let (key, range, alert, date) = match item {
                BatchItem::Matched {
                    key,
                    range,
                    alert,
                    date,
                } => (key, range, alert, date),
                BatchItem::Filtered => {
                    self.stats.records.filtered += 1;
                    continue;
                }
                BatchItem::Unreadable(preview) => {
                    self.count_unreadable(source_name, preview);
                    continue;
                }
            };
            if key.is_some_and(|key| !self.recent_ids.insert(key)) {
                self.stats.records.duplicate += 1;
                continue;
            }
            self.stats.records.shown += 1;
            if let Some(alert) = alert {
                self.alerts.submit(Alert::clone(alert));
            }
            if let Some(date) = date
                && self.last_date.as_ref() != Some(date)
            {
                self.print_range(batch, pending)?;
                pending = range.start..range.start;
                if !render::record::print_date(&self.ui, date) {
                    return ControlFlow::Break(());
                }
                self.last_date = Some(date.clone());
            }
            // Adjacent ranges are printed with one write.
            if range.start == pending.end {
                pending.end = range.end;
            } else {
                self.print_range(batch, pending)?;
                pending = range.clone();
            }
            if self.limit_reached() {
                self.print_range(batch, pending)?;
                return ControlFlow::Break(());
            }
        }
        self.print_range(batch, pending)
    }

    fn print_range(&self, batch: &RecordBatch, range: std::ops::Range<usize>) -> ControlFlow<()> {
        if render::record::print_records(&self.ui, batch, range) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn limit_reached(&self) -> bool {
        self.limit
            .is_some_and(|limit| self.stats.records.shown >= limit)
    }

    fn count_unreadable(&mut self, source_name: &str, preview: &str) {
        self.stats.records.unreadable += 1;
        let count = self.stats.records.unreadable;
        if count <= MAX_REPORTED_RECORDS || self.ui.is_verbose() {
            let cause = format!("it is not a JSON object: {preview}");
            render::record::warn_failed(
                &self.ui,
                &format!("cannot read a record of {source_name}"),
                &cause,
                None,
            );
        } else if count == MAX_REPORTED_RECORDS + 1 {
            self.ui.notify(&TailNotice::FurtherRecordsCounted);
        }
    }

    pub fn count_read(&mut self, unit: StatsUnit) {
        if unit == StatsUnit::Object {
            self.outage = None;
        }
        let units = self.counts_of(unit);
        units.received += 1;
        units.read += 1;
    }

    pub fn count_skipped(&mut self, unit: StatsUnit, reason: &'static str, name: &str) {
        let units = self.counts_of(unit);
        units.received += 1;
        units.add_skipped(reason);
        if self.ui.is_verbose() {
            render::record::print_skipped(&self.ui, name, reason);
        }
    }

    pub fn count_failed(
        &mut self,
        unit: Option<StatsUnit>,
        problem: &str,
        cause: &str,
        hint: Option<&str>,
    ) {
        if let Some(unit) = unit {
            let units = self.counts_of(unit);
            units.received += 1;
            units.failed += 1;
        }
        if unit.is_some() {
            self.last_failure = Some(Failure {
                problem: problem.to_owned(),
                cause: cause.to_owned(),
                hint: hint.map(str::to_owned),
            });
        }
        render::record::warn_failed(&self.ui, problem, cause, hint);
    }

    /// Warns of a download that is repeated.
    pub fn report_repeated(&mut self, error: &Error) {
        let (problem, cause) = (error.headline(), error.cause());
        let hint = "the download is repeated until it succeeds or --give-up-after has passed";
        render::record::warn_failed(
            &self.ui,
            &format!("{problem} at the moment"),
            &cause,
            Some(hint),
        );
        self.outage = Some(Failure {
            problem,
            cause,
            hint: error.hint().map(ToString::to_string),
        });
    }

    /// Returns the error of a run in which messages or objects could not be read; `None` if all were read.
    pub fn read_error(&self) -> Option<Error> {
        let failure = self.outage.as_ref().or(self.last_failure.as_ref())?;
        let counts = [
            (self.stats.messages.failed, "message"),
            (self.stats.objects.failed, "object"),
        ];
        let last = format!("{}: {}", failure.problem, failure.cause);
        let reason = match counted(counts) {
            count if count.is_empty() => last,
            count => format!("{count} could not be read; the last failure: {last}"),
        };
        let error = Error::failed("read all events", reason);
        Some(match &failure.hint {
            Some(hint) => error.with_hint(hint.as_str()),
            None => error,
        })
    }

    pub fn count_filtered(&mut self) {
        self.stats.records.received += 1;
        self.stats.records.filtered += 1;
    }

    fn counts_of(&mut self, unit: StatsUnit) -> &mut UnitCounts {
        match unit {
            StatsUnit::Message => &mut self.stats.messages,
            StatsUnit::Object => &mut self.stats.objects,
        }
    }

    /// Prints the statistics if the interval has passed.
    pub fn print_stats_if_due(&mut self) {
        if let Some(next) = &mut self.next_stats
            && Instant::now() >= *next
        {
            *next = Instant::now() + STATS_INTERVAL;
            self.print_stats();
            render::record::print_alert_stats(&self.ui, &self.alerts.stats());
        }
    }

    pub fn print_stats(&self) {
        render::record::print_stats(&self.ui, &self.stats);
    }
}

/// Counts that are not zero, such as `2 files and 1 record`.
pub(super) fn counted<const N: usize>(counts: [(u64, &str); N]) -> String {
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    parts.join(" and ")
}
