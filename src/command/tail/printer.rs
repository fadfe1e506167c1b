//! What is shown, once, and counted.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alert::{Alert, AlertDispatcher};
use crate::cli;
use crate::render::{self, Ui};
use crate::tail::arrival::StatsUnit;
use crate::tail::dedup::RecentIds;
use crate::tail::formatter::{BatchItem, RecordBatch};
use crate::tail::stats::{Stats, UnitCounts};

/// How often the sums are told.
const STATS_INTERVAL: Duration = Duration::from_secs(30);

/// So many unreadable records are told one by one; more would bury the answer.
const MAX_REPORTED_RECORDS: u64 = 5;

/// What was shown so far, and what became of everything else.
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

    /// Shows what is new of a batch, as far as wanted. Breaks off when there is enough, or nobody reads any more.
    pub fn print_batch(&mut self, batch: &RecordBatch, from: &str) -> ControlFlow<()> {
        let mut ready = 0..0;
        for item in &batch.items {
            self.stats.records.received += 1;
            let (key, place, alert) = match item {
                BatchItem::Matched {
                    key,
                    range: place,
                    alert,
                } => (key, place, alert),
                BatchItem::Filtered => {
                    self.stats.records.filtered += 1;
                    continue;
                }
                BatchItem::Unreadable(start) => {
                    self.count_unreadable(from, start);
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
            // What stands side by side is printed at once.
            if place.start == ready.end {
                ready.end = place.end;
            } else {
                self.print_range(batch, ready)?;
                ready = place.clone();
            }
            if self.limit_reached() {
                self.print_range(batch, ready)?;
                return ControlFlow::Break(());
            }
        }
        self.print_range(batch, ready)
    }

    fn print_range(&self, batch: &RecordBatch, part: std::ops::Range<usize>) -> ControlFlow<()> {
        if render::record::print_records(&self.ui, batch, part) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn limit_reached(&self) -> bool {
        self.limit
            .is_some_and(|limit| self.stats.records.shown >= limit)
    }

    fn count_unreadable(&mut self, from: &str, start: &str) {
        self.stats.records.unreadable += 1;
        let count = self.stats.records.unreadable;
        if count <= MAX_REPORTED_RECORDS || self.ui.is_verbose() {
            let why = format!("it is no JSON object: {start}");
            render::record::warn_failed(
                &self.ui,
                &format!("cannot read a record of {from}"),
                &why,
                None,
            );
        } else if count == MAX_REPORTED_RECORDS + 1 {
            self.ui
                .warn("Further records of this kind are counted; --verbose tells each.");
        }
    }

    pub fn count_read(&mut self, unit: StatsUnit) {
        let units = self.counts_of(unit);
        units.received += 1;
        units.read += 1;
    }

    pub fn count_skipped(&mut self, unit: StatsUnit, why: &'static str, what: &str) {
        let units = self.counts_of(unit);
        units.received += 1;
        units.add_skipped(why);
        if self.ui.is_verbose() {
            render::record::print_skipped(&self.ui, why, what);
        }
    }

    pub fn count_failed(
        &mut self,
        unit: Option<StatsUnit>,
        what: &str,
        why: &str,
        hint: Option<&str>,
    ) {
        if let Some(unit) = unit {
            let units = self.counts_of(unit);
            units.received += 1;
            units.failed += 1;
        }
        render::record::warn_failed(&self.ui, what, why, hint);
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

    /// Tells the sums when it is time to.
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
