//! Rules D1 to D14: policy documents, queue attributes, notification configurations, permissions and tags.

use std::collections::BTreeSet;

use serde_json::Value;

use super::model::matches_pattern;
use crate::Call;

/// The kind of a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PolicyKind {
    /// An IAM policy, which applies to the identities that it is attached to.
    Identity,
    /// The trust policy of a role.
    Trust,
    Key,
    Queue,
    Topic,
}

/// Actions that a topic policy may name.
const TOPIC_ACTIONS: [&str; 9] = [
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
    "sns:Receive",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
];

/// Numeric attributes of a queue, with their range. Source: `CreateQueue` in the SQS API reference.
const QUEUE_NUMBERS: [(&str, u64, u64); 6] = [
    ("DelaySeconds", 0, 900),
    ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ("MaximumMessageSize", 1_024, 1_048_576),
    ("MessageRetentionPeriod", 60, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 0, 43_200),
];

/// Adds the violations of a call with this input.
pub(super) fn check(call: &Call, input: &Value, found: &mut Vec<String>) {
    if let Some((kind, member, text)) = policy(call, input) {
        check_policy(kind, member, text, call, found);
    }
    match call.name().as_str() {
        "kms:CreateAlias" => check_alias(input, found),
        "lambda:AddPermission" => check_permission(input, found),
        "s3:PutBucketNotificationConfiguration" => check_notification(call, input, found),
        "sqs:CreateQueue" => {
            check_queue_name(input, found);
            check_queue_attributes(input, found);
        }
        "sqs:SetQueueAttributes" => check_queue_attributes(input, found),
        _ => {}
    }
    check_tags(call, input, found);
}

/// The policy document in an input, and the member that has it.
fn policy<'a>(call: &Call, input: &'a Value) -> Option<(PolicyKind, &'static str, &'a str)> {
    let text = |member: &str| input[member].as_str().filter(|text| !text.is_empty());
    let (kind, member, text) = match call.name().as_str() {
        "iam:CreatePolicy" | "iam:CreatePolicyVersion" => (
            PolicyKind::Identity,
            "PolicyDocument",
            text("PolicyDocument"),
        ),
        "iam:CreateRole" => (
            PolicyKind::Trust,
            "AssumeRolePolicyDocument",
            text("AssumeRolePolicyDocument"),
        ),
        "iam:UpdateAssumeRolePolicy" => {
            (PolicyKind::Trust, "PolicyDocument", text("PolicyDocument"))
        }
        "kms:CreateKey" | "kms:PutKeyPolicy" => (PolicyKind::Key, "Policy", text("Policy")),
        "sns:CreateTopic" => (
            PolicyKind::Topic,
            "Attributes.Policy",
            input["Attributes"]["Policy"].as_str(),
        ),
        "sns:SetTopicAttributes" if input["AttributeName"] == "Policy" => (
            PolicyKind::Topic,
            "AttributeValue",
            Some(input["AttributeValue"].as_str().unwrap_or_default()),
        ),
        "sqs:CreateQueue" | "sqs:SetQueueAttributes" => {
            let text = input["Attributes"]["Policy"].as_str();
            // An empty policy removes the policy of a queue.
            (
                PolicyKind::Queue,
                "Attributes.Policy",
                text.filter(|text| !text.is_empty()),
            )
        }
        _ => return None,
    };
    text.map(|text| (kind, member, text))
}

/// The rule that a kind of policy belongs to, and the largest size. IAM does not count white space.
fn limit(kind: PolicyKind) -> (&'static str, usize) {
    match kind {
        PolicyKind::Identity => ("D1", 6_144),
        PolicyKind::Trust => ("D1", 2_048),
        PolicyKind::Key => ("D3", 32_768),
        PolicyKind::Queue => ("D5", 8_192),
        PolicyKind::Topic => ("D7", 30_720),
    }
}

fn check_policy(kind: PolicyKind, member: &str, text: &str, call: &Call, found: &mut Vec<String>) {
    let (rule, max) = limit(kind);
    let mut add = |violation: String| found.push(format!("{member}: {violation} ({rule})"));
    let counts_spaces = !matches!(kind, PolicyKind::Identity | PolicyKind::Trust);
    let size = text
        .chars()
        .filter(|c| counts_spaces || !c.is_whitespace())
        .count();
    if size > max {
        add(format!("the policy has {size} characters, more than {max}"));
    }
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        add("the policy is not JSON".to_owned());
        return;
    };
    let is_iam = matches!(kind, PolicyKind::Identity | PolicyKind::Trust);
    let first = document
        .as_object()
        .and_then(|document| document.keys().next());
    let version = document["Version"].as_str();
    if is_iam && first.is_none_or(|key| key != "Version" && key != "Id") {
        add("Version is not the first key".to_owned());
    }
    if !matches!(version, Some("2012-10-17" | "2008-10-17")) {
        add(format!("the version is {version:?}"));
    }
    let statements: Vec<&Value> = list(&document["Statement"]);
    if statements.is_empty() {
        add("the policy has no statements".to_owned());
    }
    let mut ids = BTreeSet::new();
    for statement in &statements {
        if let Some(id) = statement["Sid"].as_str().filter(|id| !id.is_empty())
            && !ids.insert(id)
        {
            add(format!("the Sid {id:?} is not unique"));
        }
        for violation in statement_violations(kind, statement, call) {
            add(violation);
        }
    }
    if kind == PolicyKind::Key
        && !statements
            .iter()
            .any(|statement| allows_policy_updates(statement))
    {
        add("the policy does not allow the account to update it".to_owned());
    }
}

fn statement_violations(kind: PolicyKind, statement: &Value, call: &Call) -> Vec<String> {
    let mut found = Vec::new();
    let has = |name: &str| !statement[name].is_null();
    let id = statement["Sid"].as_str().unwrap_or_default();
    let id_pattern = match kind {
        PolicyKind::Identity | PolicyKind::Trust => "[A-Za-z0-9]*",
        PolicyKind::Key => "[A-Za-z0-9 ]*",
        PolicyKind::Queue | PolicyKind::Topic => "[A-Za-z0-9 _-]*",
    };
    if !matches_pattern(id_pattern, id) {
        found.push(format!("the Sid {id:?} does not match {id_pattern}"));
    }
    if !matches!(statement["Effect"].as_str(), Some("Allow" | "Deny")) {
        found.push(format!("the effect is {}", statement["Effect"]));
    }
    if has("Action") == has("NotAction") {
        found.push("a statement needs either Action or NotAction".to_owned());
    }
    let has_principal = has("Principal") || has("NotPrincipal");
    if has_principal == (kind == PolicyKind::Identity) {
        found.push(format!(
            "a statement of this policy {}",
            needs(!has_principal, "a principal")
        ));
    }
    let has_resource = has("Resource") || has("NotResource");
    if has_resource == (kind == PolicyKind::Trust) {
        found.push(format!(
            "a statement of this policy {}",
            needs(!has_resource, "a resource")
        ));
    }
    let actions = list(&statement["Action"]);
    for action in actions.iter().filter_map(|action| action.as_str()) {
        let is_in_scope = match kind {
            PolicyKind::Identity => action == "*" || action.contains(':'),
            PolicyKind::Trust => has_prefix(action, "sts:"),
            PolicyKind::Key => action == "*" || has_prefix(action, "kms:"),
            PolicyKind::Queue => action == "*" || has_prefix(action, "sqs:"),
            PolicyKind::Topic => TOPIC_ACTIONS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(action)),
        };
        if !is_in_scope {
            found.push(format!("the action {action} is out of scope"));
        }
    }
    let partition = partition(&call.region);
    for principal in list(&statement["Principal"]["AWS"])
        .iter()
        .filter_map(|p| p.as_str())
    {
        if let Some(arn) = principal.strip_prefix("arn:")
            && arn.split(':').next() != Some(partition)
        {
            found.push(format!(
                "the principal {principal} is in another partition (D2)"
            ));
        }
    }
    found
}

fn needs(needs: bool, part: &str) -> String {
    let verb = if needs { "needs" } else { "must not have" };
    format!("{verb} {part}")
}

fn has_prefix(action: &str, prefix: &str) -> bool {
    action
        .get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The partition of a region. IAM calls are signed for a region of their partition, too.
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("cn-") => "aws-cn",
        _ => "aws",
    }
}

/// Returns true if a statement lets the account change the key policy. KMS rejects a policy without one.
fn allows_policy_updates(statement: &Value) -> bool {
    let allows = statement["Effect"] == "Allow" && !statement["Principal"]["AWS"].is_null();
    let actions = list(&statement["Action"]);
    let mut actions = actions.iter().filter_map(|action| action.as_str());
    allows && actions.any(|action| ["*", "kms:*", "kms:Put*", "kms:PutKeyPolicy"].contains(&action))
}

/// The items of a list, or a single value as a list.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        single => vec![single],
    }
}

fn check_alias(input: &Value, found: &mut Vec<String>) {
    let name = input["AliasName"].as_str().unwrap_or_default();
    if !name.starts_with("alias/") || name.starts_with("alias/aws/") {
        found.push(format!(
            "AliasName is {name:?}, which is not a name for customers (D4)"
        ));
    }
}

/// Returns true for the name or ARN of a FIFO queue or topic. AWS requires the suffix in lower case.
fn is_fifo_name(name: &str) -> bool {
    name.strip_suffix(".fifo").is_some()
}

fn check_queue_name(input: &Value, found: &mut Vec<String>) {
    let name = input["QueueName"].as_str().unwrap_or_default();
    let is_fifo = is_fifo_name(name);
    if !matches_pattern("[0-9A-Za-z_-]+", name.trim_end_matches(".fifo")) || name.len() > 80 {
        found.push(format!(
            "QueueName is {name:?}, which is not a queue name (D5)"
        ));
    }
    if is_fifo != (input["Attributes"]["FifoQueue"] == "true") {
        found.push("FifoQueue is true exactly if the name ends in .fifo (D5)".to_owned());
    }
}

fn check_queue_attributes(input: &Value, found: &mut Vec<String>) {
    let attributes = &input["Attributes"];
    for (name, min, max) in QUEUE_NUMBERS {
        let Some(text) = attributes[name].as_str() else {
            continue;
        };
        if !text
            .parse::<u64>()
            .is_ok_and(|number| (min..=max).contains(&number))
        {
            found.push(format!(
                "{name} is {text:?}, which is not a number from {min} to {max} (D5)"
            ));
        }
    }
    let key = attributes["KmsMasterKeyId"]
        .as_str()
        .is_some_and(|key| !key.is_empty());
    if key && attributes["SqsManagedSseEnabled"] == "true" {
        found.push("KmsMasterKeyId and SqsManagedSseEnabled exclude each other (D5)".to_owned());
    }
    if let Some(name) = input["QueueName"].as_str()
        && !is_fifo_name(name)
        && !attributes["ContentBasedDeduplication"].is_null()
    {
        found.push("ContentBasedDeduplication needs a FIFO queue (D5)".to_owned());
    }
    if let Some(text) = attributes["RedriveAllowPolicy"]
        .as_str()
        .filter(|text| !text.is_empty())
    {
        let policy: Value = serde_json::from_str(text).unwrap_or_default();
        if !policy.is_object() || list(&policy["sourceQueueArns"]).len() > 10 {
            found
                .push("RedriveAllowPolicy is not a policy with at most 10 sources (D5)".to_owned());
        }
    }
    if let Some(text) = attributes["RedrivePolicy"]
        .as_str()
        .filter(|text| !text.is_empty())
    {
        let policy: Value = serde_json::from_str(text).unwrap_or_default();
        let count = &policy["maxReceiveCount"];
        let count = count.as_u64().or_else(|| count.as_str()?.parse().ok());
        let has_target = policy["deadLetterTargetArn"]
            .as_str()
            .is_some_and(|arn| arn.starts_with("arn:"));
        if !has_target || !count.is_some_and(|count| (1..=1_000).contains(&count)) {
            found.push(format!(
                "RedrivePolicy is {text:?}, which has no target or count (D5)"
            ));
        }
    }
}

fn check_permission(input: &Value, found: &mut Vec<String>) {
    let source = input["SourceArn"].as_str().unwrap_or_default();
    if source.contains(":log-group:") && !source.ends_with(":*") {
        found.push(format!(
            "SourceArn is {source:?}, which does not end in :* (D11)"
        ));
    }
}

/// An entry of a notification configuration.
struct Notification<'a> {
    id: &'a str,
    destination: &'a str,
    events: Vec<&'a str>,
    prefix: String,
    suffix: String,
}

fn check_notification(call: &Call, input: &Value, found: &mut Vec<String>) {
    let configuration = &input["NotificationConfiguration"];
    let lists = [
        ("TopicConfigurations", "TopicArn"),
        ("QueueConfigurations", "QueueArn"),
        ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ];
    let mut entries = Vec::new();
    for (member, destination) in lists {
        entries.extend(
            list(&configuration[member])
                .into_iter()
                .map(|entry| notification(entry, destination)),
        );
    }
    if entries.len() > 100 {
        found.push(format!(
            "the configuration has {} entries, more than 100 (D10)",
            entries.len()
        ));
    }
    let mut ids = BTreeSet::new();
    for entry in &entries {
        if !entry.id.is_empty() && !ids.insert(entry.id) || entry.id.len() > 255 {
            found.push(format!(
                "the ID {:?} is not unique or too long (D10)",
                entry.id
            ));
        }
        let region = entry.destination.split(':').nth(3).unwrap_or_default();
        if region != call.region || is_fifo_name(entry.destination) {
            found.push(format!(
                "{} is a FIFO queue or in another region (D10)",
                entry.destination
            ));
        }
    }
    for (index, entry) in entries.iter().enumerate() {
        for other in &entries[index + 1..] {
            if overlaps(entry, other) {
                found.push(format!(
                    "the entries {:?} and {:?} overlap (D10)",
                    entry.id, other.id
                ));
            }
        }
    }
}

fn notification<'a>(entry: &'a Value, destination: &str) -> Notification<'a> {
    let rules = list(&entry["Filter"]["Key"]["FilterRules"]);
    let rule = |name: &str| {
        let mut rules = rules.iter();
        let rule = rules.find(|rule| {
            rule["Name"]
                .as_str()
                .is_some_and(|it| it.eq_ignore_ascii_case(name))
        });
        rule.and_then(|rule| rule["Value"].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    Notification {
        id: entry["Id"].as_str().unwrap_or_default(),
        destination: entry[destination].as_str().unwrap_or_default(),
        events: list(&entry["Events"])
            .into_iter()
            .filter_map(Value::as_str)
            .collect(),
        prefix: rule("prefix"),
        suffix: rule("suffix"),
    }
}

/// Returns true if an object could match both entries, which S3 rejects for a common event type.
fn overlaps(one: &Notification, other: &Notification) -> bool {
    let covers = |wide: &str, event: &str| {
        wide == event
            || wide
                .strip_suffix('*')
                .is_some_and(|start| event.starts_with(start))
    };
    let mut pairs = one
        .events
        .iter()
        .flat_map(|a| other.events.iter().map(move |b| (a, b)));
    let share_event = pairs.any(|(a, b)| covers(a, b) || covers(b, a));
    let nested = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let ends = |a: &str, b: &str| a.ends_with(b) || b.ends_with(a);
    share_event && nested(&one.prefix, &other.prefix) && ends(&one.suffix, &other.suffix)
}

fn check_tags(call: &Call, input: &Value, found: &mut Vec<String>) {
    let mut tags: Vec<(String, String)> = Vec::new();
    for member in ["Tags", "tags"] {
        match &input[member] {
            Value::Object(map) => {
                tags.extend(map.iter().map(|(key, value)| (key.clone(), text_of(value))));
            }
            Value::Array(items) => tags.extend(items.iter().map(|tag| {
                let part = |names: [&str; 2]| {
                    text_of(
                        names
                            .map(|name| &tag[name])
                            .into_iter()
                            .find(|v| !v.is_null())
                            .unwrap_or(&Value::Null),
                    )
                };
                (part(["Key", "TagKey"]), part(["Value", "TagValue"]))
            })),
            _ => {}
        }
    }
    if tags.len() > 50 {
        found.push(format!("{} tags are more than 50 (D14)", tags.len()));
    }
    let mut keys = BTreeSet::new();
    for (key, value) in &tags {
        let unique = if call.service == "iam" {
            key.to_lowercase()
        } else {
            key.clone()
        };
        if !keys.insert(unique) {
            found.push(format!("the tag key {key:?} is not unique (D14)"));
        }
        if key.to_lowercase().starts_with("aws:") {
            found.push(format!("the tag key {key:?} is reserved (D14)"));
        }
        let pattern = r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*";
        if key.is_empty() || key.chars().count() > 128 || !matches_pattern(pattern, key) {
            found.push(format!("{key:?} is not a tag key (D14)"));
        }
        if value.chars().count() > 256 || !matches_pattern(pattern, value) {
            found.push(format!("{value:?} is not a tag value (D14)"));
        }
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
