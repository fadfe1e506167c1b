//! The option `--output` of each command, with exactly the formats that the command has.

use clap::{Args, ValueEnum};

use super::help_headings::GENERAL;
use crate::render::OutputFormat;
use crate::render::outputs::ValuesLayout;

/// `--output` with the formats of a command.
#[derive(Args, Clone, Copy, Debug)]
pub struct OutputArgs<F: FormatChoice> {
    /// Output format
    // A `default_value_t` would be shared by all types F, because clap keeps it in one static.
    #[arg(short, long, value_name = "FORMAT", value_enum, default_value = F::DEFAULT, help_heading = GENERAL)]
    pub output: F,
}

/// The formats of a command.
pub trait FormatChoice: ValueEnum + Send + Sync + 'static {
    /// The format without `--output`.
    const DEFAULT: &'static str;
}

impl FormatChoice for ResultFormat {
    const DEFAULT: &'static str = "table";
}

impl FormatChoice for ReportFormat {
    const DEFAULT: &'static str = "table";
}

impl FormatChoice for ValuesFormat {
    const DEFAULT: &'static str = "table";
}

impl FormatChoice for StatusFormat {
    const DEFAULT: &'static str = "table";
}

impl FormatChoice for CoverageFormat {
    const DEFAULT: &'static str = "table";
}

impl FormatChoice for EventFormat {
    const DEFAULT: &'static str = "table";
}

impl FormatChoice for ConfigurationFormat {
    const DEFAULT: &'static str = "hcl";
}

impl FormatChoice for ScriptFormat {
    const DEFAULT: &'static str = "text";
}

/// `--output` of `policy`, whose result is always JSON.
#[derive(Args, Clone, Copy, Debug)]
pub struct PolicyOutputArgs {
    /// Print an error as JSON, too (the policy is always JSON)
    #[arg(short, long, value_name = "FORMAT", value_enum, help_heading = GENERAL)]
    pub output: Option<PolicyFormat>,
}

/// The formats of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ResultFormat {
    /// For reading
    Table,
    /// For programs: one document with the result and the error
    Json,
}

/// The formats of the report of preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For reading: one line per group of checks, and the problems
    Table,
    /// For reading: only the problems
    Short,
    /// For programs: one document with the result and the error
    Json,
}

/// The formats of the values for Heeler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ValuesFormat {
    /// For reading
    Table,
    /// For programs: one document with the result and the error
    Json,
    /// For shells: NAME=value lines
    Env,
    /// For Terraform: lines of a tfvars file
    Tfvars,
    /// For GitHub Actions: lines for $GITHUB_OUTPUT; a command on standard error masks the external ID in the log
    #[expect(clippy::doc_markdown, reason = "the sentence is also the help text")]
    Github,
}

/// The formats of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatusFormat {
    /// For reading
    Table,
    /// For programs: one document with the result and the error
    Json,
    /// For continuous integration: JUnit XML with one test case per hop
    #[expect(clippy::doc_markdown, reason = "the sentence is also the help text")]
    Junit,
}

/// The formats of the coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CoverageFormat {
    /// For reading
    Table,
    /// For programs: one document with the result and the error
    Json,
    /// For spreadsheets: one row per account and region
    Csv,
}

/// The formats of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventFormat {
    /// For reading
    Table,
    /// For programs: one record per line
    Json,
    /// For spreadsheets
    Csv,
}

/// The formats of an exported deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigurationFormat {
    /// Text for the tool: HCL for Terraform, SQL for Athena
    Hcl,
    /// For programs: the addresses and IDs of the imports, or the statements
    Json,
}

/// The formats of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyFormat {
    /// For programs: the policy or the error
    Json,
}

/// The formats of a completion script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScriptFormat {
    /// The script itself
    Text,
    /// For programs: one document with the script
    Json,
}

impl From<ResultFormat> for OutputFormat {
    fn from(format: ResultFormat) -> Self {
        match format {
            ResultFormat::Table => Self::Text,
            ResultFormat::Json => Self::Json,
        }
    }
}

impl From<ReportFormat> for OutputFormat {
    fn from(format: ReportFormat) -> Self {
        match format {
            ReportFormat::Table | ReportFormat::Short => Self::Text,
            ReportFormat::Json => Self::Json,
        }
    }
}

impl From<ValuesFormat> for OutputFormat {
    fn from(format: ValuesFormat) -> Self {
        match format {
            ValuesFormat::Json => Self::Json,
            _ => Self::Text,
        }
    }
}

impl From<ValuesFormat> for ValuesLayout {
    fn from(format: ValuesFormat) -> Self {
        match format {
            ValuesFormat::Table | ValuesFormat::Json => Self::Table,
            ValuesFormat::Env => Self::Env,
            ValuesFormat::Tfvars => Self::Tfvars,
            ValuesFormat::Github => Self::Github,
        }
    }
}

impl From<StatusFormat> for OutputFormat {
    fn from(format: StatusFormat) -> Self {
        match format {
            StatusFormat::Table | StatusFormat::Junit => Self::Text,
            StatusFormat::Json => Self::Json,
        }
    }
}

impl From<CoverageFormat> for OutputFormat {
    fn from(format: CoverageFormat) -> Self {
        match format {
            CoverageFormat::Table => Self::Text,
            CoverageFormat::Json => Self::Json,
            CoverageFormat::Csv => Self::Csv,
        }
    }
}

impl From<EventFormat> for OutputFormat {
    fn from(format: EventFormat) -> Self {
        match format {
            EventFormat::Table => Self::Text,
            EventFormat::Json => Self::Json,
            EventFormat::Csv => Self::Csv,
        }
    }
}

impl From<ConfigurationFormat> for OutputFormat {
    fn from(format: ConfigurationFormat) -> Self {
        match format {
            ConfigurationFormat::Hcl => Self::Text,
            ConfigurationFormat::Json => Self::Json,
        }
    }
}

impl From<Option<PolicyFormat>> for OutputFormat {
    fn from(format: Option<PolicyFormat>) -> Self {
        match format {
            None => Self::Text,
            Some(PolicyFormat::Json) => Self::Json,
        }
    }
}

impl From<ScriptFormat> for OutputFormat {
    fn from(format: ScriptFormat) -> Self {
        match format {
            ScriptFormat::Text => Self::Text,
            ScriptFormat::Json => Self::Json,
        }
    }
}
