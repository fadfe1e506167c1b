//! The arguments of `policy`.

use clap::{Args, ValueEnum};

use super::OnFailure;
use super::shared::{DirectArgs, DiscoveryArgs, RoleArgs, option_values};
use super::tail::SourceArg;
use crate::cli::output::PolicyOutputArgs;

#[derive(Args, Debug)]
pub struct PolicyArgs {
    /// Command to print the policy for
    #[arg(value_enum, value_name = "COMMAND")]
    pub command: PolicyCommand,

    /// Delivery option [default: all for preflight, the recommended one for plan and setup, else the deployed one]
    #[arg(long = "option", value_name = "OPTION", value_parser = option_values())]
    pub option: Option<String>,

    /// Include the permissions of preflight --deep
    #[arg(long)]
    pub deep: bool,

    /// Include the permissions of preflight --fix
    #[arg(long)]
    pub fix: bool,

    /// Include the permissions of setup --on-failure rollback
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_failure: OnFailure,

    /// Include the permissions of tail with this --source
    #[arg(long, value_name = "SOURCE", value_enum)]
    pub source: Option<SourceArg>,

    /// Print only the permissions in one account, if the log bucket is in another account than the trail
    #[arg(long, value_name = "ACCOUNT", value_enum)]
    pub account: Option<PolicyAccount>,

    /// Make no AWS calls: use the names from the other options, and placeholders for the rest
    #[arg(long)]
    pub offline: bool,

    #[command(flatten)]
    pub discovery: DiscoveryArgs,

    #[command(flatten)]
    pub direct: DirectArgs,

    #[command(flatten)]
    pub role: RoleArgs,

    #[command(flatten)]
    pub format: PolicyOutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyAccount {
    /// The management account, which is only read
    Management,
    /// The account of the log bucket, which gets the resources
    Bucket,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyCommand {
    Preflight,
    Plan,
    Setup,
    Outputs,
    List,
    Status,
    Coverage,
    Cost,
    Dlq,
    DlqRedrive,
    Verify,
    Support,
    Export,
    Tail,
    Destroy,
    Restore,
}
