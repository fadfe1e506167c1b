//! Facts about the log group that a trail delivers to, and about a function that reads from it.

use super::KeyFacts;
use crate::error::{Error, Result};
use crate::inventory::fact::Fact;

#[derive(Clone, Debug)]
pub struct LogGroupFacts {
    pub name: String,
    pub account: String,
    pub region: String,
    pub settings: Fact<LogGroupSettings>,
    pub streams: Fact<LogStreamPresence>,
    pub subscription_filters: Result<Vec<SubscriptionFilterFacts>>,
    /// Account-level subscription filters.
    pub account_subscription_filters: Result<Vec<AccountSubscriptionFilter>>,
    pub key: Option<KeyFacts>,
    pub concurrency: Fact<LambdaConcurrency>,
    /// True if the log group has a transformer; requested only with `--deep`.
    pub transformer: Fact<bool>,
}

impl LogGroupFacts {
    /// Returns the errors of all failed calls.
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let Self {
            name: _,
            account: _,
            region: _,
            settings,
            streams,
            subscription_filters,
            account_subscription_filters,
            key,
            concurrency,
            transformer,
        } = self;
        [
            settings.error(),
            streams.error(),
            subscription_filters.as_ref().err(),
            account_subscription_filters.as_ref().err(),
            concurrency.error(),
            transformer.error(),
        ]
        .into_iter()
        .flatten()
        .chain(key.iter().flat_map(KeyFacts::errors))
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogGroupSettings {
    pub class: Option<String>,
    /// `None` if events never expire.
    pub retention_days: Option<i32>,
    /// The account's retention policy that overrides the retention of this log group.
    pub retention_policy: Option<String>,
    pub key: Option<String>,
    pub metric_filter_count: i32,
    /// True if a data protection policy is active.
    pub has_data_protection: bool,
}

/// The kinds of log streams that exist in a log group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogStreamPresence {
    pub member_accounts: bool,
    pub any: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionFilterFacts {
    pub name: String,
    pub destination: String,
    pub pattern: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSubscriptionFilter {
    pub name: String,
    pub selection_criteria: Option<String>,
}

/// Concurrent executions of Lambda functions in the account and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LambdaConcurrency {
    pub total: i32,
    pub unreserved: Option<i32>,
}
