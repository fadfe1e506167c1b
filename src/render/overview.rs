//! The screen of `heeler-ec` without arguments.

use std::fmt::Write;

use super::{Tone, Ui};
use crate::sanitize::escape_control_chars;

/// The first part of the screen.
#[derive(Debug)]
pub enum OverviewContent<'a> {
    Deployments(Overview),
    /// The reason why no credentials are usable.
    NoCredentials(&'a str),
}

/// The deployments of an account.
#[derive(Debug)]
pub struct Overview {
    /// The name prefix of commands without `--name-prefix`.
    pub default_prefix: String,
    pub account: String,
    pub rows: Vec<OverviewRow>,
}

/// A deployment and its health.
#[derive(Debug)]
pub struct OverviewRow {
    pub name_prefix: String,
    pub option: String,
    pub region: String,
    pub health: OverviewHealth,
}

/// The health of a deployment in a few words.
#[derive(Debug)]
pub enum OverviewHealth {
    Healthy {
        /// True if Heeler receives from the queue.
        is_polled: bool,
    },
    /// The ID of the first broken hop.
    Broken(&'static str),
    /// The reason why the deployment could not be read.
    Unknown(String),
}

/// Returns the screen: the deployments, the next command, and the most important commands with their summaries.
#[must_use]
pub fn overview_text(
    ui: &Ui,
    content: &OverviewContent<'_>,
    commands: &[(&str, String)],
) -> String {
    let mut text = String::new();
    match content {
        OverviewContent::NoCredentials(reason) => {
            let line = format!("Not connected to AWS: {}.", escape_control_chars(reason));
            let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 0));
        }
        OverviewContent::Deployments(overview) => write_deployments(*ui, &mut text, overview),
    }
    text.push('\n');
    let width = commands.iter().map(|(name, _)| name.len()).max();
    let width = width.unwrap_or_default();
    for (name, summary) in commands {
        let line = format!("  heeler-ec {name:<width$}  {summary}");
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, width + 14));
    }
    let _ = writeln!(text, "\nAll commands: heeler-ec --help");
    text
}

fn write_deployments(ui: Ui, text: &mut String, overview: &Overview) {
    let rows = &overview.rows;
    if rows.is_empty() {
        let _ = writeln!(text, "No deployment found in account {}.", overview.account);
    } else {
        let _ = writeln!(text, "Account {}\n", overview.account);
    }
    let width = |column: fn(&OverviewRow) -> &str| {
        let widths = rows.iter().map(|row| column(row).chars().count());
        widths.max().unwrap_or_default()
    };
    let prefixes = width(|row| &row.name_prefix);
    let options = width(|row| &row.option);
    let regions = width(|row| &row.region);
    for row in rows {
        let health = match &row.health {
            OverviewHealth::Healthy { is_polled: true } => ui.paint(Tone::Good, "healthy"),
            OverviewHealth::Healthy { is_polled: false } => {
                ui.paint(Tone::Good, "healthy") + ", Heeler has not polled yet"
            }
            OverviewHealth::Broken(hop) => ui.paint(Tone::Bad, &format!("broken at {hop}")),
            OverviewHealth::Unknown(reason) => {
                format!("not known: {}", escape_control_chars(reason))
            }
        };
        let (prefix, option, region) = (&row.name_prefix, &row.option, &row.region);
        let line = format!(
            "  {prefix:<prefixes$}  option {option:<options$}  {region:<regions$}  {health}"
        );
        let _ = writeln!(text, "{}", ui.wrap_stdout(&line, 4));
    }
    let next = ui.repeated.complete(&next_command(overview));
    let gap = if rows.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{gap}Next: {next}");
}

/// Returns the next command: for the first broken deployment, else for one that Heeler does not poll.
fn next_command(overview: &Overview) -> String {
    let rows = &overview.rows;
    let first = |matches: fn(&OverviewHealth) -> bool| rows.iter().find(|row| matches(&row.health));
    let broken = first(|health| !matches!(health, OverviewHealth::Healthy { .. }));
    let not_polled = first(|health| matches!(health, OverviewHealth::Healthy { is_polled: false }));
    let (command, row) = match (broken, not_polled, rows.first()) {
        (Some(row), _, _) => ("status", row),
        (None, Some(row), _) => ("outputs", row),
        (None, None, Some(row)) => ("tail", row),
        (None, None, None) => return "heeler-ec setup".to_owned(),
    };
    if row.name_prefix == overview.default_prefix {
        format!("heeler-ec {command}")
    } else {
        format!("heeler-ec {command} --name-prefix {}", row.name_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEALTHY: OverviewHealth = OverviewHealth::Healthy { is_polled: true };
    const NOT_POLLED: OverviewHealth = OverviewHealth::Healthy { is_polled: false };

    fn screen(rows: Vec<(&str, OverviewHealth)>) -> String {
        let rows = rows.into_iter().map(|(prefix, health)| OverviewRow {
            name_prefix: prefix.to_owned(),
            option: "s3".to_owned(),
            region: "us-east-1".to_owned(),
            health,
        });
        let content = OverviewContent::Deployments(Overview {
            default_prefix: "heeler".to_owned(),
            account: "111122223333".to_owned(),
            rows: rows.collect(),
        });
        let commands = [
            ("setup", "Set up".to_owned()),
            ("outputs", "Print".to_owned()),
        ];
        overview_text(&Ui::plain(None), &content, &commands)
    }

    #[test]
    fn deployments_have_columns_and_a_next_command() {
        assert_eq!(
            screen(vec![
                ("heeler", HEALTHY),
                ("heeler_next", OverviewHealth::Broken("subscription")),
            ]),
            "Account 111122223333\n\n\
             \x20 heeler       option s3  us-east-1  healthy\n\
             \x20 heeler_next  option s3  us-east-1  broken at subscription\n\n\
             Next: heeler-ec status --name-prefix heeler_next\n\n\
             \x20 heeler-ec setup    Set up\n\
             \x20 heeler-ec outputs  Print\n\n\
             All commands: heeler-ec --help\n"
        );
    }

    #[test]
    fn next_command_depends_on_health() {
        let next = |rows| {
            let screen = screen(rows);
            let line = screen.lines().find_map(|line| line.strip_prefix("Next: "));
            line.map(str::to_owned)
        };
        let unknown = OverviewHealth::Unknown("denied".to_owned());
        for (rows, expected) in [
            (vec![], "heeler-ec setup"),
            (vec![("heeler", HEALTHY)], "heeler-ec tail"),
            (vec![("heeler", NOT_POLLED)], "heeler-ec outputs"),
            (vec![("heeler", unknown)], "heeler-ec status"),
        ] {
            assert_eq!(next(rows).as_deref(), Some(expected));
        }
    }
}
