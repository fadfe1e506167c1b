//! Eventual consistency: plays the delays of AWS, rule by rule, as refusals and as old responses.
//!
//! The codes and messages are those of AWS. Sources: the API references, and the retries of the AWS provider of Terraform.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::proxy::FaultAction;
use crate::wire::WireResponse;
use crate::{Call, strict};

/// A rule of eventual consistency. Its duration is the time after which AWS is consistent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// Q1: a new queue does not exist for other calls.
    NewQueueIsUnknown,
    /// Q2: every fourth call for a new queue reaches a replica that does not know it.
    QueueReplicaLags,
    /// Q3: a new queue cannot be a dead-letter queue yet.
    NewDeadLetterQueueIsUnknown,
    /// Q4: a name cannot be used again after its queue was deleted.
    QueueNameIsBlocked,
    /// Q5, K4, S2 and others: reads return the old state after a write.
    ReadsAreStale,
    /// K1: a new key does not exist for other calls.
    NewKeyIsUnknown,
    /// K2: new tags of a key do not count in authorization.
    KeyTagsDoNotCount,
    /// K3: a new role cannot be a grantee.
    NewRoleIsNoGrantee,
    /// I1: a new role or policy does not exist for other calls.
    NewRoleIsUnknown,
    /// I2: a detached policy counts as attached.
    DetachedPolicyIsAttached,
    /// I3: policies cannot name a new role.
    NewRoleIsNoPrincipal,
    /// L1: Lambda cannot assume a new role.
    NewRoleCannotBeAssumed,
    /// L2: a function is being created or updated.
    FunctionIsUpdating,
    /// C1: CloudWatch Logs does not know a new permission of the function.
    NewPermissionIsUnknown,
    /// C2: another write to the log group is in progress, once for each operation.
    LogGroupIsBusy,
    /// N1: a new topic does not exist for other calls.
    NewTopicIsUnknown,
    /// S1: S3 does not know a new topic policy.
    NewTopicPolicyIsUnknown,
    /// S3: another notification configuration was written just before.
    BucketIsBusy,
    /// T1: every sixth call is throttled. The duration has no effect.
    CallsAreThrottled,
}

impl Rule {
    /// All rules, with short durations.
    pub const ALL: [(Rule, Duration); 19] = [
        (Rule::NewQueueIsUnknown, Duration::from_secs(2)),
        (Rule::QueueReplicaLags, Duration::from_secs(8)),
        (Rule::NewDeadLetterQueueIsUnknown, Duration::from_secs(3)),
        (Rule::QueueNameIsBlocked, Duration::from_secs(8)),
        (Rule::ReadsAreStale, Duration::from_secs(3)),
        (Rule::NewKeyIsUnknown, Duration::from_secs(2)),
        (Rule::KeyTagsDoNotCount, Duration::from_secs(5)),
        (Rule::NewRoleIsNoGrantee, Duration::from_secs(4)),
        (Rule::NewRoleIsUnknown, Duration::from_secs(3)),
        (Rule::DetachedPolicyIsAttached, Duration::from_secs(3)),
        (Rule::NewRoleIsNoPrincipal, Duration::from_secs(4)),
        (Rule::NewRoleCannotBeAssumed, Duration::from_secs(5)),
        (Rule::FunctionIsUpdating, Duration::from_secs(3)),
        (Rule::NewPermissionIsUnknown, Duration::from_secs(4)),
        (Rule::LogGroupIsBusy, Duration::from_secs(2)),
        (Rule::NewTopicIsUnknown, Duration::from_secs(2)),
        (Rule::NewTopicPolicyIsUnknown, Duration::from_secs(4)),
        (Rule::BucketIsBusy, Duration::from_secs(1)),
        (Rule::CallsAreThrottled, Duration::ZERO),
    ];
}

/// A kind of event whose age a rule needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Event {
    QueueCreated,
    QueueDeleted,
    KeyCreated,
    KeyTagged,
    RoleCreated,
    PolicyCreated,
    PolicyDetached,
    TopicCreated,
    TopicPolicySet,
    FunctionChanged,
    PermissionAdded,
    NotificationSet,
}

/// Writes after which reads are stale, and these reads.
const STALE_READS: &[(&str, &[&str])] = &[
    ("iam:TagRole", &["GetRole"]),
    ("iam:UpdateAssumeRolePolicy", &["GetRole"]),
    ("iam:AttachRolePolicy", &["ListAttachedRolePolicies"]),
    ("iam:DetachRolePolicy", &["ListAttachedRolePolicies"]),
    ("kms:EnableKeyRotation", &["GetKeyRotationStatus"]),
    ("kms:PutKeyPolicy", &["GetKeyPolicy"]),
    ("lambda:AddPermission", &["GetPolicy"]),
    (
        "logs:PutSubscriptionFilter",
        &["DescribeSubscriptionFilters"],
    ),
    (
        "s3:PutBucketNotificationConfiguration",
        &["GetBucketNotificationConfiguration"],
    ),
    ("sns:SetTopicAttributes", &["GetTopicAttributes"]),
    ("sns:Subscribe", &["ListSubscriptionsByTopic"]),
    ("sqs:SetQueueAttributes", &["GetQueueAttributes"]),
    ("sqs:TagQueue", &["ListQueueTags"]),
];

/// The state of the rules that are on.
#[derive(Default)]
pub(crate) struct EventualConsistency {
    rules: Vec<(Rule, Duration)>,
    events: HashMap<(Event, String), Instant>,
    /// The last response of each read, by resource and operation.
    fresh: HashMap<(String, String), WireResponse>,
    /// The response that a read returns until a rule's duration has passed.
    stale: HashMap<(String, String), (Instant, WireResponse)>,
    /// The number of stale reads after a write, and those that are left for each read.
    lag: usize,
    lagging: HashMap<String, (usize, WireResponse)>,
    last: HashMap<String, WireResponse>,
    calls: usize,
    replica_calls: usize,
    refused_once: Vec<String>,
    played: Vec<Rule>,
}

impl EventualConsistency {
    pub(crate) fn new(rules: &[(Rule, Duration)]) -> EventualConsistency {
        EventualConsistency {
            rules: rules.to_vec(),
            ..EventualConsistency::default()
        }
    }

    pub(crate) fn with_read_lag(reads: usize) -> EventualConsistency {
        EventualConsistency {
            lag: reads,
            ..EventualConsistency::default()
        }
    }

    /// The rules that have affected a call.
    pub(crate) fn played(&self) -> Vec<Rule> {
        self.played.clone()
    }

    fn duration(&self, rule: Rule) -> Option<Duration> {
        self.rules
            .iter()
            .find(|(on, _)| *on == rule)
            .map(|(_, duration)| *duration)
    }

    /// Returns true if the rule is on and the event is younger than the rule's duration. Until the rule has affected a
    /// call, no event is too old: on a slow machine, the first call after the event may be late.
    fn is_young(&self, rule: Rule, event: Event, name: &str) -> bool {
        let Some(duration) = self.duration(rule) else {
            return false;
        };
        let happened = self.events.get(&(event, name.to_owned()));
        happened.is_some_and(|at| at.elapsed() < duration || !self.played.contains(&rule))
    }

    /// The response to a call that AWS would not complete yet.
    pub(crate) fn before(&mut self, call: &Call) -> Option<FaultAction> {
        if self.lag > 0 && !call.writes() {
            return self.lagging_response(call);
        }
        if self.rules.is_empty() || call.service.is_empty() {
            return None;
        }
        let input = strict::input(call);
        if let Some((rule, status, code, message)) = self.refusal(call, &input) {
            self.played.push(rule);
            return Some(FaultAction::refuse(status, code, &message));
        }
        let key = (resource(call, &input), call.operation.clone());
        let duration = self.duration(Rule::ReadsAreStale)?;
        let (since, response) = self.stale.get(&key)?;
        if since.elapsed() >= duration && self.played.contains(&Rule::ReadsAreStale) {
            return None;
        }
        let response = response.clone();
        self.played.push(Rule::ReadsAreStale);
        Some(FaultAction::edit_response(move |fresh| {
            *fresh = response.clone();
        }))
    }

    /// The old response of a read, while reads lag behind a write.
    fn lagging_response(&mut self, call: &Call) -> Option<FaultAction> {
        let (left, response) = self.lagging.get_mut(&read_key(call))?;
        *left = left.checked_sub(1)?;
        let response = response.clone();
        self.played.push(Rule::ReadsAreStale);
        Some(FaultAction::edit_response(move |fresh| {
            *fresh = response.clone();
        }))
    }

    /// Remembers the responses of reads, and makes them lag behind a write to their service.
    fn record_lag(&mut self, call: &Call, response: &WireResponse) {
        if !call.writes() {
            self.last.insert(read_key(call), response.clone());
            return;
        }
        let service = format!("{} ", call.service);
        for (key, response) in &self.last {
            let is_lagging = self.lagging.get(key).is_some_and(|(left, _)| *left > 0);
            if key.starts_with(&service) && !is_lagging {
                self.lagging
                    .insert(key.clone(), (self.lag, response.clone()));
            }
        }
    }

    fn refusal(&mut self, call: &Call, input: &Value) -> Option<(Rule, u16, &'static str, String)> {
        self.calls += 1;
        let operation = call.operation.as_str();
        if self.duration(Rule::CallsAreThrottled).is_some() && self.calls.is_multiple_of(6) {
            let (status, code) = throttling(&call.service);
            return Some((
                Rule::CallsAreThrottled,
                status,
                code,
                "Rate exceeded".to_owned(),
            ));
        }
        match call.service.as_str() {
            "sqs" => self.queue_refusal(operation, input),
            "kms" => self.key_refusal(operation, input),
            "iam" => self.role_refusal(operation, input),
            "lambda" => self.function_refusal(operation, input),
            "logs" => self.log_refusal(operation, input),
            "sns" => self.topic_refusal(operation, input),
            "s3" => self.bucket_refusal(operation),
            _ => None,
        }
    }

    fn queue_refusal(
        &mut self,
        operation: &str,
        input: &Value,
    ) -> Option<(Rule, u16, &'static str, String)> {
        const UNKNOWN: &str = "AWS.SimpleQueueService.NonExistentQueue";
        let unknown = "The specified queue does not exist.".to_owned();
        let name = queue_name(input);
        if operation == "CreateQueue" {
            if self.is_young(Rule::QueueNameIsBlocked, Event::QueueDeleted, &name) {
                let message = "You must wait 60 seconds after deleting a queue before you can create another with the same name.";
                return Some((
                    Rule::QueueNameIsBlocked,
                    400,
                    "AWS.SimpleQueueService.QueueDeletedRecently",
                    message.to_owned(),
                ));
            }
            let redrive = text(&input["Attributes"]["RedrivePolicy"]);
            let target: Value = serde_json::from_str(&redrive).unwrap_or_default();
            let target = last_part(&text(&target["deadLetterTargetArn"]));
            if self.is_young(
                Rule::NewDeadLetterQueueIsUnknown,
                Event::QueueCreated,
                &target,
            ) {
                let message = format!(
                    "Value {redrive} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist."
                );
                return Some((
                    Rule::NewDeadLetterQueueIsUnknown,
                    400,
                    "InvalidParameterValue",
                    message,
                ));
            }
            return None;
        }
        if operation == "ListQueues" {
            return None;
        }
        if self.is_young(Rule::NewQueueIsUnknown, Event::QueueCreated, &name) {
            return Some((Rule::NewQueueIsUnknown, 400, UNKNOWN, unknown));
        }
        if self.is_young(Rule::QueueReplicaLags, Event::QueueCreated, &name) {
            self.replica_calls += 1;
            if self.replica_calls.is_multiple_of(4) {
                return Some((Rule::QueueReplicaLags, 400, UNKNOWN, unknown));
            }
        }
        None
    }

    fn key_refusal(
        &mut self,
        operation: &str,
        input: &Value,
    ) -> Option<(Rule, u16, &'static str, String)> {
        if matches!(operation, "CreateKey" | "ListKeys" | "ListAliases") {
            return None;
        }
        let target = if operation == "CreateAlias" {
            &input["TargetKeyId"]
        } else {
            &input["KeyId"]
        };
        let key = last_part(&text(target));
        if self.is_young(Rule::NewKeyIsUnknown, Event::KeyCreated, &key) {
            let message =
                format!("Key 'arn:aws:kms:us-east-1:111122223333:key/{key}' does not exist");
            return Some((Rule::NewKeyIsUnknown, 400, "NotFoundException", message));
        }
        let needs_tags = [
            "CreateAlias",
            "DisableKey",
            "EnableKey",
            "EnableKeyRotation",
            "PutKeyPolicy",
            "ScheduleKeyDeletion",
            "UpdateKeyDescription",
        ];
        let is_tagged_recently = [Event::KeyCreated, Event::KeyTagged]
            .into_iter()
            .any(|event| self.is_young(Rule::KeyTagsDoNotCount, event, &key));
        if needs_tags.contains(&operation) && is_tagged_recently {
            let message = format!(
                "User: arn:aws:sts::111122223333:assumed-role/operator/session is not authorized to perform: \
                 kms:{operation} on resource: arn:aws:kms:us-east-1:111122223333:key/{key} because no identity-based \
                 policy allows the kms:{operation} action"
            );
            return Some((
                Rule::KeyTagsDoNotCount,
                400,
                "AccessDeniedException",
                message,
            ));
        }
        let grantee = text(&input["GranteePrincipal"]);
        if operation == "CreateGrant"
            && self.is_young(
                Rule::NewRoleIsNoGrantee,
                Event::RoleCreated,
                &last_part(&grantee),
            )
        {
            let message = format!("ARN does not refer to a valid principal: {grantee}");
            return Some((
                Rule::NewRoleIsNoGrantee,
                400,
                "InvalidArnException",
                message,
            ));
        }
        if operation == "PutKeyPolicy" && self.names_new_role(&text(&input["Policy"])) {
            let message =
                "Policy contains a statement with one or more invalid principals.".to_owned();
            return Some((
                Rule::NewRoleIsNoPrincipal,
                400,
                "MalformedPolicyDocumentException",
                message,
            ));
        }
        None
    }

    fn role_refusal(
        &self,
        operation: &str,
        input: &Value,
    ) -> Option<(Rule, u16, &'static str, String)> {
        let role = text(&input["RoleName"]);
        let policy = last_part(&text(&input["PolicyArn"]));
        let is_new_role = self.is_young(Rule::NewRoleIsUnknown, Event::RoleCreated, &role);
        let is_new_policy = self.is_young(Rule::NewRoleIsUnknown, Event::PolicyCreated, &policy);
        if is_new_role && !operation.starts_with("Create") {
            let message = format!("The role with name {role} cannot be found.");
            return Some((Rule::NewRoleIsUnknown, 404, "NoSuchEntity", message));
        }
        if is_new_policy && !operation.starts_with("Create") {
            let message = format!("Policy {} was not found.", text(&input["PolicyArn"]));
            return Some((Rule::NewRoleIsUnknown, 404, "NoSuchEntity", message));
        }
        let is_detached =
            |name: &str| self.is_young(Rule::DetachedPolicyIsAttached, Event::PolicyDetached, name);
        if operation == "DeletePolicy" && is_detached(&policy) {
            let message = "Cannot delete a policy attached to entities.".to_owned();
            return Some((
                Rule::DetachedPolicyIsAttached,
                409,
                "DeleteConflict",
                message,
            ));
        }
        if operation == "DeleteRole" && is_detached(&role) {
            let message = "Cannot delete entity, must detach all policies first.".to_owned();
            return Some((
                Rule::DetachedPolicyIsAttached,
                409,
                "DeleteConflict",
                message,
            ));
        }
        None
    }

    /// Returns true if a policy names a role that was created just before.
    fn names_new_role(&self, policy: &str) -> bool {
        let mut roles = self
            .events
            .keys()
            .filter(|(event, _)| *event == Event::RoleCreated);
        roles.any(|(_, role)| {
            policy.contains(&format!(":role/{role}\""))
                && self.is_young(Rule::NewRoleIsNoPrincipal, Event::RoleCreated, role)
        })
    }

    fn function_refusal(
        &self,
        operation: &str,
        input: &Value,
    ) -> Option<(Rule, u16, &'static str, String)> {
        let role = last_part(&text(&input["Role"]));
        if operation == "CreateFunction"
            && self.is_young(Rule::NewRoleCannotBeAssumed, Event::RoleCreated, &role)
        {
            let message =
                "The role defined for the function cannot be assumed by Lambda.".to_owned();
            return Some((
                Rule::NewRoleCannotBeAssumed,
                400,
                "InvalidParameterValueException",
                message,
            ));
        }
        let function = text(&input["FunctionName"]);
        if operation.starts_with("UpdateFunction")
            && self.is_young(Rule::FunctionIsUpdating, Event::FunctionChanged, &function)
        {
            let message = format!(
                "The operation cannot be performed at this time. An update is in progress for resource: {function}"
            );
            return Some((
                Rule::FunctionIsUpdating,
                409,
                "ResourceConflictException",
                message,
            ));
        }
        None
    }

    fn log_refusal(
        &mut self,
        operation: &str,
        input: &Value,
    ) -> Option<(Rule, u16, &'static str, String)> {
        let is_write = operation.starts_with("Put") || operation.starts_with("Delete");
        if is_write
            && self.duration(Rule::LogGroupIsBusy).is_some()
            && !self.refused_once.iter().any(|name| name == operation)
        {
            self.refused_once.push(operation.to_owned());
            let message = "A conflicting operation is currently in progress against this resource. Please try again.";
            return Some((
                Rule::LogGroupIsBusy,
                400,
                "OperationAbortedException",
                message.to_owned(),
            ));
        }
        let function = last_part(&text(&input["destinationArn"]));
        if operation == "PutSubscriptionFilter"
            && self.is_young(
                Rule::NewPermissionIsUnknown,
                Event::PermissionAdded,
                &function,
            )
        {
            let message = "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to \
                           execute your function.";
            return Some((
                Rule::NewPermissionIsUnknown,
                400,
                "InvalidParameterException",
                message.to_owned(),
            ));
        }
        None
    }

    fn topic_refusal(
        &self,
        operation: &str,
        input: &Value,
    ) -> Option<(Rule, u16, &'static str, String)> {
        let arn = if input["TopicArn"].is_null() {
            &input["ResourceArn"]
        } else {
            &input["TopicArn"]
        };
        let topic = last_part(&text(arn));
        if operation == "CreateTopic"
            || !self.is_young(Rule::NewTopicIsUnknown, Event::TopicCreated, &topic)
        {
            return None;
        }
        Some(match operation {
            "TagResource" | "UntagResource" | "ListTagsForResource" => (
                Rule::NewTopicIsUnknown,
                404,
                "ResourceNotFound",
                "Resource does not exist".to_owned(),
            ),
            _ => (
                Rule::NewTopicIsUnknown,
                404,
                "NotFound",
                "Topic does not exist".to_owned(),
            ),
        })
    }

    fn bucket_refusal(&self, operation: &str) -> Option<(Rule, u16, &'static str, String)> {
        if operation != "PutBucketNotificationConfiguration" {
            return None;
        }
        let topics = self
            .events
            .keys()
            .filter(|(event, _)| *event == Event::TopicPolicySet);
        let is_new = |topic: &str| {
            self.is_young(Rule::NewTopicPolicyIsUnknown, Event::TopicPolicySet, topic)
        };
        if topics.clone().any(|(_, topic)| is_new(topic)) {
            let message = "Unable to validate the following destination configurations".to_owned();
            return Some((
                Rule::NewTopicPolicyIsUnknown,
                400,
                "InvalidArgument",
                message,
            ));
        }
        if self.is_young(Rule::BucketIsBusy, Event::NotificationSet, "") {
            let message = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
            return Some((
                Rule::BucketIsBusy,
                409,
                "OperationAborted",
                message.to_owned(),
            ));
        }
        None
    }

    /// Records the effect of a call that the emulator completed.
    pub(crate) fn after(&mut self, call: &Call, response: &WireResponse) {
        if self.lag > 0 {
            self.record_lag(call, response);
            return;
        }
        if self.rules.is_empty() || call.service.is_empty() || response.status >= 300 {
            return;
        }
        let input = strict::input(call);
        for (event, name) in events(call, &input, response) {
            // A queue, role or topic that exists is returned by its create, too.
            let is_creation = matches!(
                event,
                Event::QueueCreated
                    | Event::RoleCreated
                    | Event::PolicyCreated
                    | Event::TopicCreated
            );
            let key = (event, name);
            if !is_creation || !self.events.contains_key(&key) {
                self.events.insert(key, Instant::now());
            }
        }
        if call.name() == "sqs:DeleteQueue" {
            self.events
                .remove(&(Event::QueueCreated, queue_name(&input)));
        }
        let resource = resource(call, &input);
        let reads = STALE_READS.iter().find(|(write, _)| *write == call.name());
        for read in reads.map_or(&[][..], |(_, reads)| reads) {
            let key = (resource.clone(), (*read).to_owned());
            if let Some(response) = self.fresh.get(&key) {
                self.stale.insert(key, (Instant::now(), response.clone()));
            }
        }
        if !call.writes() {
            self.fresh
                .insert((resource, call.operation.clone()), response.clone());
        }
    }
}

fn events(call: &Call, input: &Value, response: &WireResponse) -> Vec<(Event, String)> {
    match call.name().as_str() {
        "iam:CreatePolicy" => vec![(Event::PolicyCreated, text(&input["PolicyName"]))],
        "iam:CreateRole" => vec![(Event::RoleCreated, text(&input["RoleName"]))],
        "iam:DetachRolePolicy" => vec![
            (Event::PolicyDetached, text(&input["RoleName"])),
            (Event::PolicyDetached, last_part(&text(&input["PolicyArn"]))),
        ],
        "kms:CreateKey" => {
            let created: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            vec![(Event::KeyCreated, text(&created["KeyMetadata"]["KeyId"]))]
        }
        "kms:TagResource" => vec![(Event::KeyTagged, last_part(&text(&input["KeyId"])))],
        "lambda:AddPermission" => vec![(Event::PermissionAdded, text(&input["FunctionName"]))],
        "lambda:CreateFunction"
        | "lambda:UpdateFunctionCode"
        | "lambda:UpdateFunctionConfiguration" => {
            vec![(Event::FunctionChanged, text(&input["FunctionName"]))]
        }
        "s3:PutBucketNotificationConfiguration" => vec![(Event::NotificationSet, String::new())],
        "sns:CreateTopic" => vec![(Event::TopicCreated, text(&input["Name"]))],
        "sns:SetTopicAttributes" => {
            vec![(Event::TopicPolicySet, last_part(&text(&input["TopicArn"])))]
        }
        "sqs:CreateQueue" => vec![(Event::QueueCreated, queue_name(input))],
        "sqs:DeleteQueue" => vec![(Event::QueueDeleted, queue_name(input))],
        _ => Vec::new(),
    }
}

/// Returns true if reads can lag in a run with these calls: one is repeated after a write to its service.
pub fn has_read_after_write(calls: &[Call]) -> bool {
    let mut reads = HashSet::new();
    let mut written = HashSet::new();
    for call in calls {
        if call.writes() {
            let service = |key: &&String| key.starts_with(&format!("{} ", call.service));
            written.extend(reads.iter().filter(service).cloned());
        } else if !reads.insert(read_key(call)) && written.contains(&read_key(call)) {
            return true;
        }
    }
    false
}

/// The text that identifies a read: reads with the same text have the same response.
fn read_key(call: &Call) -> String {
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    format!(
        "{} {} {path} {query} {}",
        call.service,
        call.operation,
        call.text()
    )
}

/// The status and code with which a service throttles.
pub fn throttling(service: &str) -> (u16, &'static str) {
    match service {
        "account" | "lambda" => (429, "TooManyRequestsException"),
        "iam" | "sns" | "sts" => (400, "Throttling"),
        "organizations" => (400, "TooManyRequestsException"),
        "s3" => (503, "SlowDown"),
        _ => (400, "ThrottlingException"),
    }
}

/// The resource of a call: its service and a name.
fn resource(call: &Call, input: &Value) -> String {
    let members = [
        "KeyId",
        "RoleName",
        "TopicArn",
        "ResourceArn",
        "FunctionName",
        "logGroupName",
        "Bucket",
    ];
    let name = members
        .iter()
        .map(|member| text(&input[*member]))
        .find(|text| !text.is_empty());
    let name = name.map_or_else(|| queue_name(input), |name| last_part(&name));
    format!("{} {name}", call.service)
}

fn queue_name(input: &Value) -> String {
    let name = text(&input["QueueName"]);
    if name.is_empty() {
        last_part(&text(&input["QueueUrl"]))
    } else {
        name
    }
}

fn last_part(text: &str) -> String {
    text.rsplit([':', '/'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
