//! Selects the source that `tail` reads from: the one of `--source`, otherwise the deployment's default.

use crate::error::{Error, Result};
use crate::tail::source::SourceKind;

/// Selects a source of a deployment. `available` begins with the default.
///
/// # Errors
/// A usage error if the deployment does not have the requested source.
pub(super) fn select_source(
    requested: Option<SourceKind>,
    available: &[SourceKind],
    option: &str,
) -> Result<SourceKind> {
    match requested {
        Some(source) if available.contains(&source) => Ok(source),
        Some(source) => {
            let names: Vec<&str> = available.iter().map(|source| source.name()).collect();
            Err(Error::usage(format!(
                "option {option} is deployed and has no source {}",
                source.name()
            ))
            .with_hint(format!("its sources are: {}", names.join(", "))))
        }
        None => available
            .first()
            .copied()
            .ok_or_else(|| Error::failed("read events", format!("option {option} has no source"))),
    }
}
