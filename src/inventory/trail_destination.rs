//! The destinations to which a trail delivers events.

/// A destination to which a trail delivers events. Each delivery option reads from one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrailDestination {
    Bucket,
    LogGroup,
}
