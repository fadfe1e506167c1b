//! Cost: the volume of the trail of an organization, and what AWS charges a month to deliver it. It makes only reading
//! calls.
//!
//! A delivery option turns [`MonthlyUsage`] into [`CostItem`]s, and [`PriceTable`] turns these into amounts.

mod assumptions;
mod estimate;
mod event_sample;
mod file_sample;
mod log_events;
mod log_files;
mod period;
mod prices;
mod usage;

pub use assumptions::general_assumptions;
pub use estimate::{
    CostEstimate, CostItem, MeasuringCalls, OptionCost, data_key_requests, key_month,
    queue_assumptions, queue_requests,
};
pub use event_sample::{EventSample, MAX_DELIVERED_EVENT_BYTES};
pub use log_events::sample_log_events;
pub use log_files::{LogFileLimits, LogFileProgress, LogFileVolume, measure_log_files};
pub use period::MeasuredPeriod;
pub use prices::{Price, PriceId, PriceTable};
pub use usage::{
    ExistingLogGroup, Figure, FigureSource, GivenUsage, Measurements, MonthlyUsage, UsageFigure,
};

/// Days of an average month.
pub const DAYS_PER_MONTH: f64 = 365.25 / 12.0;
/// Bytes of the unit GB in prices.
pub const BYTES_PER_GB: f64 = 1e9;

/// Converts a number of objects or bytes. Numbers above 2^53 are rounded, which no volume reaches.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    reason = "an estimate needs no 53 significant bits"
)]
pub fn to_f64(count: u64) -> f64 {
    count as f64
}
