//! The three values to paste into Heeler, with the output names of Heeler's Terraform modules, or the values that another
//! vendor needs.

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
    /// The objects that another vendor reads; `None` for Heeler.
    pub objects: Option<ObjectValues<'a>>,
}

/// The values about the objects whose events another vendor receives.
#[derive(Clone, Copy, Debug)]
pub struct ObjectValues<'a> {
    /// The region of the queue and the bucket.
    pub region: &'a str,
    pub bucket: &'a str,
    /// The start of the object keys; empty for all.
    pub prefix: &'a str,
    /// The end of the object keys; empty for all.
    pub suffix: &'a str,
}

/// The name of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum OutputName {
    /// URL of the queue
    #[value(alias = "queue_url")]
    HeelerEventQueueUrl,
    /// ARN of the role that Heeler or another vendor assumes
    #[value(alias = "role_arn")]
    HeelerEventRoleArn,
    /// External ID that Heeler or another vendor presents
    #[value(alias = "external_id")]
    HeelerEventRoleExternalId,
    /// Region of the queue and the bucket, for another vendor
    Region,
    /// Bucket of the objects, for another vendor
    Bucket,
    /// Start of the object keys, for another vendor
    ObjectPrefix,
    /// End of the object keys, for another vendor
    ObjectSuffix,
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
    /// The values for every vendor, and then those about objects.
    const ALL: [Self; 7] = [
        Self::HeelerEventQueueUrl,
        Self::HeelerEventRoleArn,
        Self::HeelerEventRoleExternalId,
        Self::Region,
        Self::Bucket,
        Self::ObjectPrefix,
        Self::ObjectSuffix,
    ];

    /// The name of the output in Heeler's Terraform modules.
    fn name_for_heeler(self) -> &'static str {
        match self {
            Self::HeelerEventQueueUrl => "heeler_event_queue_url",
            Self::HeelerEventRoleArn => "heeler_event_role_arn",
            Self::HeelerEventRoleExternalId => "heeler_event_role_external_id",
            other => other.name_for_vendor(),
        }
    }

    /// The name of the value for another vendor.
    #[must_use]
    pub fn name_for_vendor(self) -> &'static str {
        match self {
            Self::HeelerEventQueueUrl => "queue_url",
            Self::HeelerEventRoleArn => "role_arn",
            Self::HeelerEventRoleExternalId => "external_id",
            Self::Region => "region",
            Self::Bucket => "bucket",
            Self::ObjectPrefix => "object_prefix",
            Self::ObjectSuffix => "object_suffix",
        }
    }
}

impl<'a> OutputValues<'a> {
    /// The value with this name, or `None` if the deployment has no such value.
    fn get(&self, name: OutputName) -> Option<&'a str> {
        let objects = self.objects;
        match name {
            OutputName::HeelerEventQueueUrl => Some(self.queue_url),
            OutputName::HeelerEventRoleArn => Some(self.role_arn),
            OutputName::HeelerEventRoleExternalId => Some(self.external_id),
            OutputName::Region => objects.map(|objects| objects.region),
            OutputName::Bucket => objects.map(|objects| objects.bucket),
            OutputName::ObjectPrefix => objects.map(|objects| objects.prefix),
            OutputName::ObjectSuffix => objects.map(|objects| objects.suffix),
        }
    }

    /// Returns true if the deployment has a value with this name.
    #[must_use]
    pub fn has(&self, name: OutputName) -> bool {
        self.get(name).is_some()
    }

    /// The names of all values.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all().map(|(_, name, _)| name)
    }

    /// All values, each with its name for the vendor of the deployment.
    fn all(&self) -> impl Iterator<Item = (OutputName, &'static str, &'a str)> {
        OutputName::ALL.into_iter().filter_map(|name| {
            let shown = match self.objects {
                None => name.name_for_heeler(),
                Some(_) => name.name_for_vendor(),
            };
            Some((name, shown, self.get(name)?))
        })
    }
}

impl Selection {
    fn includes(self, name: OutputName) -> bool {
        self.name.is_none_or(|only| only == name)
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
            Some(name) => outputs.get(name).into(),
            None => outputs_json(outputs),
        });
    }
    let shows_empty = selection.layout != ValuesLayout::Table || selection.name.is_some();
    let selected = outputs
        .all()
        .filter(|(name, _, value)| selection.includes(*name) && (shows_empty || !value.is_empty()));
    let lines = selected.map(|(_, name, value)| {
        let value = escape_control_chars(value);
        match (selection.layout, selection.name) {
            (ValuesLayout::Table, Some(_)) => format!("{value}\n"),
            (ValuesLayout::Table, None) => table_row(*ui, name, &value),
            (layout, _) => assignment(layout, name, &value),
        }
    });
    Document::Text(lines.collect())
}

/// Prints the command that masks the external ID in the log of GitHub Actions, which reads standard error, too.
pub fn print_mask_command(ui: &Ui, outputs: &OutputValues<'_>, selection: Selection) {
    let secret = OutputName::HeelerEventRoleExternalId;
    if selection.layout == ValuesLayout::Github && selection.includes(secret) {
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
    let named = outputs.all();
    let named = named.map(|(_, name, value)| (name.to_owned(), value.into()));
    Value::Object(named.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUTS: OutputValues<'_> = OutputValues {
        queue_url: "https://sqs.us-east-1.amazonaws.com/111122223333/heeler_queue",
        role_arn: "arn:aws:iam::111122223333:role/pla$t${form}'s/heeler_role",
        external_id: "a=b,c",
        objects: None,
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

    #[test]
    fn other_vendors_get_values_about_objects() {
        let values = OutputValues {
            objects: Some(ObjectValues {
                region: "us-east-1",
                bucket: "logs",
                prefix: "",
                suffix: ".gz",
            }),
            ..OUTPUTS
        };
        let names: Vec<&str> = values.names().collect();
        let all = "queue_url role_arn external_id region bucket object_prefix object_suffix";
        assert_eq!(names.join(" "), all);
        assert_eq!(outputs_json(&values)["object_suffix"], ".gz");
        assert!(!OUTPUTS.has(OutputName::Bucket));
        assert_eq!(OUTPUTS.names().count(), 3);
    }
}
