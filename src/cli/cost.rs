//! The arguments of `cost`.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;

use crate::cli::output::{OutputArgs, ResultFormat};
use crate::cli::value_parsers;

#[derive(Args, Debug)]
pub struct CostArgs {
    /// Trail name or ARN (needed only if there are several organization trails)
    #[arg(long, value_name = "NAME")]
    pub trail: Option<String>,

    /// Day to measure, in UTC [default: the last 24 hours]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = value_parsers::day)]
    pub day: Option<SystemTime>,

    /// List the log files of at most this number of accounts; the others count like these
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_accounts: u32,

    /// Log files of the organization per day
    #[arg(long, value_name = "N", help_heading = GIVEN, value_parser = value_parsers::count)]
    pub log_files_per_day: Option<f64>,

    /// Events of the organization per day
    #[arg(long, value_name = "N", help_heading = GIVEN, value_parser = value_parsers::count)]
    pub events_per_day: Option<f64>,

    /// Average size of an event in bytes
    #[arg(long, value_name = "N", help_heading = GIVEN, value_parser = value_parsers::count)]
    pub bytes_per_event: Option<f64>,

    /// Percentage of the events that match Heeler's filter
    #[arg(long, value_name = "N", help_heading = GIVEN, value_parser = value_parsers::percent)]
    pub matching_percent: Option<f64>,

    /// Take the prices in this TOML file instead of those of us-east-1; other prices stay
    #[arg(long, value_name = "FILE")]
    pub prices: Option<PathBuf>,

    #[command(flatten)]
    pub format: OutputArgs<ResultFormat>,
}

const GIVEN: &str = "Values that are not measured";
