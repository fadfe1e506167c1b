//! The names of all delivery options.

use crate::ownership::OptionName;

const ALL: &[&str] = &["s3", "cloudwatch"];

/// The name of the option that reads the bucket.
pub(super) const S3: OptionName = OptionName {
    name: "s3",
    all: ALL,
};
/// The name of the option that reads the log group.
pub(super) const CLOUDWATCH: OptionName = OptionName {
    name: "cloudwatch",
    all: ALL,
};
