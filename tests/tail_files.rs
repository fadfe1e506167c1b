//! tail on local files: prints every record unchanged, counts everything, and makes no AWS calls.

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use testkit::{emulator, samples, skip};

const OBJECTS: &str = "tests/fixtures/tail/objects";

/// The exit status and output of a run.
struct FinishedRun {
    status: i32,
    stdout: String,
    stderr: String,
}

impl FinishedRun {
    fn of(output: Output) -> Self {
        Self {
            status: output.status.code().expect("it was not killed"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }

    #[track_caller]
    fn expect_status(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{}\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    fn assert_stderr_contains(&self, words: &str) {
        assert!(self.stderr.contains(words), "{words}:\n{}", self.stderr);
    }
}

/// The program without credentials, configuration and home directory.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler-ec"));
    command
        .env_clear()
        .current_dir(emulator::repository())
        .arg("tail")
        .args(words);
    command
}

fn tail(words: &[&str]) -> FinishedRun {
    FinishedRun::of(command(words).output().expect("the program"))
}

fn tail_stdin(input: &[u8], words: &[&str]) -> FinishedRun {
    let mut child = command(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let mut pipe = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    let writing = std::thread::spawn(move || {
        // The program may close the pipe early.
        let _ = pipe.write_all(&input);
    });
    let run = FinishedRun::of(child.wait_with_output().expect("its end"));
    writing.join().expect("the writer");
    run
}

fn fixture(part: &str) -> String {
    let folder = emulator::repository().join(OBJECTS);
    let mut paths = std::fs::read_dir(folder)
        .expect("the fixtures")
        .map(|entry| entry.expect("a fixture").path());
    let path: PathBuf = paths
        .find(|path| path.to_string_lossy().contains(part))
        .unwrap_or_else(|| panic!("no fixture is named {part}"));
    path.to_string_lossy().into_owned()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn log(records: &[&str]) -> Vec<u8> {
    format!(r#"{{"Records":[{}]}}"#, records.join(",")).into_bytes()
}

#[test]
fn files_are_read_without_aws_calls() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let run = FinishedRun::of(
        command(&[&fixture("_A6kvhMoVeCsc7v8U")])
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endpoint)
            .output()
            .expect("the program"),
    );
    run.expect_status(0);
    assert!(listener.accept().is_err(), "an AWS call was made");
}

#[test]
fn every_fixture_is_counted() {
    let run = tail(&[OBJECTS, "-v"]).expect_status(3);
    run.assert_stderr_contains("Objects: 16 (10 read, 2 skipped, 4 failed).");
    run.assert_stderr_contains("  1 skipped: a digest file, which contains no events");
    run.assert_stderr_contains("  1 skipped: an Insights file, which contains no API calls");
    run.assert_stderr_contains("Records: 238 (83 shown, 155 duplicate).");
    for (part, why) in [
        (
            "NoRecordsKey0001",
            "the log file contains no CloudTrail records",
        ),
        ("TruncatedGzip001", "the gzip data ends too early"),
        ("TruncatedJson001", "not valid JSON: it ends too early"),
        ("ZeroBytes0000001", "the log file is empty"),
    ] {
        let line = run.stderr.lines().find(|line| line.contains(part));
        let line = line.unwrap_or_else(|| panic!("{part} is not reported:\n{}", run.stderr));
        assert!(
            line.starts_with("warning: cannot read ") && line.ends_with(why),
            "{line}"
        );
    }
    for skipped in ["_CloudTrail-Digest_", "_CloudTrail-Insight_"] {
        let is_reported = |line: &str| line.starts_with("skipped ") && line.contains(skipped);
        assert!(
            run.stderr.lines().any(is_reported),
            "{skipped}:\n{}",
            run.stderr
        );
    }
}

#[test]
fn file_is_read_alone_and_with_others() {
    for (part, count) in [
        ("_MultiMemberGzip1", 51),
        ("_TrailingZeros001", 51),
        ("_PlainNotGzip0001", 51),
        ("_PrettyPrinted001", 51),
        ("_OddRecords000001", 23),
        ("_RecordOver256KiB", 2),
    ] {
        let run = tail(&[&fixture(part), "-o", "json"]).expect_status(0);
        assert_eq!(run.stdout.lines().count(), count, "{part}");
        for line in run.stdout.lines() {
            let record: Value = serde_json::from_str(line).expect("one record a line");
            assert!(record.is_object());
        }
    }
    let run = tail(&[&fixture("_EmptyRecords0001")]).expect_status(1);
    run.assert_stderr_contains("Objects: 1 (1 read).");
}

#[test]
fn records_are_read_from_every_layout() {
    let folder = emulator::repository().join("tests/fixtures/tail/layouts");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the fixtures") {
        let path = entry.expect("a fixture").path();
        let name = path.to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).expect("a fixture");
        for run in [
            tail(&[&name, "-o", "json"]),
            tail_stdin(&bytes, &["-", "-o", "json"]),
        ] {
            assert_eq!(run.status, 0, "{name}: {}", run.stderr);
            let names: Vec<String> = run
                .stdout
                .lines()
                .map(|line| {
                    let record: Value = serde_json::from_str(line).expect("one record a line");
                    assert_eq!(
                        record["requestParameters"]["userName"], "bob \u{2603}",
                        "{name}"
                    );
                    record["eventName"].as_str().expect("a name").to_owned()
                })
                .collect();
            let expected = ["CreateUser", "DeleteUser", "CreateAccessKey"];
            assert_eq!(names, expected, "{name}");
            run.assert_stderr_contains("Records: 3 (3 shown");
        }
        count += 1;
    }
    assert!(count == 22, "{count} fixtures");
}

#[test]
fn field_samples_of_other_layouts_are_read() {
    let Some(folder) = samples::field() else {
        return;
    };
    for (name, count) in [
        ("09-records-in-other-layouts/03-bare-array.json", 3),
        ("09-records-in-other-layouts/04-bom.json", 3),
        ("09-records-in-other-layouts/07-one-pretty.json", 1),
        ("09-records-in-other-layouts/08-many-pretty.json", 3),
        ("09-records-in-other-layouts/14b-timestamp-first.jsonl", 3),
        ("11-joined-records/06-joined.json", 3),
        ("11-joined-records/12-firehose-cwl.gz", 3),
        ("14-packed-otherwise/13-twice.json.gz", 3),
        ("15-folder-of-other-names/logs", 3),
    ] {
        let path = folder.join(name);
        let run = tail(&[&path.to_string_lossy(), "-o", "json"]).expect_status(0);
        assert_eq!(run.stdout.lines().count(), count, "{name}: {}", run.stderr);
    }
}

#[test]
fn one_damaged_wrapped_record_hides_the_file() {
    let event = |text: &str| {
        format!(r#"{{"Events":[{{"CloudTrailEvent":"{{\"eventID\":\"a\"}}"}},{text}]}}"#)
    };
    for text in [
        event(r#"{"EventId":"x"}"#),
        event("{"),
        "[{\"eventID\":\"a\"},7]".to_owned(),
    ] {
        let run = tail_stdin(text.as_bytes(), &["-", "-o", "json"]).expect_status(3);
        assert!(!run.stdout.contains("eventID"), "{text}: {}", run.stdout);
        run.assert_stderr_contains("Objects: 1 (1 failed).");
    }
}

#[test]
fn packed_file_error_has_unpack_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("log files.json");
    let name = path.to_string_lossy().into_owned();
    for (bytes, description, command) in [
        (&b"PK\x03\x04\x14\0\0\0"[..], "a zip archive", "unzip -p"),
        (b"BZh91AY&SY", "compressed with bzip2", "bzip2 -dc"),
        (
            b"\x28\xb5\x2f\xfd\x24\0",
            "compressed with zstd",
            "zstd -dc",
        ),
    ] {
        std::fs::write(&path, bytes).expect("a file");
        let run = tail(&[&name]).expect_status(3);
        run.assert_stderr_contains(&format!("cannot read {name}: the file is {description}"));
        run.assert_stderr_contains(&format!("{command} '{name}' | heeler-ec tail -"));
        let run = tail_stdin(bytes, &["-"]).expect_status(3);
        run.assert_stderr_contains(&format!("pipe it through `{command}` first"));
    }
}

#[test]
fn folder_of_renamed_files_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a file");
    };
    put("part00.json.gz", &gzip(&log(&[r#"{"eventID":"a"}"#])));
    put("part01.json", &log(&[r#"{"eventID":"b"}"#]));
    put(
        "000000.gz",
        &gzip(b"2026-03-02T09:01:00.000Z {\"eventID\":\"c\"}\n"),
    );
    put("notes.txt", b"other");
    put(".hidden.json", b"other");
    put("111122223333_Config_eu-west-1_ConfigHistory_x.json.gz", b"");
    let run = tail(&[&folder.path().to_string_lossy(), "-o", "json"]).expect_status(0);
    assert_eq!(run.stdout.lines().count(), 3);
    run.assert_stderr_contains("Objects: 6 (3 read, 3 skipped).");
}

#[test]
fn damaged_file_prints_no_records() {
    let complete = log(&[r#"{"eventID":"a"}"#, r#"{"eventID":"b"}"#]);
    let cut = &complete[..complete.len() - 1];
    for bytes in [cut, &gzip(cut), &gzip(&complete)[..30]] {
        let run = tail_stdin(bytes, &["-", "-o", "json"]).expect_status(3);
        let line: serde_json::Value = serde_json::from_str(&run.stdout).expect("one line");
        assert_eq!(line["error"]["operation"], "read all events");
        assert_eq!(line["error"]["cause"], "1 file could not be read");
        run.assert_stderr_contains("warning: cannot read standard input: ");
        run.assert_stderr_contains("Objects: 1 (1 failed).");
    }
}

#[test]
fn stdin_accepts_gzip_documents_and_lines() {
    let (a, b) = (r#"{"eventID":"a","x":[1, 2]}"#, r#"{"eventID":"b"}"#);
    let expected = format!("{a}\n{b}\n");
    let document = log(&[a, b]);
    let two = [log(&[a]), log(&[b])];
    for input in [
        document.clone(),
        gzip(&document),
        two.concat(),
        two.map(|document| gzip(&document)).concat(),
        expected.clone().into_bytes(),
        gzip(expected.as_bytes()),
    ] {
        let run = tail_stdin(&input, &["-", "-o", "json"]).expect_status(0);
        assert_eq!(run.stdout, expected);
    }
}

#[test]
fn piped_lines_are_printed_immediately() {
    use std::io::{BufRead, BufReader};
    let mut child = command(&["-", "-o", "json", "--limit", "2"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let mut pipe = child.stdin.take().expect("a pipe");
    let mut shown = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    for line in [r#"{"eventID":"a"}"#, r#"{"eventID":"b"}"#] {
        writeln!(pipe, "{line}").expect("a reader");
        pipe.flush().expect("a reader");
        assert_eq!(shown.next().expect("a line").expect("text"), line);
    }
    // The limit is reached, although the pipe is still open.
    assert!(child.wait().expect("its end").success());
}

#[test]
fn invalid_line_is_reported_and_others_printed() {
    let input = "{\"eventID\":\"a\"}\nbroken \u{1b}[2J\n7\n{\"eventID\":\"b\"}\n{\"eventID\":";
    let run = tail_stdin(input.as_bytes(), &["-"]).expect_status(3);
    assert_eq!(run.stdout.lines().count(), 2);
    run.assert_stderr_contains("Records: 5 (2 shown, 3 unreadable).");
    run.assert_stderr_contains(
        "warning: cannot read a record of standard input: it is not a JSON object: broken",
    );
    assert!(!run.stderr.contains('\u{1b}'));
}

#[test]
fn file_over_size_limit_is_reported() {
    let name = fixture("_MultiMemberGzip1");
    let run = tail(&[&name, "--max-object-size", "1KB"]).expect_status(3);
    assert_eq!(run.stdout, "");
    run.assert_stderr_contains(&name);
    run.assert_stderr_contains("the log file is larger than 1000 bytes when decompressed");
}

#[test]
fn large_file_is_streamed() {
    // Larger than the memory limits for files and for standard input.
    let record = format!(
        r#"{{"eventVersion":"1","x":"{}"}}"#,
        "0123456789".repeat(100)
    );
    let count = 60_000;
    let document = log(&vec![record.as_str(); count]);
    assert!(document.len() > 50_000_000);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), gzip(&document)).expect("a file");
    let path = file.path().to_string_lossy().into_owned();
    let words = format!("Records: {count} ({count} shown).");
    tail(&[&path])
        .expect_status(0)
        .assert_stderr_contains(&words);
    let run = tail_stdin(&document[..document.len() - 2], &["-"]).expect_status(3);
    assert_eq!(run.stdout, "");
}

#[test]
fn folder_is_read_in_name_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/01/02";
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    };
    let name = |unique: &str| {
        format!("{place}/111122223333_CloudTrail_eu-west-1_20260102T0000Z_{unique}.json")
    };
    put(
        &format!("{}.gz", name("b")),
        &gzip(&log(&[r#"{"eventID":"b"}"#])),
    );
    put(&name("a"), &log(&[r#"{"eventID":"a"}"#]));
    put("z/later.ndjson", b"{\"eventID\":\"c\"}\n");
    put(
        "AWSLogs/111122223333/CloudTrail-Digest/111122223333_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260102T000000Z.json.gz",
        b"",
    );
    put(
        "AWSLogs/111122223333/Config/111122223333_Config_eu-west-1_ConfigHistory_x.json.gz",
        b"",
    );
    put("notes.txt", b"other");
    let run = tail(&[&folder.path().to_string_lossy(), "-o", "json"]).expect_status(0);
    assert_eq!(
        run.stdout.lines().collect::<Vec<_>>(),
        [
            r#"{"eventID":"a"}"#,
            r#"{"eventID":"b"}"#,
            r#"{"eventID":"c"}"#
        ]
    );
    run.assert_stderr_contains("Objects: 6 (3 read, 3 skipped).");
    run.assert_stderr_contains("  2 skipped: not named like a CloudTrail log file");
}

#[test]
fn filters_select_and_count_records() {
    let one = fixture("_MultiMemberGzip1");
    let all = tail(&[&one, "-o", "json"]).expect_status(0).stdout;
    let records: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str(line).expect("a record"))
        .collect();
    let count =
        |fits: &dyn Fn(&Value) -> bool| records.iter().filter(|record| fits(record)).count();
    let services = count(&|record| record["eventSource"] == "s3.amazonaws.com");
    let writes = count(&|record| record["readOnly"] == false);
    let errors = count(&|record| record.get("errorCode").is_some());
    for (words, expected) in [
        (&["--service", "s3"][..], services),
        (
            &["--service", "!s3.amazonaws.com"],
            records.len() - services,
        ),
        (&["--write-only"], writes),
        (&["--errors-only"], errors),
        (&["--region", "us-east-1"], usize::MAX),
        (&["--event-region", "us-*"], records.len()),
        (&["--event", "NoSuchEvent"], 0),
        (&["--since", "2020-01-01T00:00:00Z"], records.len()),
        (&["--grep", "no such text"], 0),
    ] {
        let run = tail(&[&[one.as_str()], words].concat());
        if expected == usize::MAX {
            run.expect_status(2)
                .assert_stderr_contains("--event-region");
            continue;
        }
        let run = run.expect_status(i32::from(expected == 0));
        assert_eq!(run.stdout.lines().count(), expected, "{words:?}");
        let shown = (expected, "shown");
        let filtered = (records.len() - expected, "filtered");
        let counts = [shown, filtered]
            .into_iter()
            .filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, label)| format!("{count} {label}"))
            .collect();
        run.assert_stderr_contains(&format!(
            "Records: {} ({}",
            records.len(),
            counts.join(", ")
        ));
    }
}

#[test]
fn invalid_options_are_rejected_before_reading() {
    for words in [
        &["no such file"][..],
        &["-", "--account", "12"],
        &["-", "--event", ""],
        &["-", "--event", "a,b"],
        &["-", "--since", "yesterday"],
        &["-", "--grep", ""],
        &["-", "--max-object-size", "big"],
        &["-", "--limit", "0"],
        &["-", "--timeout", "1s"],
        &["-", "--region", "us-east-1"],
    ] {
        let run = tail_stdin(b"{\"Records\":[{\"eventID\":\"a\"}]}", words).expect_status(2);
        assert_eq!(run.stdout, "", "{words:?}");
    }
    let other = Command::new(env!("CARGO_BIN_EXE_heeler-ec"))
        .env_clear()
        .args(["outputs", "-o", "csv"])
        .output();
    FinishedRun::of(other.expect("the program")).expect_status(2);
}

#[test]
fn secrets_are_not_in_table_or_csv() {
    for form in ["table", "csv"] {
        let run = tail(&[OBJECTS, "-o", form]);
        assert!(run.stdout.lines().count() > 80);
        for secret in ["SCRUBBED", "sessionToken", "ASIA"] {
            assert!(!run.stdout.contains(secret), "{form}: {secret}");
        }
        let is_control = |c: char| c.is_control() && c != '\n' && c != '\r';
        assert!(!run.stdout.contains(is_control), "{form}");
    }
}

#[test]
fn csv_rows_have_all_columns() {
    let run = tail(&[&fixture("_A6kvhMoVeCsc7v8U"), "-o", "csv"]).expect_status(0);
    assert_eq!(
        run.stdout,
        "time,account,region,service,event,actor,source_address,error_code,error_message,read_only,event_id,severity\r\n\
         2017-12-11T15:01:51Z,111111111111,eu-central-1,autoscaling,DescribeLaunchConfigurations,someRole/AutoScalingDescribeHandlerSession,config.amazonaws.com,,,,a0ed971f-389f-406a-9fcf-887c5ca6903a,low\r\n\
         2017-12-11T15:04:51Z,111111111111,eu-central-1,sts,AssumeRole,config.amazonaws.com,config.amazonaws.com,,,,b25ff7e3-f1cf-4b7f-883d-b09168c454d5,low\r\n"
    );
}

#[test]
fn full_disk_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    if full.is_err() {
        skip::report(
            "/dev/full",
            "writing to a full disk",
            "run the tests on Linux",
        );
        return;
    }
    let run = command(&[OBJECTS, "-o", "json"])
        .stdout(full.expect("a full disk"))
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let run = FinishedRun::of(run.wait_with_output().expect("its end")).expect_status(3);
    run.assert_stderr_contains("cannot write the result");
}

#[test]
fn closed_stdout_ends_quietly() {
    let script = r#"{ "$0" "$@"; echo "status $?" >&2; } | head -n 1"#;
    let output = Command::new("/bin/sh")
        .args([
            "-c",
            script,
            env!("CARGO_BIN_EXE_heeler-ec"),
            "tail",
            "-o",
            "json",
            "-q",
        ])
        .args([OBJECTS, OBJECTS, OBJECTS])
        .current_dir(emulator::repository())
        .output()
        .expect("a shell");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    assert!(
        !stderr.contains("panicked") && !stderr.contains("roken pipe"),
        "{stderr}"
    );
}

#[test]
fn every_real_record_is_printed_unchanged() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let mut delivered = Vec::new();
    for (_, bytes) in samples::log_files_below(&folder) {
        delivered.extend(
            heeler_ec::cloudtrail::log_file::collect_records(&bytes, u64::MAX).expect("a log"),
        );
    }
    let place = folder.to_string_lossy().into_owned();
    let run = tail(&[&place, "-o", "json"]).expect_status(0);
    let mut shown: Vec<&str> = run.stdout.lines().collect();
    shown.sort_unstable();
    delivered.sort_unstable();
    assert_eq!(shown, delivered);
    run.assert_stderr_contains("Records: 2902 (2902 shown).");
    for (words, count) in [
        (&["--heeler-filter"][..], 467),
        (&["--errors-only"], 300),
        (&["--write-only"], 574),
        (&["--account", "123837392027", "--account", "9999*"], 2900),
    ] {
        let run = tail(&[&[place.as_str()], words].concat()).expect_status(0);
        assert_eq!(run.stdout.lines().count(), count, "{words:?}");
    }
}

#[test]
fn hard_cases_match_their_description() {
    let Some(folder) = samples::real_logs() else {
        return;
    };
    let edge = folder.parent().map(|folder| folder.join("edge"));
    let edge = edge
        .filter(|folder| Path::is_dir(folder))
        .expect("the hard cases");
    let run = tail(&[&edge.to_string_lossy()]).expect_status(3);
    run.assert_stderr_contains("Objects: 13 (7 read, 2 skipped, 4 failed).");
    run.assert_stderr_contains("Records: 230 (75 shown, 155 duplicate).");
}
