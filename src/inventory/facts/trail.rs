//! Facts about trails: what they record and where they deliver.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::{BucketFacts, LogGroupFacts, NameOwners};
use crate::aws::arn::Arn;
use crate::check_id::CheckId;
use crate::error::{Error, Result};
use crate::inventory::event_selectors::EventSelector;
use crate::inventory::trail_destination::TrailDestination;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "CloudTrail describes a trail with these flags"
)]
pub struct Trail {
    pub name: String,
    pub arn: String,
    pub home_region: String,
    pub is_organization: bool,
    pub is_multi_region: bool,
    pub includes_global_events: bool,
    pub log_file_validation: bool,
    pub bucket: String,
    pub prefix: String,
    pub kms_key: Option<String>,
    /// The topic that CloudTrail itself publishes to.
    pub sns_topic: Option<String>,
    /// ARN of the log group, without the `:*` that CloudTrail appends.
    pub log_group: Option<String>,
    pub log_group_role: Option<String>,
}

impl Trail {
    /// Returns the account that owns the trail.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        Arn::parse(&self.arn).map(|arn| arn.account)
    }
}

/// The trail that a snapshot is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrailSelection {
    Selected(Trail),
    /// The operator named no trail, and either no candidate or more than one passes every check.
    Several {
        /// Names of the candidates, each with its failed checks.
        candidates: Vec<(String, Vec<CheckId>)>,
        /// Names of candidates that may pass but were not inspected.
        not_inspected: Vec<String>,
    },
    /// The trail given by the operator does not exist.
    NotFound(String),
    #[default]
    None,
}

impl TrailSelection {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        match self {
            Self::Selected(trail) => Some(trail),
            _ => None,
        }
    }
}

/// A trail that may be selected.
#[derive(Clone, Debug)]
pub struct TrailCandidate {
    pub trail: Trail,
    pub status: Result<TrailStatus>,
    pub selectors: Result<EventSelectors>,
    /// `None` for candidates that were not inspected; these are never selected.
    pub details: Option<CandidateDetails>,
}

/// Facts about the destinations of a candidate.
#[derive(Clone, Debug)]
pub struct CandidateDetails {
    pub shadow_trails: Vec<ShadowTrail>,
    pub bucket: Option<BucketFacts>,
    pub log_group: Option<LogGroupFacts>,
    /// Owners of the names that setup would use, by the destination from which the option reads.
    pub name_owners: BTreeMap<TrailDestination, NameOwners>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrailStatus {
    pub logging: bool,
    pub started: Option<SystemTime>,
    pub stopped: Option<SystemTime>,
    pub to_bucket: DeliveryStatus,
    pub to_log_group: DeliveryStatus,
    pub notification_error: Option<String>,
}

/// The last delivery to one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStatus {
    pub error: Option<String>,
    /// Time of the last success.
    pub at: Option<SystemTime>,
}

/// The trail's event selectors, which are either all basic or all advanced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventSelectors {
    pub selectors: Vec<EventSelector>,
    /// These selectors in the format of `put-event-selectors`.
    pub raw: Vec<serde_json::Value>,
}

/// The shadow trail of a multi-region trail in one region.
#[derive(Clone, Debug)]
pub struct ShadowTrail {
    pub region: String,
    pub status: Result<()>,
}

impl ShadowTrail {
    pub fn errors(&self) -> impl Iterator<Item = &Error> {
        let Self { region: _, status } = self;
        status.as_ref().err().into_iter()
    }
}
