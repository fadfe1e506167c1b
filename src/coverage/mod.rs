//! Coverage: which accounts and regions of the organization a trail delivers for, read from the keys in its bucket.

mod accounts;
mod bucket_listing;
mod digest_evidence;
pub mod key_layout;
pub mod matrix;
mod organization_scope;
pub mod progress_file;
mod rate_limit;
mod regions;
mod scan;
#[cfg(test)]
mod tests;
mod trail_bucket;

pub use bucket_listing::BucketKeys;
pub use matrix::{AccountCoverage, Pair, PairStatus, RegionName, StatusCounts};
pub use organization_scope::OrganizationScope;
pub use scan::{CoverageScan, ScanReport};
pub use trail_bucket::{TrailBucket, select_trail};
