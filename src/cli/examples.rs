//! Examples of each command, for help and the manual pages.

use crate::option;

/// An example: what it does, and its command line.
pub type Example = (&'static str, &'static str);

const ROLE: &str = "--heeler-role-arn arn:aws:iam::999999999999:role/heeler-security";

/// Returns the examples of a command, or none of an unknown one.
#[must_use]
#[expect(clippy::too_many_lines, reason = "a table of all commands")]
pub fn examples(command: &str) -> Vec<(String, String)> {
    let examples: &[Example] = match command {
        "preflight" => &[
            (
                "Check both options, and recommend one",
                "heeler-ec preflight",
            ),
            (
                "Print only the problems of option OPTION",
                "heeler-ec preflight --option OPTION -o short",
            ),
            (
                "Wait until a new trail delivers",
                "heeler-ec preflight --option OPTION --wait 15m",
            ),
            (
                "Use a log bucket of another account",
                "heeler-ec preflight --option OPTION --profile management --bucket-profile log-archive",
            ),
        ],
        "plan" => &[
            (
                "Preview a first setup",
                "heeler-ec plan --option OPTION ROLE --generate-external-id",
            ),
            (
                "Show how the deployment differs from its setup",
                "heeler-ec plan",
            ),
            ("Fail in a job if it differs", "heeler-ec plan --check -q"),
            (
                "Exit with 4 if changes are pending",
                "heeler-ec plan --detailed-exitcode",
            ),
        ],
        "setup" => &[
            (
                "Set up on a terminal: asks for all values",
                "heeler-ec setup",
            ),
            (
                "Set up without questions, and save what changes",
                "heeler-ec setup --option OPTION ROLE --generate-external-id --yes --backup before.json",
            ),
            (
                "Repair an existing deployment without questions",
                "heeler-ec setup --yes",
            ),
            (
                "Send the S3 events of a bucket to another vendor",
                "heeler-ec setup VARIANT --bucket example-bucket --vendor-role-arn arn:aws:iam::999999999999:role/collector \
                 --generate-external-id",
            ),
        ],
        "outputs" => &[
            ("Print the three values for Heeler", "heeler-ec outputs"),
            (
                "Print one value for a script",
                "heeler-ec outputs heeler_event_queue_url",
            ),
            (
                "Set outputs of a step in GitHub Actions, with a masked external ID",
                "heeler-ec outputs -o github >> \"$GITHUB_OUTPUT\"",
            ),
        ],
        "list" => &[
            ("List the deployments of the account", "heeler-ec list"),
            (
                "Print their name prefixes",
                "heeler-ec list -o json | jq -r '.result.deployments[].name_prefix'",
            ),
        ],
        "status" => &[
            ("Show the first broken hop", "heeler-ec status"),
            ("Wait until no hop is broken", "heeler-ec status --wait 10m"),
            (
                "Write a test report for continuous integration",
                "heeler-ec status -o junit > status.xml",
            ),
        ],
        "cost" => &[
            ("Compare the options with your own volume", "heeler-ec cost"),
            ("Measure a working day", "heeler-ec cost --day 2026-01-30"),
            (
                "Give the volume, without AWS calls",
                "heeler-ec cost --log-files-per-day 100000 --events-per-day 6500000 --bytes-per-event 1800 --matching-percent 8",
            ),
        ],
        "coverage" => &[
            ("Show accounts and regions with a gap", "heeler-ec coverage"),
            (
                "Write a page with the whole matrix",
                "heeler-ec coverage --html coverage.html",
            ),
            (
                "Check a large organization, and continue after an interruption",
                "heeler-ec coverage --resume coverage.progress",
            ),
        ],
        "dlq" => &[
            ("Show why messages were not delivered", "heeler-ec dlq"),
            ("Move them back to Heeler's queue", "heeler-ec dlq redrive"),
            (
                "Move them slowly and without a question",
                "heeler-ec dlq redrive --yes --rate 10",
            ),
        ],
        "verify" => &[
            ("Send a canary and follow it", "heeler-ec verify"),
            (
                "Look for the canary of an earlier run",
                "heeler-ec verify --resume 20260131T120000-0123abcd",
            ),
            (
                "Write a report for auditors",
                "heeler-ec verify --evidence delivery.md",
            ),
            (
                "Only measure the delivery delay of the newest events",
                "heeler-ec verify --no-canary",
            ),
        ],
        "support" => &[
            (
                "Show what the archive would contain",
                "heeler-ec support --dry-run",
            ),
            (
                "Write it without account IDs",
                "heeler-ec support --redact-accounts",
            ),
            (
                "Add the calls of an earlier setup, which --log-file wrote",
                "heeler-ec support --call-log setup.log",
            ),
        ],
        "export" => &[
            (
                "Write import and resource blocks",
                "heeler-ec export terraform > heeler.tf",
            ),
            (
                "Print the addresses and IDs of the imports",
                "heeler-ec export terraform -o json",
            ),
            (
                "Write tables, views and queries for Athena",
                "heeler-ec export athena > cloudtrail.sql",
            ),
        ],
        "tail" => &[
            ("Show events as they arrive", "heeler-ec tail"),
            (
                "Show failed changes of IAM",
                "heeler-ec tail --service iam --write-only --errors-only",
            ),
            (
                "Search downloaded log files",
                "heeler-ec tail AWSLogs/ --event 'Delete*' --since 2026-01-31T12:00:00Z",
            ),
            (
                "Send severe events to Slack",
                "heeler-ec tail --webhook https://hooks.slack.com/services/T0/B0/X --webhook-format slack",
            ),
        ],
        "destroy" => &[
            ("Show what would be deleted", "heeler-ec destroy --dry-run"),
            (
                "Delete a deployment, and save the documents that change",
                "heeler-ec destroy --name-prefix heeler_next --backup before.json",
            ),
        ],
        "restore" => &[
            (
                "Show what would be restored",
                "heeler-ec restore before.json --dry-run",
            ),
            ("Restore it", "heeler-ec restore before.json"),
        ],
        "policy" => &[
            (
                "Print the policy for preflight",
                "heeler-ec policy preflight",
            ),
            (
                "Print the policy for setup without AWS calls",
                "heeler-ec policy setup --option OPTION --offline",
            ),
        ],
        "explain" => &[
            (
                "Explain a check that failed",
                "heeler-ec explain trail.logging",
            ),
            ("List all checks", "heeler-ec help checks"),
        ],
        "completions" => &[
            (
                "Load completions in bash",
                "source <(heeler-ec completions bash)",
            ),
            (
                "Install completions for fish",
                "heeler-ec completions fish > ~/.config/fish/completions/heeler-ec.fish",
            ),
        ],
        "help" => &[
            ("Show the options of a command", "heeler-ec help setup"),
            (
                "Show the environment variables",
                "heeler-ec help environment",
            ),
        ],
        _ => &[],
    };
    let option = option::recommended();
    let variant = option.direct_variant().unwrap_or(option).arguments();
    let complete = |text: &str| {
        let text = text.replace("OPTION", option.name());
        text.replace("VARIANT", variant).replace("ROLE", ROLE)
    };
    examples
        .iter()
        .map(|(purpose, command)| (complete(purpose), complete(command)))
        .collect()
}
