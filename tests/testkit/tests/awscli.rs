//! Command lines as the AWS CLI parses them.

use serde_json::json;
use testkit::awscli::{self, ParsedCall};

/// Parses one line.
fn parsed(line: &str) -> Result<awscli::ParsedCommand, String> {
    awscli::parse(&[line]).remove(0)
}

#[test]
fn valid_command_lines_are_parsed() {
    let line = "aws cloudtrail put-event-selectors --region eu-west-1 --trail-name t \
                --event-selectors '[{\"ReadWriteType\": \"All\"}]'";
    let asked = ParsedCall {
        service: "cloudtrail".to_owned(),
        operation: "PutEventSelectors".to_owned(),
        region: "eu-west-1".to_owned(),
        parameters: json!({"TrailName": "t", "EventSelectors": [{"ReadWriteType": "All"}]}),
    };
    assert_eq!(parsed(line).expect("a good line").calls, [asked]);

    let line = "aws kms cancel-key-deletion --key-id a && aws kms enable-key --key-id a";
    let line = parsed(line).expect("a good line");
    let calls: Vec<String> = line.calls.iter().map(ParsedCall::name).collect();
    assert_eq!(calls, ["kms:CancelKeyDeletion", "kms:EnableKey"]);
}

#[test]
fn other_commands_are_listed_separately() {
    let lines = [
        "export AWS_PROFILE=PROFILE_OF_THAT_ACCOUNT",
        "unset AWS_ENDPOINT_URL",
        "heeler-ec preflight --option s3",
    ];
    for (line, parsed) in lines.iter().zip(awscli::parse(&lines)) {
        let parsed = parsed.expect("a good line");
        assert_eq!(parsed.calls, [], "{line}");
        assert_eq!(parsed.others, [*line]);
    }
}

#[test]
fn invalid_command_lines_are_rejected() {
    let table = [
        (
            "aws clowdtrail list-trails",
            "argument command: Invalid choice",
        ),
        (
            "aws cloudtrail frobnicate",
            "argument operation: Invalid choice",
        ),
        (
            "aws cloudtrail get-trail-status --name t --colour red",
            "Unknown options: --colour",
        ),
        ("aws cloudtrail get-trail-status", "required: --name"),
        (
            "aws cloudtrail put-event-selectors --trail-name t --event-selectors '[{'",
            "Invalid JSON",
        ),
        (
            "aws cloudtrail put-event-selectors --trail-name t --event-selectors '[{\"ReadWriteTipe\": \"All\"}]'",
            "ReadWriteTipe",
        ),
        (
            "aws organizations create-organization --feature-set SOME",
            "'SOME' is not one of ALL",
        ),
        (
            "aws s3api put-bucket-request-payment --bucket b --request-payment-configuration Payer=Me",
            "'Me' is not one of",
        ),
        (
            "aws logs put-retention-policy --log-group-name g --retention-in-days one",
            "'one'",
        ),
        (
            "aws kms describe-key --key-id <KEY>",
            "the shell does not treat < as a word",
        ),
        ("aws kms describe-key --key-id 'a", "No closing quotation"),
        ("aws sns list-topics &&", "a command is empty"),
        ("aws cloudtrail help", "a manual"),
        ("rm -rf /", "rm is not an allowed command"),
        ("export AWS_PROFILE", "export is not an allowed command"),
    ];
    let lines = table.map(|(line, _)| line);
    for ((line, why), parsed) in table.iter().zip(awscli::parse(&lines)) {
        let refused = parsed.expect_err(line);
        assert!(refused.contains(why), "{line}: {refused}");
    }
}
