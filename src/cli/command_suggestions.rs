//! Suggestions for commands that other tools have, and that this program lacks.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands of other tools, and what to use instead. clap would suggest the most similar name, which may be a command
/// that writes.
const SUGGESTIONS: &[(&[&str], &str)] = &[
    (
        &["doctor", "check", "validate", "diagnose"],
        "`heeler-ec preflight` checks the prerequisites, `heeler-ec status` the deployment",
    ),
    (
        &["login", "auth", "configure", "init"],
        "heeler-ec uses the credentials of the AWS CLI: sign in with `aws sso login` or `aws configure`",
    ),
    (
        &["version"],
        "`heeler-ec --version` prints the version, and with --verbose also the commit",
    ),
    (
        &["apply", "install", "create", "deploy", "up"],
        "`heeler-ec setup` shows what it would create and asks for confirmation",
    ),
    (
        &["delete", "remove", "uninstall", "down", "rm"],
        "`heeler-ec destroy` shows what it would delete and asks for confirmation",
    ),
    (
        &["diff", "drift", "preview", "refresh"],
        "`heeler-ec plan` shows the differences and writes nothing",
    ),
    (
        &["logs", "events", "watch", "follow"],
        "`heeler-ec tail` shows events as they arrive",
    ),
    (
        &["show", "info", "describe", "health"],
        "`heeler-ec status` shows the deployment, `heeler-ec list` all deployments of the account",
    ),
    (
        &["output"],
        "`heeler-ec outputs` prints the values for Heeler",
    ),
];

/// Replaces clap's suggestion if the command is one of another tool.
pub(super) fn with_suggestion(mut error: clap::Error) -> clap::Error {
    let suggestion = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) if error.kind() == ErrorKind::InvalidSubcommand => {
            suggestion(name)
        }
        _ => None,
    };
    if let Some(text) = suggestion {
        error.remove(ContextKind::SuggestedSubcommand);
        let texts = vec![StyledStr::from(text)];
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(texts));
    }
    error
}

fn suggestion(name: &str) -> Option<&'static str> {
    let row = SUGGESTIONS.iter().find(|(names, _)| names.contains(&name));
    row.map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_other_tools_have_suggestions() {
        let root = crate::cli::command();
        for (names, text) in SUGGESTIONS {
            for name in *names {
                assert!(root.find_subcommand(name).is_none(), "{name}");
                let args = ["heeler-ec".into(), (*name).into()];
                let error = crate::cli::parse(&args, false).expect_err("an unknown command");
                let shown = error.render().to_string();
                assert!(shown.contains(&format!("tip: {text}")), "{shown}");
                assert!(!shown.contains("similar subcommand"), "{shown}");
            }
            let commands = text.split('`').skip(1).step_by(2);
            for command in commands.filter_map(|text| text.strip_prefix("heeler-ec ")) {
                let name = command.split(' ').next().unwrap_or_default();
                let is_known = name.starts_with("--") || root.find_subcommand(name).is_some();
                assert!(is_known, "{command}");
            }
        }
    }
}
