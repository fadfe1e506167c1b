//! Every option and argument, and no logic. Completions, manual and man page are made from here.
//! Long, since what can be typed is best read in one place.

pub mod tfvars;
pub mod value_parsers;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::cli::value_parsers::ExternalId;
use crate::option::OPTIONS;
use crate::tail::filter;
use crate::tail::source::SourceKind;

/// Connect an AWS organization's CloudTrail to Heeler, and prove that events arrive
///
/// Run it with admin rights in the organization's management account. Credentials, region and endpoint come from
/// where the AWS CLI takes them: environment, profile, SSO, assumed role.
#[derive(Debug, Parser)]
#[command(
    name = "heeler-ec",
    version,
    max_term_width = 100,
    propagate_version = true
)]
#[command(after_help = "Start with: heeler-ec preflight

Exit codes: 0 done, or yes; 1 the answer is no; 2 wrong usage or input; 3 could not answer;
130 interrupted, after clean-up.")]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Use this profile of the AWS configuration, whatever credentials the environment holds
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Work in this region; it has to be that of the trail's bucket or log group, which is found without it
    #[arg(long, global = true, value_parser = value_parsers::region)]
    pub region: Option<String>,

    /// Send requests here instead of to AWS
    #[arg(long, global = true, value_name = "URL", value_parser = value_parsers::endpoint)]
    pub endpoint_url: Option<String>,

    /// Refuse to go on when the credentials are of another account
    #[arg(long, global = true, value_name = "ID", value_parser = value_parsers::account_id)]
    pub account_id: Option<String>,

    /// Begin all names with this
    #[arg(long, global = true, value_name = "PREFIX", default_value = "heeler", value_parser = value_parsers::name_prefix)]
    pub name_prefix: String,

    /// Print the answer in this form
    #[arg(short, long, global = true, value_enum, default_value_t)]
    pub output: OutputFormat,

    /// Colour the output
    #[arg(long, global = true, value_enum, default_value_t)]
    pub color: ColorChoice,

    /// Print the answer only, no progress and no advice
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Tell of every call to AWS
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// For spreadsheets; of tail only
    Csv,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check whether the organization trail is ready, and say how to make it so
    ///
    /// Reads only, unless --fix is given and the question answered. Exits with 1 when a check fails; without
    /// --option, when no option is ready.
    Preflight(PreflightArgs),
    /// Show what setup would create and change, or what differs from what was set up
    ///
    /// Reads only. With --option the same as setup --dry-run. Without it, what was set up is found by its tags and
    /// compared with what is there now: with --check this is the answer to whether it has drifted.
    Plan(PlanArgs),
    /// Set up the pipeline from the trail to Heeler's queue
    ///
    /// Checks, shows the plan, asks, and then creates what is missing. Running it again changes nothing, or
    /// completes what an earlier run could not.
    Setup(SetupArgs),
    /// Print the three values to paste into Heeler
    ///
    /// Reads only, from AWS itself: there is no state file.
    Outputs,
    /// Print what is set up as Terraform's text: import blocks, and resources as they are
    ///
    /// Reads only. With --output json: the addresses and ids of the imports.
    Export(ExportArgs),
    /// Show events as they arrive
    ///
    /// By default through a queue of its own on the same topic, which is deleted at the end. Heeler's queue is
    /// not received from. With FILE, what lies on this machine is read instead, and AWS is not called.
    Tail(TailArgs),
    /// Delete what setup made, and nothing else
    Destroy(DestroyArgs),
    /// Put back documents that setup or destroy saved with --backup
    ///
    /// Shows what would be put back, asks, and writes only those that are still as that run left them. Exits with 1
    /// when one of them was changed by somebody since, or is gone.
    Restore(RestoreArgs),
    /// Print the IAM policy that a command needs, and nothing more
    ///
    /// Reads only, what preflight reads, to put the real names into it; those that it cannot find out stay
    /// placeholders.
    Policy(PolicyArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

/// The values of `--option`.
fn option_values() -> Vec<PossibleValue> {
    OPTIONS
        .iter()
        .map(|option| PossibleValue::new(option.name()).help(option.summary()))
        .collect()
}

#[derive(Args, Clone, Debug)]
pub struct OptionArgs {
    /// How events get to Heeler
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: String,
}

#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscoveryArgs {
    /// Take this trail when several would do: its name or ARN
    #[arg(long, value_name = "NAME")]
    pub trail: Option<String>,

    /// Insist that the trail delivers to this bucket
    #[arg(long, value_name = "NAME", value_parser = value_parsers::bucket)]
    pub bucket: Option<String>,

    /// Take this KMS key for that of the log objects, instead of the trail's or the bucket's
    #[arg(long, value_name = "KEY", value_parser = value_parsers::kms_key)]
    pub bucket_kms_key: Option<String>,

    /// Take this existing topic, which must already be told of every log object
    #[arg(long, value_name = "TOPIC", value_parser = value_parsers::topic)]
    pub sns_topic: Option<String>,

    /// Insist that the trail delivers to this log group: its name or ARN (option cloudwatch)
    #[arg(long, value_name = "NAME", value_parser = value_parsers::log_group)]
    pub log_group: Option<String>,

    /// Take the values of Heeler's Terraform module from its var.auto.tfvars; other options win
    #[arg(long, value_name = "FILE")]
    pub var_file: Option<PathBuf>,
}

#[derive(Args, Clone, Debug, Default)]
pub struct AcceptArgs {
    /// Take what this check finds as it is (repeatable)
    #[arg(long = "accept", value_name = "CHECK", value_parser = acceptable_checks())]
    pub accepted: Vec<String>,
}

/// The checks whose findings may be accepted.
fn acceptable_checks() -> Vec<PossibleValue> {
    let mut ids: Vec<&'static str> = OPTIONS
        .iter()
        .flat_map(|option| option.checks().iter().copied().flatten())
        .filter(|check| check.requirement.can_be_accepted())
        .map(|check| check.id)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(PossibleValue::new).collect()
}

#[derive(Args, Clone, Debug)]
pub struct TrustArgs {
    /// Trust this role of Heeler's (repeatable; required the first time)
    #[arg(long, value_name = "ARN", value_parser = value_parsers::role_arn)]
    pub heeler_role_arn: Vec<String>,

    /// Let Heeler in only with this id (shows in the process list; kept from the existing role when not given)
    #[arg(
        long,
        value_name = "ID",
        env = "HEELER_EC_EXTERNAL_ID",
        hide_env_values = true
    )]
    pub external_id: Option<ExternalId>,

    /// Make up an external id, when there is none yet; an existing one is kept
    #[arg(long, conflicts_with = "external_id")]
    pub generate_external_id: bool,
}

#[derive(Args, Clone, Debug)]
pub struct AdoptionArgs {
    /// Take over resources of the same names that bear nobody's tags, such as those of Heeler's Terraform module;
    /// destroy then deletes them
    #[arg(long)]
    pub adopt: bool,
}

#[derive(Args, Debug)]
pub struct PreflightArgs {
    /// Check for this way to get events to Heeler; for all of them, side by side, when not given
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub accept: AcceptArgs,

    /// Count warnings as failures
    #[arg(long)]
    pub strict: bool,

    /// Ask also what needs more permissions: quotas of IAM, the caller's own permissions, transformers
    #[arg(long)]
    pub deep: bool,

    /// Look again until the checks pass, or this much time is up
    #[arg(long, value_name = "TIME", value_parser = value_parsers::duration)]
    pub wait: Option<Duration>,

    /// Offer to start the trail, and to set the log group's retention to one day; ask before each
    #[arg(long)]
    pub fix: bool,
}

#[derive(Args, Debug)]
pub struct PlanArgs {
    /// How events get to Heeler; the way that was set up, when not given
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub accept: AcceptArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub adoption: AdoptionArgs,

    /// Exit with 1 when anything would change, also when nothing is set up
    #[arg(long)]
    pub check: bool,
}

#[derive(Args, Debug)]
pub struct SetupArgs {
    #[command(flatten)]
    pub choice: OptionArgs,
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub accept: AcceptArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub adoption: AdoptionArgs,

    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,

    /// Show the plan and stop
    #[arg(long)]
    pub dry_run: bool,

    /// Save the documents that will be changed in this file first, which must not exist; see restore
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub backup: Option<PathBuf>,

    /// When a step fails: keep what was made, to be completed by the same command, or roll everything back
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_failure: OnFailure,

    /// Offer first to set the retention of the trail's log group to one day (option cloudwatch); the question has to
    /// be answered with the name of the group, also with --yes
    #[arg(long, conflicts_with = "dry_run")]
    pub fix_retention: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Leave what was made; the same command goes on from there
    #[default]
    Keep,
    /// Delete what this run made, put back what it changed, and leave what it found
    Rollback,
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// For this tool
    #[arg(value_enum, value_name = "TOOL")]
    pub form: ExportFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Terraform 1.5 or newer, and its provider for AWS
    Terraform,
}

#[derive(Args, Debug)]
pub struct TailArgs {
    /// Show the events in these files, folders in CloudTrail's layout, or standard input (-), and call nothing
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files: Vec<PathBuf>,

    /// End after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,

    /// End when nothing has arrived for this long (CloudTrail delivers every 5 minutes or so)
    #[arg(long, value_name = "TIME", default_value = "20m", value_parser = value_parsers::duration, conflicts_with = "files")]
    pub timeout: Duration,

    /// Where to read events from. The default depends on the option that is set up
    #[arg(long, value_enum, value_name = "SOURCE", conflicts_with = "files")]
    pub source: Option<SourceArg>,

    /// Print statistics to stderr every 30 seconds
    #[arg(long)]
    pub stats: bool,

    /// Skip log files larger than this when decompressed
    #[arg(long, value_name = "SIZE", default_value = "512MB", value_parser = value_parsers::byte_size)]
    pub max_object_size: u64,

    #[command(flatten)]
    pub alerts: AlertArgs,

    #[command(flatten)]
    pub select: FilterArgs,
}

/// A source of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SourceArg {
    /// A temporary queue that is subscribed to the topic and deleted at the end
    Queue,
    /// New log objects, found by listing the bucket
    Bucket,
    /// The trail's log group
    LogGroup,
    /// Heeler's own queue. Each receive counts towards its maxReceiveCount of 4, so messages are returned immediately
    /// and reading stops at the first one received more than twice
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

/// Who is told of the events of high severity.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Alerts, for each shown event of high severity")]
pub struct AlertArgs {
    /// Run this in a shell, with the record on its standard input
    #[arg(long, value_name = "COMMAND", value_parser = filter::parse_text)]
    pub exec: Option<String>,

    /// Post it to this address, without the secrets that a record may hold
    #[arg(
        long,
        value_name = "URL",
        env = "HEELER_EC_WEBHOOK",
        hide_env_values = true
    )]
    pub webhook: Option<String>,

    /// What the address takes
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
    /// Fields and the record
    #[default]
    Json,
    /// A message for Slack
    Slack,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    Low,
    Medium,
    High,
}

/// Which events are shown.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which events")]
pub struct FilterArgs {
    /// Show the events of this account; * and ? stand for digits, ! before it leaves it out (repeatable)
    #[arg(long, value_name = "ID", value_parser = filter::parse_account)]
    pub account: Vec<String>,

    /// Show the events in this region, such as us-* or '!us-east-1' (repeatable)
    #[arg(long = "event-region", value_name = "REGION", value_parser = filter::parse_region)]
    pub event_region: Vec<String>,

    /// Show the events of this service, such as iam or '!kms' (repeatable)
    #[arg(long, value_name = "SERVICE", value_parser = filter::parse_service)]
    pub service: Vec<String>,

    /// Show the events of this name, such as 'Delete*' or '!Get*' (repeatable)
    #[arg(long, value_name = "NAME", value_parser = filter::parse_value)]
    pub event: Vec<String>,

    /// Show the events of this user, ROLE/SESSION or service, such as 'Admin/*' (repeatable)
    #[arg(long, value_name = "NAME", value_parser = filter::parse_value)]
    pub actor: Vec<String>,

    /// Show calls that failed
    #[arg(long)]
    pub errors_only: bool,

    /// Show calls that say that they do not only read
    #[arg(long)]
    pub write_only: bool,

    /// Show calls that were made since then: a time ago, such as 2h, or a time, such as 2026-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = filter::parse_since)]
    pub since: Option<SystemTime>,

    /// Show events of this severity or a graver one
    #[arg(long, value_name = "LEVEL", value_enum)]
    pub min_severity: Option<SeverityArg>,

    /// Judge severity by this table, laid over the one that comes along
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub severity_file: Option<PathBuf>,

    /// Show what Heeler's own filter of option cloudwatch lets pass
    #[arg(long)]
    pub heeler_filter: bool,

    /// Show records with this text in them, as they were delivered
    #[arg(long, value_name = "TEXT", value_parser = filter::parse_text)]
    pub grep: Option<String>,
}

#[derive(Args, Debug)]
pub struct DestroyArgs {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,

    /// Show what would be deleted and stop
    #[arg(long)]
    pub dry_run: bool,

    /// Save the documents that will be changed in this file first, which must not exist; see restore
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub backup: Option<PathBuf>,

    /// The bucket whose notification was set up, when neither role nor trail tell any more
    #[arg(long, value_name = "NAME", value_parser = value_parsers::bucket)]
    pub bucket: Option<String>,

    /// The log group in this region whose events were subscribed to, when neither role nor trail tell any more
    #[arg(long, value_name = "NAME", value_parser = value_parsers::log_group)]
    pub log_group: Option<String>,
}

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// The file that --backup wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,

    /// Show what would be put back and stop
    #[arg(long)]
    pub dry_run: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of the command that is to be allowed"
)]
#[derive(Args, Debug)]
pub struct PolicyArgs {
    /// The command that somebody is to be allowed
    #[arg(value_enum, value_name = "COMMAND")]
    pub command: PolicyCommand,

    /// For this option; without it, preflight is allowed both, plan and setup s3, and the others what is set up
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,

    /// Allow what preflight --deep asks, too
    #[arg(long)]
    pub deep: bool,

    /// Allow what preflight --fix changes, too
    #[arg(long)]
    pub fix: bool,

    /// Allow what setup --on-failure rollback takes back, too
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_failure: OnFailure,

    /// Include the permissions of tail with this --source
    #[arg(long, value_name = "SOURCE", value_enum)]
    pub source: Option<SourceArg>,

    /// Call nothing: take the names from the other options, and placeholders for the rest
    #[arg(long)]
    pub offline: bool,

    #[command(flatten)]
    pub discovery: DiscoveryArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyCommand {
    Preflight,
    Plan,
    Setup,
    Outputs,
    Export,
    Tail,
    Destroy,
    Restore,
}
