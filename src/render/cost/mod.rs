//! The cost of the options as tables and as JSON.

mod amount;
mod json;
mod table;

use super::document::Document;
use super::{OutputFormat, Ui};
use crate::cost::{
    MeasuredPeriod, Measurements, MeasuringCalls, MonthlyUsage, OptionCost, PriceTable,
};
use crate::error::Error;
use crate::inventory::facts::Trail;

/// The result of `cost`.
#[derive(Clone, Copy, Debug)]
pub struct CostReport<'a> {
    /// `None` if the operator gave all values.
    pub trail: Option<&'a MeasuredTrail>,
    /// `None` if nothing was measured.
    pub period: Option<MeasuredPeriod>,
    pub prices: &'a PriceTable,
    pub usage: &'a MonthlyUsage,
    pub measured: &'a Measurements,
    /// The options in the order of recommendation.
    pub options: &'a [OptionCost],
    pub assumptions: &'a [String],
    pub unread: &'a [UnreadSource],
    pub calls: MeasuringCalls,
}

/// The names of the trail that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasuredTrail {
    pub name: String,
    pub arn: String,
    pub bucket: String,
    /// The ARN of the log group.
    pub log_group: Option<String>,
}

impl From<&Trail> for MeasuredTrail {
    fn from(trail: &Trail) -> Self {
        Self {
            name: trail.name.clone(),
            arn: trail.arn.clone(),
            bucket: trail.bucket.clone(),
            log_group: trail.log_group.clone(),
        }
    }
}

/// A place that could not be measured.
#[derive(Clone, Debug)]
pub struct UnreadSource {
    /// Such as `bucket org-trail-logs`.
    pub place: String,
    pub error: Error,
}

impl UnreadSource {
    /// Returns the reason in one sentence.
    fn reason(&self) -> String {
        match self.error.failed_operation() {
            Some(_) => self.error.cause(),
            None => self.error.headline(),
        }
    }
}

impl CostReport<'_> {
    /// Returns the assumptions that all options share, and then those of the options, each once.
    fn all_assumptions(&self) -> impl Iterator<Item = &String> {
        let options = self.options.iter();
        let of_options = options.flat_map(|option| option.estimate.iter());
        let of_options = of_options.flat_map(|estimate| &estimate.assumptions);
        let mut known = std::collections::HashSet::new();
        let all = self.assumptions.iter().chain(of_options);
        all.filter(move |text| known.insert(text.as_str()))
    }
}

/// Returns the cost as the result.
#[must_use]
pub fn cost_document(ui: &Ui, report: &CostReport<'_>) -> Document {
    match ui.format() {
        OutputFormat::Json => Document::Json(json::cost_json(report)),
        OutputFormat::Text | OutputFormat::Csv => Document::Text(table::cost_text(*ui, report)),
    }
}
