//! The names of all delivery options.

use crate::ownership::OptionName;

const ALL: &[&str] = &["s3", "cloudwatch", "s3-direct"];

/// The name of the option that reads the bucket.
pub(super) const S3: OptionName = OptionName {
    name: "s3",
    arguments: "--option s3",
    all: ALL,
};
/// The name of the option that reads the log group.
pub(super) const CLOUDWATCH: OptionName = OptionName {
    name: "cloudwatch",
    arguments: "--option cloudwatch",
    all: ALL,
};
/// The name of the variant of the first option that sends from the bucket to the queue.
pub(super) const S3_DIRECT: OptionName = OptionName {
    name: "s3-direct",
    arguments: "--option s3 --direct --vendor generic",
    all: ALL,
};
