//! What the operator wants to see.

use memchr::memmem::Finder;

use crate::cli;
use crate::error::{Error, Result};
use crate::pattern::Pattern;
use crate::pipeline::cloudwatch_filter::HEELER_PATTERN;
use crate::tail::filter::{Filter, Globs};

pub(super) fn filter(select: &cli::Select) -> Result<Filter> {
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
    })
}
