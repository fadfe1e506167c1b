//! Prints the documentation of a check. It makes no calls.

use super::{CommandOutcome, Context};
use crate::check_id::CheckId;
use crate::render;

pub(super) fn run(context: &Context, check: CheckId) -> CommandOutcome {
    CommandOutcome::result(render::explain::explanation(&context.ui, check))
}
