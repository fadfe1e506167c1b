//! The three values to paste into Heeler, with the output names of Heeler's Terraform modules.

use clap::ValueEnum;
use serde_json::Value;

use super::document::Document;
use super::{OutputFormat, Tone, Ui};
use crate::sanitize::escape_control_chars;

#[derive(Clone, Copy, Debug)]
pub struct OutputValues<'a> {
    pub queue_url: &'a str,
    pub role_arn: &'a str,
    pub external_id: &'a str,
}

/// The name of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum OutputName {
    /// URL of the queue
    #[value(alias = "queue_url")]
    HeelerEventQueueUrl,
    /// ARN of the role that Heeler assumes
    #[value(alias = "role_arn")]
    HeelerEventRoleArn,
    /// External ID that Heeler presents
    #[value(alias = "external_id")]
    HeelerEventRoleExternalId,
}

/// The text form of the values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValuesLayout {
    /// Names and values in columns.
    #[default]
    Table,
    /// Assignments of a shell.
    Env,
    /// Assignments of a tfvars file.
    Tfvars,
    /// Lines for the file of outputs of a step in GitHub Actions.
    Github,
}

/// The values to print: all of them, or one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection {
    pub name: Option<OutputName>,
    pub layout: ValuesLayout,
}

impl OutputName {
    const ALL: [Self; 3] = [
        Self::HeelerEventQueueUrl,
        Self::HeelerEventRoleArn,
        Self::HeelerEventRoleExternalId,
    ];

    /// The name of the output in Heeler's Terraform modules.
    fn as_str(self) -> &'static str {
        match self {
            Self::HeelerEventQueueUrl => "heeler_event_queue_url",
            Self::HeelerEventRoleArn => "heeler_event_role_arn",
            Self::HeelerEventRoleExternalId => "heeler_event_role_external_id",
        }
    }

    fn value<'a>(self, outputs: &OutputValues<'a>) -> &'a str {
        match self {
            Self::HeelerEventQueueUrl => outputs.queue_url,
            Self::HeelerEventRoleArn => outputs.role_arn,
            Self::HeelerEventRoleExternalId => outputs.external_id,
        }
    }
}

impl Selection {
    fn names(self) -> impl Iterator<Item = OutputName> {
        let is_selected = move |name: &OutputName| self.name.is_none_or(|only| only == *name);
        OutputName::ALL.into_iter().filter(is_selected)
    }
}

/// Returns the values as the result.
#[must_use]
pub fn outputs_document(ui: &Ui, outputs: &OutputValues<'_>) -> Document {
    selected_document(ui, outputs, Selection::default())
}

/// Returns the selected values as the result.
#[must_use]
pub fn selected_document(ui: &Ui, outputs: &OutputValues<'_>, selection: Selection) -> Document {
    if ui.format() == OutputFormat::Json {
        return Document::Json(match selection.name {
            Some(name) => name.value(outputs).into(),
            None => outputs_json(outputs),
        });
    }
    let lines = selection.names().map(|name| {
        let value = escape_control_chars(name.value(outputs));
        match (selection.layout, selection.name) {
            (ValuesLayout::Table, Some(_)) => format!("{value}\n"),
            (ValuesLayout::Table, None) => table_row(*ui, name.as_str(), &value),
            (layout, _) => assignment(layout, name.as_str(), &value),
        }
    });
    Document::Text(lines.collect())
}

/// Prints the command that masks the external ID in the log of GitHub Actions, which reads standard error, too.
pub fn print_mask_command(ui: &Ui, outputs: &OutputValues<'_>, selection: Selection) {
    let secret = OutputName::HeelerEventRoleExternalId;
    if selection.layout == ValuesLayout::Github && selection.names().any(|name| name == secret) {
        let value = escape_control_chars(outputs.external_id).replace('%', "%25");
        ui.print_stderr(&format!("::add-mask::{value}"));
    }
}

/// Formats a name and its value. A value that does not fit beside the name gets its own line.
fn table_row(ui: Ui, name: &str, value: &str) -> String {
    const NAME_WIDTH: usize = 29;
    let fits = ui.fits_stdout(NAME_WIDTH + 2 + value.chars().count());
    if fits {
        let name = ui.paint(Tone::Strong, &format!("{name:<NAME_WIDTH$}"));
        format!("{name}  {value}\n")
    } else {
        format!("{}\n{value}\n", ui.paint(Tone::Strong, name))
    }
}

fn assignment(layout: ValuesLayout, name: &str, value: &str) -> String {
    match layout {
        ValuesLayout::Env => {
            let value = shlex::try_quote(value).unwrap_or_default();
            format!("{}={value}\n", name.to_ascii_uppercase())
        }
        ValuesLayout::Tfvars => {
            let text = Value::from(value).to_string();
            // Terraform would replace both sequences.
            let text = text.replace("${", "$${").replace("%{", "%%{");
            format!("{name} = {text}\n")
        }
        ValuesLayout::Table | ValuesLayout::Github => format!("{name}={value}\n"),
    }
}

/// Returns the values as JSON.
pub(super) fn outputs_json(outputs: &OutputValues<'_>) -> Value {
    let named = OutputName::ALL
        .into_iter()
        .map(|name| (name.as_str().to_owned(), name.value(outputs).into()));
    Value::Object(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUTS: OutputValues<'_> = OutputValues {
        queue_url: "https://sqs.us-east-1.amazonaws.com/111122223333/heeler_queue",
        role_arn: "arn:aws:iam::111122223333:role/pla$t${form}'s/heeler_role",
        external_id: "a=b,c",
    };

    fn shown(width: Option<usize>, layout: ValuesLayout, name: Option<OutputName>) -> String {
        let selection = Selection { name, layout };
        match selected_document(&Ui::plain(width), &OUTPUTS, selection) {
            Document::Text(text) => text,
            Document::Json(value) => panic!("{value}"),
        }
    }

    #[test]
    fn one_value_has_no_name() {
        let name = Some(OutputName::HeelerEventRoleExternalId);
        assert_eq!(shown(None, ValuesLayout::Table, name), "a=b,c\n");
    }

    #[test]
    fn shell_reads_the_assigned_values() {
        let text = shown(None, ValuesLayout::Env, None);
        let words = shlex::split(&text).expect("words of a shell");
        assert_eq!(
            words[1],
            format!("HEELER_EVENT_ROLE_ARN={}", OUTPUTS.role_arn)
        );
        assert_eq!(words[2], "HEELER_EVENT_ROLE_EXTERNAL_ID=a=b,c");
    }

    #[test]
    fn tfvars_escape_template_sequences() {
        let name = Some(OutputName::HeelerEventRoleArn);
        assert_eq!(
            shown(None, ValuesLayout::Tfvars, name),
            "heeler_event_role_arn = \"arn:aws:iam::111122223333:role/pla$t$${form}'s/heeler_role\"\n"
        );
    }

    #[test]
    fn github_lines_have_names_of_outputs() {
        let name = Some(OutputName::HeelerEventQueueUrl);
        assert_eq!(
            shown(None, ValuesLayout::Github, name),
            format!("heeler_event_queue_url={}\n", OUTPUTS.queue_url)
        );
    }

    #[test]
    fn long_values_get_their_own_line() {
        let text = shown(Some(80), ValuesLayout::Table, None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["heeler_event_queue_url", OUTPUTS.queue_url]);
        assert_eq!(lines[4], "heeler_event_role_external_id  a=b,c");
        assert_eq!(shown(None, ValuesLayout::Table, None).lines().count(), 3);
    }
}
