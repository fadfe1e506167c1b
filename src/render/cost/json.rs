//! The cost for programs.

use serde_json::{Map, Value, json};

use super::CostReport;
use super::amount::rounded;
use crate::cost::{DAYS_PER_MONTH, MAX_DELIVERED_EVENT_BYTES, OptionCost, PriceId, UsageFigure};
use crate::render::coverage::rfc3339;

pub(super) fn cost_json(report: &CostReport<'_>) -> Value {
    let prices = report.prices;
    let trail = report.trail.map(|trail| {
        json!({
            "name": trail.name,
            "arn": trail.arn,
            "bucket": trail.bucket,
            "log_group": trail.log_group,
        })
    });
    let period = report
        .period
        .map(|period| json!({ "start": rfc3339(period.start), "end": rfc3339(period.end) }));
    let options = report.options.iter();
    let events = report.usage.get(UsageFigure::Events);
    let second_trail = events.map(|events| prices.amount(PriceId::TrailCopyEvent, events.value));
    let unread = report
        .unread
        .iter()
        .map(|source| json!({ "place": source.place, "reason": source.reason() }));
    json!({
        "trail": trail,
        "period": period,
        "days_per_month": rounded(DAYS_PER_MONTH),
        "options": options.map(|option| option_json(report, option)).collect::<Vec<_>>(),
        "second_trail_usd": second_trail.map(rounded),
        "volume": volume_json(report),
        "large_events": large_events_json(report),
        "not_measured": unread.collect::<Vec<_>>(),
        "assumptions": report.all_assumptions().collect::<Vec<_>>(),
        "measurement": measurement_json(report),
        "prices": prices_json(report),
    })
}

fn option_json(report: &CostReport<'_>, option: &OptionCost) -> Value {
    let prices = report.prices;
    let items = option.estimate.iter().flat_map(|estimate| &estimate.items);
    let items = items.map(|item| {
        json!({
            "service": item.service,
            "purpose": item.purpose,
            "quantity": rounded(item.quantity),
            "price": item.price.as_str(),
            "usd": rounded(prices.amount(item.price, item.quantity)),
            "charged_already": item.is_charged_already,
        })
    });
    let missing = option.estimate.as_ref().err();
    let missing = missing
        .into_iter()
        .flatten()
        .map(|figure| json!({ "figure": figure.as_str(), "argument": figure.flag() }));
    json!({
        "option": option.option,
        "usd": option.total(prices).map(rounded),
        "charged_already_usd": option.charged_already(prices).map(rounded),
        "items": items.collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "delivers_large_events": option.delivers_large_events,
    })
}

fn volume_json(report: &CostReport<'_>) -> Value {
    let figures = UsageFigure::ALL.map(|figure| {
        let found = report.usage.get(figure);
        let value = found
            .map(|found| json!({ "value": rounded(found.value), "source": found.source.as_str() }));
        (figure.as_str().to_owned(), json!(value))
    });
    let mut volume = Map::from_iter(figures);
    let ingested = report.usage.ingested_bytes().ok();
    volume.insert(
        "ingested_bytes_per_month".to_owned(),
        json!(ingested.map(rounded)),
    );
    Value::Object(volume)
}

fn large_events_json(report: &CostReport<'_>) -> Value {
    report
        .measured
        .event_sample()
        .map_or(Value::Null, |sample| {
            json!({
                "limit_bytes": MAX_DELIVERED_EVENT_BYTES,
                "events_read": sample.events,
                "large_events": sample.oversized,
            })
        })
}

fn measurement_json(report: &CostReport<'_>) -> Value {
    let files = report.measured.log_files.as_ref();
    json!({
        "accounts": files.map(|volume| volume.accounts),
        "listed_accounts": files.map(|volume| volume.listed_accounts),
        "uncertainty": files.and_then(|volume| volume.uncertainty).map(rounded),
        "listed_log_files": files.map(|volume| volume.listed_files),
        "read_log_files": files.map(|volume| volume.events.files),
        "damaged_log_files": files.map(|volume| volume.damaged_files),
        "downloaded_bytes": files.map_or(0, |volume| volume.downloaded_bytes),
        "list_requests": report.calls.list,
        "get_requests": report.calls.get,
        "metrics": report.calls.metrics,
        "usd": rounded(report.calls.amount(report.prices)),
    })
}

fn prices_json(report: &CostReport<'_>) -> Value {
    let items = report.prices.prices().map(|(id, price)| {
        json!({
            "price": id.as_str(),
            "usd": price.usd,
            "per": price.per,
            "unit": price.unit,
            "date": price.date,
            "source": price.source,
            "replaced": price.is_replaced,
        })
    });
    json!({ "region": report.prices.region, "items": items.collect::<Vec<_>>() })
}
