//! Each rule with a request that violates it, next to a request that does not.

use std::time::Instant;

use hyper::{HeaderMap, Method};
use serde_json::{Value, json};

use super::violations;
use crate::Call;

fn call(service: &str, operation: &str, target: &str, body: &str) -> Call {
    Call {
        service: service.to_owned(),
        operation: operation.to_owned(),
        region: "us-east-1".to_owned(),
        access_key: String::new(),
        method: Method::POST,
        headers: HeaderMap::new(),
        target: target.to_owned(),
        body: body.to_owned().into(),
        started: Instant::now(),
        finished: None,
        status: None,
        violations: Vec::new(),
    }
}

fn json_call(name: &str, body: &Value) -> Call {
    let (service, operation) = name.split_once(':').expect("service:Operation");
    call(service, operation, "/", &body.to_string())
}

/// A call in the query protocol.
fn query_call(name: &str, fields: &[(&str, &str)]) -> Call {
    let (service, operation) = name.split_once(':').expect("service:Operation");
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let fields = fields
        .iter()
        .map(|(key, value)| format!("&{}={}", encode(key), encode(value)));
    let body = format!(
        "Action={operation}&Version=2010-05-08{}",
        fields.collect::<String>()
    );
    call(service, operation, "/", &body)
}

fn queue(attributes: &Value) -> Call {
    json_call(
        "sqs:CreateQueue",
        &json!({"QueueName": "queue", "Attributes": attributes}),
    )
}

fn role(document: &Value) -> Call {
    let document = document.to_string();
    query_call(
        "iam:CreateRole",
        &[
            ("RoleName", "role"),
            ("AssumeRolePolicyDocument", &document),
        ],
    )
}

fn trust(statement: &Value) -> Call {
    role(&json!({"Version": "2012-10-17", "Statement": [statement]}))
}

fn topic_policy(action: &str) -> Call {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "one", "Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": action, "Resource": "*"}
    ]});
    let fields = [
        ("TopicArn", "arn:aws:sns:us-east-1:111122223333:topic"),
        ("AttributeName", "Policy"),
        ("AttributeValue", &policy.to_string()),
    ];
    query_call("sns:SetTopicAttributes", &fields)
}

fn tagged(keys: &[&str]) -> Call {
    let mut fields = vec![("RoleName".to_owned(), "role")];
    for (index, key) in keys.iter().enumerate() {
        fields.push((format!("Tags.member.{}.Key", index + 1), key));
        fields.push((format!("Tags.member.{}.Value", index + 1), "value"));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(key, value)| (&**key, *value)).collect();
    query_call("iam:TagRole", &fields)
}

fn notification(prefixes: &[&str], arn: &str) -> Call {
    let entries = prefixes.iter().map(|prefix| {
        format!(
            "<TopicConfiguration><Id>{prefix}</Id><Topic>{arn}</Topic><Event>s3:ObjectCreated:*</Event><Filter><S3Key>\
             <FilterRule><Name>prefix</Name><Value>{prefix}</Value></FilterRule></S3Key></Filter></TopicConfiguration>"
        )
    });
    let body = format!(
        "<NotificationConfiguration>{}</NotificationConfiguration>",
        entries.collect::<String>()
    );
    call(
        "s3",
        "PutBucketNotificationConfiguration",
        "/bucket?notification",
        &body,
    )
}

const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:topic";

#[test]
fn requests_without_violations_pass() {
    let principal = json!({"AWS": "arn:aws:iam::111122223333:role/role"});
    let allow = json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    let valid = [
        queue(&json!({"MessageRetentionPeriod": "345600", "Policy": ""})),
        trust(&allow),
        topic_policy("SNS:Publish"),
        tagged(&["one", "zwei ü"]),
        notification(&["a/", "b/"], TOPIC),
        json_call(
            "kms:CreateAlias",
            &json!({"AliasName": "alias/one", "TargetKeyId": "key"}),
        ),
        call(
            "lambda",
            "RemovePermission",
            "/2015-03-31/functions/function/policy/statement",
            "",
        ),
        call("s3", "GetObject", "/bucket/a/b%20c?x-id=GetObject", ""),
        query_call("sts:GetCallerIdentity", &[]),
    ];
    for call in valid {
        assert_eq!(violations(&call), [""; 0], "{}", call.text());
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of requests")]
fn every_rule_has_a_request_that_violates_it() {
    let allow = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}, "Action": "sts:AssumeRole"});
    let with = |name: &str, value: Value| {
        let mut statement = allow.clone();
        statement[name] = value;
        trust(&statement)
    };
    let table = [
        (
            json_call("sqs:SetQueueAttributes", &json!({"Attributes": {}})),
            "required member QueueUrl is missing (M1)",
        ),
        (
            json_call("sqs:DeleteQueue", &json!({"QueueUrl": "u", "Force": true})),
            "unknown member Force (M1)",
        ),
        (
            json_call("sqs:DeleteQueue", &json!({"QueueUrl": 1})),
            "QueueUrl is not a string: 1 (M1)",
        ),
        (
            json_call("sqs:DeleteQueue", &json!([])),
            "is not a structure (M1)",
        ),
        (call("sqs", "DeleteQueue", "/", "{"), "the body is not JSON"),
        (
            query_call("iam:GetRole", &[("RoleName", "a b")]),
            "RoleName is \"a b\", which does not match",
        ),
        (
            query_call("iam:GetRole", &[("RoleName", &"a".repeat(65))]),
            "length of RoleName is 65, above the maximum of 64 (M2)",
        ),
        (
            query_call("iam:GetRole", &[("RoleName", "a"), ("Name", "b")]),
            "unknown member Name (M1)",
        ),
        (
            json_call(
                "kms:ScheduleKeyDeletion",
                &json!({"KeyId": "k", "PendingWindowInDays": 400}),
            ),
            "PendingWindowInDays is 400, above the maximum of 365 (M2)",
        ),
        (
            json_call(
                "sqs:CreateQueue",
                &json!({"QueueName": "q", "Attributes": {"Color": "red"}}),
            ),
            "is \"Color\", which is not one of",
        ),
        (
            json_call("sqs:FlyQueue", &json!({})),
            "is not in the models",
        ),
        (
            role(&json!({"Statement": [allow]})),
            "Version is not the first key (D1)",
        ),
        (
            trust(&json!({"Effect": "Allow", "Action": "sts:AssumeRole"})),
            "needs a principal (D1)",
        ),
        (
            with("Resource", json!("*")),
            "must not have a resource (D1)",
        ),
        (
            with("Sid", json!("with space")),
            "the Sid \"with space\" does not match",
        ),
        (
            with("Action", json!("sqs:SendMessage")),
            "the action sqs:SendMessage is out of scope (D1)",
        ),
        (
            with(
                "Principal",
                json!({"AWS": "arn:aws-cn:iam::111122223333:root"}),
            ),
            "is in another partition (D2)",
        ),
        (
            with(
                "Condition",
                json!({"StringEquals": {"aws:PrincipalTag/a": "a".repeat(2_100)}}),
            ),
            "more than 2048 (D1)",
        ),
        (
            json_call(
                "kms:CreateKey",
                &json!({"Policy": json!({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Decrypt", "Resource": "*"}
            ]}).to_string()}),
            ),
            "does not allow the account to update it (D3)",
        ),
        (
            json_call(
                "kms:CreateAlias",
                &json!({"AliasName": "alias/aws/s3", "TargetKeyId": "k"}),
            ),
            "not a name for customers (D4)",
        ),
        (
            queue(&json!({"VisibilityTimeout": "43201"})),
            "not a number from 0 to 43200 (D5)",
        ),
        (
            queue(&json!({"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"})),
            "exclude each other (D5)",
        ),
        (
            queue(&json!({"ContentBasedDeduplication": "true"})),
            "needs a FIFO queue (D5)",
        ),
        (
            queue(&json!({"FifoQueue": "true"})),
            "exactly if the name ends in .fifo (D5)",
        ),
        (
            queue(&json!({"RedrivePolicy": "{}"})),
            "which has no target or count (D5)",
        ),
        (
            json_call("sqs:CreateQueue", &json!({"QueueName": "a.b"})),
            "which is not a queue name (D5)",
        ),
        (
            topic_policy("sns:Unsubscribe"),
            "the action sns:Unsubscribe is out of scope (D7)",
        ),
        (
            notification(&["a/", "a/b/"], TOPIC),
            "the entries \"a/\" and \"a/b/\" overlap (D10)",
        ),
        (
            notification(&["a/"], "arn:aws:sns:eu-west-1:111122223333:topic"),
            "in another region (D10)",
        ),
        (
            call(
                "lambda",
                "AddPermission",
                "/2015-03-31/functions/f/policy",
                r#"{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"logs.amazonaws.com",
                    "SourceArn":"arn:aws:logs:us-east-1:111122223333:log-group:g"}"#,
            ),
            "does not end in :* (D11)",
        ),
        (
            tagged(&["one", "One"]),
            "the tag key \"One\" is not unique (D14)",
        ),
        (
            tagged(&["aws:one"]),
            "the tag key \"aws:one\" is reserved (D14)",
        ),
        (tagged(&["snow\u{2603}man"]), "is not a tag key (D14)"),
    ];
    for (call, expected) in table {
        let found = violations(&call);
        assert!(
            found.iter().any(|violation| violation.contains(expected)),
            "no {expected:?} in {found:#?} of {}",
            call.text()
        );
        let name = call.name();
        assert!(
            found.iter().all(|violation| violation.starts_with(&name)),
            "{found:#?}"
        );
    }
}
