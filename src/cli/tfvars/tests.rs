//! Tests of the parser: variables, syntax errors and values that the modules treat as missing.

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
        parse("# comment\nregion = \"us-east-1\"\naccount_id = null\ntags = { a = 1 }\n").unwrap();
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
