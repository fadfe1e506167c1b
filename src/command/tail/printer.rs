//! Prints each record once, submits its alert, and counts everything.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alert::{Alert, AlertDispatcher};
use crate::cli;
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
        }
    }

    /// Prints the new records of a batch. Breaks if the limit is reached or standard output is closed.
    pub fn print_batch(&mut self, batch: &RecordBatch, source_name: &str) -> ControlFlow<()> {
        let mut pending = 0..0;
        for item in &batch.items {
            self.stats.records.received += 1;
            let (key, range, alert) = match item {
                BatchItem::Matched { key, range, alert } => (key, range, alert),
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
        render::record::warn_failed(&self.ui, problem, cause, hint);
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
