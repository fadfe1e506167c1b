//! Errors and hints about the next step.

use super::context::Context;
use crate::error::Error;
use crate::hint::Hint;

/// Hint shown when the credentials belong to another account.
pub(crate) const OTHER_ACCOUNT_HINT: &str =
    "use --profile PROFILE to select other credentials; it overrides the environment";

/// Creates the error for a name prefix without a deployment.
pub(crate) fn no_deployment_error(context: &Context) -> Error {
    let prefix = &context.global.name_prefix;
    let role = context.names().role();
    Error::negative(format!(
        "nothing is deployed under the name prefix {prefix:?}"
    ))
    .with_reason(format!(
        "this account has no role {role} that is managed by heeler-ec"
    ))
    .with_hint(
        Hint::from("to choose an option and set it up, start with: ")
            .and_command("heeler-ec preflight"),
    )
}
