//! The help topics: pages of `heeler-ec help` that are about no single command.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::environment::{has_variable, variable_name};
use crate::check::Check;
use crate::option::all;

/// The names of the topics, each with a summary.
pub const TOPICS: &[(&str, &str)] = &[
    ("environment", "Environment variables"),
    ("exit-codes", "Exit codes"),
    ("output", "Output formats and streams"),
    (
        "checks",
        "Checks of preflight, and which of them can be accepted",
    ),
];

/// The columns of a topic, so that a small terminal does not break its lines.
const TOPIC_WIDTH: usize = 80;

const EXIT_CODES: &str = "\
Exit codes:
  0    success
  1    negative result: a check failed, something differs, nothing is deployed,
       no event arrived, or the question was answered with no
  2    invalid usage or input; no AWS call was made
  3    an AWS or network error, or an alert that was not delivered
  4    changes are pending (plan --detailed-exitcode)
  5    the canary was not seen yet (verify)
  130  interrupted with Ctrl-C
";

const OUTPUT: &str = "\
Standard output has the result, and nothing else. Standard error has progress,
warnings, questions and errors.

  -o table         for reading (the default)
  -o json          one JSON document with result and error; tail prints lines
  -o short         only the problems (preflight)
  -o junit         a test report (status)
  -o csv           a table for spreadsheets (tail, coverage)
  -o hcl           HCL or SQL for the other tool (the default of export)
  -o text          a script (the default of completions)
  -o env           NAME=value lines for a shell (outputs)
  -o tfvars        lines of a tfvars file (outputs)
  -o github        lines for $GITHUB_OUTPUT; the external ID is masked (outputs)
  --progress json  standard error as JSON lines
  --progress plain no line that is redrawn; steps are reported when they end
  --color never    no colors; NO_COLOR=1 and TERM=dumb have the same effect
  --color always   colors also in a pipe, as with FORCE_COLOR=1
  -q, --quiet      no progress and no hints
  -v, --verbose    one line per AWS call

Text is wrapped at the width of a terminal, and never in a pipe. Without a UTF-8
locale, signs and arrows are ASCII. The external ID is masked, except by outputs
and once after setup.
";

/// Returns the text of a topic, or `None` of an unknown one. `root` is the whole command line.
#[must_use]
pub fn topic_text(root: &clap::Command, topic: &str) -> Option<String> {
    match topic {
        "environment" => Some(environment(root)),
        "exit-codes" => Some(EXIT_CODES.to_owned()),
        "output" => Some(OUTPUT.to_owned()),
        "checks" => Some(checks()),
        _ => None,
    }
}

/// Lists the variable of each option, and the variables that other programs use, too.
fn environment(root: &clap::Command) -> String {
    let mut options: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut global: Vec<&str> = Vec::new();
    for arg in root.get_arguments().filter(|arg| arg.is_global_set()) {
        global.extend(arg.get_long());
    }
    for command in root.get_subcommands() {
        for long in command.get_arguments().filter_map(clap::Arg::get_long) {
            if has_variable(long) && !global.contains(&long) {
                options.entry(long).or_default().push(command.get_name());
            }
        }
    }
    let mut text = String::from(
        "Each of these variables sets the option of the same name: HEELER_EC_NAME_PREFIX\n\
         sets --name-prefix. The command line overrides it, and an empty variable counts\n\
         as unset. Lists are separated by commas; flags are true or false. Options that\n\
         confirm, accept, force, adopt, delete or show secrets have no variable.\n\nAll commands:\n",
    );
    for long in global.iter().filter(|long| has_variable(long)) {
        let _ = writeln!(text, "  {}", variable_name(long));
    }
    text.push_str("\nSome commands:\n");
    for (long, commands) in options {
        let name = variable_name(long);
        let mut line = format!("  {name:<31}");
        for (number, command) in commands.iter().enumerate() {
            let separator = if number + 1 == commands.len() {
                ""
            } else {
                ","
            };
            if line.len() + 1 + command.len() + separator.len() > TOPIC_WIDTH {
                let _ = writeln!(text, "{line}");
                line = " ".repeat(33);
            }
            let _ = write!(line, " {command}{separator}");
        }
        let _ = writeln!(text, "{line}");
    }
    text.push_str(
        "\nAWS, as for the AWS CLI:\n  \
         AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,\n  \
         AWS_SESSION_TOKEN, AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE,\n  \
         AWS_CA_BUNDLE, AWS_ENDPOINT_URL\n\n\
         Terminal:\n  \
         NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM, LANG, LC_ALL, CI\n  \
         HEELER_EC_ACCESSIBLE=1  for screen readers: ASCII signs, no redrawn line\n",
    );
    text
}

/// Lists the checks by group, with their options and whether they can be accepted.
fn checks() -> String {
    let mut rows: Vec<(&Check, Vec<&str>)> = Vec::new();
    for option in all() {
        for check in option.checks().iter().copied().flatten() {
            match rows.iter_mut().find(|(known, _)| known.id == check.id) {
                Some((_, options)) => options.push(option.name()),
                None => rows.push((check, vec![option.name()])),
            }
        }
    }
    let mut text = String::from(
        "heeler-ec explain ID prints the documentation of a check.\n\
         A check with \"accept\" can be accepted with --accept ID.\n",
    );
    let mut group = "";
    rows.sort_by_key(|(check, _)| check.id);
    for (check, options) in rows {
        if check.id.group() != group {
            group = check.id.group();
            let _ = writeln!(text, "\n{group}");
        }
        let accept = if check.requirement.acceptable {
            "accept"
        } else {
            ""
        };
        let only = match options.as_slice() {
            [only] => format!(" (option {only})"),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "  {:<32} {accept:<7} {}{only}",
            check.id.as_str(),
            check.description
        );
    }
    text
}
