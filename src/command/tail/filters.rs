//! Builds the severity table and the record filter from the command line.

use std::io;
use std::path::Path;
use std::sync::Arc;

use memchr::memmem::Finder;

use crate::cli;
use crate::command::Context;
use crate::command::blocking::{read_at_most, run_blocking};
use crate::error::{Error, Result};
use crate::filter_pattern::FilterPattern;
use crate::option::HEELER_PATTERN;
use crate::severity::{SeverityLevel, SeverityTable};
use crate::tail::filter::{GlobFilter, RecordFilter};

/// The largest file of severity rules that is read.
const MAX_SEVERITY_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Loads the built-in severity table, with the overrides of `--severity-file`.
pub(super) async fn load_severities(
    context: &Context,
    select: &cli::FilterArgs,
) -> Result<Arc<SeverityTable>> {
    let file = select.severity_file.clone();
    run_blocking(&context.interrupt, move || read_severities(file.as_deref())).await
}

fn read_severities(file: Option<&Path>) -> Result<Arc<SeverityTable>> {
    let table = SeverityTable::built_in().map_err(|reason| {
        Error::usage("the built-in severity table is invalid").with_reason(reason)
    })?;
    let Some(path) = file else {
        return Ok(Arc::new(table));
    };
    let usage_error = |reason: String| {
        Error::usage(format!("cannot read {}", path.display())).with_reason(reason)
    };
    let overrides = read_at_most(path, MAX_SEVERITY_FILE_BYTES)
        .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
        .map_err(|error| usage_error(error.to_string()))?;
    let hint = "a file has a table for each service, for example: [events.s3] and below it high = [\"PutBucketPolicy\"]";
    let table = table
        .with_overrides(&overrides)
        .map_err(|reason| usage_error(reason).with_hint(hint))?;
    Ok(Arc::new(table))
}

/// Builds the filter from the filter options.
pub(super) fn build_filter(
    select: &cli::FilterArgs,
    severities: &Arc<SeverityTable>,
) -> Result<RecordFilter> {
    let pattern = if select.heeler_filter {
        let pattern = FilterPattern::parse(HEELER_PATTERN).map_err(|error| {
            Error::usage("Heeler's filter is invalid").with_reason(error.to_string())
        })?;
        Some(pattern)
    } else {
        None
    };
    Ok(RecordFilter {
        accounts: GlobFilter::new(&select.account),
        regions: GlobFilter::new(&select.event_region),
        services: GlobFilter::new(&select.service),
        events: GlobFilter::new(&select.event),
        actors: GlobFilter::new(&select.actor),
        errors_only: select.errors_only,
        writes_only: select.write_only,
        since: select.since,
        text: select
            .grep
            .as_ref()
            .map(|text| Finder::new(text.as_str()).into_owned()),
        pattern,
        min_severity: select.min_severity.map(|level| {
            let level = match level {
                cli::SeverityArg::Low => SeverityLevel::Low,
                cli::SeverityArg::Medium => SeverityLevel::Medium,
                cli::SeverityArg::High => SeverityLevel::High,
            };
            (level, Arc::clone(severities))
        }),
    })
}
