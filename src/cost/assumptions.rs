//! The assumptions of an estimate that no option differs in, as sentences. Pure.

use super::period::MeasuredPeriod;
use super::prices::PriceTable;
use super::usage::{FigureSource, Measurements, MonthlyUsage, UsageFigure};
use super::{DAYS_PER_MONTH, LogFileVolume};

/// Returns the assumptions that do not depend on the option.
#[must_use]
pub fn general_assumptions(
    usage: &MonthlyUsage,
    measured: &Measurements,
    period: MeasuredPeriod,
    prices: &PriceTable,
) -> Vec<String> {
    let mut all = Vec::new();
    if let Some((oldest, newest)) = prices.dates() {
        all.push(format!(
            "Prices are list prices of {}, dated {oldest} to {newest}, without free tiers and discounts. Other regions can cost more.",
            prices.region
        ));
    }
    let has_source = |source| {
        let figures = UsageFigure::ALL
            .iter()
            .filter_map(|figure| usage.get(*figure));
        figures.into_iter().any(|figure| figure.source == source)
    };
    if let Some(volume) = &measured.log_files
        && has_source(FigureSource::LogFiles)
    {
        push_log_files(&mut all, volume, period);
    }
    if has_source(FigureSource::LogGroupMetrics) || usage.has_measured_ingestion() {
        all.push(
            "Each day of a month is like the average of the last seven days in the log group."
                .to_owned(),
        );
    }
    if has_source(FigureSource::LogGroupEvents) {
        all.push("All events are like those of the last hour in the log group.".to_owned());
    }
    match measured.has_encrypted_log_files {
        Some(true) => {}
        Some(false) => all.push(
            "The trail has no KMS key, and the bucket encrypts log files with none by default."
                .to_owned(),
        ),
        None => all.push("The log files are not encrypted with a KMS key.".to_owned()),
    }
    all
}

fn push_log_files(all: &mut Vec<String>, volume: &LogFileVolume, period: MeasuredPeriod) {
    all.push(format!(
        "Each of the {DAYS_PER_MONTH:.1} days of a month is like the 24 hours that were measured."
    ));
    if period.is_mostly_weekend() {
        all.push(
            "These hours are on a weekend. To measure a working day, add --day YYYY-MM-DD."
                .to_owned(),
        );
    }
    if volume
        .first_file
        .is_some_and(|first| period.starts_late(first))
    {
        all.push(
            "The first hours have no log files. If the trail is new, the real volume is higher."
                .to_owned(),
        );
    }
    if volume.listed_accounts < volume.accounts {
        let listed = format!(
            "The accounts that were not listed are like the {} that were",
            volume.listed_accounts
        );
        all.push(match volume.uncertainty {
            Some(uncertainty) => format!(
                "{listed}, within {:.0} % (95 % confidence).",
                (uncertainty * 100.0).max(1.0)
            ),
            None => format!("{listed}."),
        });
    }
    if volume.events.files > 0 && volume.events.files < volume.listed_files {
        all.push("All log files are like those that were read.".to_owned());
    }
}
