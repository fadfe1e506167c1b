//! Parser for `var.auto.tfvars` of the vendor's Terraform modules, as HCL or JSON. Values are parsed like command line
//! arguments. Pure.

#[cfg(test)]
mod tests;
mod variable_value;

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::structure::{Body, Structure};
use serde_json::Value;

use crate::cli::value_parsers;
use crate::cli::value_parsers::ExternalId;
use variable_value::{VariableValue, from_expression, from_json};

/// The values of the file. It may belong to either module, so the variables of both are known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tfvars {
    pub account: Option<String>,
    pub bucket: Option<String>,
    pub bucket_key: Option<String>,
    pub topic: Option<String>,
    pub log_group: Option<String>,
    pub external_id: Option<ExternalId>,
    pub heeler_roles: Vec<String>,
    /// Variables that no module has, each with its line.
    pub unknown: Vec<(String, usize)>,
}

/// The reason why a file is rejected, and its line.
#[derive(Debug, PartialEq, Eq)]
pub struct TfvarsError {
    pub line: usize,
    pub message: String,
}

/// The largest file that is read. The modules have five variables.
pub const MAX_FILE_BYTES: u64 = 256 * 1024;

/// The value by which the modules denote a missing value.
const NOT_GIVEN: &str = "None";

type ParsedValue = std::result::Result<String, String>;

/// Parses a file. `is_json` is true for the names that Terraform reads as JSON, which end in `.json`.
///
/// # Errors
/// If the text is not UTF-8, the syntax is not Terraform's, or a value has the wrong type or form.
pub fn parse_bytes(bytes: &[u8], is_json: bool) -> std::result::Result<Tfvars, TfvarsError> {
    let error = |message: &str| TfvarsError {
        line: 1,
        message: message.to_owned(),
    };
    let text = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            return Err(error(
                "the file is UTF-16 text: save it as UTF-8, as Terraform requires",
            ));
        }
        bytes => str::from_utf8(bytes).map_err(|_| error("the file is not UTF-8 text"))?,
    };
    if is_json {
        parse_json(text)
    } else {
        parse(text)
    }
}

/// Parses a file in Terraform's native syntax.
///
/// # Errors
/// If the syntax is not Terraform's, or a value has the wrong type or form.
pub fn parse(text: &str) -> std::result::Result<Tfvars, TfvarsError> {
    let text = without_byte_order_mark(text);
    let body: Body = text
        .parse()
        .map_err(|error: hcl_edit::parser::Error| TfvarsError {
            line: error.location().line(),
            message: syntax_error(text, error.location().line(), error.message().trim()),
        })?;
    let mut file = Tfvars::default();
    let mut lines = LineCounter::default();
    for structure in &body {
        let line = lines.line_of(text, structure.span());
        let Structure::Attribute(attribute) = structure else {
            return Err(TfvarsError {
                line,
                message: "a variable file contains no blocks".to_owned(),
            });
        };
        file.set_variable(
            attribute.key.as_str(),
            &from_expression(&attribute.value),
            line,
        )?;
    }
    Ok(file)
}

/// Parses a file in JSON syntax: one object with a member for each variable.
///
/// # Errors
/// If the text is not a JSON object, or a value has the wrong type or form.
pub fn parse_json(text: &str) -> std::result::Result<Tfvars, TfvarsError> {
    let text = without_byte_order_mark(text);
    let found: serde_json::Map<String, Value> =
        serde_json::from_str(text).map_err(|error| TfvarsError {
            line: error.line().max(1),
            message: if error.is_data() {
                "the file is not a JSON object".to_owned()
            } else {
                "the file is not valid JSON".to_owned()
            },
        })?;
    let mut file = Tfvars::default();
    for (name, value) in &found {
        let quoted = Value::from(name.as_str()).to_string();
        let start = text.find(&quoted);
        let line = LineCounter::default().line_of(text, start.map(|start| start..start));
        file.set_variable(name, &from_json(value), line)?;
    }
    Ok(file)
}

/// Removes the mark that some Windows editors write.
fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Explains frequent mistakes. The parser's own message only says what it expected.
fn syntax_error(text: &str, line: usize, message: &str) -> String {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    if line.contains(['\u{201c}', '\u{201d}', '\u{201e}', '\u{2018}', '\u{2019}']) {
        "the quotes are typographic: write straight quotes (\")".to_owned()
    } else if text.trim_start().starts_with('{') {
        "the file is JSON: give it a name that ends in .tfvars.json".to_owned()
    } else {
        message.to_owned()
    }
}

/// Counts lines up to positions that only increase.
#[derive(Default)]
struct LineCounter {
    position: usize,
    line_breaks: usize,
}

impl LineCounter {
    fn line_of(&mut self, text: &str, span: Option<Range<usize>>) -> usize {
        let start = span.map_or(0, |span| span.start);
        if let Some(between) = text.as_bytes().get(self.position..start) {
            self.line_breaks += between.split(|byte| *byte == b'\n').skip(1).count();
            self.position = start;
        }
        self.line_breaks + 1
    }
}

impl Tfvars {
    fn set_variable(
        &mut self,
        name: &str,
        value: &VariableValue,
        line: usize,
    ) -> std::result::Result<(), TfvarsError> {
        match self.set(name, value) {
            Ok(true) => {}
            Ok(false) => self.unknown.push((name.to_owned(), line)),
            Err(reason) => {
                return Err(TfvarsError {
                    line,
                    message: format!("{name}: {reason}"),
                });
            }
        }
        Ok(())
    }

    /// Sets one variable. Returns false if no module has it.
    fn set(&mut self, name: &str, value: &VariableValue) -> std::result::Result<bool, String> {
        match name {
            "account_id" => {
                self.account = required_string(value, value_parsers::account_id)?;
            }
            "s3_cloudtrail_bucket_name" => {
                self.bucket = required_string(value, value_parsers::bucket)?;
            }
            "s3_cloudtrail_bucket_kms_key_arn" => {
                self.bucket_key = optional_string(value, value_parsers::kms_key)?;
            }
            "sns_s3_event_notification_name" => {
                self.topic = optional_string(value, value_parsers::topic)?;
            }
            "log_group_name" => self.log_group = required_string(value, value_parsers::log_group)?,
            "heeler_external_id" => {
                let id = required_string(value, value_parsers::external_id).map_err(|reason| {
                    format!("{reason}; an existing role keeps its external ID without this line")
                })?;
                self.external_id = id.map(ExternalId::new);
            }
            "heeler_security_role_arns" => {
                self.heeler_roles = string_list(value, value_parsers::role_arn)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A valid string, or `None` for a missing value.
fn required_string(
    value: &VariableValue,
    parser: fn(&str) -> ParsedValue,
) -> std::result::Result<Option<String>, String> {
    let found = match value {
        VariableValue::Null => return Ok(None),
        VariableValue::String(text) | VariableValue::Number(text) => text.as_str(),
        other => return Err(format!("expected a string, found {}", other.type_name())),
    };
    if found == NOT_GIVEN {
        return Ok(None);
    }
    parser(found).map(Some).map_err(|reason| {
        if matches!(value, VariableValue::Number(_)) {
            format!("{reason}; write it in quotes, because a number loses its leading zeros")
        } else if found.starts_with("s3://") {
            format!("{reason}; write the name without s3:// and slashes")
        } else if is_hyphenated_number(found) && parser(&found.replace('-', "")).is_ok() {
            format!("{reason}; write it without hyphens")
        } else {
            reason
        }
    })
}

/// Returns true for an account ID as the AWS console shows it, such as `1111-2222-3333`.
fn is_hyphenated_number(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// A valid string, or `None` for a value that says that there is none.
fn optional_string(
    value: &VariableValue,
    parser: fn(&str) -> ParsedValue,
) -> std::result::Result<Option<String>, String> {
    required_string(value, parser).map_err(|reason| match value {
        VariableValue::String(text) if is_meant_as_not_given(text) => {
            format!("write \"{NOT_GIVEN}\" or null if there is none")
        }
        _ => reason,
    })
}

fn is_meant_as_not_given(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case(NOT_GIVEN) || text.eq_ignore_ascii_case("null")
}

fn string_list(
    value: &VariableValue,
    parser: fn(&str) -> ParsedValue,
) -> std::result::Result<Vec<String>, String> {
    let items = match value {
        VariableValue::List(items) => items,
        other => {
            let found = other.type_name();
            return Err(format!(
                "expected a list of strings, found {found}: write [\"...\"]"
            ));
        }
    };
    let found: std::result::Result<Vec<_>, _> = items
        .iter()
        .map(|item| required_string(item, parser))
        .collect();
    Ok(found?.into_iter().flatten().collect())
}
