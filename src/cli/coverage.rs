//! The arguments of `coverage`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::output::{CoverageFormat, OutputArgs};

#[derive(Args, Debug)]
pub struct CoverageArgs {
    /// Trail name or ARN (needed only if there are several organization trails)
    #[arg(long, value_name = "NAME")]
    pub trail: Option<String>,

    /// Also show accounts and regions without a gap
    #[arg(long)]
    pub all: bool,

    /// Check only regions that are enabled by default, which saves one call per account (AWS allows five per second)
    #[arg(long)]
    pub default_regions: bool,

    /// Also write the result to this file as an HTML page, and replace the file if it exists
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,

    /// Keep the progress in this file: a run that was interrupted continues, and a complete run deletes the file
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,

    #[command(flatten)]
    pub format: OutputArgs<CoverageFormat>,
}
