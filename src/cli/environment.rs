//! The environment variables of the options: `HEELER_EC_` and the name of the option in capital letters.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use clap::builder::BoolishValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Options without a variable: they confirm, accept, force, adopt, delete or show a secret, and must be typed in each run.
pub const OPTIONS_WITHOUT_VARIABLE: &[&str] = &[
    "accept",
    "adopt",
    "fan-out",
    "fix",
    "fix-retention",
    "force",
    "overwrite",
    "show-secrets",
    "yes",
];

/// Values that no variable can select, as pairs of option and value.
const VALUES_WITHOUT_VARIABLE: &[(&str, &str)] = &[("source", "heeler-queue")];

/// Options whose variable counts only together with another option or argument, as pairs.
const DEPENDENT_VARIABLES: &[(&str, &str)] = &[("rate", "action"), ("webhook-format", "webhook")];

/// The arguments of a run that were typed, and the variables that they override.
#[derive(Clone, Debug, Default)]
pub(super) struct TypedArguments {
    /// The IDs of the arguments, which are their names with underscores.
    ids: BTreeSet<String>,
    /// The IDs of the arguments that conflict with a typed one.
    conflicting: BTreeSet<String>,
    subcommand: Option<String>,
}

impl TypedArguments {
    /// Reads the command line without variables. Finds nothing in an invalid command line.
    pub fn find(mut command: Command, args: &[OsString]) -> Self {
        command = command.ignore_errors(true);
        let Ok(matches) = command.try_get_matches_from_mut(args) else {
            return Self::default();
        };
        let mut ids = typed_ids(&matches);
        let mut typed = Self::default();
        if let Some((name, matches)) = matches.subcommand() {
            ids.extend(typed_ids(matches));
            if let Some(subcommand) = command.find_subcommand(name) {
                typed.conflicting = conflicting_ids(subcommand, &ids);
            }
            typed.subcommand = Some(name.to_owned());
        }
        typed.ids = ids;
        typed
    }

    /// Returns true if the option with this long name was typed.
    pub fn contains(&self, long: &str) -> bool {
        self.ids.contains(&argument_id(long))
    }

    /// Returns the command line with the variables that apply to this run.
    ///
    /// # Errors
    /// If a variable has a value that only the command line can select.
    pub fn with_variables(&self, command: Command) -> Result<Command, clap::Error> {
        let used = self.subcommand.as_deref();
        let used = used.and_then(|name| command.find_subcommand(name));
        for (long, refused) in VALUES_WITHOUT_VARIABLE {
            let has_option = used.is_some_and(|used| has_option(used, long));
            let name = variable_name(long);
            if has_option && !self.contains(long) && variable(long).is_some_and(|v| v == *refused) {
                let text = format!("{name} cannot be {refused}: use --{long} {refused}\n");
                return Err(clap::Error::raw(ErrorKind::InvalidValue, text));
            }
        }
        Ok(command
            .mut_args(|arg| self.with_variable(arg))
            .mut_subcommands(|subcommand| subcommand.mut_args(|arg| self.with_variable(arg))))
    }

    /// Adds the variable of an option. Without a subcommand, it is for help, which shows all variables.
    fn with_variable(&self, arg: Arg) -> Arg {
        let Some(long) = arg.get_long().filter(|long| has_variable(long)) else {
            return arg;
        };
        let value = variable(long);
        let is_list = matches!(arg.get_action(), ArgAction::Append);
        let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
        if self.subcommand.is_some() && self.is_ignored(long) {
            return arg;
        }
        let name: &'static str = Box::leak(variable_name(long).into_boxed_str());
        let is_typed = self.contains(long);
        let arg = arg.env(name).hide_env_values(true);
        if is_flag {
            arg.value_parser(BoolishValueParser::new())
        } else if is_list && value.is_some() && !is_typed {
            arg.value_delimiter(',')
        } else {
            arg
        }
    }

    /// Returns true if the variable of an option does not apply to this run.
    fn is_ignored(&self, long: &str) -> bool {
        let is_dependent = DEPENDENT_VARIABLES.iter().any(|(name, other)| {
            *name == long && !self.contains(other) && variable(other).is_none()
        });
        variable(long).is_none() || is_dependent || self.conflicting.contains(&argument_id(long))
    }

    /// Names the variable in an error about its value.
    pub fn name_variable(&self, mut error: clap::Error) -> clap::Error {
        let Some(ContextValue::String(arg)) = error.get(ContextKind::InvalidArg) else {
            return error;
        };
        let long = arg.split(' ').next().unwrap_or_default();
        let long = long.trim_start_matches("--").trim_end_matches("...");
        let is_about_value = matches!(
            error.kind(),
            ErrorKind::InvalidValue | ErrorKind::ValueValidation
        );
        if is_about_value && has_variable(long) && !self.contains(long) && variable(long).is_some()
        {
            let text = format!("{arg} (from {})", variable_name(long));
            error.insert(ContextKind::InvalidArg, ContextValue::String(text));
        }
        error
    }
}

/// Returns the name of an option's variable.
#[must_use]
pub fn variable_name(long: &str) -> String {
    format!("HEELER_EC_{}", long.replace('-', "_").to_ascii_uppercase())
}

/// Returns true if an option has a variable.
#[must_use]
pub fn has_variable(long: &str) -> bool {
    !OPTIONS_WITHOUT_VARIABLE.contains(&long) && !matches!(long, "help" | "version")
}

/// Returns the value of an option's variable. An empty variable counts as unset.
fn variable(long: &str) -> Option<OsString> {
    std::env::var_os(variable_name(long)).filter(|value| value != OsStr::new(""))
}

/// Returns the ID that clap derives from the name of a field, which is also the long name of the option.
fn argument_id(long: &str) -> String {
    long.replace('-', "_")
}

fn has_option(command: &Command, long: &str) -> bool {
    let mut arguments = command.get_arguments();
    arguments.any(|arg| arg.get_long() == Some(long))
}

fn typed_ids(matches: &ArgMatches) -> BTreeSet<String> {
    let ids = matches.ids().map(clap::Id::as_str);
    let typed = ids.filter(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    typed.map(str::to_owned).collect()
}

/// Returns the arguments that conflict with one of these, in either direction.
fn conflicting_ids(command: &Command, typed: &BTreeSet<String>) -> BTreeSet<String> {
    let mut conflicting = BTreeSet::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        for other in command.get_arg_conflicts_with(arg) {
            let other = other.get_id().as_str();
            if typed.contains(id) {
                conflicting.insert(other.to_owned());
            }
            if typed.contains(other) {
                conflicting.insert(id.to_owned());
            }
        }
    }
    conflicting
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn typed(line: &str) -> TypedArguments {
        let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
        TypedArguments::find(crate::cli::Cli::command(), &args)
    }

    #[test]
    fn typed_options_are_found_at_both_levels() {
        let typed = typed("heeler-ec --region us-east-1 plan --bucket-kms-key alias/a -q");
        for long in ["region", "bucket-kms-key", "quiet"] {
            assert!(typed.contains(long), "{long}");
        }
        for long in ["option", "name-prefix", "color", "output"] {
            assert!(!typed.contains(long), "{long}");
        }
    }

    #[test]
    fn conflicts_of_typed_arguments_are_found() {
        let conflicts = |line| typed(line).conflicting;
        assert!(conflicts("heeler-ec tail file.json").contains("timeout"));
        assert!(conflicts("heeler-ec plan -q").contains("verbose"));
        assert!(conflicts("heeler-ec plan -v").contains("quiet"));
        assert!(conflicts("heeler-ec plan --generate-external-id").contains("external_id"));
        assert!(conflicts("heeler-ec plan --external-id a-b").contains("generate_external_id"));
        assert_eq!(conflicts("heeler-ec plan"), BTreeSet::new());
    }

    #[test]
    fn argument_ids_are_long_names() {
        let mut root = crate::cli::Cli::command();
        root.build();
        for command in root.get_subcommands() {
            for arg in command.get_arguments() {
                if let Some(long) = arg.get_long() {
                    assert_eq!(arg.get_id().as_str(), argument_id(long));
                }
            }
        }
    }
}
