//! The arguments of `verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::output::{OutputArgs, ResultFormat};
use crate::cli::value_parsers;
use crate::verify::CanaryId;

/// The default of `verify --timeout`, which help shows as `20m`.
const DEFAULT_VERIFY_TIMEOUT: Duration = Duration::from_secs(20 * 60);

#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Follow the canary for this time
    #[arg(long, value_name = "TIME", default_value = "20m", value_parser = value_parsers::duration)]
    pub timeout: Duration,

    /// Send nothing; only measure the delivery delay of the newest events
    #[arg(long, conflicts_with_all = ["resume", "all_regions"])]
    pub no_canary: bool,

    /// Send the canary in every enabled region, not only in us-east-1 and the region of the deployment
    #[arg(long)]
    pub all_regions: bool,

    /// Look for a canary that an earlier run sent
    #[arg(long, value_name = "ID", value_parser = value_parsers::canary_id)]
    pub resume: Option<CanaryId>,

    /// Write an evidence report for auditors to this new file as Markdown, and beside it as JSON
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

impl Default for VerifyArgs {
    /// The arguments of `verify` without options.
    fn default() -> Self {
        Self {
            timeout: DEFAULT_VERIFY_TIMEOUT,
            no_canary: false,
            all_regions: false,
            resume: None,
            evidence: None,
            format: OutputArgs {
                output: ResultFormat::Table,
            },
        }
    }
}
