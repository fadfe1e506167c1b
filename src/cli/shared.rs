//! Groups of arguments that several commands share.

use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::help_headings::GENERAL;
use crate::check_id::CheckId;
use crate::cli::value_parsers::{self, CheckIdParser, ExternalId};
use crate::option::OPTIONS;

/// Returns the values of `--option`.
pub(super) fn option_values() -> Vec<PossibleValue> {
    OPTIONS
        .iter()
        .map(|option| PossibleValue::new(option.name()).help(option.summary()))
        .collect()
}

#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Trail, bucket and log group (detected by default)")]
pub struct DiscoveryArgs {
    /// Trail name or ARN (needed only if more than one trail qualifies)
    #[arg(long, value_name = "NAME")]
    pub trail: Option<String>,

    /// Fail unless the trail delivers to this bucket; with --direct, the bucket whose events are sent
    #[arg(long, value_name = "NAME", value_parser = value_parsers::bucket)]
    pub bucket: Option<String>,

    /// KMS key that encrypts the log files (overrides detection)
    #[arg(long, value_name = "KEY", value_parser = value_parsers::kms_key)]
    pub bucket_kms_key: Option<String>,

    /// Use this existing SNS topic; it must already receive an S3 event for every log file
    #[arg(long, value_name = "TOPIC", value_parser = value_parsers::topic)]
    pub sns_topic: Option<String>,

    /// Fail unless the trail delivers to this log group (name or ARN)
    #[arg(long, value_name = "NAME", value_parser = value_parsers::log_group)]
    pub log_group: Option<String>,

    /// Read values for Heeler's Terraform module from this tfvars file; command-line options override them
    #[arg(long, value_name = "FILE")]
    pub var_file: Option<PathBuf>,
}

impl DiscoveryArgs {
    /// Returns the options that were given, as pairs of name and value.
    pub(super) fn given_options(&self) -> Vec<(&'static str, String)> {
        let var_file = self.var_file.as_ref();
        let options = [
            ("--trail", self.trail.clone()),
            ("--bucket", self.bucket.clone()),
            ("--bucket-kms-key", self.bucket_kms_key.clone()),
            ("--sns-topic", self.sns_topic.clone()),
            ("--log-group", self.log_group.clone()),
            (
                "--var-file",
                var_file.map(|path| path.display().to_string()),
            ),
        ];
        let given = options.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// The vendor that receives from the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum VendorArg {
    /// Heeler
    #[default]
    Heeler,
    /// Any other vendor that reads S3 events from a queue
    Generic,
}

#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[command(next_help_heading = "Direct delivery from a bucket to another vendor")]
pub struct DirectArgs {
    /// Send the S3 events of --bucket directly to the queue, without a topic and a trail; needs --vendor generic
    #[arg(long, requires = "option", conflicts_with_all = ["trail", "sns_topic", "log_group"])]
    pub direct: bool,

    /// Vendor that receives from the queue
    #[arg(long, value_enum, value_name = "VENDOR", default_value_t)]
    pub vendor: VendorArg,

    /// Announce only objects whose keys start with this [default: keep the current prefix; at first, all objects]
    #[arg(long, value_name = "PREFIX", requires = "direct")]
    pub object_prefix: Option<String>,

    /// Announce only objects whose keys end with this [default: keep the current suffix; at first, all objects]
    #[arg(long, value_name = "SUFFIX", requires = "direct")]
    pub object_suffix: Option<String>,

    /// Encrypt the queue with a KMS key of the deployment instead of SSE-SQS
    #[arg(long, requires = "direct")]
    pub queue_key: bool,
}

impl DirectArgs {
    /// Returns the options that were given, as pairs of name and value. The others are printed with the option.
    pub(super) fn given_options(&self) -> Vec<(&'static str, String)> {
        let options = [
            ("--object-prefix", self.object_prefix.clone()),
            ("--object-suffix", self.object_suffix.clone()),
        ];
        let given = options.into_iter();
        given
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

#[derive(Args, Clone, Debug, Default)]
pub struct AcceptArgs {
    /// Accept this check although it failed or warned (repeatable); `heeler-ec help checks` lists the checks
    #[arg(id = "accept", long = "accept", value_name = "CHECK", value_parser = CheckIdParser::ACCEPTABLE, hide_possible_values = true, help_heading = GENERAL)]
    pub accepted: Vec<CheckId>,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Access of Heeler")]
pub struct TrustArgs {
    /// ARN of the Heeler role that may assume your role (repeatable; required for the first setup)
    #[arg(long, visible_alias = "vendor-role-arn", value_name = "ARN", value_parser = value_parsers::role_arn)]
    pub heeler_role_arn: Vec<String>,

    /// External ID that Heeler must present (visible in the process list) [default: keep the current one]
    #[arg(long, value_name = "ID")]
    pub external_id: Option<ExternalId>,

    /// Generate an external ID, unless one exists already
    #[arg(long, conflicts_with = "external_id")]
    pub generate_external_id: bool,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Resources")]
pub struct RoleArgs {
    /// ARN of the managed policy to set as permissions boundary of the roles [default: keep the current one]
    #[arg(long, value_name = "ARN", value_parser = value_parsers::permissions_boundary)]
    pub permissions_boundary: Option<String>,

    /// IAM path in which to create the roles, such as /platform/ [default: the current one, or /]
    #[arg(long, value_name = "PATH", value_parser = value_parsers::iam_path)]
    pub role_path: Option<String>,
}

#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Resources")]
pub struct TagArgs {
    /// Tag every resource with KEY=VALUE (repeatable); tags that you do not name stay as they are
    #[arg(id = "tag", long = "tag", value_name = "KEY=VALUE", value_parser = value_parsers::tag)]
    pub tags: Vec<(String, String)>,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Resources")]
pub struct AdoptionArgs {
    /// Adopt untagged resources with the same names, for example those of Heeler's Terraform module; destroy then
    /// deletes them
    #[arg(long)]
    pub adopt: bool,
}
