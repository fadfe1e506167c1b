//! The severity table as a view, and a view of the events with their severity.

use super::AthenaNames;
use super::sql::{literal, literals, wrapped};
use crate::severity::{SeverityLevel, SeverityRules};

/// The number of a level, so that levels can be compared.
fn rank(level: SeverityLevel) -> u8 {
    match level {
        SeverityLevel::Low => 1,
        SeverityLevel::Medium => 2,
        SeverityLevel::High => 3,
    }
}

pub(super) fn severity_table(rules: &SeverityRules<'_>, name: &str) -> String {
    let rows: Vec<String> = rules
        .entries
        .iter()
        .map(|(service, event, level)| {
            let (service, event) = (literal(service), literal(event));
            format!("({service}, {event}, {})", rank(*level))
        })
        .collect();
    format!(
        "CREATE OR REPLACE VIEW {name} AS\nSELECT service, event_name, level\nFROM (VALUES\n  {}\n) AS entries (service, event_name, level)",
        wrapped(&rows, "  ")
    )
}

pub(super) fn events(rules: &SeverityRules<'_>, names: &AthenaNames) -> String {
    let starts_with = |name: &str| format!("starts_with(event_name, {})", literal(name));
    let contains = |text: &String| format!("strpos(event_name, {}) > 0", literal(text));
    let reads: Vec<String> = rules
        .read_only_verbs
        .iter()
        .map(|verb| starts_with(verb))
        .collect();
    let prefixes = rules.destructive_prefixes.iter();
    let destructive: Vec<String> = prefixes
        .map(|prefix| starts_with(prefix))
        .chain(rules.destructive_substrings.iter().map(contains))
        .collect();
    let any = |conditions: &[String]| match conditions {
        [] => "false".to_owned(),
        conditions => conditions.join("\n        OR "),
    };
    let list = |texts: &[String]| match texts {
        // An empty list is no SQL.
        [] => "NULL".to_owned(),
        texts => literals(texts.iter().map(String::as_str), "      "),
    };
    let (low, default) = (rank(SeverityLevel::Low), rank(rules.default_level));
    format!(
        "CREATE OR REPLACE VIEW {events} AS
WITH logs AS (
  SELECT {logs}.*,
    regexp_replace(coalesce(eventsource, ''), '\\.amazonaws\\.com$', '') AS service,
    coalesce(eventname, '') AS event_name,
    errorcode IS NOT NULL OR errormessage IS NOT NULL AS has_failed,
    coalesce(lower(readonly) = 'true', false) AS is_read_only
  FROM {logs}
),
names AS (
  SELECT event_name AS name, max(level) AS level FROM {severities} GROUP BY event_name
),
services AS (
  SELECT DISTINCT service AS name FROM {severities}
),
rated AS (
  SELECT logs.*, entries.level AS entry_level, names.level AS name_level, services.name AS listed_service
  FROM logs
  LEFT JOIN {severities} AS entries ON entries.service = logs.service AND entries.event_name = logs.event_name
  LEFT JOIN names ON names.name = logs.event_name
  LEFT JOIN services ON services.name = logs.service
),
leveled AS (
  SELECT rated.*, CASE
      WHEN service IN ({routine_services}) THEN coalesce(entry_level, {low})
      WHEN event_name IN ({routine_events}) THEN coalesce(name_level, {low})
      WHEN NOT (
        is_read_only
        OR {reads}
      ) AND (
        {destructive}
      ) THEN {destructive_level}
      WHEN listed_service IS NULL THEN {default}
      ELSE coalesce(entry_level, name_level, {default})
    END AS level
  FROM rated
)
SELECT leveled.*, CASE
    WHEN level = 3 AND NOT has_failed THEN 'high'
    WHEN level = 3 OR (level = 2 AND NOT has_failed) THEN 'medium'
    ELSE 'low'
  END AS severity
FROM leveled",
        events = names.events,
        logs = names.logs,
        severities = names.severities,
        routine_services = list(rules.routine_services),
        routine_events = list(rules.routine_events),
        reads = any(&reads),
        destructive = any(&destructive),
        destructive_level = rank(rules.destructive_level),
    )
}

pub(super) fn count_by_severity(events: &str) -> String {
    format!(
        "SELECT severity, count(*) AS events\nFROM {events}\nWHERE day >= date_format(current_date - INTERVAL '1' DAY, '%Y/%m/%d')\n\
         GROUP BY severity\nORDER BY severity"
    )
}
