//! The round trips of preflight in virtual time: each call takes one second, and nothing else takes time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Connector;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use heeler_ec::aws::Aws;
use heeler_ec::check::collect;
use heeler_ec::inventory::InventoryRequest;
use heeler_ec::naming::ResourceNames;
use heeler_ec::option::OPTIONS;
use testkit::clients::credentials;
use testkit::{Engine, Organization};
use tokio::runtime::{Builder, Handle};

use crate::preflight::trails;

const S3: &[&str] = &["s3"];
const ALL: &[&str] = &["s3", "cloudwatch"];

/// Virtual duration of a call.
const ROUND_TRIP: Duration = Duration::from_secs(1);

/// A connector whose calls take one second of virtual time. It blocks the thread during the real call, so that the
/// paused clock does not advance.
#[derive(Debug)]
struct VirtualConnector {
    connector: SharedHttpConnector,
    /// The runtime that makes the real calls.
    handle: Handle,
    in_flight: Arc<AtomicUsize>,
    max_in_flight: Arc<AtomicUsize>,
}

impl HttpConnector for VirtualConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (connector, handle) = (self.connector.clone(), self.handle.clone());
        let in_flight = Arc::clone(&self.in_flight);
        let calls = in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.max_in_flight.fetch_max(calls, Ordering::Relaxed);
        HttpConnectorFuture::new(async move {
            tokio::time::sleep(ROUND_TRIP).await;
            let (sender, receiver) = std::sync::mpsc::channel();
            handle.spawn(async move { sender.send(complete(connector.call(request)).await) });
            let response = receiver.recv().expect("a response");
            in_flight.fetch_sub(1, Ordering::Relaxed);
            response
        })
    }
}

/// Waits for a response and its whole body.
async fn complete(call: HttpConnectorFuture) -> Result<HttpResponse, ConnectorError> {
    let mut response = call.await?;
    let body = std::mem::replace(response.body_mut(), SdkBody::taken());
    let bytes = ByteStream::new(body).collect().await;
    let bytes = bytes.map_err(|error| ConnectorError::io(error.into()))?;
    *response.body_mut() = SdkBody::from(bytes.into_bytes());
    Ok(response)
}

/// The measurement of one preflight.
struct Measurement {
    round_trips: u64,
    max_in_flight: usize,
}

/// Collects the facts of preflight for these options.
async fn measure(org: &Organization, names: &'static [&str]) -> Measurement {
    let max_in_flight = Arc::new(AtomicUsize::new(0));
    let connector = SharedHttpConnector::new(VirtualConnector {
        connector: SharedHttpConnector::new(Connector::builder().build_http()),
        handle: Handle::current(),
        in_flight: Arc::default(),
        max_in_flight: Arc::clone(&max_in_flight),
    });
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(org.proxy().url())
        .region(Region::new(org.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials(
            org.account(),
            "test",
            None,
        )))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .build();
    let (sender, elapsed) = tokio::sync::oneshot::channel();
    // The stack of the program's main thread; the futures of debug builds are large.
    let thread = std::thread::Builder::new().stack_size(8 * 1024 * 1024);
    let collecting = thread.spawn(move || {
        let mut builder = Builder::new_current_thread();
        let runtime = builder.enable_all().start_paused(true).build();
        let elapsed = runtime.expect("a runtime").block_on(async {
            let started = tokio::time::Instant::now();
            let aws = Aws::with_sdk_config(config);
            let options = OPTIONS
                .iter()
                .filter(|option| names.contains(&option.name()));
            let options: Vec<_> = options.map(|option| option.profile()).collect();
            collect(&aws, request(), &options).await;
            started.elapsed()
        });
        sender.send(elapsed).expect("the test");
    });
    collecting.expect("a thread");
    let elapsed = elapsed.await.expect("an inventory");
    Measurement {
        round_trips: elapsed.as_secs(),
        max_in_flight: max_in_flight.load(Ordering::Relaxed),
    }
}

/// The request of `preflight` without arguments.
fn request() -> InventoryRequest {
    InventoryRequest {
        expected_account: None,
        expected_region: None,
        trail: None,
        bucket: None,
        bucket_key: None,
        topic: None,
        log_group: None,
        bucket_events: None,
        heeler_roles: Vec::new(),
        names: ResourceNames::new("heeler"),
        permissions_boundary: None,
        extra_tags: Vec::new(),
        accepted_checks: Vec::new(),
        adopt: false,
        deep: false,
    }
}

#[tokio::test]
async fn critical_path_is_five_round_trips() {
    let plain = Organization::on(Engine::Ministack).build().await;
    let keyed = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .build()
        .await;
    for (org, names, max) in [
        (&plain, S3, 5),
        (&keyed, S3, 5),
        (&plain, ALL, 5),
        (&keyed, ALL, 6),
    ] {
        let measured = measure(org, names).await;
        assert!(
            measured.round_trips <= max,
            "{names:?}: {}",
            measured.round_trips
        );
    }
}

/// The chain leads from the trail to the bucket, its topic, the alias of the topic's key, the key and the key policy.
#[tokio::test]
async fn topic_key_alias_keeps_critical_path() {
    let org = Organization::on(Engine::Ministack)
        .topic("events")
        .build()
        .await;
    let clients = org.clients();
    let key = clients.kms.create_key().send().await.expect("a key");
    let key = key.key_metadata().expect("metadata").key_id();
    let alias = clients.kms.create_alias().alias_name("alias/topics");
    let alias = alias.target_key_id(key);
    alias.send().await.expect("an alias");
    let topic = clients.sns.set_topic_attributes();
    let topic = topic.topic_arn(org.topic().expect("a topic"));
    let encrypted = topic
        .attribute_name("KmsMasterKeyId")
        .attribute_value("alias/topics");
    encrypted.send().await.expect("a topic with a key");
    org.proxy().clear();
    let measured = measure(&org, S3).await;
    assert!(measured.round_trips <= 5, "{}", measured.round_trips);
    let calls = org.proxy().calls();
    let described = calls
        .iter()
        .any(|call| call.operation == "DescribeKey" && call.text().contains("alias/topics"));
    let policy = calls.iter().any(|call| call.operation == "GetKeyPolicy");
    assert!(described && policy, "{calls:?}");
}

#[tokio::test]
async fn at_most_eight_calls_run_concurrently() {
    let org = Organization::on(Engine::Ministack)
        .bucket_key()
        .log_group()
        .build()
        .await;
    trails(&org, 100, true, |_, _| {});
    let measured = measure(&org, ALL).await;
    // `GetCallerIdentity` is not limited, and finishes in the first round trip.
    assert_eq!(measured.max_in_flight, 8);
    // Up to eight calls run concurrently; some of them are reserved for the longest chains.
    assert!(measured.round_trips <= 60, "{}", measured.round_trips);
}
