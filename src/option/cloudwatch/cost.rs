//! The monthly cost of option cloudwatch: the ingestion of all events, and one message per event that matches the filter.

use super::graph::FUNCTION_MEMORY_MB;
use crate::cost::{
    BYTES_PER_GB, CostEstimate, CostItem, DAYS_PER_MONTH, ExistingLogGroup, MonthlyUsage, PriceId,
    UsageFigure, data_key_requests, key_month, queue_assumptions, queue_requests,
};

/// The time that the function takes for a batch of events.
const INVOCATION_SECONDS: f64 = 0.1;
/// The retention that check `logs.retention` asks for.
const RECOMMENDED_RETENTION_DAYS: f64 = 1.0;
/// The compressed share of an event, if no log file was read.
const ASSUMED_COMPRESSION: f64 = 0.1;

/// Returns the quantities of a month, or the figures that are not known.
pub(super) fn monthly_cost(usage: &MonthlyUsage) -> Result<CostEstimate, Vec<UsageFigure>> {
    let volume = usage.require([UsageFigure::Events, UsageFigure::MatchingShare]);
    let ([events, share], bytes) = match (volume, usage.ingested_bytes()) {
        (Ok(volume), Ok(bytes)) => (volume, bytes),
        (volume, bytes) => {
            let mut missing = volume.err().unwrap_or_default();
            missing.extend(bytes.err().unwrap_or_default());
            missing.sort();
            missing.dedup();
            return Err(missing);
        }
    };
    let matching = events * share;
    let mut assumptions = queue_assumptions();
    let gigabytes = bytes / BYTES_PER_GB;
    let charged = usage.bytes_ingested_already(bytes) / BYTES_PER_GB;
    let ingestion = |purpose, quantity, is_charged_already| CostItem {
        is_charged_already,
        ..CostItem::new(
            "CloudWatch Logs",
            purpose,
            quantity,
            PriceId::LogsIngestedGb,
        )
    };
    let is_new = charged <= 0.0;
    let mut items = vec![ingestion(
        "GB of events, ingested",
        if is_new { gigabytes } else { charged },
        !is_new,
    )];
    if !is_new && charged < gigabytes {
        let purpose = "GB of further events, ingested";
        items.push(ingestion(purpose, gigabytes - charged, false));
    }
    let storage = CostItem {
        is_charged_already: usage.log_group != ExistingLogGroup::Absent,
        ..CostItem::new(
            "CloudWatch Logs",
            "GB of events, stored compressed",
            gigabytes
                * retention_months(usage, &mut assumptions)
                * compression(usage, &mut assumptions),
            PriceId::LogsStoredGbMonth,
        )
    };
    // CloudTrail sends the events of a log file to the log group together.
    let files = usage.get(UsageFigure::LogFiles);
    let invocations = files.map_or(matching, |files| files.value.min(matching));
    assumptions.push(format!(
        "The function runs at most once per log file and once per event that it forwards, and takes {INVOCATION_SECONDS} seconds."
    ));
    let function_gb = f64::from(FUNCTION_MEMORY_MB) / 1_024.0;
    items.push(storage);
    items.extend([
        CostItem::new("Lambda", "invocations", invocations, PriceId::LambdaRequest),
        CostItem::new(
            "Lambda",
            "GB-seconds",
            invocations * INVOCATION_SECONDS * function_gb,
            PriceId::LambdaGbSecond,
        ),
    ]);
    items.extend(queue_requests(matching, PriceId::SqsFifoRequest));
    items.extend([key_month(), data_key_requests()]);
    Ok(CostEstimate { items, assumptions })
}

/// Returns the retention of the log group in months.
fn retention_months(usage: &MonthlyUsage, assumptions: &mut Vec<String>) -> f64 {
    let days = match (usage.retention_days, usage.log_group) {
        (Some(days), _) => days,
        (None, ExistingLogGroup::Unread) => {
            assumptions.push(
                "The retention of the log group is not known. One month of its events is counted."
                    .to_owned(),
            );
            DAYS_PER_MONTH
        }
        (None, ExistingLogGroup::Read) => {
            assumptions.push(
                "The log group never deletes events. Each further month adds its storage again."
                    .to_owned(),
            );
            DAYS_PER_MONTH
        }
        (None, ExistingLogGroup::Absent) => {
            assumptions.push(format!(
                "A new log group keeps events for {RECOMMENDED_RETENTION_DAYS} day, as logs.retention recommends."
            ));
            RECOMMENDED_RETENTION_DAYS
        }
    };
    days / DAYS_PER_MONTH
}

fn compression(usage: &MonthlyUsage, assumptions: &mut Vec<String>) -> f64 {
    usage.compression.unwrap_or_else(|| {
        assumptions.push(format!(
            "CloudWatch Logs compresses events to {:.0} % of their size.",
            ASSUMED_COMPRESSION * 100.0
        ));
        ASSUMED_COMPRESSION
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{GivenUsage, Measurements, OptionCost, PriceTable};
    use crate::inventory::log_group_volume::LogGroupVolume;

    fn given() -> GivenUsage {
        GivenUsage {
            log_files_per_day: Some(3e6 / DAYS_PER_MONTH),
            events_per_day: Some(200e6 / DAYS_PER_MONTH),
            bytes_per_event: Some(1_800.0),
            matching_percent: Some(8.0),
        }
    }

    fn cost(usage: &MonthlyUsage) -> OptionCost {
        OptionCost {
            option: "cloudwatch",
            estimate: monthly_cost(usage),
            delivers_large_events: false,
        }
    }

    fn total(given: GivenUsage, measured: &Measurements) -> f64 {
        let prices = PriceTable::built_in().unwrap();
        let usage = MonthlyUsage::new(given, measured);
        cost(&usage).total(&prices).unwrap()
    }

    /// 200 accounts with 200 million events of 1.8 KB a month, of which 8 % match: 180 for the ingestion of 360 GB, 24 for
    /// 48 million requests of SQS, and 1 for the key. The rest is below 3 % of these 205.
    #[test]
    fn example_of_200_accounts_costs_205_dollars() {
        let prices = PriceTable::built_in().unwrap();
        let usage = MonthlyUsage::new(given(), &Measurements::default());
        let estimate = monthly_cost(&usage).unwrap();
        let amount = |purpose: &str| {
            let mut items = estimate.items.iter();
            let item = items.find(|item| item.purpose == purpose).unwrap();
            prices.amount(item.price, item.quantity)
        };
        for (purpose, expected) in [
            ("GB of events, ingested", 180.0),
            ("GB of events, stored compressed", 0.0355),
            ("invocations", 0.6),
            ("GB-seconds", 0.625),
            ("requests to send, receive and delete", 24.0),
            ("requests of Heeler at an empty queue", 0.1315),
            ("key of the queue", 1.0),
            ("requests for data keys", 0.0789),
        ] {
            let found = amount(purpose);
            assert!((found - expected).abs() < 0.001, "{purpose}: {found}");
        }
        let found = total(given(), &Measurements::default());
        assert!(found > 205.0 && found < 205.0 * 1.03, "{found}");
    }

    #[test]
    fn further_events_are_not_charged_already() {
        let group = LogGroupVolume {
            bytes_per_day: Some(1e9),
            events_per_day: None,
            retention_days: Some(1),
            metrics: 2,
        };
        let measured = Measurements {
            log_group: Some(group),
            ..Measurements::default()
        };
        let ingested = |measured: &Measurements| -> Vec<(f64, bool)> {
            let estimate = monthly_cost(&MonthlyUsage::new(given(), measured)).unwrap();
            let items = estimate.items.into_iter();
            let items = items.filter(|item| item.price == PriceId::LogsIngestedGb);
            items
                .map(|item| (item.quantity.round(), item.is_charged_already))
                .collect()
        };
        assert_eq!(ingested(&measured), [(30.0, true), (330.0, false)]);
        // A log group that cannot be read receives all events.
        let unread = Measurements {
            has_log_group: true,
            ..Measurements::default()
        };
        assert_eq!(ingested(&unread), [(360.0, true)]);
        let usage = MonthlyUsage::new(given(), &unread);
        let assumptions = monthly_cost(&usage).unwrap().assumptions.join(" ");
        assert!(
            assumptions.contains("retention of the log group is not known"),
            "{assumptions}"
        );
    }

    #[test]
    fn existing_log_group_is_charged_already() {
        let prices = PriceTable::built_in().unwrap();
        let measured = Measurements {
            log_group: Some(LogGroupVolume {
                bytes_per_day: Some(1e9),
                events_per_day: Some(500_000.0),
                retention_days: None,
                metrics: 2,
            }),
            ..Measurements::default()
        };
        let given = GivenUsage {
            matching_percent: Some(8.0),
            ..GivenUsage::default()
        };
        let usage = MonthlyUsage::new(given, &measured);
        let cost = cost(&usage);
        // 30.4 GB for 0.50, and their storage of a month.
        let already = cost.charged_already(&prices).unwrap();
        assert!(
            (already - DAYS_PER_MONTH * 0.503).abs() < 0.001,
            "{already}"
        );
        let assumptions = cost.estimate.unwrap().assumptions;
        assert!(
            assumptions
                .iter()
                .any(|text| text.contains("never deletes"))
        );
    }

    #[test]
    fn more_volume_never_costs_less() {
        let none = Measurements::default();
        let base = total(given(), &none);
        for factor in [1.1, 2.0, 50.0] {
            let scaled = |value: Option<f64>| value.map(|value| value * factor);
            for more in [
                GivenUsage {
                    events_per_day: scaled(given().events_per_day),
                    ..given()
                },
                GivenUsage {
                    bytes_per_event: scaled(given().bytes_per_event),
                    ..given()
                },
                GivenUsage {
                    matching_percent: Some((8.0 * factor).min(100.0)),
                    ..given()
                },
                GivenUsage {
                    log_files_per_day: scaled(given().log_files_per_day),
                    ..given()
                },
            ] {
                let found = total(more, &none);
                assert!(found > base, "{more:?}: {found}");
            }
        }
    }

    #[test]
    fn missing_figures_are_named_once() {
        let missing = monthly_cost(&MonthlyUsage::default()).unwrap_err();
        let expected = [
            UsageFigure::Events,
            UsageFigure::EventBytes,
            UsageFigure::MatchingShare,
        ];
        assert_eq!(missing, expected);
    }
}
