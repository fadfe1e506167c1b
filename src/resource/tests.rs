//! Tests of resources with canned responses. They check the results of reads, the requests of creates, and the retries
//! of errors.

use std::time::{Duration, SystemTime};

use aws_sdk_kms::primitives::{DateTime, DateTimeFormat as Format};
use serde_json::{Value, json};

use super::bucket_notification::{BucketNotification, NotificationDestination, ReviewedEntries};
use super::function::Function;
use super::kms_key::{KmsKey, UnresolvedCreate};
use super::kms_tag_propagation::TagPropagation;
use super::queue::{Queue, QueueOrdering};
use super::queue_policy::QueuePolicy;
use super::role::Role;
use super::subscription::Subscription;
use super::topic::Topic;
use super::topic_policy::TopicPolicy;
use crate::aws::Aws;
use crate::aws::canned::CannedResponse;
use crate::error::Error;
use crate::ownership::{OptionName, Ownership, OwnershipTags};
use crate::reconcile::graph::Graph;
use crate::reconcile::scope::Scope;
use crate::reconcile::{Actual, KnownOutputs, Resource};
use crate::secret::ExternalId;
use crate::shared_document::role_trust::{HeelerTrust, TrustedEntity};

const ACCOUNT: &str = "111122223333";
const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/k";
const ROLE: &str = "arn:aws:iam::111122223333:role/role";
const OWN_POLICY: &str = "arn:aws:iam::111122223333:policy/policy";
const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:topic";
const RUN: &str = "this-run";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:queue";
const QUEUE_URL: &str = r#"{"QueueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/queue"}"#;
const OWNERSHIP: OwnershipTags = OwnershipTags {
    option: OptionName {
        name: "s3",
        arguments: "--option s3",
        all: &["s3", "cloudwatch"],
    },
    extra: Vec::new(),
};

/// The resources of the tests, in one graph, so that they can refer to each other.
struct Fixture {
    graph: Graph<Aws>,
    known: KnownOutputs,
}

impl Fixture {
    fn new() -> Self {
        let mut graph = Graph::new(Scope::new(ACCOUNT, "us-east-1"));
        let key = graph.add(KmsKey {
            alias: "alias/key".to_owned(),
            description: "a key",
            policy: json!({ "Statement": [] }),
            ownership: OWNERSHIP,
            tag_propagation: TagPropagation::default(),
            unresolved_create: UnresolvedCreate::default(),
            run_id: RUN.to_owned(),
        });
        let role = graph.add(Role {
            arn: ROLE.to_owned(),
            description: "a role",
            trusted_entity: TrustedEntity::Heeler(HeelerTrust {
                principals: vec!["arn:aws:iam::999988887777:role/heeler".to_owned()],
                external_id: ExternalId::new("very-secret-id"),
            }),
            permissions_boundary: None,
            ownership: OWNERSHIP,
            deployment_tags: vec![("heeler-ec:region", "us-east-1".to_owned())],
            own_policy: OWN_POLICY.to_owned(),
            run_id: None,
        });
        let topic = graph.add(Topic {
            arn: TOPIC.to_owned(),
            queue_arn: QUEUE.to_owned(),
            temporary_queue_arn_prefix: "arn:aws:sqs:us-east-1:111122223333:tail_".to_owned(),
            ownership: OWNERSHIP,
        });
        let queue = graph.add(Queue {
            arn: QUEUE.to_owned(),
            key: Some(key.arn()),
            retention_seconds: 7200,
            receive_wait_seconds: 10,
            visibility_timeout_seconds: 30,
            ordering: QueueOrdering::Standard,
            redrive: None,
            redrive_allowed_from: None,
            policy: None,
            ownership: OWNERSHIP,
        });
        graph.add(BucketNotification {
            bucket: "logs".to_owned(),
            bucket_owner: ACCOUNT.to_owned(),
            entry_id: "heeler-ec".to_owned(),
            prefix: String::new(),
            suffix: String::new(),
            destination: NotificationDestination::Queue(queue.arn()),
            depends_on: Vec::new(),
            reviewed: ReviewedEntries::default(),
        });
        graph.add(QueuePolicy {
            queue: queue.arn(),
            document: json!({ "Statement": [] }),
        });
        graph.add(TopicPolicy {
            topic: topic.arn(),
            document: json!({ "Statement": [] }),
        });
        graph.add(Subscription {
            topic: topic.arn(),
            queue: queue.arn(),
            key_prefix: None,
            depends_on: Vec::new(),
        });
        graph.add(Function {
            arn: "arn:aws:lambda:us-east-1:111122223333:function:function".to_owned(),
            description: "a function",
            handler: "file.handler",
            runtime: "python3.12",
            memory_mb: 128,
            timeout_seconds: 10,
            role: role.arn(),
            code: b"zip".to_vec(),
            code_sha256: "hash".to_owned(),
            variables: vec![("QUEUE_ARN", queue.arn())],
            ownership: OWNERSHIP,
            own_tags: Vec::new(),
            depends_on: Vec::new(),
        });
        let known = graph.initial_outputs();
        known.record(&key.id().clone(), &[("arn", KEY.to_owned())].into());
        Self { graph, known }
    }

    fn resource(&self, kind: &str) -> &dyn Resource<Aws> {
        let mut nodes = self.graph.nodes().iter();
        let node = nodes.find(|node| node.id.kind == kind).unwrap();
        node.resource.as_ref()
    }
}

fn ok(body: &str) -> CannedResponse {
    CannedResponse::ok(body)
}

fn in_xml(operation: &str, result: &str) -> CannedResponse {
    let result = format!("<{operation}Result>{result}</{operation}Result>");
    CannedResponse::ok(format!(
        "<{operation}Response>{result}</{operation}Response>"
    ))
}

/// The parameters of a request with the query protocol.
fn parameters(body: &str) -> Vec<String> {
    let decode = |part: &str| {
        percent_encoding::percent_decode_str(part)
            .decode_utf8_lossy()
            .into_owned()
    };
    body.split('&').map(decode).collect()
}

fn json_body(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

#[tokio::test]
async fn missing_resources_read_as_absent() {
    let fixture = Fixture::new();
    for code in ["NotFound", "NotFoundException", "ResourceNotFound"] {
        let error = || CannedResponse::xml_error(code, "Topic does not exist");
        let (aws, _) = Aws::canned(vec![
            ("GetTopicAttributes", error()),
            ("ListTagsForResource", error()),
            ("ListSubscriptionsByTopic", error()),
        ]);
        for kind in ["sns topic", "sns subscription"] {
            let found = fixture.resource(kind).read(&aws, &fixture.known).await;
            assert!(found.unwrap().is_none(), "{kind}: {code}");
        }
    }
    let (aws, _) = Aws::canned(vec![
        (
            "GetQueueUrl",
            CannedResponse::json_error("com.amazonaws.sqs#QueueDoesNotExist", "gone"),
        ),
        (
            "GetRole",
            CannedResponse::xml_error("NoSuchEntity", "no such role"),
        ),
        (
            "GET /2015-03-31/functions/function",
            CannedResponse::json_error("ResourceNotFoundException", "no such function"),
        ),
    ]);
    for kind in ["sqs queue", "iam role", "lambda function"] {
        let found = fixture.resource(kind).read(&aws, &fixture.known).await;
        assert!(found.unwrap().is_none(), "{kind}");
    }
}

#[tokio::test]
async fn denied_read_names_the_permission() {
    let fixture = Fixture::new();
    let (aws, _) = Aws::canned(vec![(
        "GetRole",
        CannedResponse::xml_error("AccessDenied", "not authorized to perform iam:GetRole"),
    )]);
    let refusal = fixture
        .resource("iam role")
        .read(&aws, &fixture.known)
        .await
        .unwrap_err();
    assert!(refusal.is_denied());
    assert_eq!(refusal.required_permission(), Some("iam:GetRole"));
    assert_eq!(refusal.error_code(), Some("AccessDenied"));
}

#[tokio::test]
async fn queue_read_returns_state_and_ownership() {
    let fixture = Fixture::new();
    let queue = fixture.resource("sqs queue");
    let attributes = json!({ "Attributes": {
        "MessageRetentionPeriod": "7200",
        "ReceiveMessageWaitTimeSeconds": "10",
        "VisibilityTimeout": "30",
        "MaximumMessageSize": "262144",
        "KmsMasterKeyId": KEY,
        "KmsDataKeyReusePeriodSeconds": "300",
    } });
    let tags = json!({ "Tags": { "managed-by": "heeler-ec", "heeler-ec:option": "s3" } });
    let (aws, _) = Aws::canned(vec![
        ("GetQueueUrl", ok(QUEUE_URL)),
        ("GetQueueAttributes", ok(&attributes.to_string())),
        ("ListQueueTags", ok(&tags.to_string())),
    ]);
    let actual = queue.read(&aws, &fixture.known).await.unwrap().unwrap();
    assert_eq!(actual.ownership, Ownership::Managed);
    let changes = crate::reconcile::diff::diff(&actual.state, &queue.desired(&fixture.known));
    assert_eq!(changes, []);
}

#[tokio::test]
async fn queue_create_sends_attributes_and_tags() {
    let fixture = Fixture::new();
    let queue = fixture.resource("sqs queue");
    let (aws, sent) = Aws::canned(vec![("CreateQueue", ok(QUEUE_URL))]);
    let outputs = queue
        .create(&aws, &queue.desired(&fixture.known), &fixture.known)
        .await
        .unwrap();
    assert!(outputs["url"].ends_with("/queue"));
    let body = json_body(&sent.body("CreateQueue"));
    assert_eq!(body["Attributes"]["MaximumMessageSize"], "262144");
    assert_eq!(body["Attributes"]["KmsMasterKeyId"], KEY);
    assert_eq!(body["tags"]["managed-by"], "heeler-ec");
}

/// A queue without a key, which SQS encrypts.
fn queue_without_key() -> (Graph<Aws>, KnownOutputs) {
    let mut graph = Graph::new(Scope::new(ACCOUNT, "us-east-1"));
    graph.add(Queue {
        arn: QUEUE.to_owned(),
        key: None,
        retention_seconds: 345_600,
        receive_wait_seconds: 10,
        visibility_timeout_seconds: 300,
        ordering: QueueOrdering::Standard,
        redrive: None,
        redrive_allowed_from: None,
        policy: None,
        ownership: OWNERSHIP,
    });
    let known = graph.initial_outputs();
    (graph, known)
}

#[tokio::test]
async fn missing_queue_encryption_is_drift() {
    let (graph, known) = queue_without_key();
    let queue = graph.nodes()[0].resource.as_ref();
    for (encryption, expected) in [
        (json!({}), vec!["sqs_managed_sse"]),
        (
            json!({ "SqsManagedSseEnabled": "false" }),
            vec!["sqs_managed_sse"],
        ),
        (json!({ "SqsManagedSseEnabled": "true" }), vec![]),
        (
            json!({ "SqsManagedSseEnabled": "false", "KmsMasterKeyId": KEY }),
            vec!["kms_key", "sqs_managed_sse"],
        ),
    ] {
        let mut attributes = json!({
            "MessageRetentionPeriod": "345600",
            "ReceiveMessageWaitTimeSeconds": "10",
            "VisibilityTimeout": "300",
            "MaximumMessageSize": "262144",
        });
        let found = encryption.as_object().unwrap().clone();
        attributes.as_object_mut().unwrap().extend(found);
        let tags = json!({ "Tags": { "managed-by": "heeler-ec", "heeler-ec:option": "s3" } });
        let (aws, sent) = Aws::canned(vec![
            ("GetQueueUrl", ok(QUEUE_URL)),
            (
                "GetQueueAttributes",
                ok(&json!({ "Attributes": attributes }).to_string()),
            ),
            ("ListQueueTags", ok(&tags.to_string())),
            ("SetQueueAttributes", ok("{}")),
        ]);
        let actual = queue.read(&aws, &known).await.unwrap().unwrap();
        let desired = queue.desired(&known);
        let mut fields: Vec<&str> = crate::reconcile::diff::diff(&actual.state, &desired)
            .iter()
            .map(|change| change.field)
            .collect();
        fields.sort_unstable();
        assert_eq!(fields, expected, "{encryption}");
        if fields.is_empty() {
            continue;
        }
        queue.update(&aws, &actual, &desired, &known).await.unwrap();
        let body = json_body(&sent.body("SetQueueAttributes"));
        assert_eq!(body["Attributes"]["SqsManagedSseEnabled"], "true");
        assert_eq!(body["Attributes"]["KmsMasterKeyId"], "");
    }
}

#[tokio::test]
async fn queue_without_key_is_created_encrypted() {
    let (graph, known) = queue_without_key();
    let queue = graph.nodes()[0].resource.as_ref();
    let (aws, sent) = Aws::canned(vec![("CreateQueue", ok(QUEUE_URL))]);
    let desired = queue.desired(&known);
    queue.create(&aws, &desired, &known).await.unwrap();
    let attributes = &json_body(&sent.body("CreateQueue"))["Attributes"];
    assert_eq!(attributes["SqsManagedSseEnabled"], "true");
    assert_eq!(attributes["VisibilityTimeout"], "300");
    assert_eq!(attributes.get("KmsMasterKeyId"), None);
}

#[tokio::test]
async fn overlapping_notification_is_found_without_write() {
    let fixture = Fixture::new();
    let notification = fixture.resource("s3 notification");
    let entry = |id: &str, queue: &str, prefix: &str| {
        let rule = format!("<FilterRule><Name>prefix</Name><Value>{prefix}</Value></FilterRule>");
        format!(
            "<QueueConfiguration><Id>{id}</Id><Queue>{queue}</Queue><Event>s3:ObjectCreated:*</Event>\
             <Filter><S3Key>{rule}</S3Key></Filter></QueueConfiguration>"
        )
    };
    let other = "arn:aws:sqs:us-east-1:111122223333:other";
    for (others, is_refused) in [
        (String::new(), false),
        (entry("theirs", other, "b/"), true),
        // Objects of another event overlap with nothing.
        (
            entry("theirs", other, "b/").replace("ObjectCreated", "ObjectRemoved"),
            false,
        ),
    ] {
        let own = entry("heeler-ec", QUEUE, "a/");
        let body = format!("<NotificationConfiguration>{own}{others}</NotificationConfiguration>");
        let (aws, sent) = Aws::canned(vec![("GET /", ok(&body))]);
        let checked = notification.check_write(&aws, &fixture.known).await;
        assert_eq!(checked.is_err(), is_refused, "{others}");
        assert_eq!(sent.operations(), ["GET /"]);
        if let Err(error) = checked {
            assert!(error.to_string().contains("overlaps"), "{error}");
        }
    }
}

#[tokio::test]
async fn recently_deleted_queue_name_is_retried() {
    let fixture = Fixture::new();
    let queue = fixture.resource("sqs queue");
    let (aws, _) = Aws::canned(vec![(
        "CreateQueue",
        CannedResponse::json_error("com.amazonaws.sqs#QueueDeletedRecently", "wait 60 seconds"),
    )]);
    let desired = queue.desired(&fixture.known);
    let created = queue.create(&aws, &desired, &fixture.known);
    let refusal = created.await.unwrap_err();
    assert!(
        queue
            .retry_budget(&refusal)
            .is_some_and(|time| time.as_secs() > 60)
    );
}

#[tokio::test]
async fn topic_create_sends_name_and_tags() {
    let fixture = Fixture::new();
    let topic = fixture.resource("sns topic");
    let arn = format!("<TopicArn>{TOPIC}</TopicArn>");
    let (aws, sent) = Aws::canned(vec![("CreateTopic", in_xml("CreateTopic", &arn))]);
    topic
        .create(&aws, &topic.desired(&fixture.known), &fixture.known)
        .await
        .unwrap();
    let parameters = parameters(&sent.body("CreateTopic"));
    for parameter in [
        "Name=topic",
        "Tags.member.1.Key=managed-by",
        "Tags.member.1.Value=heeler-ec",
    ] {
        assert!(parameters.contains(&parameter.to_owned()), "{parameters:?}");
    }
}

#[tokio::test]
async fn role_create_sends_trust_policy_and_tags() {
    let fixture = Fixture::new();
    let role = fixture.resource("iam role");
    let (aws, sent) = Aws::canned(vec![(
        "CreateRole",
        CannedResponse::xml_error("MalformedPolicyDocument", "Invalid principal in policy: x"),
    )]);
    let desired = role.desired(&fixture.known);
    let created = role.create(&aws, &desired, &fixture.known);
    let refusal = created.await.unwrap_err();
    assert!(role.retry_budget(&refusal).is_some());
    assert!(refusal.hint().is_some());
    let body = parameters(&sent.body("CreateRole")).join("\n");
    for part in [
        "RoleName=role",
        "sts:ExternalId",
        "very-secret-id",
        "heeler-ec:region",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
}

#[tokio::test]
async fn key_create_finds_key_after_lost_response() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let tags = json!({ "Tags": [
        { "TagKey": "managed-by", "TagValue": "heeler-ec" },
        { "TagKey": "heeler-ec:option", "TagValue": "s3" },
        { "TagKey": "heeler-ec:alias", "TagValue": "alias/key" },
        { "TagKey": "heeler-ec:run", "TagValue": RUN },
    ] });
    let metadata = json!({ "KeyMetadata": {
        "KeyId": "k", "Arn": KEY, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
    } });
    let (aws, sent) = Aws::canned(vec![
        (
            "CreateKey",
            CannedResponse::json_error("DependencyTimeoutException", "timed out"),
        ),
        (
            "ListKeys",
            ok(&json!({ "Keys": [{ "KeyId": "k", "KeyArn": KEY }] }).to_string()),
        ),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        ("ListResourceTags", ok(&tags.to_string())),
        ("DescribeKey", ok(&metadata.to_string())),
        ("EnableKeyRotation", ok("{}")),
    ]);
    let outputs = key
        .create(&aws, &key.desired(&fixture.known), &fixture.known)
        .await
        .unwrap();
    assert_eq!(outputs["arn"], KEY);
    let created = sent.operations();
    assert_eq!(
        created.iter().filter(|name| *name == "CreateKey").count(),
        1
    );
    let body = json_body(&sent.body("CreateKey"));
    let run = json!({ "TagKey": "heeler-ec:run", "TagValue": RUN });
    let tags = body["Tags"].as_array().expect("tags");
    assert!(tags.contains(&run), "{body}");
}

#[tokio::test]
async fn key_of_another_run_is_not_own_creation() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let tags = json!({ "Tags": [
        { "TagKey": "heeler-ec:option", "TagValue": "s3" },
        { "TagKey": "heeler-ec:alias", "TagValue": "alias/key" },
        { "TagKey": "heeler-ec:run", "TagValue": "other-run" },
    ] });
    // A call that fails does not take the key that another run has created meanwhile.
    let (aws, _) = Aws::canned(vec![
        (
            "CreateKey",
            CannedResponse::json_error("DependencyTimeoutException", "timed out"),
        ),
        (
            "ListKeys",
            ok(&json!({ "Keys": [{ "KeyId": "k", "KeyArn": KEY }] }).to_string()),
        ),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        ("ListResourceTags", ok(&tags.to_string())),
    ]);
    let desired = key.desired(&fixture.known);
    let created = key.create(&aws, &desired, &fixture.known).await;
    assert!(created.is_err(), "{created:?}");

    let (aws, _) = Aws::canned(key_read(&tags["Tags"]));
    let actual = key.read(&aws, &fixture.known).await.unwrap();
    let actual = actual.expect("the key of the alias");
    assert!(actual.is_managed());
    assert!(!key.is_own_creation(&actual));
}

#[tokio::test]
async fn adopted_key_without_alias_is_kept() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let tags = json!({ "Tags": [
        { "TagKey": "heeler-ec:option", "TagValue": "s3" },
        { "TagKey": "heeler-ec:alias", "TagValue": "alias/key" },
        { "TagKey": "heeler-ec:adopted-at", "TagValue": "2026-01-02T03:04:05Z" },
    ] });
    let other = "arn:aws:kms:us-east-1:123456789012:key/other";
    let keys = json!({ "Keys": [{ "KeyId": "other", "KeyArn": other }] });
    let actual = Actual {
        state: key.desired(&fixture.known),
        outputs: [("arn", KEY.to_owned())].into(),
        ownership: Ownership::Managed,
    };
    // Somebody else created it, so destroy does not delete it as a leftover of setup.
    let (aws, _) = Aws::canned(vec![
        ("ListKeys", ok(&keys.to_string())),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        ("ListResourceTags", ok(&tags.to_string())),
    ]);
    let duplicates = key.duplicates(&aws, &actual).await.unwrap();
    assert_eq!(duplicates.len(), 0);
    // The deployment still uses it if its alias is missing.
    let metadata = json!({ "KeyMetadata": {
        "KeyId": "other", "Arn": other, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
    } });
    let metadata = || ("DescribeKey", ok(&metadata.to_string()));
    let listed = || ("ListResourceTags", ok(&tags.to_string()));
    let (aws, _) = Aws::canned(vec![
        (
            "DescribeKey",
            CannedResponse::json_error("NotFoundException", "no alias"),
        ),
        ("ListKeys", ok(&keys.to_string())),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        listed(),
        metadata(),
        metadata(),
        ("GetKeyPolicy", ok(r#"{"Policy": "{}"}"#)),
        ("GetKeyRotationStatus", ok("{}")),
        listed(),
    ]);
    let found = key.read(&aws, &KnownOutputs::default()).await.unwrap();
    assert_eq!(found.expect("the key").outputs["arn"], other);
}

#[tokio::test]
async fn other_aliases_of_key_are_users() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let metadata = json!({ "KeyMetadata": {
        "KeyId": "k", "Arn": KEY, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
    } });
    let aliases = json!({ "Aliases": [
        { "AliasName": "alias/key", "TargetKeyId": "k" },
        { "AliasName": "alias/payments", "TargetKeyId": "k" },
        { "AliasName": "alias/unrelated", "TargetKeyId": "other" },
    ] });
    let (aws, _) = Aws::canned(vec![
        ("DescribeKey", ok(&metadata.to_string())),
        ("ListAliases", ok(&aliases.to_string())),
    ]);
    let users = key.used_by(&aws).await.unwrap();
    assert_eq!(users.users, ["alias/payments"]);
}

/// The responses of a read of the key with these tags. The key itself is old.
fn key_read(tags: &Value) -> Vec<(&'static str, CannedResponse)> {
    let metadata = json!({ "KeyMetadata": {
        "KeyId": "k", "Arn": KEY, "KeyState": "Enabled", "CreationDate": 1_600_000_000,
    } });
    vec![
        ("DescribeKey", ok(&metadata.to_string())),
        ("GetKeyPolicy", ok(r#"{"Policy": "{}"}"#)),
        ("GetKeyRotationStatus", ok("{}")),
        ("ListResourceTags", ok(&json!({ "Tags": tags }).to_string())),
    ]
}

fn denied_policy_write() -> Error {
    let why = "not authorized because no identity-based policy allows the kms:PutKeyPolicy action";
    let error = Error::failed("change the key", why).with_permission("kms:PutKeyPolicy");
    error.with_code(Some("AccessDeniedException".to_owned()), None)
}

#[tokio::test]
async fn second_run_waits_for_tags_of_adopted_key() {
    // The first run adopts the key, and ends before its tags count.
    let first = Fixture::new();
    let key = first.resource("kms key");
    let (aws, _) = Aws::canned(key_read(&json!([])));
    let unmanaged = key.read(&aws, &first.known).await.unwrap().unwrap();
    assert!(key.retry_budget(&denied_policy_write()).is_none());
    let (aws, sent) = Aws::canned(vec![("TagResource", ok("{}"))]);
    key.take_ownership(&aws, &unmanaged).await.unwrap();
    let request: Value = serde_json::from_str(&sent.body("TagResource")).unwrap();
    let tags = request["Tags"].clone();

    let second = Fixture::new();
    let key = second.resource("kms key");
    let (aws, _) = Aws::canned(key_read(&tags));
    let adopted = key.read(&aws, &second.known).await.unwrap().unwrap();
    assert!(adopted.is_managed());
    let budget = key.retry_budget(&denied_policy_write());
    assert!(budget.is_some_and(|time| time.as_secs() >= 300));
}

#[tokio::test]
async fn only_recent_adoption_delays_a_denial() {
    let in_a_minute = SystemTime::now() + Duration::from_secs(60);
    let in_a_minute = DateTime::from(in_a_minute).fmt(Format::DateTime);
    for (time, is_recent) in [
        ("2026-01-02T03:04:05Z", false),
        ("2999-01-02T03:04:05Z", false),
        (&*in_a_minute.unwrap(), true),
    ] {
        let fixture = Fixture::new();
        let key = fixture.resource("kms key");
        let tags = json!([
            { "TagKey": "heeler-ec:option", "TagValue": "s3" },
            { "TagKey": "heeler-ec:adopted-at", "TagValue": time },
        ]);
        let (aws, _) = Aws::canned(key_read(&tags));
        key.read(&aws, &fixture.known).await.unwrap().unwrap();
        let budget = key.retry_budget(&denied_policy_write());
        assert_eq!(budget.is_some(), is_recent, "{time}");
    }
}

#[tokio::test]
async fn throttled_key_create_is_repeated_at_once() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let created = json!({ "KeyMetadata": { "KeyId": "k", "Arn": KEY } });
    let (aws, sent) = Aws::canned(vec![
        (
            "CreateKey",
            CannedResponse::json_error("ThrottlingException", "Rate exceeded"),
        ),
        ("CreateKey", ok(&created.to_string())),
        ("EnableKeyRotation", ok("{}")),
    ]);
    let desired = key.desired(&fixture.known);
    let refusal = key.create(&aws, &desired, &fixture.known).await;
    let refusal = refusal.expect_err("the call is throttled");
    assert!(key.retry_budget(&refusal).is_some(), "{refusal:?}");
    let outputs = key.create(&aws, &desired, &fixture.known).await.unwrap();
    assert_eq!(outputs["arn"], KEY);
    // KMS created nothing, so there is no key to search for.
    assert_eq!(
        sent.operations(),
        ["CreateKey", "CreateKey", "EnableKeyRotation"]
    );
}

#[tokio::test]
async fn late_key_listing_causes_no_second_key() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let tags = json!({ "Tags": [
        { "TagKey": "heeler-ec:option", "TagValue": "s3" },
        { "TagKey": "managed-by", "TagValue": "heeler-ec" },
        { "TagKey": "heeler-ec:alias", "TagValue": "alias/key" },
        { "TagKey": "heeler-ec:run", "TagValue": RUN },
    ] });
    let metadata = json!({ "KeyMetadata": {
        "KeyId": "k", "Arn": KEY, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
    } });
    let (aws, sent) = Aws::canned(vec![
        // An empty response: the key exists, but its ARN is unknown.
        ("CreateKey", ok("")),
        ("ListKeys", ok(r#"{"Keys": []}"#)),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        ("ListKeys", ok(r#"{"Keys": []}"#)),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        (
            "ListKeys",
            ok(&json!({ "Keys": [{ "KeyId": "k", "KeyArn": KEY }] }).to_string()),
        ),
        ("ListAliases", ok(r#"{"Aliases": []}"#)),
        ("ListResourceTags", ok(&tags.to_string())),
        ("DescribeKey", ok(&metadata.to_string())),
        ("EnableKeyRotation", ok("{}")),
    ]);
    let desired = key.desired(&fixture.known);
    for _ in 0..2 {
        let failure = key.create(&aws, &desired, &fixture.known).await;
        let failure = failure.expect_err("no key is listed");
        assert!(key.retry_budget(&failure).is_some(), "{failure:?}");
    }
    let outputs = key.create(&aws, &desired, &fixture.known).await.unwrap();
    assert_eq!(outputs["arn"], KEY);
    let sent = sent.operations().into_iter();
    assert_eq!(sent.filter(|name| name == "CreateKey").count(), 1);
}

#[tokio::test]
async fn key_duplicates_include_keys_of_interrupted_runs() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let other = "arn:aws:kms:us-east-1:123456789012:key/other";
    let tags = |run: &str| {
        json!({ "Tags": [
            { "TagKey": "heeler-ec:option", "TagValue": "s3" },
            { "TagKey": "managed-by", "TagValue": "heeler-ec" },
            { "TagKey": "heeler-ec:alias", "TagValue": "alias/key" },
            { "TagKey": "heeler-ec:run", "TagValue": run },
        ] })
    };
    let metadata = json!({ "KeyMetadata": {
        "KeyId": "other", "Arn": other, "KeyState": "Enabled", "KeyManager": "CUSTOMER",
    } });
    let keys = json!({ "Keys": [{ "KeyId": "other", "KeyArn": other }] });
    let search = |run: &str| {
        vec![
            ("ListKeys", ok(&keys.to_string())),
            ("ListAliases", ok(r#"{"Aliases": []}"#)),
            ("ListResourceTags", ok(&tags(run).to_string())),
            ("DescribeKey", ok(&metadata.to_string())),
        ]
    };
    let actual = Actual {
        state: key.desired(&fixture.known),
        outputs: [("arn", KEY.to_owned())].into(),
        ownership: Ownership::Managed,
    };
    let (aws, _) = Aws::canned(search("other-run"));
    let duplicates = key.duplicates(&aws, &actual).await.unwrap();
    let found = duplicates.iter().map(|copy| copy.id.to_string());
    assert_eq!(found.collect::<Vec<_>>(), ["kms key other"]);

    // A rollback also deletes a key of this run whose ARN was lost with the response, but no key of another run.
    let deletion = || ("ScheduleKeyDeletion", ok("{}"));
    let calls = [deletion()].into_iter().chain(search("other-run"));
    let (aws, sent) = Aws::canned(calls.collect());
    key.undo_create(&aws, &actual).await.unwrap();
    assert_eq!(sent.bodies("ScheduleKeyDeletion").len(), 1);
    let calls = [deletion()].into_iter().chain(search(RUN));
    let (aws, sent) = Aws::canned(calls.chain([deletion()]).collect());
    key.undo_create(&aws, &actual).await.unwrap();
    let bodies = sent.bodies("ScheduleKeyDeletion");
    assert!(
        bodies[0].contains(KEY) && bodies[1].contains(other),
        "{bodies:?}"
    );
}

#[tokio::test]
async fn function_create_sends_settings_and_waits() {
    let fixture = Fixture::new();
    let function = fixture.resource("lambda function");
    let path = "GET /2015-03-31/functions/function";
    let in_state = |state: &str| {
        let configuration =
            json!({ "Configuration": { "FunctionName": "function", "State": state } });
        ok(&configuration.to_string())
    };
    let (aws, sent) = Aws::canned(vec![
        ("POST /2015-03-31/functions", ok("{}")),
        (path, in_state("Pending")),
        (path, in_state("Active")),
    ]);
    function
        .create(&aws, &function.desired(&fixture.known), &fixture.known)
        .await
        .unwrap();
    let body = json_body(&sent.body("POST /2015-03-31/functions"));
    assert_eq!(body["MemorySize"], 128);
    assert_eq!(body["Timeout"], 10);
    assert_eq!(body["Role"], ROLE);
    assert_eq!(body["Environment"]["Variables"]["QUEUE_ARN"], QUEUE);
    assert_eq!(body["EphemeralStorage"]["Size"], 512);
    assert_eq!(sent.operations().len(), 3);
}

#[tokio::test]
async fn pending_subscription_is_unconfirmed() {
    let fixture = Fixture::new();
    let subscription = fixture.resource("sns subscription");
    let member = format!(
        "<Subscriptions><member><Endpoint>{QUEUE}</Endpoint><Protocol>sqs</Protocol>\
         <SubscriptionArn>PendingConfirmation</SubscriptionArn></member></Subscriptions>"
    );
    let (aws, _) = Aws::canned(vec![(
        "ListSubscriptionsByTopic",
        in_xml("ListSubscriptionsByTopic", &member),
    )]);
    let actual = subscription
        .read(&aws, &fixture.known)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(actual.state.get("confirmed"), Some(&json!(false)));
    assert!(subscription.is_expiring(&actual));
}

#[tokio::test]
async fn subscription_create_sends_topic_and_queue() {
    let fixture = Fixture::new();
    let subscription = fixture.resource("sns subscription");
    let arn = format!("<SubscriptionArn>{TOPIC}:1</SubscriptionArn>");
    let (aws, sent) = Aws::canned(vec![("Subscribe", in_xml("Subscribe", &arn))]);
    let desired = subscription.desired(&fixture.known);
    let outputs = subscription.create(&aws, &desired, &fixture.known).await;
    assert_eq!(outputs.unwrap()["arn"], format!("{TOPIC}:1"));
    let parameters = parameters(&sent.body("Subscribe"));
    for parameter in [
        format!("TopicArn={TOPIC}"),
        format!("Endpoint={QUEUE}"),
        "Protocol=sqs".to_owned(),
    ] {
        assert!(parameters.contains(&parameter), "{parameters:?}");
    }
}

#[tokio::test]
async fn queue_url_has_the_public_host() {
    let fixture = Fixture::new();
    let queue = fixture.resource("sqs queue");
    let answer =
        r#"{"QueueUrl": "https://vpce-1.sqs.us-east-1.vpce.amazonaws.com/111122223333/queue"}"#;
    let (aws, _) = Aws::canned(vec![
        ("CreateQueue", ok(answer)),
        ("GetQueueUrl", ok(answer)),
        ("GetQueueAttributes", ok("{}")),
        ("ListQueueTags", ok("{}")),
    ]);
    let public = "https://sqs.us-east-1.amazonaws.com/111122223333/queue";
    let desired = queue.desired(&fixture.known);
    let created = queue.create(&aws, &desired, &fixture.known).await.unwrap();
    assert_eq!(created["url"], public);
    let found = queue.read(&aws, &fixture.known).await.unwrap().unwrap();
    assert_eq!(found.outputs["url"], public);
}

#[tokio::test]
async fn queue_policy_of_invisible_queue_is_retried() {
    let fixture = Fixture::new();
    let policy = fixture.resource("sqs queue policy");
    let code = "com.amazonaws.sqs#QueueDoesNotExist";
    let (aws, sent) = Aws::canned(vec![(
        "GetQueueUrl",
        CannedResponse::json_error(code, "The specified queue does not exist."),
    )]);
    let desired = policy.desired(&fixture.known);
    let refusal = policy.create(&aws, &desired, &fixture.known).await;
    let budget = policy.retry_budget(&refusal.unwrap_err());
    assert_eq!(budget.map(|time| time.as_secs()), Some(60));
    assert_eq!(sent.operations(), ["GetQueueUrl"]);
}

#[test]
fn only_passing_refusals_are_retried() {
    let fixture = Fixture::new();
    let table = [
        (
            "sqs queue",
            "InvalidParameterValue",
            "Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.",
            Some(60),
        ),
        (
            "sqs queue",
            "InvalidParameterValue",
            "Value 7 for parameter VisibilityTimeout is invalid.",
            None,
        ),
        (
            "sqs queue",
            "AWS.SimpleQueueService.NonExistentQueue",
            "The specified queue does not exist.",
            Some(60),
        ),
        (
            "sns topic",
            "ConcurrentAccess",
            "Can't perform multiple operations on a tag simultaneously",
            Some(20),
        ),
        ("sns topic", "StaleTag", "a tag changed", Some(20)),
        (
            "sns topic",
            "InvalidParameter",
            "Invalid parameter: Topic Name",
            None,
        ),
        (
            "sns topic policy",
            "NotFound",
            "Topic does not exist",
            Some(120),
        ),
        (
            "sns topic policy",
            "InvalidParameter",
            "Invalid parameter: Policy Error: PrincipalNotFound",
            Some(120),
        ),
        (
            "sns topic policy",
            "InvalidParameter",
            "Invalid parameter: Policy statement action out of service scope!",
            None,
        ),
    ];
    for (kind, code, message, seconds) in table {
        let refusal = Error::failed("write", message).with_code(Some(code.to_owned()), None);
        let budget = fixture.resource(kind).retry_budget(&refusal);
        assert_eq!(
            budget.map(|time| time.as_secs()),
            seconds,
            "{kind}: {code}: {message}"
        );
    }
}

#[tokio::test]
async fn changed_description_keeps_session_duration() {
    let fixture = Fixture::new();
    let role = fixture.resource("iam role");
    let found = format!(
        "<Role><Path>/</Path><RoleName>role</RoleName><RoleId>AROAEXAMPLE</RoleId><Arn>{ROLE}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate><Description>another</Description>\
         <MaxSessionDuration>43200</MaxSessionDuration></Role>"
    );
    let (aws, sent) = Aws::canned(vec![
        ("GetRole", in_xml("GetRole", &found)),
        (
            "UpdateAssumeRolePolicy",
            ok("<UpdateAssumeRolePolicyResponse/>"),
        ),
        ("UpdateRole", in_xml("UpdateRole", "")),
        ("TagRole", ok("<TagRoleResponse/>")),
    ]);
    let actual = role.read(&aws, &fixture.known).await.unwrap().unwrap();
    let desired = role.desired(&fixture.known);
    let updated = role.update(&aws, &actual, &desired, &fixture.known).await;
    updated.unwrap();
    let parameters = parameters(&sent.body("UpdateRole"));
    assert!(
        parameters.contains(&"MaxSessionDuration=43200".to_owned()),
        "{parameters:?}"
    );
}

#[tokio::test]
async fn tags_of_new_key_are_awaited() {
    let fixture = Fixture::new();
    let key = fixture.resource("kms key");
    let metadata = json!({ "KeyMetadata": { "KeyId": "k", "Arn": KEY } });
    let denial = || {
        CannedResponse::json_error(
            "AccessDeniedException",
            "User is not authorized to perform this action because no identity-based policy allows it",
        )
    };
    let (aws, _) = Aws::canned(vec![
        ("ScheduleKeyDeletion", denial()),
        ("CreateKey", ok(&metadata.to_string())),
        ("EnableKeyRotation", denial()),
        ("ScheduleKeyDeletion", denial()),
    ]);
    let actual = Actual {
        state: key.desired(&fixture.known),
        outputs: [("arn", KEY.to_owned())].into(),
        ownership: Ownership::Managed,
    };
    let refusal = key.delete(&aws, &actual).await.unwrap_err();
    assert_eq!(key.retry_budget(&refusal), None);
    let desired = key.desired(&fixture.known);
    key.create(&aws, &desired, &fixture.known).await.unwrap();
    let refusal = key.delete(&aws, &actual).await.unwrap_err();
    assert!(
        key.retry_budget(&refusal)
            .is_some_and(|time| time.as_secs() >= 300)
    );
    assert!(key.retry_reason(&refusal).contains("five minutes"));
}
