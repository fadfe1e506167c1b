//! Command-line arguments, without logic. The completions, the manual and the man pages are generated from them.

mod command_groups;
mod command_suggestions;
mod cost;
mod coverage;
mod dlq;
pub mod environment;
pub mod examples;
pub mod exit_codes;
mod help_headings;
pub mod help_topics;
pub mod output;
mod policy;
mod shared;
mod support;
mod tail;
pub mod tfvars;
pub mod value_parsers;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::check_id::CheckId;
use crate::cli::command_groups::with_help_texts;
use crate::cli::command_suggestions::with_suggestion;
use crate::cli::environment::TypedArguments;
use crate::cli::help_headings::GENERAL;
use crate::cli::output::{
    ConfigurationFormat, OutputArgs, ReportFormat, ResultFormat, ScriptFormat, StatusFormat,
    ValuesFormat,
};
use crate::cli::value_parsers::{CheckIdParser, ExternalId};
use crate::option::management_options;
use crate::render::command_line::RepeatedOptions;
use crate::render::outputs::OutputName;
use crate::render::{ColorChoice, OutputFormat, ProgressFormat};

pub use cost::CostArgs;
pub use coverage::CoverageArgs;
pub use dlq::{DlqAction, DlqArgs};
pub use policy::{PolicyAccount, PolicyArgs, PolicyCommand};
use shared::option_values;
pub use shared::{
    AcceptArgs, AdoptionArgs, DirectArgs, DiscoveryArgs, RoleArgs, TagArgs, TrustArgs, VendorArg,
};
pub use support::SupportArgs;
pub use tail::{AlertArgs, FilterArgs, SeverityArg, SourceArg, TailArgs, WebhookFormat};
pub use verify::VerifyArgs;

/// Set up Heeler event collection for an AWS organization's CloudTrail
///
/// Run it in the organization's management account. Credentials, region and endpoint come from the same sources as for
/// the AWS CLI: environment, profile, SSO, assumed role.
#[derive(Debug, Parser)]
#[command(
    name = "heeler-ec",
    version,
    max_term_width = 100,
    propagate_version = true,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: GlobalArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// A parsed command line, and the options of it that printed commands repeat.
#[derive(Debug)]
pub struct ParsedCommandLine {
    pub cli: Cli,
    pub repeated_options: RepeatedOptions,
}

/// Returns the command line with everything that help shows, such as environment variables.
#[must_use]
pub fn command() -> clap::Command {
    let no_arguments = TypedArguments::default();
    let command = no_arguments.with_variables(Cli::command());
    with_help_texts(command.unwrap_or_else(|_| Cli::command()))
}

/// Returns the commands, each with the first line of its help.
#[must_use]
pub fn summaries<const N: usize>(names: [&'static str; N]) -> [(&'static str, String); N] {
    let root = command();
    names.map(|name| {
        let about = root
            .find_subcommand(name)
            .and_then(clap::Command::get_about);
        (name, about.map(ToString::to_string).unwrap_or_default())
    })
}

/// Parses the command line and the environment variables of its options. The command line takes precedence.
///
/// # Errors
/// If an argument or a variable is invalid, and for `--help` and `--version`. Without a command, unless an overview is
/// available.
pub fn parse(args: &[OsString], has_overview: bool) -> Result<ParsedCommandLine, clap::Error> {
    let missing = [
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ErrorKind::MissingSubcommand,
    ];
    match parse_command(args) {
        Err(error) if has_overview && missing.contains(&error.kind()) => {
            // The overview accepts the same global options as any command without required arguments.
            let mut parsed = parse_command(&[args, &["list".into()]].concat())?;
            parsed.cli.command = Command::Overview;
            Ok(parsed)
        }
        parsed => parsed,
    }
}

fn parse_command(args: &[OsString]) -> Result<ParsedCommandLine, clap::Error> {
    let typed = TypedArguments::find(Cli::command(), args);
    let mut command = with_help_texts(typed.with_variables(Cli::command())?);
    let matches = command.try_get_matches_from_mut(args);
    let mut matches = matches.map_err(|error| with_suggestion(typed.name_variable(error)))?;
    let cli =
        Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))?;
    let repeated_options = cli.repeated_options(&typed);
    Ok(ParsedCommandLine {
        cli,
        repeated_options,
    })
}

impl Cli {
    /// Returns the options that printed commands repeat. None of them has a value from the environment.
    fn repeated_options(&self, typed: &TypedArguments) -> RepeatedOptions {
        let (discovery, accept, setup) = match &self.command {
            Command::Preflight(args) => (Some(&args.discovery), Some(&args.accept), Vec::new()),
            Command::Plan(args) => {
                let setup = setup_options(&args.trust, &args.role, &args.tag);
                (Some(&args.discovery), Some(&args.accept), setup)
            }
            Command::Setup(args) => {
                let setup = setup_options(&args.trust, &args.role, &args.tag);
                (Some(&args.discovery), Some(&args.accept), setup)
            }
            _ => (None, None, Vec::new()),
        };
        let direct = match &self.command {
            Command::Preflight(args) => Some(&args.direct),
            Command::Plan(args) => Some(&args.direct),
            Command::Setup(args) => Some(&args.direct),
            _ => None,
        };
        let objects = direct.into_iter().flat_map(DirectArgs::given_options);
        let accepted = accept.iter().flat_map(|accept| &accept.accepted);
        let accepted = accepted.map(|check| ("--accept", check.as_str().to_owned()));
        let discovered = discovery.into_iter().flat_map(DiscoveryArgs::given_options);
        let global = &self.global;
        let is_typed = |name: &str| typed.contains(name.trim_start_matches("--"));
        let given = |name: &str, value: &Option<String>| value.clone().filter(|_| is_typed(name));
        let prefix = Some(global.name_prefix.clone());
        let prefix = prefix.filter(|prefix| prefix != DEFAULT_NAME_PREFIX);
        let selection = discovered.chain(objects).chain(accepted);
        let setup = setup.into_iter();
        RepeatedOptions {
            profile: given("profile", &global.profile),
            bucket_profile: given("bucket-profile", &global.bucket_profile),
            bucket_role: given("bucket-role", &global.bucket_role),
            management_options: management_options(),
            region: given("region", &global.region),
            endpoint_url: given("endpoint-url", &global.endpoint_url),
            account_id: given("account-id", &global.account_id),
            name_prefix: given("name-prefix", &prefix),
            selection: selection.filter(|(name, _)| is_typed(name)).collect(),
            setup: setup.filter(|(name, _)| is_typed(name)).collect(),
        }
    }
}

/// Returns the options for the resources of a setup that were given. The external ID is a secret and not among them.
fn setup_options(trust: &TrustArgs, role: &RoleArgs, tag: &TagArgs) -> Vec<(&'static str, String)> {
    let trusted = trust.heeler_role_arn.iter().cloned();
    let trusted = trusted.map(|arn| ("--heeler-role-arn", arn));
    let role = [
        ("--permissions-boundary", role.permissions_boundary.clone()),
        ("--role-path", role.role_path.clone()),
    ];
    let role = role
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let tags = tag.tags.iter();
    let tags = tags.map(|(key, value)| ("--tag", format!("{key}={value}")));
    trusted.chain(role).chain(tags).collect()
}

#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// AWS profile to use; overrides credentials in the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// AWS profile for the account of the log bucket; --profile then only reads the organization and its trail
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        hide_short_help = true,
        conflicts_with = "bucket_role"
    )]
    pub bucket_profile: Option<String>,

    /// Role in the account of the log bucket, assumed instead of a --bucket-profile
    #[arg(long, global = true, value_name = "ARN", hide_short_help = true, value_parser = value_parsers::own_role_arn)]
    pub bucket_role: Option<String>,

    /// AWS region of the trail's bucket or log group; detected by default
    #[arg(long, global = true, value_parser = value_parsers::region)]
    pub region: Option<String>,

    /// Override the default endpoint URL of AWS
    #[arg(long, global = true, value_name = "URL", hide_short_help = true, value_parser = value_parsers::endpoint)]
    pub endpoint_url: Option<String>,

    /// Fail unless the credentials for the resources belong to this account
    #[arg(long, global = true, value_name = "ID", hide_short_help = true, value_parser = value_parsers::account_id)]
    pub account_id: Option<String>,

    /// Prefix of all resource names
    #[arg(long, global = true, value_name = "PREFIX", default_value = DEFAULT_NAME_PREFIX, value_parser = value_parsers::name_prefix)]
    pub name_prefix: String,

    /// Format of progress, messages and errors on standard error
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        hide_short_help = true,
        value_enum,
        default_value_t
    )]
    pub progress: ProgressFormat,

    /// When to color the output
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        value_enum,
        default_value_t
    )]
    pub color: ColorChoice,

    /// Suppress progress and hints
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Log every AWS API call
    #[arg(short, long, global = true, overrides_with = "verbose")]
    pub verbose: bool,

    /// Append one JSON line per AWS API call to this file, without contents or credentials
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub log_file: Option<PathBuf>,

    /// Never ask: fail if an answer is needed
    #[arg(long, global = true, hide_short_help = true)]
    pub no_input: bool,
}

const DEFAULT_NAME_PREFIX: &str = "heeler";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the prerequisites and print fixes
    ///
    /// Read-only, unless you pass --fix and confirm a prompt. Exits with 1 if a check fails. Without --option, checks all
    /// options and exits with 1 if none is ready.
    Preflight(PreflightArgs),
    /// Preview setup, or detect drift of an existing deployment
    ///
    /// Read-only. With --option, shows what setup would create and change. Without --option, compares the existing
    /// deployment with what was set up. With --check, exits with 1 if anything differs.
    Plan(PlanArgs),
    /// Set up the pipeline from the trail to Heeler's queue
    ///
    /// Runs the checks, shows the plan, asks for confirmation, and creates what is missing. On a terminal, the first setup
    /// asks for the values that the command line lacks. A second run changes nothing, or completes what an earlier run
    /// left unfinished.
    Setup(SetupArgs),
    /// Print the three values to paste into Heeler
    ///
    /// Read-only. The values are read from AWS; there is no state file.
    Outputs(OutputsArgs),
    /// List the deployments of the account
    ///
    /// Read-only. Lists all IAM roles, reads the tags of those with the name of a role of heeler-ec, and shows the name
    /// prefix, the option and the region of each deployment.
    List(ListArgs),
    /// Show whether events can reach Heeler, hop by hop
    ///
    /// Read-only. Evaluates every document between the trail and the role that Heeler assumes, and names the first hop that is broken. Never
    /// receives from a queue. Exits with 1 if a hop is broken or nothing is deployed.
    Status(StatusArgs),
    /// Send a canary and follow it through each hop
    ///
    /// Makes a call with an ID in its user agent, and looks for it in CloudTrail's event history and at each hop. Shows the
    /// delivery delay of the newest events first. Never receives from Heeler's queue. Exits with 5 if the canary was not
    /// seen yet, and prints the command that looks for it later.
    Verify(VerifyArgs),
    /// Show for which accounts and regions the trail delivers
    ///
    /// Read-only. Lists the keys in the bucket of the organization trail, for every account of the organization and every
    /// enabled region. Needs no deployment. Exits with 1 if nothing was delivered for an account in a region, neither today
    /// nor yesterday (UTC).
    Coverage(CoverageArgs),
    /// Estimate what each option costs here in a month
    ///
    /// Read-only. Lists the log files of 24 hours, reads a sample of them, and reads the metrics of the trail's log group.
    /// Prints the cost of every option with its assumptions. Needs no deployment. Values that you give are not measured;
    /// with all four of them, makes no AWS calls.
    Cost(CostArgs),
    /// Write a redacted archive for a support ticket
    ///
    /// Read-only for AWS. The archive has versions, the status, the plan, the calls of this run and their errors. It has no
    /// external ID, access key, session token, e-mail address or event. Shows the files and asks before it writes them.
    /// The archive is also written if AWS cannot be read, and then exits with 3.
    Support(SupportArgs),
    /// Show why messages are in the dead-letter queue, and move them back
    ///
    /// Reads each message once and returns it. Changes nothing but the visibility of the messages, for at most 30 seconds.
    /// Never receives from Heeler's queue. With redrive, asks for confirmation and moves
    /// all messages back to Heeler's queue, unless a hop is broken.
    Dlq(DlqArgs),
    /// Export the deployment for Terraform, or the log files for Athena
    ///
    /// Read-only. For Terraform, prints import and resource blocks; with --output json, the addresses and IDs of the imports.
    /// For Athena, prints SQL: tables over the trail's bucket, views with severities, and the queries behind coverage. Athena
    /// needs no deployment.
    Export(ExportArgs),
    /// Show events as they arrive
    ///
    /// By default, reads from a temporary queue of its own or from the log group, never from Heeler's queue. The temporary
    /// queue is deleted on exit. With FILE, reads log files on this machine and makes no AWS calls.
    Tail(TailArgs),
    /// Delete the resources that setup created
    ///
    /// Shows what would be deleted and asks for confirmation. Other resources are not changed.
    Destroy(DestroyArgs),
    /// Restore policies and notification settings from a --backup file
    ///
    /// Shows what would be restored and asks for confirmation. Skips documents that have changed since the backup, or
    /// that no longer exist, and then exits with 1.
    Restore(RestoreArgs),
    /// Print the least-privilege IAM policy for a command
    ///
    /// Read-only. Makes the calls of preflight to fill in the names of your account. Unknown names become placeholders.
    Policy(PolicyArgs),
    /// Explain a check of preflight
    ///
    /// Prints the documentation of the check: what it needs, why it can fail, and how to fix it. Makes no
    /// AWS calls.
    Explain(ExplainArgs),
    /// Print a shell completion script
    Completions(CompletionsArgs),
    /// Show the help of a command or a topic
    ///
    /// The topics are environment, exit-codes, output and checks.
    Help(HelpArgs),
    /// The overview of the account, which runs without a command.
    #[command(skip)]
    Overview,
}

impl Command {
    /// The format in which the command prints its result.
    #[must_use]
    pub fn output_format(&self) -> OutputFormat {
        match self {
            Self::Preflight(args) => args.format.output.into(),
            Self::Plan(args) => args.format.output.into(),
            Self::Setup(args) => args.format.output.into(),
            Self::Outputs(args) => args.format.output.into(),
            Self::List(args) => args.format.output.into(),
            Self::Status(args) => args.format.output.into(),
            Self::Coverage(args) => args.format.output.into(),
            Self::Cost(args) => args.format.output.into(),
            Self::Dlq(args) => args.format.output.into(),
            Self::Verify(args) => args.format.output.into(),
            Self::Support(args) => args.format.output.into(),
            Self::Export(args) => args.format.output.into(),
            Self::Tail(args) => args.format.output.into(),
            Self::Destroy(args) => args.format.output.into(),
            Self::Restore(args) => args.format.output.into(),
            Self::Policy(args) => args.format.output.into(),
            Self::Explain(args) => args.format.output.into(),
            Self::Completions(args) => args.format.output.into(),
            Self::Help(_) | Self::Overview => OutputFormat::Text,
        }
    }
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct PreflightArgs {
    /// Delivery option to check [default: all]
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub direct: DirectArgs,
    #[command(flatten)]
    pub accept: AcceptArgs,

    /// Count warnings as failures
    #[arg(long, help_heading = GENERAL)]
    pub strict: bool,

    /// Also run checks that need more permissions (IAM quotas, the caller's permissions, log transformers)
    #[arg(long, help_heading = GENERAL)]
    pub deep: bool,

    /// Repeat the checks until they pass or this time is up
    #[arg(long, value_name = "TIME", value_parser = value_parsers::duration, help_heading = GENERAL)]
    pub wait: Option<Duration>,

    /// Offer to start the trail and to set the log group's retention to one day; asks before each change
    #[arg(long, help_heading = GENERAL)]
    pub fix: bool,

    /// Show every check, also those that passed
    #[arg(long, help_heading = GENERAL)]
    pub detail: bool,

    #[command(flatten)]
    pub format: OutputArgs<ReportFormat>,
}

#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Delivery option [default: the deployed one]
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub direct: DirectArgs,
    #[command(flatten)]
    pub accept: AcceptArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub adoption: AdoptionArgs,
    #[command(flatten)]
    pub role: RoleArgs,
    #[command(flatten)]
    pub tag: TagArgs,

    /// Exit with 1 when anything would change or nothing is deployed
    #[arg(long, help_heading = GENERAL)]
    pub check: bool,

    /// Exit with 4 when changes are pending, also for a first setup, and with 0 when there are none; 1 keeps its meaning
    #[arg(long, conflicts_with = "check", help_heading = GENERAL)]
    pub detailed_exitcode: bool,

    /// Also show unchanged resources, every setting and whole policies
    #[arg(long, help_heading = GENERAL)]
    pub detail: bool,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct SetupArgs {
    /// Delivery option [default: the deployed one; on a terminal, setup asks for it]
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,
    #[command(flatten)]
    pub discovery: DiscoveryArgs,
    #[command(flatten)]
    pub direct: DirectArgs,
    #[command(flatten)]
    pub accept: AcceptArgs,
    #[command(flatten)]
    pub trust: TrustArgs,
    #[command(flatten)]
    pub adoption: AdoptionArgs,
    #[command(flatten)]
    pub role: RoleArgs,
    #[command(flatten)]
    pub tag: TagArgs,

    /// Skip the confirmation prompt
    #[arg(short, long, help_heading = GENERAL)]
    pub yes: bool,

    /// Show the plan without changing anything
    #[arg(long, help_heading = GENERAL)]
    pub dry_run: bool,

    /// Also show unchanged resources, every setting and whole policies
    #[arg(long, help_heading = GENERAL)]
    pub detail: bool,

    /// Before changing anything, save the affected policies and settings to this new file (see restore)
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run", help_heading = GENERAL)]
    pub backup: Option<PathBuf>,

    /// Action after a failed step
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, help_heading = GENERAL)]
    pub on_failure: OnFailure,

    /// Before setup, offer to set the log group's retention to one day, which deletes older events. You must type the name
    /// of the log group, even with --yes
    #[arg(long, conflicts_with = "dry_run", help_heading = GENERAL)]
    pub fix_retention: bool,

    /// Show the external ID in JSON output; by default, it is masked there
    #[arg(long, help_heading = GENERAL)]
    pub show_secrets: bool,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailure {
    /// Keep what was created; the same command completes it
    #[default]
    Keep,
    /// Roll back this run's changes
    Rollback,
}

#[derive(Args, Debug)]
pub struct OutputsArgs {
    /// Print only this value, without its name
    #[arg(value_name = "NAME", value_enum)]
    pub name: Option<OutputName>,

    #[command(flatten)]
    pub format: OutputArgs<ValuesFormat>,
}

#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

#[derive(Args, Debug)]
pub struct StatusArgs {
    /// Repeat until no hop is broken or this time is up
    #[arg(long, value_name = "TIME", value_parser = value_parsers::duration)]
    pub wait: Option<Duration>,

    /// Show the status again every 15 seconds until it is interrupted with Ctrl-C
    #[arg(long, conflicts_with = "wait")]
    pub watch: bool,

    /// External ID that Heeler presents; without it, any external ID in the trust policy is accepted
    #[arg(long, value_name = "ID")]
    pub external_id: Option<ExternalId>,

    #[command(flatten)]
    pub format: OutputArgs<StatusFormat>,
}

#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// ID of the check, such as trail.logging; `heeler-ec preflight --detail` shows all
    #[arg(value_name = "CHECK", value_parser = CheckIdParser::ALL, hide_possible_values = true)]
    pub check: CheckId,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_enum)]
    pub shell: Shell,

    #[command(flatten)]
    pub format: OutputArgs<ScriptFormat>,
}

#[derive(Args, Debug)]
pub struct HelpArgs {
    /// Command or topic
    #[arg(value_name = "TOPIC")]
    pub topic: Option<String>,
}

#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Tool to export for
    #[arg(value_enum, value_name = "TOOL")]
    pub form: ExportFormat,

    /// Trail name or ARN (only for athena, and needed only if there are several organization trails)
    #[arg(long, value_name = "NAME")]
    pub trail: Option<String>,

    #[command(flatten)]
    pub format: OutputArgs<ConfigurationFormat>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// Terraform 1.5 or newer, with version 5 of the AWS provider
    Terraform,
    /// Amazon Athena, engine version 3
    Athena,
}

#[derive(Args, Debug)]
pub struct DestroyArgs {
    /// Skip the confirmation prompt
    #[arg(short, long)]
    pub yes: bool,

    /// Show what would be deleted without deleting anything
    #[arg(long)]
    pub dry_run: bool,

    /// Before changing anything, save the affected policies and settings to this new file (see restore)
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub backup: Option<PathBuf>,

    /// Bucket to clean up, if neither the role nor the trail identifies it any more
    #[arg(long, value_name = "NAME", value_parser = value_parsers::bucket)]
    pub bucket: Option<String>,

    /// Log group in this region to clean up, if neither the role nor the trail identifies it any more
    #[arg(long, value_name = "NAME", value_parser = value_parsers::log_group)]
    pub log_group: Option<String>,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

#[derive(Args, Debug)]
pub struct RestoreArgs {
    /// File written by --backup
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Skip the confirmation prompt
    #[arg(short, long)]
    pub yes: bool,

    /// Show what would be restored without changing anything
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}
