//! What is shown, once, and counted.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::alert::{Alert, Alerts};
use crate::cli;
use crate::render::{self, Ui};
use crate::tail::Unit;
use crate::tail::press::{Batch, Item};
use crate::tail::seen::Seen;
use crate::tail::tally::{Tally, Units};

/// How often the sums are told.
const INTERVAL: Duration = Duration::from_secs(30);

/// So many unreadable records are told one by one; more would bury the answer.
const TOLD: u64 = 5;

/// What was shown so far, and what became of everything else.
pub(super) struct Show {
    ui: Ui,
    pub tally: Tally,
    seen: Seen,
    alerts: Arc<Alerts>,
    limit: Option<u64>,
    next_sums: Option<Instant>,
}

impl Show {
    pub fn new(ui: Ui, args: &cli::Tail, alerts: Arc<Alerts>) -> Self {
        Self {
            ui,
            tally: Tally::default(),
            seen: Seen::default(),
            alerts,
            limit: args.limit,
            next_sums: args.stats.then(|| Instant::now() + INTERVAL),
        }
    }

    /// Shows what is new of a batch, as far as wanted. Breaks off when there is enough, or nobody reads any more.
    pub fn batch(&mut self, batch: &Batch, from: &str) -> ControlFlow<()> {
        let mut ready = 0..0;
        for item in &batch.items {
            self.tally.records.taken += 1;
            let (key, place, alert) = match item {
                Item::Wanted { key, place, alert } => (key, place, alert),
                Item::Filtered => {
                    self.tally.records.filtered += 1;
                    continue;
                }
                Item::Unreadable(start) => {
                    self.unreadable(from, start);
                    continue;
                }
            };
            if key.is_some_and(|key| !self.seen.is_new(key)) {
                self.tally.records.duplicate += 1;
                continue;
            }
            self.tally.records.shown += 1;
            if let Some(alert) = alert {
                self.alerts.tell(Alert::clone(alert));
            }
            // What stands side by side is printed at once.
            if place.start == ready.end {
                ready.end = place.end;
            } else {
                self.print(batch, ready)?;
                ready = place.clone();
            }
            if self.is_enough() {
                self.print(batch, ready)?;
                return ControlFlow::Break(());
            }
        }
        self.print(batch, ready)
    }

    fn print(&self, batch: &Batch, part: std::ops::Range<usize>) -> ControlFlow<()> {
        if render::record::records(&self.ui, batch, part) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    fn is_enough(&self) -> bool {
        self.limit
            .is_some_and(|limit| self.tally.records.shown >= limit)
    }

    fn unreadable(&mut self, from: &str, start: &str) {
        self.tally.records.unreadable += 1;
        let count = self.tally.records.unreadable;
        if count <= TOLD || self.ui.is_verbose() {
            let why = format!("it is no JSON object: {start}");
            render::record::trouble(&self.ui, &format!("a record of {from}"), &why, None);
        } else if count == TOLD + 1 {
            self.ui
                .alert("Further records of this kind are counted; --verbose tells each.");
        }
    }

    pub fn read(&mut self, unit: Unit) {
        let units = self.units(unit);
        units.taken += 1;
        units.read += 1;
    }

    pub fn skipped(&mut self, unit: Unit, why: &'static str, what: &str) {
        let units = self.units(unit);
        units.taken += 1;
        units.skip(why);
        if self.ui.is_verbose() {
            render::record::skipped(&self.ui, why, what);
        }
    }

    pub fn failed(&mut self, unit: Option<Unit>, what: &str, why: &str, hint: Option<&str>) {
        if let Some(unit) = unit {
            let units = self.units(unit);
            units.taken += 1;
            units.failed += 1;
        }
        render::record::trouble(&self.ui, what, why, hint);
    }

    pub fn left_out(&mut self) {
        self.tally.records.taken += 1;
        self.tally.records.filtered += 1;
    }

    fn units(&mut self, unit: Unit) -> &mut Units {
        match unit {
            Unit::Message => &mut self.tally.messages,
            Unit::Object => &mut self.tally.objects,
        }
    }

    /// Tells the sums when it is time to.
    pub fn sums_in_time(&mut self) {
        if let Some(next) = &mut self.next_sums
            && Instant::now() >= *next
        {
            *next = Instant::now() + INTERVAL;
            self.sums();
            render::record::told(&self.ui, &self.alerts.told());
        }
    }

    pub fn sums(&self) {
        render::record::sums(&self.ui, &self.tally);
    }
}
