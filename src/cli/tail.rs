//! Arguments of `tail`: sources, alerts and filters.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum, ValueHint};

use super::output::{EventFormat, OutputArgs};
use super::value_parsers;
use crate::render::record::EventColumn;
use crate::tail::filter;
use crate::tail::source::SourceKind;

#[derive(Args, Debug)]
pub struct TailArgs {
    /// Log files, folders in CloudTrail's layout, or - for standard input; makes no AWS calls
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// Exit after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// Exit after this long without events (CloudTrail delivers about every 5 minutes)
    #[arg(long, value_name = "TIME", default_value = "20m", value_parser = value_parsers::duration, conflicts_with = "files")]
    pub timeout: Duration,

    /// Exit after this long without a response from AWS; until then, failed calls are repeated
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = value_parsers::duration, conflicts_with = "files")]
    pub give_up_after: Duration,

    /// Source of the events [default: depends on the deployed option]
    #[arg(long, value_enum, value_name = "SOURCE", conflicts_with = "files")]
    pub source: Option<SourceArg>,

    /// Columns of the table, separated by commas [default: those that fit]
    #[arg(long, value_name = "COLUMNS", value_enum, value_delimiter = ',')]
    pub columns: Vec<EventColumn>,

    /// Print statistics to stderr every 30 seconds
    #[arg(long)]
    pub stats: bool,

    /// Reject log files that are larger than this when decompressed; they count as failed
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = value_parsers::byte_size)]
    pub max_object_size: u64,

    #[command(flatten)]
    pub format: OutputArgs<EventFormat>,

    #[command(flatten)]
    pub alerts: AlertArgs,

    #[command(flatten)]
    pub select: FilterArgs,
}

/// A source of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceArg {
    /// A temporary queue that is subscribed to the topic and deleted on exit
    Queue,
    /// New log objects, found by listing the bucket
    Bucket,
    /// The trail's log group
    LogGroup,
    /// Heeler's own queue. Each receive counts towards its maxReceiveCount of 4. Messages are returned immediately, and
    /// reading stops at the first one that was received more than twice
    HeelerQueue,
}

impl From<SourceArg> for SourceKind {
    fn from(source: SourceArg) -> Self {
        match source {
            SourceArg::Queue => Self::Queue,
            SourceArg::Bucket => Self::Bucket,
            SourceArg::LogGroup => Self::LogGroup,
            SourceArg::HeelerQueue => Self::HeelerQueue,
        }
    }
}

/// Receivers of alerts for events of high severity.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Alerts (for each shown event of high severity)")]
pub struct AlertArgs {
    /// Shell command to run, with the record on its standard input
    #[arg(long, value_name = "COMMAND", value_hint = ValueHint::CommandString, value_parser = filter::parse_text)]
    pub exec: Option<String>,

    /// URL to POST alerts to; secrets in the records are masked
    #[arg(long, value_name = "URL")]
    pub webhook: Option<String>,

    /// Payload format of the webhook
    #[arg(
        long,
        value_name = "FORMAT",
        value_enum,
        default_value_t,
        requires = "webhook"
    )]
    pub webhook_format: WebhookFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum WebhookFormat {
    /// Selected fields and the record
    #[default]
    Json,
    /// Slack message
    Slack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    Low,
    Medium,
    High,
}

/// Filters that select events.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Filters")]
pub struct FilterArgs {
    /// Account ID; wildcards * and ?, prefix ! to exclude (repeatable)
    #[arg(long, value_name = "ID", value_parser = filter::parse_account)]
    pub account: Vec<String>,

    /// Region, such as us-* or '!us-east-1' (repeatable)
    #[arg(long = "event-region", value_name = "REGION", value_parser = filter::parse_region)]
    pub event_region: Vec<String>,

    /// Service, such as iam or '!kms' (repeatable)
    #[arg(long, value_name = "SERVICE", value_parser = filter::parse_service)]
    pub service: Vec<String>,

    /// Event name, such as 'Delete*' or '!Get*' (repeatable)
    #[arg(long, value_name = "NAME", value_parser = filter::parse_value)]
    pub event: Vec<String>,

    /// User, ROLE/SESSION or service that made the call, such as 'Admin/*' (repeatable)
    #[arg(long, value_name = "NAME", value_parser = filter::parse_value)]
    pub actor: Vec<String>,

    /// Only failed calls
    #[arg(long)]
    pub errors_only: bool,

    /// Only mutating calls (readOnly is false)
    #[arg(long)]
    pub write_only: bool,

    /// Only calls since this time: an age such as 2h, or a time such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = filter::parse_since)]
    pub since: Option<SystemTime>,

    /// Minimum severity
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub min_severity: Option<SeverityArg>,

    /// Custom severity rules, merged over the built-in ones
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub severity_file: Option<PathBuf>,

    /// Only events that match the pattern of Heeler's subscription filter
    #[arg(long)]
    pub heeler_filter: bool,

    /// Only records that contain this text, as delivered
    #[arg(long, value_name = "TEXT", value_parser = filter::parse_text)]
    pub grep: Option<String>,
}
