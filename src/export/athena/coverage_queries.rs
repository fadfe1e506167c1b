//! The queries behind `coverage`: deliveries of yesterday and today, by account and region.

use super::sql::{literal, literals, wrapped};
use super::{AthenaNames, AthenaTrail};

/// The pairs with their newest event and newest digest of the last two days in UTC.
fn pairs(trail: &AthenaTrail, names: &AthenaNames) -> String {
    let regions = trail.expected_regions.iter().map(String::as_str);
    let regions: Vec<String> = regions
        .map(|region| format!("({})", literal(region)))
        .collect();
    let in_regions = literals(trail.expected_regions.iter().map(String::as_str), "    ");
    let recent = "day >= date_format(current_date - INTERVAL '1' DAY, '%Y/%m/%d')";
    let digests = digest_selection(trail, names, recent, &in_regions);
    // Without digests, a region without activity looks like a gap.
    let silent = if trail.has_digests {
        "nothing"
    } else {
        "unknown"
    };
    format!(
        "WITH regions AS (
  SELECT region FROM (VALUES
    {regions}
  ) AS list (region)
),
events AS (
  SELECT account, region, max(eventtime) AS last_event
  FROM {logs}
  WHERE {recent} AND region IN ({in_regions})
  GROUP BY account, region
),
digests AS (
{digests}
),
pairs AS (
  SELECT accounts.account, accounts.account_name, regions.region, events.last_event, digests.last_digest, CASE
      WHEN events.last_event IS NOT NULL THEN 'events'
      WHEN digests.last_digest IS NOT NULL THEN 'digest_only'
      ELSE '{silent}'
    END AS status
  FROM {accounts} AS accounts
  CROSS JOIN regions
  LEFT JOIN events ON events.account = accounts.account AND events.region = regions.region
  LEFT JOIN digests ON digests.account = accounts.account AND digests.region = regions.region
)",
        accounts = names.accounts,
        regions = wrapped(&regions, "    "),
        logs = names.logs,
    )
}

/// Selects the newest digest of each pair, or none if the trail writes no digests.
fn digest_selection(
    trail: &AthenaTrail,
    names: &AthenaNames,
    recent: &str,
    in_regions: &str,
) -> String {
    if !trail.has_digests {
        let none = "CAST(NULL AS VARCHAR)";
        return format!(
            "  SELECT {none} AS account, {none} AS region, {none} AS last_digest\n  WHERE false"
        );
    }
    // The name of a digest file contains its trail, because several trails may deliver to one bucket.
    let digest = format!(
        "%\\_CloudTrail-Digest\\_%\\_{}\\_{}\\_%",
        like(&trail.trail),
        like(&trail.home_region)
    );
    format!(
        "  SELECT account, region, max(digestendtime) AS last_digest
  FROM {digests}
  WHERE {recent} AND region IN ({in_regions})
    AND digests3object LIKE {digest} ESCAPE '\\'
  GROUP BY account, region",
        digests = names.digests,
        digest = literal(&digest),
    )
}

/// Escapes text for LIKE.
fn like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('_', "\\_")
        .replace('%', "\\%")
}

pub(super) fn coverage(trail: &AthenaTrail, names: &AthenaNames) -> String {
    let pairs = pairs(trail, names);
    format!(
        "{pairs}\nSELECT account, account_name, region, status, last_event, last_digest\nFROM pairs\nORDER BY account, region"
    )
}

pub(super) fn gaps(trail: &AthenaTrail, names: &AthenaNames) -> String {
    let pairs = pairs(trail, names);
    format!(
        "{pairs}\nSELECT account, account_name, region\nFROM pairs\nWHERE status = 'nothing'\nORDER BY account, region"
    )
}
