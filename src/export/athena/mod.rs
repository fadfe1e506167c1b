//! A trail's log files as tables of Amazon Athena: statements that create them, views of severities, and coverage queries.

mod account_views;
mod coverage_queries;
mod severity_views;
mod sql;
mod tables;
#[cfg(test)]
mod tests;

use crate::severity::SeverityTable;

/// The trail and the organization that the statements are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AthenaTrail {
    pub bucket: String,
    /// The prefix of all log files, with a slash at the end.
    pub log_prefix: String,
    pub trail: String,
    pub home_region: String,
    /// True if the trail writes digests.
    pub has_digests: bool,
    /// All accounts, whose log files the tables contain.
    pub accounts: Vec<String>,
    /// All regions, whose log files the tables contain.
    pub regions: Vec<String>,
    /// The accounts for which events are expected, as pairs of ID and name.
    pub expected_accounts: Vec<(String, String)>,
    /// The regions in which events are expected.
    pub expected_regions: Vec<String>,
    /// The start of all names of tables and views.
    pub name_prefix: String,
}

/// A statement with its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AthenaStatement {
    /// The name of the table, the view or the query. It is stable.
    pub name: String,
    pub kind: StatementKind,
    /// A sentence about its purpose.
    pub purpose: &'static str,
    pub sql: String,
}

/// The kind of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    Table,
    View,
    Query,
}

impl StatementKind {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Query => "query",
        }
    }
}

/// The names of tables and views.
#[derive(Clone, Debug)]
struct AthenaNames {
    logs: String,
    digests: String,
    severities: String,
    events: String,
    accounts: String,
}

impl AthenaNames {
    fn new(prefix: &str) -> Self {
        Self {
            logs: format!("{prefix}_cloudtrail_logs"),
            digests: format!("{prefix}_cloudtrail_digests"),
            severities: format!("{prefix}_severities"),
            events: format!("{prefix}_events"),
            accounts: format!("{prefix}_accounts"),
        }
    }
}

/// Returns the statements in the order in which they have to run.
#[must_use]
pub fn statements(trail: &AthenaTrail, severities: &SeverityTable) -> Vec<AthenaStatement> {
    let names = AthenaNames::new(&trail.name_prefix);
    let statement = |name: &str, kind, purpose, sql| AthenaStatement {
        name: name.to_owned(),
        kind,
        purpose,
        sql,
    };
    let accounts = account_views::account_views(&trail.expected_accounts, &names.accounts);
    let accounts = accounts.into_iter().map(|(name, sql)| {
        statement(
            &name,
            StatementKind::View,
            "Accounts for which events are expected, with their names.",
            sql,
        )
    });
    let tables = [
        statement(
            &names.logs,
            StatementKind::Table,
            "The log files of the trail, with one partition per account, region and day.",
            tables::log_table(trail, &names.logs),
        ),
        statement(
            &names.digests,
            StatementKind::Table,
            "The digest files of the trail, which CloudTrail writes every hour.",
            tables::digest_table(trail, &names.digests),
        ),
        statement(
            &names.severities,
            StatementKind::View,
            "The severity table: 3 is high, 2 is medium, 1 is low.",
            severity_views::severity_table(&severities.rules(), &names.severities),
        ),
        statement(
            &names.events,
            StatementKind::View,
            "The events with their severity, by the rules of heeler-ec tail.",
            severity_views::events(&severities.rules(), &names),
        ),
    ];
    let queries = [
        statement(
            "events_by_severity",
            StatementKind::Query,
            "The number of events by severity since yesterday.",
            severity_views::count_by_severity(&names.events),
        ),
        statement(
            "coverage",
            StatementKind::Query,
            "The accounts and regions with events, with digests only and without deliveries.",
            coverage_queries::coverage(trail, &names),
        ),
        statement(
            "coverage_gaps",
            StatementKind::Query,
            "The accounts and regions for which nothing was delivered.",
            coverage_queries::gaps(trail, &names),
        ),
    ];
    tables.into_iter().chain(accounts).chain(queries).collect()
}
