//! The arguments of `support`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::output::{OutputArgs, ResultFormat};

#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of the command line")]
pub struct SupportArgs {
    /// Archive to write [default: heeler-ec-support-TIME.zip in the current directory]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,

    /// Replace account IDs by account-1, account-2 and so on
    #[arg(long)]
    pub redact_accounts: bool,

    /// Also include the last calls of this file, which --log-file wrote
    #[arg(long, value_name = "FILE")]
    pub call_log: Option<PathBuf>,

    /// Replace the archive if it exists
    #[arg(long)]
    pub overwrite: bool,

    /// Skip the confirmation prompt
    #[arg(short, long)]
    pub yes: bool,

    /// Show the files without writing the archive
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}
