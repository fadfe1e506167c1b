//! Compares the region, bucket or log group of a deployment with the deployed policies, which name the same.

use serde_json::Value;

use super::scope::DeploymentScope;
use super::tags::REGION;
use crate::aws::arn::Arn;
use crate::iam::statements_of;
use crate::shared_document::{function_policy, queue_policy};

/// A tag of the role that differs from a deployed policy. Without tags, the value that a search found takes its place.
#[derive(Debug, PartialEq, Eq)]
pub struct ChangedTag {
    pub key: &'static str,
    /// The value of the tag, or the value that a search found.
    pub found: String,
    /// The value that the policy contains.
    pub deployed: String,
    /// The policy, for a message.
    pub policy: String,
}

impl ChangedTag {
    /// A changed tag if the policy contains values, and none is that of the tag. Others may have added statements, so
    /// the policy may contain several. A value with a wildcard shows nothing.
    fn between(
        key: &'static str,
        found: &str,
        deployed: impl IntoIterator<Item = String>,
        policy: String,
    ) -> Option<Self> {
        let mut deployed: Vec<String> = deployed
            .into_iter()
            .filter(|value| !value.contains('*'))
            .collect();
        if deployed.is_empty() || deployed.iter().any(|value| value == found) {
            return None;
        }
        Some(Self {
            key,
            found: found.to_owned(),
            deployed: deployed.swap_remove(0),
            policy,
        })
    }
}

/// Returns the region tag if the policy of the role allows access to the queue in another region.
#[must_use]
pub fn changed_region(scope: &DeploymentScope, queue: &str, policy: &Value) -> Option<ChangedTag> {
    let statements = statements_of(policy);
    let resources = statements.iter().flat_map(resources_of);
    let regions = resources
        .filter_map(Arn::parse)
        .filter(|arn| arn.service == "sqs" && arn.resource == queue)
        .map(|arn| arn.region.to_owned());
    ChangedTag::between(REGION, &scope.region, regions, policy_of_role(scope))
}

/// Returns the tag with this key if the policy of the role allows access to the objects of another bucket.
#[must_use]
pub fn changed_bucket(
    scope: &DeploymentScope,
    key: &'static str,
    bucket: &str,
    policy: &Value,
) -> Option<ChangedTag> {
    let statements = statements_of(policy);
    let any_bucket = scope.bucket_arn("");
    let objects = statements
        .iter()
        .flat_map(resources_of)
        .filter_map(|resource| resource.strip_prefix(&any_bucket));
    let buckets = objects.filter_map(|object| Some(object.split_once('/')?.0.to_owned()));
    ChangedTag::between(key, bucket, buckets, policy_of_role(scope))
}

/// Returns the tag with this key if the deployment's statement of the function's policy allows invocations for another
/// log group.
#[must_use]
pub fn changed_log_group(
    scope: &DeploymentScope,
    key: &'static str,
    log_group: &str,
    statements: &[Value],
) -> Option<ChangedTag> {
    let own = statements
        .iter()
        .filter(|statement| function_policy::sid(statement) == function_policy::LOGS_SID);
    let groups = own.filter_map(|statement| {
        let source = function_policy::condition_value(statement, "aws:SourceArn")?;
        let group = Arn::parse(&source)?.resource.strip_prefix("log-group:")?;
        Some(group.strip_suffix(":*").unwrap_or(group).to_owned())
    });
    let policy = format!("the policy of lambda function {}", scope.names.function());
    ChangedTag::between(key, log_group, groups, policy)
}

/// Returns the tag with this key if the deployment's statement of the queue policy allows another topic to send. Without
/// the tag, `topic` is the managed topic, and the value that was found is empty.
#[must_use]
pub fn changed_topic(
    scope: &DeploymentScope,
    key: &'static str,
    topic: &str,
    queue: &str,
    policy: &Value,
) -> Option<ChangedTag> {
    let statements = statements_of(policy);
    let own = statements
        .iter()
        .filter(|statement| function_policy::sid(statement) == queue_policy::TOPIC_SID);
    let topics =
        own.filter_map(|statement| function_policy::condition_value(statement, "aws:SourceArn"));
    let policy = format!("the policy of sqs queue {queue}");
    let changed = ChangedTag::between(key, topic, topics, policy)?;
    Some(if topic == scope.managed_topic_arn() {
        ChangedTag {
            found: String::new(),
            ..changed
        }
    } else {
        changed
    })
}

fn policy_of_role(scope: &DeploymentScope) -> String {
    format!("iam policy {}", scope.names.policy())
}

/// The resources of a statement, which may be one string or a list.
fn resources_of(statement: &Value) -> Vec<&str> {
    match &statement["Resource"] {
        Value::Array(resources) => resources.iter().filter_map(Value::as_str).collect(),
        single => single.as_str().into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::naming::ResourceNames;

    fn scope(region: &str) -> DeploymentScope {
        DeploymentScope {
            account: "111122223333".into(),
            partition: "aws".into(),
            region: region.into(),
            names: ResourceNames::new("heeler"),
            permissions_boundary: None,
            extra_tags: Vec::new(),
        }
    }

    #[test]
    fn policy_of_role_shows_changed_tags() {
        let policy = json!({ "Statement": [
            { "Resource": ["arn:aws:sqs:us-east-1:111122223333:queue"] },
            { "Resource": "arn:aws:s3:::logs/AWSLogs/*" },
        ]});
        let region = |region: &str| changed_region(&scope(region), "queue", &policy);
        assert_eq!(region("us-east-1"), None);
        let changed = region("eu-west-3").expect("a changed tag");
        assert_eq!(
            (changed.found.as_str(), changed.deployed.as_str()),
            ("eu-west-3", "us-east-1")
        );
        // A policy without the queue shows nothing.
        assert_eq!(changed_region(&scope("eu-west-3"), "other", &policy), None);
        let bucket = |bucket: &str| changed_bucket(&scope("us-east-1"), "key", bucket, &policy);
        assert_eq!(bucket("logs"), None);
        let changed = bucket("other").map(|changed| changed.deployed);
        assert_eq!(changed.as_deref(), Some("logs"));
    }

    #[test]
    fn added_statements_of_others_are_no_change() {
        let policy = json!({ "Statement": [
            { "Resource": ["arn:aws:sqs:eu-west-3:111122223333:queue", "arn:aws:s3:::others/*"] },
            { "Resource": ["arn:aws:sqs:us-east-1:111122223333:queue", "arn:aws:s3:::logs/*"] },
        ]});
        let scope = scope("us-east-1");
        assert_eq!(changed_region(&scope, "queue", &policy), None);
        assert_eq!(changed_bucket(&scope, "key", "logs", &policy), None);
    }

    #[test]
    fn wildcards_are_no_change() {
        let policy = json!({ "Statement": {
            "Resource": ["arn:aws:sqs:*:111122223333:queue", "arn:aws:s3:::log*/*"]
        }});
        let scope = scope("us-east-1");
        assert_eq!(changed_region(&scope, "queue", &policy), None);
        assert_eq!(changed_bucket(&scope, "key", "logs", &policy), None);
    }

    #[test]
    fn queue_policy_shows_changed_topic() {
        let scope = scope("us-east-1");
        let (own, managed) = (
            "arn:aws:sns:us-east-1:111122223333:events",
            scope.managed_topic_arn(),
        );
        let statement = |sid: &str, topic: &str| json!({ "Sid": sid, "Condition": { "ArnEquals": { "aws:SourceArn": topic } } });
        let policy = |topic: &str| {
            let others = statement("others", "arn:aws:sns:us-east-1:111122223333:others");
            json!({ "Statement": [others, statement(queue_policy::TOPIC_SID, topic)] })
        };
        let changed =
            |topic: &str, policy: &Value| changed_topic(&scope, "key", topic, "queue", policy);
        assert_eq!(changed(own, &policy(own)), None);
        assert_eq!(changed(&managed, &policy(&managed)), None);
        // The tag was added, or it names another topic.
        let added = changed(own, &policy(&managed)).expect("a changed tag");
        assert_eq!((&*added.found, &*added.deployed), (own, &*managed));
        // The tag was removed.
        let removed = changed(&managed, &policy(own)).expect("a changed tag");
        assert_eq!((&*removed.found, &*removed.deployed), ("", own));
        assert_eq!(changed(own, &json!({})), None);
    }

    #[test]
    fn policy_of_function_shows_changed_log_group() {
        // Lambda changes the case of the condition key.
        let source = "arn:aws:logs:us-east-1:111122223333:log-group:trail/logs:*";
        let statement = |sid: &str, source: &str| {
            let condition = json!({ "ArnLike": { "AWS:SourceArn": source } });
            json!({ "Sid": sid, "Condition": condition })
        };
        // The statement of others comes first, and shows nothing.
        let others = "arn:aws:logs:us-east-1:111122223333:log-group:others:*";
        let statements = [
            statement("others", others),
            statement(function_policy::LOGS_SID, source),
        ];
        let group = |group: &str| changed_log_group(&scope("us-east-1"), "key", group, &statements);
        assert_eq!(group("trail/logs"), None);
        let changed = group("other").map(|changed| changed.deployed);
        assert_eq!(changed.as_deref(), Some("trail/logs"));
        let only_others = changed_log_group(&scope("us-east-1"), "key", "other", &statements[..1]);
        assert_eq!(only_others, None);
    }
}
