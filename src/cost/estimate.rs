//! The monthly cost of an option: quantities, their prices and the assumptions behind them. Pure.

use super::prices::{PriceId, PriceTable};
use super::usage::UsageFigure;
use super::{DAYS_PER_MONTH, to_f64};

/// Requests of SQS for each message: it is sent, received and deleted. Batches of up to ten messages make it fewer.
const REQUESTS_PER_MESSAGE: f64 = 3.0;
/// Seconds between two requests of Heeler at an empty queue. A long poll takes up to 20 seconds.
const POLL_SECONDS: f64 = 10.0;
/// Seconds for which a service uses a data key again. Source: `KmsDataKeyReusePeriodSeconds` in "Key management" of the
/// Amazon SQS Developer Guide; 300 is the default.
const DATA_KEY_SECONDS: f64 = 300.0;
/// Requests for each data key of one sender and one receiver: the sender generates and decrypts it, the receiver decrypts
/// it. Source: "How do I estimate my AWS KMS usage costs?" in "Key management" of the Amazon SQS Developer Guide.
const REQUESTS_PER_DATA_KEY: f64 = 3.0;

/// A quantity that AWS charges for in a month.
#[derive(Clone, Debug, PartialEq)]
pub struct CostItem {
    /// The service, as AWS names it on the bill.
    pub service: &'static str,
    /// The meaning of the quantity, such as `messages, one per log file`.
    pub purpose: &'static str,
    /// In the unit of the price.
    pub quantity: f64,
    pub price: PriceId,
    /// True if AWS charges this without the option, too.
    pub is_charged_already: bool,
}

impl CostItem {
    /// An item that AWS charges because of the option.
    #[must_use]
    pub fn new(
        service: &'static str,
        purpose: &'static str,
        quantity: f64,
        price: PriceId,
    ) -> Self {
        Self {
            service,
            purpose,
            quantity,
            price,
            is_charged_already: false,
        }
    }
}

/// The quantities of an option, and what they assume.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CostEstimate {
    pub items: Vec<CostItem>,
    pub assumptions: Vec<String>,
}

/// Returns the requests for the messages of a queue, and those of an empty queue.
#[must_use]
pub fn queue_requests(messages: f64, price: PriceId) -> [CostItem; 2] {
    let polls = DAYS_PER_MONTH * 86_400.0 / POLL_SECONDS;
    [
        CostItem::new(
            "SQS",
            "requests to send, receive and delete",
            messages * REQUESTS_PER_MESSAGE,
            price,
        ),
        CostItem::new("SQS", "requests of Heeler at an empty queue", polls, price),
    ]
}

/// Returns the key of the deployment.
#[must_use]
pub fn key_month() -> CostItem {
    CostItem::new("KMS", "key of the queue", 1.0, PriceId::KmsKeyMonth)
}

/// Returns the requests for the data keys of the messages.
#[must_use]
pub fn data_key_requests() -> CostItem {
    let keys = REQUESTS_PER_DATA_KEY * DAYS_PER_MONTH * 86_400.0 / DATA_KEY_SECONDS;
    CostItem::new("KMS", "requests for data keys", keys, PriceId::KmsRequest)
}

/// The assumptions of [`queue_requests`] and [`data_key_requests`].
#[must_use]
pub fn queue_assumptions() -> Vec<String> {
    vec![
        format!("Each message takes {REQUESTS_PER_MESSAGE} SQS requests. Batches make it fewer."),
        format!(
            "Heeler asks an empty queue every {POLL_SECONDS} seconds, and a data key is used for {DATA_KEY_SECONDS} seconds."
        ),
    ]
}

/// The monthly cost of an option.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionCost {
    pub option: &'static str,
    /// The estimate, or the figures that are not known.
    pub estimate: Result<CostEstimate, Vec<UsageFigure>>,
    /// False if `CloudTrail` sends no events over 256 KB on the way of the option.
    pub delivers_large_events: bool,
}

impl OptionCost {
    /// Returns the amount of a month in US dollars; `None` if a figure is not known.
    #[must_use]
    pub fn total(&self, prices: &PriceTable) -> Option<f64> {
        self.sum(prices, |_| true)
    }

    /// Returns the part of the amount that AWS charges already.
    #[must_use]
    pub fn charged_already(&self, prices: &PriceTable) -> Option<f64> {
        self.sum(prices, |item| item.is_charged_already)
    }

    fn sum(&self, prices: &PriceTable, is_counted: impl Fn(&CostItem) -> bool) -> Option<f64> {
        let items = self.estimate.as_ref().ok()?.items.iter();
        let amounts = items
            .filter(|item| is_counted(item))
            .map(|item| prices.amount(item.price, item.quantity));
        // The sum of no amounts would be -0.
        Some(amounts.fold(0.0, |sum, amount| sum + amount))
    }
}

/// The calls of a measurement for which AWS charges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeasuringCalls {
    pub list: usize,
    pub get: usize,
    /// Metrics of `GetMetricData`.
    pub metrics: usize,
}

impl MeasuringCalls {
    /// Returns the amount in US dollars.
    #[must_use]
    pub fn amount(self, prices: &PriceTable) -> f64 {
        [
            (PriceId::S3List, self.list),
            (PriceId::S3Get, self.get),
            (PriceId::MetricRequest, self.metrics),
        ]
        .into_iter()
        .map(|(price, count)| prices.amount(price, to_f64(count as u64)))
        .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn total_and_charged_part_are_sums() {
        let prices = PriceTable::built_in().unwrap();
        let existing = CostItem {
            is_charged_already: true,
            ..CostItem::new("a", "b", 360.0, PriceId::LogsIngestedGb)
        };
        let cost = OptionCost {
            option: "any",
            estimate: Ok(CostEstimate {
                items: vec![existing, key_month()],
                assumptions: Vec::new(),
            }),
            delivers_large_events: true,
        };
        assert_eq!(cost.total(&prices), Some(181.0));
        assert_eq!(cost.charged_already(&prices), Some(180.0));
        let unknown = OptionCost {
            estimate: Err(vec![UsageFigure::Events]),
            ..cost
        };
        assert_eq!(unknown.total(&prices), None);
    }

    #[test]
    fn measuring_calls_cost_fractions_of_a_cent() {
        let prices = PriceTable::built_in().unwrap();
        let calls = MeasuringCalls {
            list: 3_600,
            get: 100,
            metrics: 2,
        };
        assert!((calls.amount(&prices) - 0.018_06).abs() < 1e-9);
    }
}
