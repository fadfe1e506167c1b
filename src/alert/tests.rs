use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;

use super::*;
use crate::http::WebhookClient;
use crate::severity::SeverityLevel;

fn alert(event: &str) -> Alert {
    Alert {
        level: SeverityLevel::High,
        time: None,
        account: None,
        region: None,
        service: None,
        event: Some(event.into()),
        actor: None,
        error: None,
        event_id: None,
        record: format!("{{\"eventName\":\"{event}\"}}"),
    }
}

/// A policy with short delays and a long timeout.
fn policy() -> DeliveryPolicy {
    DeliveryPolicy {
        burst: 100,
        interval: Duration::from_millis(1),
        queue_capacity: 100,
        timeout: Duration::from_secs(600),
        first_retry_delay: Duration::from_millis(1),
        max_attempts: 3,
    }
}

const GRACE: Duration = Duration::from_secs(600);

#[derive(Clone, Default)]
struct RecordedFailures(Arc<Mutex<Vec<String>>>);

impl RecordedFailures {
    fn listener(&self) -> FailureListener {
        let messages = Arc::clone(&self.0);
        Arc::new(move |receiver, reason| {
            messages
                .lock()
                .unwrap()
                .push(format!("{receiver}: {reason}"));
        })
    }

    fn messages(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A web server that sends these responses, one per connection, and returns the requests.
fn server(
    answers: &'static [&'static str],
) -> (AlertReceiver, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        answers
            .iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().unwrap();
                let request = request(&mut stream);
                stream.write_all(answer.as_bytes()).unwrap();
                request
            })
            .collect()
    });
    let webhook = Webhook::new(url, PayloadFormat::Json, WebhookClient::new().unwrap());
    (AlertReceiver::Webhook(webhook), serving)
}

fn request(stream: &mut impl Read) -> String {
    let (mut read, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        let length = stream.read(&mut piece).unwrap();
        assert!(length > 0, "the request ended early: {text}");
        read.extend_from_slice(&piece[..length]);
    }
}

const NO_CONTENT: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const TOO_MANY_REQUESTS: &str =
    "HTTP/1.1 429 Too Many\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const GONE: &str = "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn counts(stats: &[DeliveryStats]) -> Vec<(u64, u64, u64)> {
    stats
        .iter()
        .map(|line| (line.delivered, line.failed, line.dropped))
        .collect()
}

#[tokio::test]
async fn webhook_receives_each_alert() {
    let failures = RecordedFailures::default();
    let (receiver, serving) = server(&[NO_CONTENT, NO_CONTENT]);
    let alerts = AlertDispatcher::new(vec![receiver], policy(), &failures.listener());
    alerts.submit(alert("DeleteBucket"));
    alerts.submit(alert("DeleteTrail"));
    assert_eq!(counts(&alerts.finish(GRACE).await), [(2, 0, 0)]);
    let requests = serving.join().unwrap();
    assert!(
        requests[0].starts_with("POST /hook HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(requests[0].contains("\"event_name\":\"DeleteBucket\""));
    assert!(requests[1].contains("\"event_name\":\"DeleteTrail\""));
    assert_eq!(failures.messages(), [""; 0]);
}

#[tokio::test]
async fn busy_webhook_is_retried() {
    let failures = RecordedFailures::default();
    let (receiver, serving) = server(&[TOO_MANY_REQUESTS, TOO_MANY_REQUESTS, NO_CONTENT]);
    let alerts = AlertDispatcher::new(vec![receiver], policy(), &failures.listener());
    alerts.submit(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.finish(GRACE).await), [(1, 0, 0)]);
    assert_eq!(serving.join().unwrap().len(), 3);
}

#[tokio::test]
async fn permanent_webhook_failure_is_not_retried() {
    let failures = RecordedFailures::default();
    let (receiver, serving) = server(&[GONE]);
    let alerts = AlertDispatcher::new(vec![receiver], policy(), &failures.listener());
    alerts.submit(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.finish(GRACE).await), [(0, 1, 0)]);
    assert_eq!(serving.join().unwrap().len(), 1);
    assert_eq!(failures.messages(), ["the webhook: HTTP status 410"]);
}

#[tokio::test]
async fn unreachable_webhook_is_counted_as_failed() {
    let failures = RecordedFailures::default();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let webhook = Webhook::new(
        format!("http://{free}/secret"),
        PayloadFormat::Slack,
        WebhookClient::new().unwrap(),
    );
    let alerts = AlertDispatcher::new(
        vec![AlertReceiver::Webhook(webhook)],
        policy(),
        &failures.listener(),
    );
    alerts.submit(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.finish(GRACE).await), [(0, 1, 0)]);
    let messages = failures.messages().join("\n");
    assert!(messages.to_lowercase().contains("refused"), "{messages}");
    assert!(!messages.contains("secret"), "{messages}");
}

#[cfg(unix)]
#[tokio::test]
async fn command_receives_record_and_severity() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("output");
    let line = format!(
        "echo $HEELER_EC_SEVERITY >> '{0}'; cat >> '{0}'",
        file.display()
    );
    let failures = RecordedFailures::default();
    let command = AlertReceiver::Command(ShellCommand(line));
    let alerts = AlertDispatcher::new(vec![command], policy(), &failures.listener());
    alerts.submit(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.finish(GRACE).await), [(1, 0, 0)]);
    let stats = std::fs::read_to_string(file).unwrap();
    assert_eq!(stats, "high\n{\"eventName\":\"DeleteBucket\"}\n");
}

#[cfg(unix)]
#[tokio::test]
async fn failing_command_is_retried_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs");
    let line = format!("echo run >> '{}'; exit 7", file.display());
    let failures = RecordedFailures::default();
    let command = AlertReceiver::Command(ShellCommand(line));
    let alerts = AlertDispatcher::new(vec![command], policy(), &failures.listener());
    alerts.submit(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.finish(GRACE).await), [(0, 1, 0)]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "run\n".repeat(3));
    assert_eq!(failures.messages(), ["the command: exit status: 7"]);
}

#[cfg(unix)]
#[tokio::test]
async fn hanging_receiver_does_not_block_others() {
    let failures = RecordedFailures::default();
    let receivers = vec![
        AlertReceiver::Command(ShellCommand("exec sleep 600".into())),
        AlertReceiver::Command(ShellCommand("true".into())),
    ];
    let few = DeliveryPolicy {
        queue_capacity: 3,
        ..policy()
    };
    let alerts = AlertDispatcher::new(receivers, few, &failures.listener());
    for delivered in 1..=3 {
        alerts.submit(alert("DeleteBucket"));
        while alerts.stats()[1].delivered < delivered {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let stats = alerts.finish(Duration::ZERO).await;
    assert_eq!(counts(&stats), [(0, 0, 3), (3, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn alerts_after_a_burst_are_rate_limited() {
    let failed_at: Arc<Mutex<Vec<u64>>> = Arc::default();
    let started = Instant::now();
    let messages = Arc::clone(&failed_at);
    let listener: FailureListener = Arc::new(move |_, _| {
        messages.lock().unwrap().push(started.elapsed().as_secs());
    });
    // A webhook without a URL fails immediately, so each failure has the time of its attempt.
    let webhook = Webhook::new(
        String::new(),
        PayloadFormat::Json,
        WebhookClient::new().unwrap(),
    );
    let policy = DeliveryPolicy {
        burst: 3,
        interval: Duration::from_secs(1),
        max_attempts: 1,
        ..policy()
    };
    let alerts = AlertDispatcher::new(vec![AlertReceiver::Webhook(webhook)], policy, &listener);
    for _ in 0..6 {
        alerts.submit(alert("DeleteBucket"));
    }
    alerts.finish(GRACE).await;
    assert_eq!(*failed_at.lock().unwrap(), [0, 0, 0, 1, 2, 3]);
}
