//! The places that a trail delivers events to.

/// A place that a trail delivers events to. Each delivery option reads from one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrailDestination {
    Bucket,
    LogGroup,
}
