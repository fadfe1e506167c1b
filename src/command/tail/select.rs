//! What the operator wants to see.

use std::sync::Arc;

use memchr::memmem::Finder;

use crate::cli;
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::pipeline::cloudwatch_filter::HEELER_PATTERN;
use crate::severity::{Level, Table};
use crate::tail::filter::{Filter, Globs};

/// How grave events are: as the program knows, and as the operator says.
pub(super) fn severities(select: &cli::Select) -> Result<Arc<Table>> {
    let table =
        Table::built_in().map_err(|why| Error::usage("read the table of severities", why))?;
    let Some(path) = &select.severity_file else {
        return Ok(Arc::new(table));
    };
    let wrong = |why: String| Error::usage(format!("read {}", path.display()), why);
    let own = std::fs::read_to_string(path).map_err(|why| wrong(why.to_string()))?;
    let hint = "docs/severity.md shows what such a file looks like";
    let table = table.overlaid(&own).map_err(|why| wrong(why).hint(hint))?;
    Ok(Arc::new(table))
}

pub(super) fn filter(select: &cli::Select, severities: &Arc<Table>) -> Result<Filter> {
    let pattern = if select.heeler_filter {
        let pattern = Pattern::parse(HEELER_PATTERN)
            .map_err(|why| Error::usage("read Heeler's filter", why.to_string()))?;
        Some(pattern)
    } else {
        None
    };
    Ok(Filter {
        accounts: Globs::new(&select.account),
        regions: Globs::new(&select.event_region),
        services: Globs::new(&select.service),
        events: Globs::new(&select.event),
        actors: Globs::new(&select.actor),
        errors_only: select.errors_only,
        writes_only: select.write_only,
        since: select.since,
        text: select
            .grep
            .as_ref()
            .map(|text| Finder::new(text.as_str()).into_owned()),
        pattern,
        least: select.min_severity.map(|least| {
            let least = match least {
                cli::Severity::Low => Level::Low,
                cli::Severity::Medium => Level::Medium,
                cli::Severity::High => Level::High,
            };
            (least, Arc::clone(severities))
        }),
    })
}
