//! Parser for `var.auto.tfvars` of the vendor's Terraform modules, as HCL or JSON. Values are parsed like command line
//! arguments. Pure.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Body, Structure};
use hcl_edit::template::{Element, HeredocTemplate};
use serde_json::Value;

use crate::cli::value_parsers;
use crate::cli::value_parsers::ExternalId;

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

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
enum VariableValue {
    Null,
    String(String),
    /// The digits of a number. Terraform converts numbers to strings, too.
    Number(String),
    List(Vec<VariableValue>),
    /// A value of another type, such as "an object".
    Other(&'static str),
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
                self.external_id =
                    required_string(value, value_parsers::external_id)?.map(ExternalId::new);
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
        } else if found.len() > 12 && parser(&found.replace('-', "")).is_ok() {
            format!("{reason}; write it without hyphens")
        } else {
            reason
        }
    })
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

impl VariableValue {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::String(_) => "a string",
            Self::Number(_) => "a number",
            Self::List(_) => "a list",
            Self::Other(name) => name,
        }
    }
}

fn from_expression(value: &Expression) -> VariableValue {
    match value {
        Expression::Null(_) => VariableValue::Null,
        Expression::String(text) => VariableValue::String(text.as_str().to_owned()),
        Expression::Number(number) => VariableValue::Number(number.value().to_string()),
        Expression::Array(items) => {
            VariableValue::List(items.iter().map(from_expression).collect())
        }
        Expression::HeredocTemplate(heredoc) => from_heredoc(heredoc),
        Expression::Bool(_) => VariableValue::Other("true or false"),
        Expression::Object(_) => VariableValue::Other("an object"),
        Expression::FuncCall(_) => VariableValue::Other("a function call"),
        _ => VariableValue::Other("an expression"),
    }
}

/// The text of a heredoc without its last line break, which is never part of a name.
fn from_heredoc(heredoc: &HeredocTemplate) -> VariableValue {
    let mut heredoc = heredoc.clone();
    heredoc.dedent();
    let mut text = String::new();
    for element in &heredoc.template {
        match element {
            Element::Literal(literal) => text.push_str(literal.as_str()),
            Element::Interpolation(_) | Element::Directive(_) => {
                return VariableValue::Other("an expression");
            }
        }
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    VariableValue::String(text.to_owned())
}

fn from_json(value: &Value) -> VariableValue {
    match value {
        Value::Null => VariableValue::Null,
        Value::String(text) => VariableValue::String(text.clone()),
        Value::Number(number) => VariableValue::Number(number.to_string()),
        Value::Array(items) => VariableValue::List(items.iter().map(from_json).collect()),
        Value::Bool(_) => VariableValue::Other("true or false"),
        Value::Object(_) => VariableValue::Other("an object"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::999988887777:role/heeler-security";

    #[test]
    fn parses_variables_of_s3_module() {
        let file = parse(
            r#"account_id                       = "111122223333"
s3_cloudtrail_bucket_name        = "org-trail-logs"
s3_cloudtrail_bucket_kms_key_arn = "None"   # or the bucket's CMK ARN
sns_s3_event_notification_name   = "None"   # or an existing SNS topic name
heeler_external_id               = "shared-secret"

heeler_security_role_arns = ["arn:aws:iam::999988887777:role/heeler-security"]
"#,
        );
        let expected = Tfvars {
            account: Some("111122223333".into()),
            bucket: Some("org-trail-logs".into()),
            external_id: Some(ExternalId::new("shared-secret")),
            heeler_roles: vec![ROLE.into()],
            ..Tfvars::default()
        };
        assert_eq!(file, Ok(expected));
    }

    #[test]
    fn parses_variables_of_cloudwatch_module() {
        let file = parse(
            "account_id = 111122223333\r\nlog_group_name = \"trail\"\r\n\
             heeler_external_id = \"shared-secret\"\r\nheeler_security_role_arns = []\r\n",
        );
        let expected = Tfvars {
            account: Some("111122223333".into()),
            log_group: Some("trail".into()),
            external_id: Some(ExternalId::new("shared-secret")),
            ..Tfvars::default()
        };
        assert_eq!(file, Ok(expected));
    }

    #[test]
    fn parses_key_and_topic() {
        let key = "arn:aws:kms:us-east-1:111122223333:key/mrk-1";
        let text = format!(
            "\u{feff}s3_cloudtrail_bucket_kms_key_arn = \"{key}\"\nsns_s3_event_notification_name = \"events\"\n"
        );
        let file = parse(&text).unwrap();
        assert_eq!(file.bucket_key.as_deref(), Some(key));
        assert_eq!(file.topic.as_deref(), Some("events"));
    }

    #[test]
    fn unknown_variables_are_reported_with_line() {
        let file =
            parse("# comment\nregion = \"us-east-1\"\naccount_id = null\ntags = { a = 1 }\n")
                .unwrap();
        assert_eq!(file.unknown, [("region".into(), 2), ("tags".into(), 4)]);
    }

    #[test]
    fn invalid_values_are_reported_with_line() {
        let table = [
            (
                "\naccount_id = \"<replace with your account_id>\"\n",
                2,
                "account_id: an account ID has 12 digits",
            ),
            (
                "account_id = true\n",
                1,
                "account_id: expected a string, found true or false",
            ),
            (
                "heeler_security_role_arns = \"arn\"\n",
                1,
                "heeler_security_role_arns: expected a list of strings, found a string: write [\"...\"]",
            ),
            (
                "\n\nheeler_security_role_arns = [[]]\n",
                3,
                "heeler_security_role_arns: expected a string, found a list",
            ),
            (
                "log_group_name = var.group\n",
                1,
                "log_group_name: expected a string, found an expression",
            ),
            (
                "s3_cloudtrail_bucket_name = \"${b}\"\n",
                1,
                "s3_cloudtrail_bucket_name: expected a string, found an expression",
            ),
            (
                "variable \"account_id\" {\n}\n",
                1,
                "a variable file contains no blocks",
            ),
        ];
        for (text, line, message) in table {
            let malformed = TfvarsError {
                line,
                message: message.into(),
            };
            assert_eq!(parse(text), Err(malformed), "{text}");
        }
    }

    #[test]
    fn syntax_errors_are_reported_with_line() {
        for (text, line) in [
            ("account_id = \"1\naccount\n", 1),
            ("a = 1\n\n}\n", 3),
            ("{\"account_id\": \"111122223333\"}", 1),
            (
                "account_id = \"111122223333\"\naccount_id = \"111122223333\"\n",
                2,
            ),
        ] {
            let malformed = parse(text).expect_err(text);
            assert_eq!(malformed.line, line, "{text}: {}", malformed.message);
            assert!(!malformed.message.is_empty(), "{text}");
        }
    }

    #[test]
    fn errors_and_debug_output_hide_external_id() {
        let malformed = parse("heeler_external_id = \"my secret id\"\n").unwrap_err();
        assert!(
            !malformed.message.contains("secret"),
            "{}",
            malformed.message
        );
        let file = parse("heeler_external_id = \"my-secret-id\"\n").unwrap();
        assert!(!format!("{file:?}").contains("my-secret"));
    }

    #[test]
    fn json_heredocs_and_comments_are_read() {
        let expected = Tfvars {
            account: Some("111122223333".into()),
            external_id: Some(ExternalId::new("shared-secret-1")),
            heeler_roles: vec![ROLE.into()],
            ..Tfvars::default()
        };
        let json = format!(
            "{{\"account_id\":\"111122223333\",\"heeler_external_id\":\"shared-secret-1\",\n\"heeler_security_role_arns\":[\"{ROLE}\"]}}"
        );
        assert_eq!(parse_bytes(json.as_bytes(), true), Ok(expected));
        for heredoc in [
            "<<EOT\nshared-secret-1\nEOT\n",
            "<<-EOT\n    shared-secret-1\n  EOT\n",
        ] {
            let text = format!(
                "account_id = \"111122223333\"\nheeler_external_id = {heredoc}heeler_security_role_arns = [\n  \"{ROLE}\", # prod\n]\n"
            );
            let file = parse(&text).expect(heredoc);
            assert_eq!(
                file.external_id,
                Some(ExternalId::new("shared-secret-1")),
                "{heredoc}"
            );
            assert_eq!(file.heeler_roles, [ROLE]);
        }
    }

    #[test]
    fn json_errors_have_lines_and_types() {
        for (text, line, message) in [
            ("{\n\"account_id\": tru}", 2, "the file is not valid JSON"),
            ("[]", 1, "the file is not a JSON object"),
            (
                "{\n\"log_group_name\": {}}",
                2,
                "log_group_name: expected a string, found an object",
            ),
        ] {
            let error = parse_json(text).expect_err(text);
            assert_eq!((error.line, &*error.message), (line, message), "{text}");
        }
        let file = parse_json("{\"x\":1,\n\"region\":\"us-east-1\"}").unwrap();
        assert_eq!(file.unknown, [("x".into(), 1), ("region".into(), 2)]);
    }

    #[test]
    fn frequent_mistakes_are_explained() {
        for (text, expected) in [
            ("account_id = 12345678901\n", "write it in quotes"),
            (
                "account_id = \"1001-7595-0000\"\n",
                "write it without hyphens",
            ),
            (
                "s3_cloudtrail_bucket_name = \"s3://org-trail-logs/\"\n",
                "write the name without s3://",
            ),
            (
                "s3_cloudtrail_bucket_kms_key_arn = \"\"\n",
                "write \"None\" or null if there is none",
            ),
            (
                "sns_s3_event_notification_name = \"None \"\n",
                "write \"None\" or null if there is none",
            ),
            (
                "heeler_security_role_arns = toset([])\n",
                "expected a list of strings, found a function call: write [",
            ),
            (
                "account_id = \u{201c}100175950000\u{201d}\n",
                "straight quotes",
            ),
            ("{\"account_id\": \"111122223333\"}", ".tfvars.json"),
        ] {
            let error = parse(text).expect_err(text);
            assert!(
                error.message.contains(expected),
                "{text}: {}",
                error.message
            );
        }
        let utf16: Vec<u8> = "\u{feff}a = 1"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let error = parse_bytes(&utf16, false).unwrap_err();
        assert!(error.message.contains("save it as UTF-8"), "{error:?}");
    }

    #[test]
    fn many_lines_are_counted_once() {
        let text = "region = \"us-east-1\"\n".replace("region", "r");
        let text: String = (0..10_000)
            .map(|n| text.replacen('r', &format!("r{n}"), 1))
            .collect();
        let file = parse(&text).unwrap();
        assert_eq!(file.unknown.last(), Some(&("r9999".to_owned(), 10_000)));
    }
}
