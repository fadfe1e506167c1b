//! The price table: list prices, each with its date. It is embedded, and a file may replace prices.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::value::Datetime;

/// The embedded table.
const BUILT_IN_TABLE: &str = include_str!("prices.toml");

/// The subject of a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceId {
    S3List,
    S3Get,
    SnsPublish,
    SqsStandardRequest,
    SqsFifoRequest,
    KmsKeyMonth,
    KmsRequest,
    LogsIngestedGb,
    LogsStoredGbMonth,
    LambdaRequest,
    LambdaGbSecond,
    EventBusEvent,
    TrailCopyEvent,
    MetricRequest,
}

impl PriceId {
    pub const ALL: [Self; 14] = [
        Self::S3List,
        Self::S3Get,
        Self::SnsPublish,
        Self::SqsStandardRequest,
        Self::SqsFifoRequest,
        Self::KmsKeyMonth,
        Self::KmsRequest,
        Self::LogsIngestedGb,
        Self::LogsStoredGbMonth,
        Self::LambdaRequest,
        Self::LambdaGbSecond,
        Self::EventBusEvent,
        Self::TrailCopyEvent,
        Self::MetricRequest,
    ];

    /// The key in the table and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3List => "s3_list",
            Self::S3Get => "s3_get",
            Self::SnsPublish => "sns_publish",
            Self::SqsStandardRequest => "sqs_standard_request",
            Self::SqsFifoRequest => "sqs_fifo_request",
            Self::KmsKeyMonth => "kms_key_month",
            Self::KmsRequest => "kms_request",
            Self::LogsIngestedGb => "logs_ingested_gb",
            Self::LogsStoredGbMonth => "logs_stored_gb_month",
            Self::LambdaRequest => "lambda_request",
            Self::LambdaGbSecond => "lambda_gb_second",
            Self::EventBusEvent => "event_bus_event",
            Self::TrailCopyEvent => "trail_copy_event",
            Self::MetricRequest => "metric_request",
        }
    }
}

/// The price of a number of units.
#[derive(Clone, Debug, PartialEq)]
pub struct Price {
    /// US dollars for `per` units.
    pub usd: f64,
    pub per: f64,
    pub unit: String,
    /// The date of the source, such as `2024-07-01`.
    pub date: String,
    /// `None` if a file has none.
    pub source: Option<String>,
    /// True if the price is from the file of the operator.
    pub is_replaced: bool,
}

/// All prices.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceTable {
    /// The region of the prices.
    pub region: String,
    prices: BTreeMap<PriceId, Price>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFile {
    region: Option<String>,
    #[serde(default)]
    prices: BTreeMap<String, PriceEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceEntry {
    usd: f64,
    per: f64,
    unit: Option<String>,
    date: Datetime,
    source: Option<String>,
}

impl PriceTable {
    /// Returns the embedded table.
    ///
    /// # Errors
    /// Never for the table of this version; a test holds that.
    pub fn built_in() -> Result<Self, String> {
        let mut table = Self {
            region: String::new(),
            prices: BTreeMap::new(),
        };
        table.replace(BUILT_IN_TABLE, false)?;
        let missing = PriceId::ALL
            .iter()
            .find(|id| !table.prices.contains_key(id));
        missing.map_or(Ok(table), |id| Err(format!("{} is missing", id.as_str())))
    }

    /// Returns the embedded table with the prices of a file. Prices that the file lacks stay.
    ///
    /// # Errors
    /// Describes the line if the text is not a table of known prices.
    pub fn with_file(text: &str) -> Result<Self, String> {
        let mut table = Self::built_in()?;
        table.replace(text, true)?;
        Ok(table)
    }

    fn replace(&mut self, text: &str, is_replaced: bool) -> Result<(), String> {
        let file: PriceFile = toml::from_str(text).map_err(|error| describe(text, &error))?;
        if let Some(region) = file.region {
            self.region = region;
        }
        for (name, entry) in file.prices {
            let id = PriceId::ALL.iter().find(|id| id.as_str() == name);
            let Some(id) = id else {
                let known = PriceId::ALL.map(PriceId::as_str).join(", ");
                return Err(format!("{name} is no known price; the prices are {known}"));
            };
            let price = self.price_of(*id, entry, is_replaced)?;
            self.prices.insert(*id, price);
        }
        Ok(())
    }

    fn price_of(&self, id: PriceId, entry: PriceEntry, is_replaced: bool) -> Result<Price, String> {
        let name = id.as_str();
        if !entry.usd.is_finite() || entry.usd < 0.0 {
            return Err(format!("usd of {name} must not be negative"));
        }
        if !entry.per.is_finite() || entry.per <= 0.0 {
            return Err(format!("per of {name} must be positive"));
        }
        let Some(date) = entry.date.date else {
            return Err(format!("date of {name} must be a date such as 2026-01-31"));
        };
        let known_unit = self.prices.get(&id).map(|known| known.unit.clone());
        // The quantities have the unit of the embedded table.
        let unit = match (known_unit, entry.unit) {
            (Some(known), Some(given)) if known != given => {
                return Err(format!("unit of {name} must be {known:?}"));
            }
            (Some(known), _) => known,
            (None, given) => given.unwrap_or_default(),
        };
        Ok(Price {
            usd: entry.usd,
            per: entry.per,
            unit,
            date: date.to_string(),
            source: entry.source,
            is_replaced,
        })
    }

    /// Returns every price with its ID.
    pub fn prices(&self) -> impl Iterator<Item = (PriceId, &Price)> {
        self.prices.iter().map(|(id, price)| (*id, price))
    }

    /// Returns a price. The embedded table has all of them.
    #[must_use]
    pub fn get(&self, id: PriceId) -> Option<&Price> {
        self.prices.get(&id)
    }

    /// Returns the amount for a number of units, in US dollars.
    #[must_use]
    pub fn amount(&self, id: PriceId, quantity: f64) -> f64 {
        let price = self.prices.get(&id);
        price.map_or(0.0, |price| quantity / price.per * price.usd)
    }

    /// Returns the dates of the oldest and of the newest price.
    #[must_use]
    pub fn dates(&self) -> Option<(&str, &str)> {
        let dates = || self.prices.values().map(|price| price.date.as_str());
        Some((dates().min()?, dates().max()?))
    }
}

fn describe(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    match before {
        Some(before) => format!(
            "line {}: {}",
            before.matches('\n').count() + 1,
            error.message()
        ),
        None => error.message().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn embedded_prices_are_dated_lines() {
        let table = PriceTable::built_in().unwrap();
        assert_eq!(table.region, "us-east-1");
        assert_eq!(table.prices().count(), PriceId::ALL.len());
        for (id, price) in table.prices() {
            assert!(price.usd > 0.0 && !price.unit.is_empty(), "{id:?}");
            assert!(price.source.is_some() && !price.is_replaced, "{id:?}");
        }
        let lines = BUILT_IN_TABLE
            .lines()
            .filter(|line| line.contains("usd = "));
        assert!(lines.clone().all(|line| line.contains(", date = 20")));
        // The first match is in the comment.
        assert_eq!(lines.count(), PriceId::ALL.len());
        assert_eq!(table.dates(), Some(("2024-07-01", "2026-04-01")));
    }

    #[test]
    fn amount_is_proportional_to_quantity() {
        let table = PriceTable::built_in().unwrap();
        assert!(close(table.amount(PriceId::S3Get, 3_000_000.0), 1.2));
        assert!(close(table.amount(PriceId::SnsPublish, 3_000_000.0), 1.5));
        assert!(close(table.amount(PriceId::TrailCopyEvent, 0.0), 0.0));
    }

    #[test]
    fn file_replaces_single_prices() {
        let text = "region = \"eu-central-1\"\n[prices]\n\
                    s3_get = { usd = 0.0005, per = 1000, date = 2026-11-01 }\n";
        let table = PriceTable::with_file(text).unwrap();
        assert_eq!(table.region, "eu-central-1");
        let replaced = table.get(PriceId::S3Get).unwrap();
        assert!(replaced.is_replaced && close(replaced.usd, 0.0005));
        assert_eq!(
            (&*replaced.unit, &*replaced.date),
            ("requests", "2026-11-01")
        );
        assert!(!table.get(PriceId::S3List).unwrap().is_replaced);
    }

    #[test]
    fn invalid_files_name_the_problem() {
        for (text, problem) in [
            ("[prices\n", "line 1: "),
            (
                "[prices]\ns3_gett = { usd = 1, per = 1, date = 2026-11-01 }",
                "s3_gett is no known price",
            ),
            (
                "[prices]\n\ns3_get = { usd = 1, per = 1 }",
                "line 3: missing field `date`",
            ),
            (
                "[prices]\ns3_get = { usd = 1, per = 1, date = 10:00:00 }",
                "must be a date",
            ),
            (
                "[prices]\ns3_get = { usd = -1, per = 1, date = 2026-11-01 }",
                "must not be negative",
            ),
            (
                "[prices]\ns3_get = { usd = nan, per = 1, date = 2026-11-01 }",
                "must not be negative",
            ),
            (
                "[prices]\ns3_get = { usd = 1, per = 0, date = 2026-11-01 }",
                "must be positive",
            ),
            (
                "[prices]\ns3_get = { usd = 1, per = 1, unit = \"GB\", date = 2026-11-01 }",
                "must be \"requests\"",
            ),
            ("price = 1", "unknown field"),
        ] {
            let error = PriceTable::with_file(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
