//! Parser for `var.auto.tfvars` of the vendor's Terraform modules. Values are parsed like command line arguments. Pure.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Body, Structure};

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

/// The value by which the modules denote a missing value.
const NOT_GIVEN: &str = "None";

type ParsedValue = std::result::Result<String, String>;

/// Parses the file.
///
/// # Errors
/// If the syntax is not Terraform's, or a value has the wrong type or form.
pub fn parse(text: &str) -> std::result::Result<Tfvars, TfvarsError> {
    // Some Windows editors write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let body: Body = text
        .parse()
        .map_err(|error: hcl_edit::parser::Error| TfvarsError {
            line: error.location().line(),
            message: error.message().trim().to_owned(),
        })?;
    let mut file = Tfvars::default();
    for structure in &body {
        let line = line_number(text, structure.span());
        let error = |message: String| TfvarsError { line, message };
        let Structure::Attribute(attribute) = structure else {
            return Err(error("a variable file contains no blocks".to_owned()));
        };
        let name = attribute.key.as_str();
        if !file
            .set(attribute)
            .map_err(|reason| error(format!("{name}: {reason}")))?
        {
            file.unknown.push((name.to_owned(), line));
        }
    }
    Ok(file)
}

fn line_number(text: &str, span: Option<Range<usize>>) -> usize {
    let before = span.and_then(|span| text.get(..span.start));
    before.map_or(1, |before| before.matches('\n').count() + 1)
}

impl Tfvars {
    /// Sets one variable. Returns false if no module has it.
    fn set(&mut self, attribute: &Attribute) -> std::result::Result<bool, String> {
        let value = &attribute.value;
        match attribute.key.as_str() {
            "account_id" => self.account = optional_string(value, value_parsers::account_id)?,
            "s3_cloudtrail_bucket_name" => {
                self.bucket = optional_string(value, value_parsers::bucket)?;
            }
            "s3_cloudtrail_bucket_kms_key_arn" => {
                self.bucket_key = optional_string(value, value_parsers::kms_key)?;
            }
            "sns_s3_event_notification_name" => {
                self.topic = optional_string(value, value_parsers::topic)?;
            }
            "log_group_name" => self.log_group = optional_string(value, value_parsers::log_group)?,
            "heeler_external_id" => {
                self.external_id =
                    optional_string(value, value_parsers::external_id)?.map(ExternalId::new);
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
fn optional_string(
    value: &Expression,
    parser: fn(&str) -> ParsedValue,
) -> std::result::Result<Option<String>, String> {
    let found = match value {
        Expression::Null(_) => return Ok(None),
        Expression::String(text) => text.as_str().to_owned(),
        // Terraform converts numbers to strings, too.
        Expression::Number(number) => number.value().to_string(),
        other => return Err(format!("expected a string, found {}", type_name(other))),
    };
    if found == NOT_GIVEN {
        return Ok(None);
    }
    parser(&found).map(Some)
}

fn string_list(
    value: &Expression,
    parser: fn(&str) -> ParsedValue,
) -> std::result::Result<Vec<String>, String> {
    let Expression::Array(items) = value else {
        return Err(format!(
            "expected a list of strings, found {}",
            type_name(value)
        ));
    };
    let found: std::result::Result<Vec<_>, _> = items
        .iter()
        .map(|item| optional_string(item, parser))
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

fn type_name(value: &Expression) -> &'static str {
    match value {
        Expression::Null(_) => "null",
        Expression::Bool(_) => "true or false",
        Expression::Number(_) => "a number",
        Expression::String(_) => "a string",
        Expression::Array(_) => "a list",
        Expression::Object(_) => "an object",
        _ => "an expression",
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
                "heeler_security_role_arns: expected a list of strings, found a string",
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
}
