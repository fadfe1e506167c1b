//! An alert, and the error of an attempt to deliver it.

use std::time::Duration;

use crate::severity::SeverityLevel;

/// An alert about one event.
#[derive(Clone, Debug)]
pub struct Alert {
    pub level: SeverityLevel,
    pub time: Option<String>,
    pub account: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    pub event: Option<String>,
    pub actor: Option<String>,
    pub error: Option<String>,
    pub event_id: Option<String>,
    /// The record as delivered, on a single line.
    pub record: String,
}

/// The reason why an alert was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DeliveryError {
    /// A temporary failure, with the time to wait before the next attempt if the receiver requested one.
    Retryable(String, Option<Duration>),
    /// A failure that further attempts cannot change.
    Permanent(String),
}
