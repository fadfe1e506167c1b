//! What the operator wants to see.

use std::sync::Arc;

use memchr::memmem::Finder;

use crate::cli;
use crate::error::{Error, Result};
use crate::filter_pattern::FilterPattern;
use crate::option::HEELER_PATTERN;
use crate::severity::{SeverityLevel, SeverityTable};
use crate::tail::filter::{GlobFilter, RecordFilter};

/// How grave events are: as the program knows, and as the operator says.
pub(super) fn load_severities(select: &cli::FilterArgs) -> Result<Arc<SeverityTable>> {
    let table = SeverityTable::built_in()
        .map_err(|why| Error::usage("the built-in severity rules are invalid").with_reason(why))?;
    let Some(path) = &select.severity_file else {
        return Ok(Arc::new(table));
    };
    let wrong =
        |why: String| Error::usage(format!("cannot read {}", path.display())).with_reason(why);
    let own = std::fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
    let hint = "docs/severity.md describes the format";
    let table = table
        .with_overrides(&own)
        .map_err(|why| wrong(why).with_hint(hint))?;
    Ok(Arc::new(table))
}

pub(super) fn build_filter(
    select: &cli::FilterArgs,
    severities: &Arc<SeverityTable>,
) -> Result<RecordFilter> {
    let pattern = if select.heeler_filter {
        let pattern = FilterPattern::parse(HEELER_PATTERN).map_err(|why| {
            Error::usage("Heeler's filter is invalid").with_reason(why.to_string())
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
        min_severity: select.min_severity.map(|least| {
            let least = match least {
                cli::SeverityArg::Low => SeverityLevel::Low,
                cli::SeverityArg::Medium => SeverityLevel::Medium,
                cli::SeverityArg::High => SeverityLevel::High,
            };
            (least, Arc::clone(severities))
        }),
    })
}
