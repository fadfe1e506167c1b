//! Commands to run next, with the global options of this run.

use super::context::Context;
use crate::cli::GlobalArgs;
use crate::error::Error;
use crate::hint::Hint;
use crate::option;

const DEFAULT_NAME_PREFIX: &str = "heeler";

/// Hint shown when the credentials belong to another account.
pub(crate) const OTHER_ACCOUNT_HINT: &str =
    "use --profile PROFILE to select other credentials; it overrides the environment";

/// Returns a heeler-ec command with the global options of this run.
pub(crate) fn command_line(context: &Context, command: &str) -> String {
    format!("heeler-ec {command}{}", global_options(&context.global))
}

/// Returns the global options that later commands need, each with a leading space.
pub(crate) fn global_options(global: &GlobalArgs) -> String {
    let prefix = (global.name_prefix != DEFAULT_NAME_PREFIX).then_some(&global.name_prefix);
    let options = [
        ("--profile", global.profile.as_ref()),
        ("--region", global.region.as_ref()),
        ("--name-prefix", prefix),
    ];
    options
        .into_iter()
        .filter_map(|(option, value)| value.map(|value| format!(" {option} {value}")))
        .collect()
}

/// Creates the error for a name prefix without a deployment.
pub(crate) fn no_deployment_error(context: &Context) -> Error {
    let prefix = &context.global.name_prefix;
    let role = context.names().role();
    let setup = format!(
        "setup --option {} --heeler-role-arn ARN --generate-external-id",
        option::recommended().name()
    );
    Error::negative(format!(
        "nothing is deployed under the name prefix {prefix:?}"
    ))
    .with_reason(format!(
        "this account has no role {role} that is managed by heeler-ec"
    ))
    .with_hint(Hint::from("to set it up: ").and_command(command_line(context, &setup)))
}

/// Returns the lines that explain how to continue after a failed setup.
pub(crate) fn recovery_steps(context: &Context) -> [String; 2] {
    [
        "Run the same command again to complete the setup. To remove it, run:".to_owned(),
        format!("  {}", command_line(context, "destroy")),
    ]
}

/// Prints the lines of [`recovery_steps`].
pub(crate) fn print_recovery_steps(context: &Context) {
    for line in recovery_steps(context) {
        context.ui.warn_unwrapped(&line);
    }
}
