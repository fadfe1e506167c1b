use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex;

use super::*;
use crate::web::Poster;

fn alert(event: &str) -> Alert {
    Alert {
        level: Level::High,
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

/// Fast, and as patient as a test can be.
fn manner() -> Manner {
    Manner {
        burst: 100,
        pace: Duration::from_millis(1),
        waiting: 100,
        patience: Duration::from_secs(20),
        pause: Duration::from_millis(1),
        attempts: 3,
    }
}

const GRACE: Duration = Duration::from_secs(60);

#[derive(Clone, Default)]
struct Complaints(Arc<Mutex<Vec<String>>>);

impl Complaints {
    fn listener(&self) -> Listener {
        let heard = Arc::clone(&self.0);
        Arc::new(move |who, why| heard.lock().unwrap().push(format!("{who}: {why}")))
    }

    fn heard(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// A web server that gives these answers, one a connection, and hands over what it was sent.
fn server(answers: &'static [&'static str]) -> (Receiver, std::thread::JoinHandle<Vec<String>>) {
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
    let webhook = Webhook::new(url, Form::Json, Poster::new().unwrap());
    (Receiver::Webhook(webhook), serving)
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

const FINE: &str = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
const BUSY: &str =
    "HTTP/1.1 429 Too Many\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const GONE: &str = "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

fn counts(told: &[Told]) -> Vec<(u64, u64, u64)> {
    told.iter()
        .map(|line| (line.told, line.failed, line.held_back))
        .collect()
}

#[tokio::test]
async fn a_webhook_is_posted_each_alert() {
    let complaints = Complaints::default();
    let (receiver, serving) = server(&[FINE, FINE]);
    let alerts = Alerts::new(vec![receiver], manner(), &complaints.listener());
    alerts.tell(alert("DeleteBucket"));
    alerts.tell(alert("DeleteTrail"));
    assert_eq!(counts(&alerts.end(GRACE).await), [(2, 0, 0)]);
    let requests = serving.join().unwrap();
    assert!(
        requests[0].starts_with("POST /hook HTTP/1.1\r\n"),
        "{}",
        requests[0]
    );
    assert!(requests[0].contains("\"event_name\":\"DeleteBucket\""));
    assert!(requests[1].contains("\"event_name\":\"DeleteTrail\""));
    assert_eq!(complaints.heard(), [""; 0]);
}

#[tokio::test]
async fn a_busy_webhook_is_asked_again() {
    let complaints = Complaints::default();
    let (receiver, serving) = server(&[BUSY, BUSY, FINE]);
    let alerts = Alerts::new(vec![receiver], manner(), &complaints.listener());
    alerts.tell(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.end(GRACE).await), [(1, 0, 0)]);
    assert_eq!(serving.join().unwrap().len(), 3);
}

#[tokio::test]
async fn a_webhook_that_refuses_for_good_is_asked_once_and_counted() {
    let complaints = Complaints::default();
    let (receiver, serving) = server(&[GONE]);
    let alerts = Alerts::new(vec![receiver], manner(), &complaints.listener());
    alerts.tell(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.end(GRACE).await), [(0, 1, 0)]);
    assert_eq!(serving.join().unwrap().len(), 1);
    assert_eq!(
        complaints.heard(),
        ["the webhook: it answered with status 410"]
    );
}

#[tokio::test]
async fn nobody_at_the_address_is_a_counted_failure() {
    let complaints = Complaints::default();
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let webhook = Webhook::new(
        format!("http://{free}/secret"),
        Form::Slack,
        Poster::new().unwrap(),
    );
    let alerts = Alerts::new(
        vec![Receiver::Webhook(webhook)],
        manner(),
        &complaints.listener(),
    );
    alerts.tell(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.end(GRACE).await), [(0, 1, 0)]);
    let heard = complaints.heard().join("\n");
    assert!(heard.to_lowercase().contains("refused"), "{heard}");
    assert!(!heard.contains("secret"), "{heard}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_gets_the_record_and_the_level() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("told");
    let line = format!(
        "echo $HEELER_EC_SEVERITY >> '{0}'; cat >> '{0}'",
        file.display()
    );
    let complaints = Complaints::default();
    let command = Receiver::Command(Command(line));
    let alerts = Alerts::new(vec![command], manner(), &complaints.listener());
    alerts.tell(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.end(GRACE).await), [(1, 0, 0)]);
    let told = std::fs::read_to_string(file).unwrap();
    assert_eq!(told, "high\n{\"eventName\":\"DeleteBucket\"}\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_command_that_fails_is_run_again_and_counted_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs");
    let line = format!("echo run >> '{}'; exit 7", file.display());
    let complaints = Complaints::default();
    let command = Receiver::Command(Command(line));
    let alerts = Alerts::new(vec![command], manner(), &complaints.listener());
    alerts.tell(alert("DeleteBucket"));
    assert_eq!(counts(&alerts.end(GRACE).await), [(0, 1, 0)]);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "run\n".repeat(3));
    assert_eq!(complaints.heard(), ["the command: exit status: 7"]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_receiver_that_hangs_holds_nobody_up_and_what_waits_is_counted() {
    let complaints = Complaints::default();
    let receivers = vec![
        Receiver::Command(Command("exec sleep 600".into())),
        Receiver::Command(Command("true".into())),
    ];
    let few = Manner {
        waiting: 3,
        ..manner()
    };
    let alerts = Alerts::new(receivers, few, &complaints.listener());
    for _ in 0..3 {
        alerts.tell(alert("DeleteBucket"));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let told = alerts.end(Duration::from_millis(500)).await;
    assert_eq!(counts(&told), [(0, 0, 3), (3, 0, 0)]);
}

#[tokio::test(start_paused = true)]
async fn after_a_burst_one_is_told_at_a_time() {
    let told_at: Arc<Mutex<Vec<u64>>> = Arc::default();
    let began = Instant::now();
    let heard = Arc::clone(&told_at);
    let listener: Listener = Arc::new(move |_, _| {
        heard.lock().unwrap().push(began.elapsed().as_secs());
    });
    // A webhook without an address fails at once, so each failure tells when its turn was.
    let webhook = Webhook::new(String::new(), Form::Json, Poster::new().unwrap());
    let manner = Manner {
        burst: 3,
        pace: Duration::from_secs(1),
        attempts: 1,
        ..manner()
    };
    let alerts = Alerts::new(vec![Receiver::Webhook(webhook)], manner, &listener);
    for _ in 0..6 {
        alerts.tell(alert("DeleteBucket"));
    }
    alerts.end(GRACE).await;
    assert_eq!(*told_at.lock().unwrap(), [0, 0, 0, 1, 2, 3]);
}
