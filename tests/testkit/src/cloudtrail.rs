//! Plays CloudTrail for canaries: a call with a canary's name in its user agent becomes a record, which is delivered to
//! the event history, the bucket and the log group after chosen delays.
//!
//! The emulators record no calls. The proxy sees the user agent of each call, and it answers `LookupEvents`.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::base64;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::log_file::{event, gzip, key};
use crate::organization::{LOG_GROUP, TRAIL};
use crate::wire::{WireResponse, error_response};
use crate::{Call, Clients, LogFile, Organization};

/// The beginning of the application name of a canary.
const CANARY: &str = "heeler-ec-canary-";
/// The quota of `LookupEvents` for an account and region.
const LOOKUPS_PER_SECOND: usize = 2;
/// The most events in one response.
const PAGE: usize = 50;

/// The times between a canary and its deliveries; `None` for no delivery.
#[derive(Clone, Copy, Debug)]
pub struct CloudTrailDelays {
    /// Until `LookupEvents` returns the event.
    pub history: Option<Duration>,
    /// Until the log file is in the bucket.
    pub bucket: Option<Duration>,
    /// Until the record is in the log group.
    pub log_group: Option<Duration>,
}

impl CloudTrailDelays {
    /// Delivers before the caller gets the response of its call. An organization without a log group gets no record there.
    pub const NONE: CloudTrailDelays = CloudTrailDelays {
        history: Some(Duration::ZERO),
        bucket: Some(Duration::ZERO),
        log_group: Some(Duration::ZERO),
    };
    /// Delivers nothing.
    pub const NEVER: CloudTrailDelays = CloudTrailDelays {
        history: None,
        bucket: None,
        log_group: None,
    };
}

/// A simulated CloudTrail.
#[derive(Clone)]
pub struct CloudTrail {
    shared: Arc<Shared>,
}

struct Shared {
    clients: Clients,
    account: String,
    organization: String,
    bucket: String,
    has_log_group: bool,
    region: String,
    runtime: Handle,
    state: Mutex<State>,
}

struct State {
    /// The records of all canaries.
    records: Vec<Value>,
    delays: CloudTrailDelays,
    /// Returns true if a filter pattern passes a record.
    passes_pattern: fn(&str, &str) -> bool,
    /// The records of each region, the newest last.
    history: Vec<Value>,
    /// The times of the last lookups in each region.
    lookups: BTreeMap<String, VecDeque<Instant>>,
    throttled: usize,
}

impl Organization {
    /// Plays CloudTrail for the canaries of the program from now on.
    pub fn play_cloudtrail(&self, delays: CloudTrailDelays) -> CloudTrail {
        let trail = CloudTrail {
            shared: Arc::new(Shared {
                clients: self.clients().clone(),
                account: self.bucket_account().to_owned(),
                organization: self.organization_id().to_owned(),
                bucket: self.bucket().to_owned(),
                has_log_group: self.log_group().is_some(),
                region: self.region().to_owned(),
                runtime: Handle::current(),
                state: Mutex::new(State {
                    records: Vec::new(),
                    delays,
                    passes_pattern: |_, _| true,
                    history: Vec::new(),
                    lookups: BTreeMap::new(),
                    throttled: 0,
                }),
            }),
        };
        let (recorder, lookup) = (trail.clone(), trail.clone());
        self.proxy()
            .respond_to("cloudtrail", "LookupEvents", move |call| {
                lookup.shared.look_up(call)
            });
        self.proxy()
            .after_each_call(move |call| recorder.record(call));
        trail
    }
}

impl CloudTrail {
    /// Changes the delays of later canaries.
    pub fn set_delays(&self, delays: CloudTrailDelays) {
        self.shared.lock().delays = delays;
    }

    /// Applies the patterns of subscription filters. The function gets the pattern and the record.
    pub fn apply_filter_patterns(&self, passes_pattern: fn(&str, &str) -> bool) {
        self.shared.lock().passes_pattern = passes_pattern;
    }

    /// The number of lookups that exceeded the quota.
    pub fn throttled(&self) -> usize {
        self.shared.lock().throttled
    }

    /// Delivers the log files and log events of an earlier canary.
    pub async fn deliver_late(&self, id: &str) {
        let records = self.shared.lock().records.clone();
        for record in records {
            let agent = record["userAgent"].as_str().unwrap_or_default();
            if agent.contains(id) {
                self.shared.deliver(Target::Bucket, record.clone()).await;
                self.shared.deliver(Target::LogGroup, record).await;
            }
        }
    }

    /// Starts the deliveries of a canary. Returns a future that ends when the deliveries without a delay are complete.
    fn record(&self, call: &Call) -> futures_util::future::BoxFuture<'static, ()> {
        let agent = call.headers.get("user-agent");
        let agent = agent
            .and_then(|agent| agent.to_str().ok())
            .unwrap_or_default();
        let is_accepted = call.status.is_none_or(|status| status < 300);
        if !agent.contains(CANARY) || !is_accepted {
            return Box::pin(async {});
        }
        let record = self.shared.to_record(call, agent);
        let delays = {
            let mut state = self.shared.lock();
            state.records.push(record.clone());
            state.delays
        };
        let mut immediate = Vec::new();
        for (target, delay) in [
            (Target::History, delays.history),
            (Target::Bucket, delays.bucket),
            (Target::LogGroup, delays.log_group),
        ] {
            let Some(delay) = delay else { continue };
            let (shared, record) = (Arc::clone(&self.shared), record.clone());
            let delivery = self.shared.runtime.spawn(async move {
                sleep(delay).await;
                shared.deliver(target, record).await;
            });
            if delay.is_zero() {
                immediate.push(delivery);
            }
        }
        Box::pin(async move {
            for delivery in immediate {
                delivery.await.expect("a delivery");
            }
        })
    }
}

#[derive(Clone, Copy)]
enum Target {
    History,
    Bucket,
    LogGroup,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of a call, as CloudTrail writes it.
    fn to_record(&self, call: &Call, agent: &str) -> Value {
        let source = format!("{}.amazonaws.com", call.service);
        let is_read = !call.writes();
        let mut record = event(
            &self.account,
            &call.region,
            &source,
            &call.operation,
            is_read,
        );
        record["userAgent"] = agent.into();
        record["userIdentity"]["accessKeyId"] = call.access_key.clone().into();
        if let Ok(parameters) = serde_json::from_slice::<Value>(&call.body) {
            record["requestParameters"] = parameters;
        }
        record
    }

    /// Delivers a record as the trail is configured. The event history does not depend on the trail.
    async fn deliver(&self, target: Target, record: Value) {
        match target {
            Target::History => self.lock().history.push(record),
            Target::Bucket | Target::LogGroup if !self.is_logging().await => {}
            Target::Bucket => {
                let region = record["awsRegion"].as_str().expect("a region").to_owned();
                let file = LogFile::new(&self.account, &region, vec![record]);
                let prefix = self.trail_prefix().await;
                let key = key(prefix.as_deref(), &self.organization, &file.name());
                let put = self.clients.s3.put_object().bucket(&self.bucket);
                let put = put.key(key.expect("the key of a log file"));
                let put = put.body(ByteStream::from(file.gzipped())).send().await;
                put.expect("an object in the bucket");
            }
            Target::LogGroup if self.has_log_group => {
                let stream = format!(
                    "{}_{}_CloudTrail_{}",
                    self.organization, self.account, self.region
                );
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let now = now.expect("a time after 1970").as_millis();
                let event = InputLogEvent::builder()
                    .timestamp(i64::try_from(now).expect("a time of this age"))
                    .message(record.to_string());
                let put = self.clients.logs.put_log_events();
                let put = put.log_group_name(LOG_GROUP).log_stream_name(&stream);
                let put = put.log_events(event.build().expect("an event"));
                // The log group may have been deleted.
                if put.send().await.is_ok() && record["readOnly"] == false {
                    self.invoke_subscribers(&record.to_string()).await;
                }
            }
            Target::LogGroup => {}
        }
    }

    async fn is_logging(&self) -> bool {
        let status = self.clients.cloudtrail.get_trail_status().name(TRAIL);
        let status = status.send().await.expect("the status of the trail");
        status.is_logging() == Some(true)
    }

    /// The prefix of the trail, which may have changed.
    async fn trail_prefix(&self) -> Option<String> {
        let trails = self.clients.cloudtrail.describe_trails().send().await;
        let trails = trails.expect("the trails").trail_list;
        let mut trails = trails.unwrap_or_default().into_iter();
        let trail = trails.find(|trail| trail.name() == Some(TRAIL));
        let prefix = trail.and_then(|trail| trail.s3_key_prefix);
        prefix.filter(|prefix| !prefix.is_empty())
    }

    /// Returns true if CloudWatch Logs may invoke the function, and the function has concurrency.
    async fn is_invocable(&self, function: &str) -> bool {
        let lambda = &self.clients.lambda;
        let policy = lambda.get_policy().function_name(function).send().await;
        let policy = policy.ok().and_then(|found| found.policy);
        let is_allowed = policy.is_some_and(|policy| policy.contains("\"logs."));
        let concurrency = lambda.get_function_concurrency().function_name(function);
        let concurrency = concurrency.send().await;
        let reserved = concurrency
            .ok()
            .and_then(|found| found.reserved_concurrent_executions);
        is_allowed && reserved != Some(0)
    }

    /// Invokes the functions that subscribe to the log group. No emulator does that. The emulator writes the log of the
    /// function, which may fail.
    async fn invoke_subscribers(&self, record: &str) {
        let filters = self.clients.logs.describe_subscription_filters();
        let filters = filters.log_group_name(LOG_GROUP).send().await;
        let filters = filters.expect("subscription filters").subscription_filters;
        let passes_pattern = self.lock().passes_pattern;
        for filter in filters.unwrap_or_default() {
            let pattern = filter.filter_pattern().unwrap_or_default();
            let arn = filter.destination_arn().unwrap_or_default();
            if !passes_pattern(pattern, record)
                || !self
                    .is_invocable(arn.rsplit(':').next().unwrap_or_default())
                    .await
            {
                continue;
            }
            let payload = json!({
                "messageType": "DATA_MESSAGE",
                "owner": self.account,
                "logGroup": LOG_GROUP,
                "logStream": "stream",
                "subscriptionFilters": [filter.filter_name()],
                "logEvents": [{ "id": "1", "timestamp": 0, "message": record }],
            });
            let packed = gzip(payload.to_string().as_bytes()).expect("memory takes every byte");
            let event = json!({ "awslogs": { "data": base64::encode(packed) } }).to_string();
            let arn = filter.destination_arn.expect("the ARN of a function");
            let invoke = self.clients.lambda.invoke().function_name(arn);
            let answer = invoke.payload(Blob::new(event)).send().await;
            answer.expect("an answer of the function");
        }
    }

    /// Answers `LookupEvents` with the rules of AWS: two calls per second, one attribute, the caller's region.
    fn look_up(&self, call: &Call) -> WireResponse {
        let mut state = self.lock();
        let times = state.lookups.entry(call.region.clone()).or_default();
        let now = Instant::now();
        while times
            .front()
            .is_some_and(|time| now - *time >= Duration::from_secs(1))
        {
            times.pop_front();
        }
        if times.len() >= LOOKUPS_PER_SECOND {
            state.throttled += 1;
            return refusal("ThrottlingException", "Rate exceeded");
        }
        times.push_back(now);
        let request: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let attributes = request["LookupAttributes"].as_array();
        let attributes = attributes.map(Vec::as_slice).unwrap_or_default();
        if attributes.len() > 1 {
            return refusal(
                "InvalidLookupAttributesException",
                "You can only specify one attribute",
            );
        }
        let has_attribute = |record: &Value| {
            attributes.first().is_none_or(|attribute| {
                let value = &attribute["AttributeValue"];
                match attribute["AttributeKey"].as_str() {
                    Some("AccessKeyId") => record["userIdentity"]["accessKeyId"] == *value,
                    Some("EventName") => record["eventName"] == *value,
                    Some("EventId") => record["eventID"] == *value,
                    Some("EventSource") => record["eventSource"] == *value,
                    other => panic!("play attribute {other:?}"),
                }
            })
        };
        let newest_first = state.history.iter().rev();
        let in_region = newest_first.filter(|record| record["awsRegion"] == *call.region);
        let matching: Vec<&Value> = in_region.filter(|record| has_attribute(record)).collect();
        let first: usize = request["NextToken"]
            .as_str()
            .map_or(0, |token| token.parse().expect("a token of this store"));
        let events = matching.iter().skip(first).take(PAGE);
        let events: Vec<Value> = events.map(|record| history_event(record)).collect();
        let next = first + events.len();
        let token = (next < matching.len()).then(|| next.to_string());
        json_response(&json!({ "Events": events, "NextToken": token }))
    }
}

/// An event of the history: some members of the record, and the record as text.
fn history_event(record: &Value) -> Value {
    json!({
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "EventSource": record["eventSource"],
        "ReadOnly": record["readOnly"].to_string(),
        "AccessKeyId": record["userIdentity"]["accessKeyId"],
        "Username": record["userIdentity"]["userName"],
        "Resources": [],
        "CloudTrailEvent": record.to_string(),
    })
}

fn refusal(code: &str, message: &str) -> WireResponse {
    error_response("cloudtrail", &Method::POST, 400, code, message)
}

fn json_response(body: &Value) -> WireResponse {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/x-amz-json-1.1");
    headers.insert("content-type", json);
    WireResponse {
        status: StatusCode::OK.as_u16(),
        headers,
        body: body.to_string().into(),
    }
}
