//! The facts about the resources of a deployment. They are plain values, so hops are evaluated without AWS calls.

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::aws::bucket_notification::NotificationEntry;
use crate::aws::{CallerIdentity, arn};
use crate::inventory::Fact;
use crate::inventory::bucket_events::{ANY_VENDOR, HEELER};
use crate::inventory::facts::{
    KeyFacts, LogGroupSettings, Organization, SubscriptionFilterFacts, TopicFacts, Trail,
    TrailStatus,
};
use crate::inventory::log_objects;

/// Names and ARNs of the resources of a deployment that are read.
#[derive(Clone, Debug)]
pub struct PipelineRequest {
    /// The options of setup that select the option of the deployment, such as `--option NAME`.
    pub setup_arguments: &'static str,
    pub account: String,
    pub partition: String,
    pub region: String,
    /// Name of the role that Heeler assumes.
    pub role: String,
    /// ARN of that role, with its path.
    pub role_arn: String,
    /// Name of Heeler's queue.
    pub queue: String,
    pub dead_letter_queue: String,
    pub source: PipelineSource,
}

/// The part of a deployment before its queue.
#[derive(Clone, Debug)]
pub enum PipelineSource {
    Bucket {
        bucket: String,
        /// Key prefix of all log objects at the time of setup, with a trailing slash.
        log_prefix: String,
        destination: BucketDestination,
        /// ARNs of the customer managed keys on which the role that Heeler assumes needs a grant.
        log_keys: Vec<String>,
        /// Name of the grants on these keys.
        grant: String,
    },
    LogGroup {
        /// Name of the log group; empty if it is not known.
        log_group: String,
        /// Name of the function.
        function: String,
        /// Name of the role of the function.
        function_role: String,
        /// ARN of that role, with its path.
        function_role_arn: String,
    },
}

/// The destination of the bucket notification.
#[derive(Clone, Debug)]
pub enum BucketDestination {
    /// ARN of the topic.
    Topic(String),
    /// The queue of the deployment, which receives the events of all objects whose keys have this suffix.
    Queue { suffix: String },
}

/// The facts about every hop of a deployment.
#[derive(Clone, Debug)]
pub struct PipelineFacts {
    pub request: PipelineRequest,
    pub now: SystemTime,
    /// The identity in the management account, if it has credentials of its own.
    pub management: Option<CallerIdentity>,
    pub organization: Fact<Organization>,
    /// The trail that delivers to the bucket or log group of the deployment.
    pub trail: Fact<Trail>,
    pub trail_status: Fact<TrailStatus>,
    pub bucket_policy: Fact<String>,
    pub notifications: Fact<Vec<NotificationEntry>>,
    pub topic: Fact<TopicFacts>,
    pub subscription: Fact<SubscriptionFacts>,
    pub log_group: Fact<LogGroupSettings>,
    pub subscription_filters: Fact<Vec<SubscriptionFilterFacts>>,
    pub function: Fact<FunctionFacts>,
    /// The resource-based policy of the function.
    pub function_policy: Fact<String>,
    pub function_role: RoleFacts,
    pub queue: Fact<QueueFacts>,
    pub dead_letter_queue: Fact<QueueFacts>,
    /// The key that encrypts Heeler's queue; `None` without SSE-KMS.
    pub queue_key: Option<KeyFacts>,
    /// The role that Heeler assumes.
    pub role: RoleFacts,
    /// The keys of the log objects.
    pub log_keys: Vec<KeyFacts>,
    /// The metrics of the last minutes.
    pub traffic: Fact<TrafficFacts>,
}

impl PipelineFacts {
    /// Returns the key prefix of the log objects. It is the trail's current prefix, or the prefix at the time of setup
    /// if the trail or its organization is unknown. For objects of any source, it is always the prefix of setup.
    #[must_use]
    pub fn log_prefix(&self) -> String {
        if let PipelineSource::Bucket {
            destination: BucketDestination::Queue { .. },
            log_prefix,
            ..
        } = &self.request.source
        {
            return log_prefix.clone();
        }
        let organization = self.organization.present();
        let known = self
            .trail
            .present()
            .filter(|trail| !trail.is_organization || organization.is_some());
        match (known, &self.request.source) {
            (None, PipelineSource::Bucket { log_prefix, .. }) => log_prefix.clone(),
            (trail, _) => log_objects::log_prefix(trail, organization),
        }
    }

    /// Returns the topic that the bucket notification names, or `None` without a topic.
    #[must_use]
    pub fn topic_arn(&self) -> Option<&str> {
        match &self.request.source {
            PipelineSource::Bucket {
                destination: BucketDestination::Topic(topic),
                ..
            } => Some(topic),
            _ => None,
        }
    }

    /// Returns the vendor that assumes the role, as it occurs in a sentence.
    #[must_use]
    pub fn vendor(&self) -> &'static str {
        match &self.request.source {
            PipelineSource::Bucket {
                destination: BucketDestination::Queue { .. },
                ..
            } => ANY_VENDOR,
            _ => HEELER,
        }
    }

    /// Returns the ARN of a resource in the region of the deployment.
    #[must_use]
    pub fn regional_arn(&self, service: &str, resource: &str) -> String {
        let PipelineRequest {
            partition,
            region,
            account,
            ..
        } = &self.request;
        arn::build(partition, service, region, account, resource)
    }

    /// Returns the ARN of Heeler's queue.
    #[must_use]
    pub fn queue_arn(&self) -> String {
        self.regional_arn("sqs", &self.request.queue)
    }

    /// Returns a command line of this program. The global options of this run are added when it is printed.
    #[must_use]
    pub fn heeler_ec_command(&self, arguments: &str) -> String {
        format!("heeler-ec {arguments}")
    }

    /// Returns the command line of a setup that repairs the deployment.
    #[must_use]
    pub fn setup_command(&self) -> String {
        self.heeler_ec_command(&format!("setup {}", self.request.setup_arguments))
    }
}

/// The subscription of a queue to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubscriptionFacts {
    /// True until the owner of the queue has confirmed the subscription. Until then, SNS delivers nothing.
    pub is_pending: bool,
    pub raw_delivery: bool,
    pub filter_policy: Option<String>,
    /// `MessageAttributes` or `MessageBody`; empty without a filter policy.
    pub filter_scope: String,
}

/// A queue with its policy and its counters. SQS counts approximately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFacts {
    pub url: String,
    pub policy: Option<String>,
    /// The KMS key as the queue names it; `None` without SSE-KMS.
    pub key: Option<String>,
    /// True if SQS encrypts the messages with its own keys (SSE-SQS).
    pub has_sqs_managed_sse: bool,
    /// ARN of the queue's dead-letter queue.
    pub dead_letter_target: Option<String>,
    /// Messages that can be received.
    pub visible: u64,
    /// Messages that were received and are not yet deleted.
    pub in_flight: u64,
    /// Messages that are delayed.
    pub delayed: u64,
}

impl QueueFacts {
    /// The number of all messages.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.visible + self.in_flight + self.delayed
    }
}

/// A role with its policies.
#[derive(Clone, Debug, Default)]
pub struct RoleFacts {
    pub role: Fact<RoleDetails>,
    /// Inline and attached policies, percent-encoded as IAM returns them.
    pub policies: Fact<Vec<String>>,
    /// The permissions boundary, percent-encoded. Absent if the role has none.
    pub boundary: Fact<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleDetails {
    /// The ARN with the path of the role.
    pub arn: String,
    /// The trust policy, percent-encoded.
    pub trust_policy: String,
    /// The time when a session of the role last made a call. IAM reports it with a delay of up to hours.
    pub last_used: Option<SystemTime>,
    pub last_used_region: Option<String>,
    /// ARN of the permissions boundary.
    pub boundary: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionFacts {
    pub arn: String,
    /// `Active`, `Pending`, `Inactive` or `Failed`.
    pub state: Option<String>,
    pub state_reason: Option<String>,
    /// `Successful`, `Failed` or `InProgress`.
    pub last_update: Option<String>,
    /// ARN of the role that the function runs with.
    pub role: String,
    /// Reserved concurrency. If it is 0, Lambda throttles every invocation.
    pub reserved_concurrency: Option<i32>,
    /// The environment variables.
    pub variables: BTreeMap<String, String>,
}

/// A metric of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TrafficMetric {
    QueueSent,
    QueueReceived,
    QueueEmptyReceives,
    QueueDeleted,
    QueueOldestAgeSeconds,
    TopicPublished,
    TopicDelivered,
    TopicFailed,
    LogEventsIncoming,
    FunctionInvocations,
    FunctionErrors,
    FunctionThrottles,
}

impl TrafficMetric {
    /// The key in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::QueueSent => "queue_sent",
            Self::QueueReceived => "queue_received",
            Self::QueueEmptyReceives => "queue_empty_receives",
            Self::QueueDeleted => "queue_deleted",
            Self::QueueOldestAgeSeconds => "queue_oldest_age_seconds",
            Self::TopicPublished => "topic_published",
            Self::TopicDelivered => "topic_delivered",
            Self::TopicFailed => "topic_failed",
            Self::LogEventsIncoming => "log_events_incoming",
            Self::FunctionInvocations => "function_invocations",
            Self::FunctionErrors => "function_errors",
            Self::FunctionThrottles => "function_throttles",
        }
    }

    /// The namespace, name and dimension in CloudWatch. Sources: the metrics pages of the developer guides of SQS, SNS, Lambda
    /// and CloudWatch Logs.
    #[must_use]
    pub(super) fn identity(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::QueueSent => ("AWS/SQS", "NumberOfMessagesSent", "QueueName"),
            Self::QueueReceived => ("AWS/SQS", "NumberOfMessagesReceived", "QueueName"),
            Self::QueueEmptyReceives => ("AWS/SQS", "NumberOfEmptyReceives", "QueueName"),
            Self::QueueDeleted => ("AWS/SQS", "NumberOfMessagesDeleted", "QueueName"),
            Self::QueueOldestAgeSeconds => {
                ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName")
            }
            Self::TopicPublished => ("AWS/SNS", "NumberOfMessagesPublished", "TopicName"),
            Self::TopicDelivered => ("AWS/SNS", "NumberOfNotificationsDelivered", "TopicName"),
            Self::TopicFailed => ("AWS/SNS", "NumberOfNotificationsFailed", "TopicName"),
            Self::LogEventsIncoming => ("AWS/Logs", "IncomingLogEvents", "LogGroupName"),
            Self::FunctionInvocations => ("AWS/Lambda", "Invocations", "FunctionName"),
            Self::FunctionErrors => ("AWS/Lambda", "Errors", "FunctionName"),
            Self::FunctionThrottles => ("AWS/Lambda", "Throttles", "FunctionName"),
        }
    }

    /// Returns true if the maximum of the window counts, not the sum.
    #[must_use]
    pub(super) fn is_maximum(self) -> bool {
        self == Self::QueueOldestAgeSeconds
    }
}

/// The metrics of the window. A queue without data points is inactive, or CloudWatch does not have them yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrafficFacts {
    values: BTreeMap<TrafficMetric, MetricValue>,
}

/// The sum or maximum of a metric, and the number of its data points.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct MetricValue {
    value: f64,
    points: usize,
}

impl TrafficFacts {
    /// Adds a data point.
    pub fn add(&mut self, metric: TrafficMetric, value: f64) {
        let known = self.values.entry(metric).or_default();
        known.points += 1;
        known.value = if metric.is_maximum() {
            known.value.max(value)
        } else {
            known.value + value
        };
    }

    /// Returns the sum or maximum of a metric, or `None` without data points.
    #[must_use]
    pub fn get(&self, metric: TrafficMetric) -> Option<u64> {
        let value = self.values.get(&metric)?.value;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "counts are whole, not negative, and below 2^53"
        )]
        Some(value.max(0.0) as u64)
    }

    /// Returns the number of minutes of the window for which the metric has a data point.
    #[must_use]
    pub fn points(&self, metric: TrafficMetric) -> usize {
        self.values.get(&metric).map_or(0, |value| value.points)
    }

    /// The metrics with data points.
    pub fn iter(&self) -> impl Iterator<Item = (TrafficMetric, u64)> + '_ {
        let metrics = self.values.keys();
        metrics.filter_map(|metric| Some((*metric, self.get(*metric)?)))
    }
}
