//! The options that work with separate credentials for the account of the log bucket.

use super::context::Context;
use crate::error::{Error, Result};
use crate::option::{DeliveryOption, OPTIONS, management_options};

/// Returns the options that a command without `--option` considers. With separate credentials for the account of the
/// log bucket, these are the options that read from the bucket.
pub(super) fn usable_options(context: &Context) -> Vec<&'static dyn DeliveryOption> {
    let options = OPTIONS.iter().copied();
    options
        .filter(|option| is_usable(context, *option))
        .collect()
}

/// Fails if the option reads from the management account and the credentials are for the account of the log bucket.
///
/// # Errors
/// A usage error.
pub(super) fn reject_unusable(context: &Context, option: &dyn DeliveryOption) -> Result<()> {
    if is_usable(context, option) {
        return Ok(());
    }
    Err(Error::usage(format!(
        "option {} does not read from the log bucket",
        option.name()
    ))
    .with_reason(
        "--bucket-profile and --bucket-role select the account of the log bucket for all resources",
    )
    .with_hint("leave them out: the option is set up in the management account, with --profile"))
}

fn is_usable(context: &Context, option: &dyn DeliveryOption) -> bool {
    context.bucket_credentials().is_none() || !management_options().contains(&option.name())
}
