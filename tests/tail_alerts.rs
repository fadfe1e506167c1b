//! Severities of events, and alerts for events of high severity.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::commands::heeler_ec;
use testkit::emulator::repository;
use testkit::log_file::event;
use testkit::{Engine, Organization};

#[test]
fn each_line_shows_its_severity() {
    let ran = tail(&all(), &[]);
    let levels: Vec<(String, String)> = stdout(&ran)
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            (words[5].to_owned(), words[1].to_owned())
        })
        .collect();
    let expected = [
        ("DeleteBucket", "high"),
        ("DeleteTrail", "medium"),
        ("PutBucketPolicy", "medium"),
        ("GetObject", "low"),
        ("ScheduleKeyDeletion", "high"),
        ("Decrypt", "low"),
    ];
    assert_eq!(
        levels,
        expected.map(|(name, level)| (name.to_owned(), level.to_owned()))
    );
}

#[test]
fn min_severity_hides_lower_events() {
    let names = |level| {
        let ran = tail(&all(), &["--min-severity", level, "-o", "csv"]);
        let rows: Vec<String> = stdout(&ran)
            .lines()
            .skip(1)
            .map(|row| row.split(',').nth(4).unwrap_or_default().to_owned())
            .collect();
        rows
    };
    assert_eq!(names("high"), ["DeleteBucket", "ScheduleKeyDeletion"]);
    assert_eq!(names("medium").len(), 4);
    assert_eq!(names("low").len(), 6);
}

#[test]
fn custom_severity_file_overrides_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("severities.toml");
    std::fs::write(
        &table,
        "[events.s3]\nhigh = [\"GetObject\"]\nlow = [\"DeleteBucket\"]\n",
    )
    .expect("a table");
    let table = table.to_string_lossy();
    let ran = tail(
        &all(),
        &[
            "--severity-file",
            &table,
            "--min-severity",
            "high",
            "-o",
            "json",
        ],
    );
    let shown: Vec<Value> = stdout(&ran)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect();
    let names: Vec<&str> = shown
        .iter()
        .filter_map(|record| record["eventName"].as_str())
        .collect();
    assert_eq!(names, ["GetObject", "ScheduleKeyDeletion"]);
}

#[test]
fn invalid_severity_file_error_names_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let table = folder.path().join("severities.toml");
    std::fs::write(&table, "\n[events.s3]\nurgent = []\n").expect("a table");
    let ran = tail(&all(), &["--severity-file", &table.to_string_lossy()]);
    assert_eq!(ran.status.code(), Some(2));
    let text = stderr(&ran);
    assert!(text.contains("line 3: unknown field `urgent`"), "{text}");
    assert!(text.contains("[events.s3]"), "{text}");
    let ran = tail(&all(), &["--severity-file", "/nowhere/at/all"]);
    assert_eq!(ran.status.code(), Some(2));
}

#[test]
fn webhook_receives_high_events_with_masked_secrets() {
    let (url, serving) = start_receiver(2);
    let ran = tail(&all(), &["--webhook", &url, "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let received = serving.join().expect("the receiver");
    let bodies: Vec<Value> = received
        .iter()
        .map(|request| serde_json::from_str(request).expect("JSON"))
        .collect();
    assert_eq!(bodies[0]["event_name"], "DeleteBucket");
    assert_eq!(bodies[0]["severity"], "high");
    assert_eq!(bodies[1]["event_name"], "ScheduleKeyDeletion");
    assert_eq!(
        bodies[0]["record"]["responseElements"],
        json!({"credentials": {"sessionToken": "(masked)"}})
    );
    // Standard output has the record as delivered.
    assert!(stdout(&ran).contains("FwoGZXIvYXdz"));
    let text = stderr(&ran);
    assert!(
        text.contains("Alerts to the webhook: 2 delivered, 0 failed, 0 dropped"),
        "{text}"
    );
}

#[test]
fn slack_webhook_receives_one_sentence() {
    let (url, serving) = start_receiver(2);
    let ran = tail(&all(), &["--webhook", &url, "--webhook-format", "slack"]);
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let received = serving.join().expect("the receiver");
    let first: Value = serde_json::from_str(&received[0]).expect("JSON");
    let text = first["text"].as_str().unwrap_or_default();
    assert!(
        text.starts_with(
            "*high* DeleteBucket (s3) by alice in account 111122223333, eu-west-1, at "
        ),
        "{text}"
    );
}

#[test]
fn unreachable_webhook_is_counted_and_url_hidden() {
    let free = TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("its address");
    let url = format!("http://{free}/services/secret");
    let ran = tail(&all()[..1], &["--webhook", &url, "-v"]);
    let text = stderr(&ran);
    assert!(
        text.contains("Alerts to the webhook: 0 delivered, 1 failed"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
    assert_eq!(stdout(&ran).lines().count(), 1, "the event is shown anyway");
    assert_eq!(ran.status.code(), Some(3), "the alert was not delivered");
}

#[cfg(unix)]
#[test]
fn exec_command_receives_high_records_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let received = folder.path().join("output");
    let command = format!("cat >> '{}'; echo printed", received.display());
    let ran = tail(&all(), &["--exec", &command, "-o", "json"]);
    assert_eq!(ran.status.code(), Some(0), "{}", stderr(&ran));
    let shown = stdout(&ran);
    let received = std::fs::read_to_string(received).expect("the output");
    let lines: Vec<&str> = received.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines
            .iter()
            .all(|line| shown.lines().any(|shown| shown == *line)),
        "{received}"
    );
    assert!(
        !shown.contains("printed"),
        "the output of the command is not on stdout: {shown}"
    );
}

#[cfg(unix)]
#[test]
fn exec_command_gets_no_secrets() {
    let command = "printenv HEELER_EC_EXTERNAL_ID; printenv HEELER_EC_SEVERITY";
    let secret = ("HEELER_EC_EXTERNAL_ID", "external-id-of-heeler");
    let ran = tail_with_environment(&all(), &["--exec", command], &[secret]);
    let text = stderr(&ran);
    assert!(!text.contains("external-id-of-heeler"), "{text}");
    assert!(text.contains("high"), "{text}");
}

#[test]
fn plaintext_webhook_url_is_rejected() {
    for url in [
        "http://example.com/T0/B0",
        "ftp://x/T0",
        "example.com/T0/B0",
        "https://hooks.example.com\r\nX: y/",
        "https://hooks.example.com/\u{7f}",
        "https://hooks.example.com/a b",
        "https://",
        "https:///T0/B0",
        "https://:443/T0",
        "https://hooks.example.com:99999/T0",
        "https://hooks.example.com:0/T0",
        "https://hooks.example.com:port/T0",
        "https://hooks.example.com\\.org/T0",
    ] {
        let ran = tail(&all(), &["--webhook", url]);
        assert_eq!(ran.status.code(), Some(2), "{url}");
        // The invalid URL may contain a secret.
        assert!(!stderr(&ran).contains(url), "{}", stderr(&ran));
    }
    let ran = tail(&all(), &["--webhook-format", "slack"]);
    assert_eq!(ran.status.code(), Some(2), "a format without an address");
}

#[tokio::test]
async fn invalid_webhook_url_is_rejected_before_any_call() {
    let org = Organization::on(Engine::Ministack).build().await;
    for url in ["https://", "https://hooks.example.com:99999/T0"] {
        let run = heeler_ec(&org).args(["tail", "--webhook", url]);
        let run = run.run().await.expect_status(2);
        assert!(run.calls.is_empty(), "{url}: {:?}", run.calls);
        assert!(run.stderr.contains("--webhook"), "{}", run.stderr);
    }
}

/// Six events of all levels.
fn all() -> Vec<Value> {
    let one = |service: &str, name: &str, reads| {
        let source = format!("{service}.amazonaws.com");
        event("111122223333", "eu-west-1", &source, name, reads)
    };
    let mut deleted = one("s3", "DeleteBucket", false);
    deleted["responseElements"] = json!({"credentials": {"sessionToken": "FwoGZXIvYXdz"}});
    let mut denied = one("cloudtrail", "DeleteTrail", false);
    denied["errorCode"] = "AccessDenied".into();
    vec![
        deleted,
        denied,
        one("s3", "PutBucketPolicy", false),
        one("s3", "GetObject", true),
        one("kms", "ScheduleKeyDeletion", false),
        one("kms", "Decrypt", true),
    ]
}

/// Runs tail on a file with these records.
fn tail(records: &[Value], args: &[&str]) -> Output {
    tail_with_environment(records, args, &[])
}

fn tail_with_environment(records: &[Value], args: &[&str], environment: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file: PathBuf = folder.path().join("events.json");
    std::fs::write(&file, json!({ "Records": records }).to_string()).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler-ec"));
    command
        .env_clear()
        .current_dir(repository())
        .arg("tail")
        .arg(file)
        .args(args)
        .envs(environment.iter().copied());
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.output().expect("the program")
}

fn stdout(ran: &Output) -> String {
    String::from_utf8(ran.stdout.clone()).expect("text")
}

fn stderr(ran: &Output) -> String {
    String::from_utf8(ran.stderr.clone()).expect("text")
}

/// A web server that accepts a number of posts and returns their bodies.
fn start_receiver(posts: usize) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/hook",
        listener.local_addr().expect("its address")
    );
    let serving = std::thread::spawn(move || {
        (0..posts)
            .map(|_| {
                let (mut stream, _) = listener.accept().expect("a post");
                let body = body(&mut stream);
                let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(answer).expect("an answer");
                body
            })
            .collect()
    });
    (url, serving)
}

fn body(stream: &mut impl Read) -> String {
    let (mut read, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length
                .and_then(|length| length.trim().parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return body.to_owned();
            }
        }
        let length = stream.read(&mut piece).expect("the post");
        assert!(length > 0, "the request ended early: {text}");
        read.extend_from_slice(&piece[..length]);
    }
}
