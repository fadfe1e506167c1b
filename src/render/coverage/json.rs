//! The coverage for programs: JSON and CSV.

use serde_json::{Map, Value, json};

use super::{CoverageReport, rfc3339};
use crate::coverage::key_layout::ObjectTime;
use crate::coverage::{AccountCoverage, Pair, PairStatus};
use crate::render::record::push_csv_field;

/// The columns of the CSV output. They are part of the public interface.
const CSV_COLUMNS: [&str; 7] = [
    "account",
    "name",
    "state",
    "region",
    "status",
    "last_event",
    "last_digest",
];

fn time(time: Option<ObjectTime>) -> Option<String> {
    time.map(|time| rfc3339(time.to_system_time()))
}

pub(super) fn coverage_json(report: &CoverageReport<'_>) -> Value {
    let target = report.target;
    let counts = PairStatus::ALL.map(|status| {
        let count = report.counts.get(status);
        (status.name().to_owned(), json!(count))
    });
    let accounts = report.accounts.iter();
    json!({
        "organization": target.organization,
        "trail": target.trail_arn,
        "bucket": target.bucket,
        "log_prefix": target.log_prefix,
        "checked_at": rfc3339(report.checked_at),
        "since": rfc3339(report.since),
        "calls": report.scan.calls,
        "opt_in_regions_known": !report.scan.lacks_opt_in_regions,
        "log_file_validation": target.has_digests,
        "digests_expected": report.scan.expects_digests,
        "counts": Map::from_iter(counts),
        "regions": report.regions,
        "accounts": accounts.map(|account| account_json(report, account)).collect::<Vec<_>>(),
        "other_accounts": report.scan.other_accounts,
    })
}

fn account_json(report: &CoverageReport<'_>, account: &AccountCoverage) -> Value {
    let pairs = report.regions.iter().map(|region| {
        let Pair {
            status,
            last_event,
            last_digest,
        } = account.pair(region);
        json!({
            "region": region,
            "status": status.name(),
            "last_event": time(last_event),
            "last_digest": time(last_digest),
        })
    });
    json!({
        "account": account.account,
        "name": account.name,
        "state": account.state,
        "gaps": account.count(PairStatus::Nothing),
        "last_event": time(account.last_event()),
        "regions": pairs.collect::<Vec<_>>(),
    })
}

/// One row per account and region (RFC 4180).
pub(super) fn coverage_csv(report: &CoverageReport<'_>) -> String {
    let mut rows = CSV_COLUMNS.join(",").into_bytes();
    rows.extend_from_slice(b"\r\n");
    for account in report.accounts {
        for region in report.regions {
            let pair = account.pair(region);
            let (event, digest) = (time(pair.last_event), time(pair.last_digest));
            let fields: [&str; CSV_COLUMNS.len()] = [
                &account.account,
                &account.name,
                &account.state,
                region,
                pair.status.name(),
                event.as_deref().unwrap_or_default(),
                digest.as_deref().unwrap_or_default(),
            ];
            for (number, field) in fields.iter().enumerate() {
                if number > 0 {
                    rows.push(b',');
                }
                push_csv_field(field, &mut rows);
            }
            rows.extend_from_slice(b"\r\n");
        }
    }
    String::from_utf8_lossy(&rows).into_owned()
}
