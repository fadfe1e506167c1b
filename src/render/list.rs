//! The deployments of an account, as a table and as JSON.

use serde_json::json;

use super::document::Document;
use super::{OutputFormat, Tone, Ui};
use crate::sanitize::escape_control_chars;

/// A row of the list, from the name and the tags of a role.
#[derive(Clone, Copy, Debug)]
pub struct ListedDeployment<'a> {
    pub name_prefix: &'a str,
    pub option: &'a str,
    pub region: &'a str,
    pub role_arn: &'a str,
}

/// Returns the deployments as the result.
#[must_use]
pub fn list_document(ui: &Ui, account: &str, rows: &[ListedDeployment<'_>]) -> Document {
    match ui.format() {
        OutputFormat::Json => {
            let rows = rows.iter().map(|row| {
                json!({
                    "name_prefix": row.name_prefix,
                    "option": row.option,
                    "region": row.region,
                    "role_arn": row.role_arn,
                })
            });
            Document::Json(json!({
                "account": account,
                "deployments": rows.collect::<Vec<_>>(),
            }))
        }
        OutputFormat::Text | OutputFormat::Csv => Document::Text(table(*ui, account, rows)),
    }
}

fn table(ui: Ui, account: &str, rows: &[ListedDeployment<'_>]) -> String {
    if rows.is_empty() {
        let next = ui.repeated.complete("heeler-ec preflight");
        return format!("No deployment found in account {account}.\nNext: {next}\n");
    }
    let cells = rows
        .iter()
        .map(|row| [row.name_prefix, row.option, row.region].map(escape_control_chars));
    let headings = ["PREFIX", "OPTION", "REGION"].map(str::to_owned);
    let cells: Vec<[String; 3]> = std::iter::once(headings).chain(cells).collect();
    let width = |column: usize| {
        let widths = cells.iter().map(|row| row[column].chars().count());
        widths.max().unwrap_or_default()
    };
    let (prefix_width, option_width) = (width(0), width(1));
    let lines = cells
        .iter()
        .enumerate()
        .map(|(number, [prefix, option, region])| {
            let line = format!("{prefix:<prefix_width$}  {option:<option_width$}  {region}");
            match number {
                0 => ui.paint(Tone::Strong, &line) + "\n",
                _ => line + "\n",
            }
        });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_the_longest_value() {
        let row = |name_prefix, option| ListedDeployment {
            name_prefix,
            option,
            region: "us-east-1",
            role_arn: "arn",
        };
        let rows = [row("a", "option_one"), row("longer_prefix", "two")];
        assert_eq!(
            table(Ui::plain(None), "111122223333", &rows),
            "PREFIX         OPTION      REGION\n\
             a              option_one  us-east-1\n\
             longer_prefix  two         us-east-1\n"
        );
    }

    #[test]
    fn empty_list_names_the_next_command() {
        assert_eq!(
            table(Ui::plain(None), "111122223333", &[]),
            "No deployment found in account 111122223333.\nNext: heeler-ec preflight\n"
        );
    }
}
