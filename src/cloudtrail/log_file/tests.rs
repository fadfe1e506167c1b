//! Tests of reading log files: fixtures, damaged files, limits and formats.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::cloudtrail::record::Record;

const CAP: u64 = 64 << 20;
const OBJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tail/objects");

fn fixture(part: &str) -> Vec<u8> {
    let path = gzip_files_below(Path::new(OBJECTS))
        .into_iter()
        .find(|path| path.to_string_lossy().contains(part))
        .unwrap_or_else(|| panic!("no fixture is named {part}"));
    fs::read(path).expect("a fixture can be read")
}

fn gzip_files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a fixture folder can be listed");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    let below = |path: PathBuf| {
        if path.is_dir() {
            gzip_files_below(&path)
        } else {
            vec![path]
        }
    };
    paths
        .into_iter()
        .flat_map(below)
        .filter(|path| path.extension().is_some_and(|end| end == "gz"))
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
    compressed.write_all(text).expect("a write to memory");
    compressed.finish().expect("a write to memory")
}

fn read_fixture(part: &str) -> Vec<String> {
    collect_records(&fixture(part), CAP).unwrap_or_else(|error| panic!("{part}: {error}"))
}

fn event_ids(records: &[String]) -> Vec<String> {
    let of = |text: &String| Some(Record::read(text)?.event_id()?.into_owned());
    records.iter().filter_map(of).collect()
}

#[test]
fn every_gzip_member_is_read() {
    assert_eq!(read_fixture("_MultiMemberGzip1").len(), 51);
}

#[test]
fn trailing_zero_bytes_are_ignored() {
    assert_eq!(
        event_ids(&read_fixture("_TrailingZeros001")),
        event_ids(&read_fixture("_MultiMemberGzip1"))
    );
}

#[test]
fn plain_json_under_a_gzip_name_is_read() {
    assert_eq!(
        event_ids(&read_fixture("_PlainNotGzip0001")),
        event_ids(&read_fixture("_MultiMemberGzip1"))
    );
}

#[test]
fn pretty_printed_records_become_single_lines() {
    let pretty = read_fixture("_PrettyPrinted001");
    assert_eq!(
        event_ids(&pretty),
        event_ids(&read_fixture("_MultiMemberGzip1"))
    );
    assert!(pretty.iter().all(|record| !record.contains('\n')));
    let meaning = |records: &[String]| -> Vec<serde_json::Value> {
        let parsed = records.iter().map(|record| serde_json::from_str(record));
        parsed
            .collect::<Result<_, _>>()
            .expect("every record is JSON")
    };
    assert_eq!(
        meaning(&pretty),
        meaning(&read_fixture("_MultiMemberGzip1"))
    );
}

#[test]
fn empty_records_list_is_valid() {
    assert_eq!(
        collect_records(&fixture("_EmptyRecords0001"), CAP),
        Ok(vec![])
    );
}

#[test]
fn damaged_file_gives_no_records() {
    for (part, expected) in [
        ("_NoRecordsKey0001", LogFileError::NoRecords),
        ("_CloudTrail-Digest_", LogFileError::NoRecords),
        ("_TruncatedGzip001", LogFileError::Truncated),
        ("_ZeroBytes0000001", LogFileError::Empty),
    ] {
        assert_eq!(
            collect_records(&fixture(part), CAP),
            Err(expected),
            "{part}"
        );
    }
}

#[test]
fn truncated_json_gives_no_records() {
    let error = collect_records(&fixture("_TruncatedJson001"), CAP).expect_err("a truncated file");
    assert!(matches!(error, LogFileError::InvalidJson(_)), "{error}");
}

#[test]
fn truncation_at_any_byte_is_an_error() {
    let whole = fixture("_2ru8PrDKZmsO3yWC");
    for length in 0..whole.len() {
        assert!(
            collect_records(&whole[..length], CAP).is_err(),
            "cut at {length}"
        );
    }
}

#[test]
fn gzip_checksum_mismatch_is_an_error() {
    let mut compressed = gzip(br#"{"Records":[]}"#);
    let checksum = compressed.len() - 8;
    compressed[checksum] ^= 0xff;
    assert!(matches!(
        collect_records(&compressed, CAP),
        Err(LogFileError::DamagedGzip(_))
    ));
}

#[test]
fn data_after_gzip_is_an_error() {
    let mut compressed = gzip(br#"{"Records":[]}"#);
    compressed.extend(b"something else");
    assert!(matches!(
        collect_records(&compressed, CAP),
        Err(LogFileError::DamagedGzip(_))
    ));
}

#[test]
fn decompressed_size_is_limited() {
    let text = format!(r#"{{"Records":[]{}}}"#, " ".repeat(1 << 20));
    let size = text.len() as u64;
    let (compressed, plain) = (gzip(text.as_bytes()), text.into_bytes());
    for bytes in [compressed, plain] {
        assert_eq!(collect_records(&bytes, size), Ok(vec![]));
        assert_eq!(collect_records(&bytes, u64::MAX), Ok(vec![]));
        assert_eq!(
            collect_records(&bytes, size - 1),
            Err(LogFileError::TooLarge(size - 1))
        );
        assert_eq!(collect_records(&bytes, 0), Err(LogFileError::TooLarge(0)));
    }
}

#[test]
fn size_limit_covers_all_gzip_members() {
    let compressed = [gzip(br#"{"Records":"#), gzip(b"[]}")].concat();
    assert_eq!(collect_records(&compressed, 14), Ok(vec![]));
    assert_eq!(
        collect_records(&compressed, 13),
        Err(LogFileError::TooLarge(13))
    );
}

#[test]
fn records_key_may_be_at_any_position() {
    let records = collect_records(
        br#"{"a":{"Records":[1]},"Records":[{"eventID":"e"}],"z":null}"#,
        CAP,
    );
    assert_eq!(event_ids(&records.expect("a log file")), ["e"]);
}

#[test]
fn invalid_content_has_distinct_errors() {
    for (bytes, expected) in [
        (&br#"{"Records":null}"#[..], LogFileError::NoRecords),
        (b"[[{}]]", LogFileError::NoRecords),
        (
            b"7",
            LogFileError::InvalidJson("it does not begin with a JSON object or array".to_owned()),
        ),
        (b"{\"a\":\"\xff\"}", LogFileError::NotUtf8),
    ] {
        assert_eq!(collect_records(bytes, CAP), Err(expected));
    }
    assert_eq!(collect_records(&gzip(b""), CAP), Err(LogFileError::Empty));
    assert!(matches!(
        collect_records(br#"{"Records":{"a":1}}"#, CAP),
        Err(LogFileError::InvalidJson(_))
    ));
}

#[test]
fn unusual_records_are_kept() {
    let unusual = read_fixture("_OddRecords000001");
    assert_eq!((unusual.len(), event_ids(&unusual).len()), (24, 24));
    let read: Vec<Record> = unusual
        .iter()
        .map(|text| Record::read(text).expect("a record"))
        .collect();
    let read_only: Vec<_> = read.iter().take(4).map(Record::read_only).collect();
    assert_eq!(read_only, [None, None, Some(true), Some(true)]);
    let actors: Vec<_> = read.iter().skip(2).take(4).map(Record::actor).collect();
    let actors: Vec<_> = actors.iter().map(|actor| actor.as_deref()).collect();
    assert_eq!(
        actors,
        [
            Some("benjamin"),
            Some("10.248.16.43"),
            Some("10.248.16.43"),
            Some("benjamin")
        ]
    );
    let message = read[14]
        .error_message()
        .expect("the fifteenth has an error");
    assert!(message.contains("\nsecond line\t\u{1b}[31mred"));
    let name = read[20].event_name().expect("the twenty-first has a name");
    assert_eq!(name.len(), 300);
    assert_eq!(read[0].dedup_key(), read[23].dedup_key());
}

#[test]
fn record_over_256_kib_is_read() {
    let large = read_fixture("_RecordOver256KiB");
    assert_eq!(large.len(), 2);
    assert!(large[0].len() > 256 << 10);
}

#[test]
fn insight_record_has_id_but_no_event_name() {
    let insights = read_fixture("_CloudTrail-Insight_");
    assert_eq!(insights.len(), 2);
    let insight = Record::read(&insights[0]).expect("a record");
    let (account, id) = insight.dedup_key().expect("a key");
    assert_eq!(
        (account.as_ref(), id.as_ref()),
        ("123456789012", "00000000-0000-4000-8000-000000000100")
    );
    assert_eq!((insight.event_name(), insight.service()), (None, None));
}

#[test]
fn non_object_records_are_kept() {
    let records =
        collect_records(br#"{"Records":[{"eventID":"e"},7,null,["x"]]}"#, CAP).expect("a log file");
    assert_eq!(records, [r#"{"eventID":"e"}"#, "7", "null", r#"["x"]"#]);
}

/// The results of reading a file in memory and streamed.
fn read_both_ways(bytes: &[u8]) -> [Result<Vec<String>, LogFileError>; 2] {
    [usize::MAX, 0].map(|in_memory| {
        let limits = ReadLimits {
            max_file_bytes: CAP,
            max_bytes_in_memory: in_memory,
        };
        let mut all = CollectSink(Vec::new());
        super::read_records(LogFileSource::Bytes(bytes.to_vec()), limits, &mut all).map(|()| all.0)
    })
}

#[test]
fn streaming_and_in_memory_reads_agree() {
    for path in gzip_files_below(Path::new(OBJECTS)) {
        let [in_memory, streamed] = read_both_ways(&fs::read(&path).expect("a fixture"));
        assert_eq!(in_memory, streamed, "{}", path.display());
    }
    // Larger than the buffer, with a record larger than one read.
    let long = format!(r#"{{"eventID":"l","x":"{}"}}"#, "\\\"]".repeat(300_000));
    let short: Vec<String> = (0..9_000)
        .map(|number| format!(r#"{{"eventID":"{number}","eventName":"{{[é"}}"#))
        .collect();
    let text = format!(
        r#"{{"Records":[{},{long},{}]}}"#,
        short.join(","),
        short.join(" , ")
    );
    let [in_memory, streamed] = read_both_ways(&gzip(text.as_bytes()));
    assert_eq!(in_memory.as_ref().map(Vec::len), Ok(18_001));
    assert_eq!(in_memory, streamed);
    let [in_memory, streamed] = read_both_ways(&gzip(&text.as_bytes()[..text.len() - 1]));
    assert!(in_memory.is_err());
    assert_eq!(in_memory, streamed);
}

#[test]
fn record_larger_than_the_buffer_is_rejected() {
    let text = format!(r#"{{"Records":[{{"x":"{}"}}]}}"#, "x".repeat(17 << 20));
    let [in_memory, streamed] = read_both_ways(text.as_bytes());
    assert_eq!(in_memory.map(|records| records.len()), Ok(1));
    assert!(
        matches!(streamed, Err(LogFileError::RecordTooLarge(_))),
        "{streamed:?}"
    );
}

#[test]
fn concatenated_documents_are_read() {
    let text =
        b"{\"Records\":[{\"eventID\":\"a\"}]}\n{\"Records\":[]}{\"Records\":[{\"eventID\":\"b\"}]}";
    let read = collect_records(text, CAP).expect("three documents");
    assert_eq!(event_ids(&read), ["a", "b"]);
    assert!(collect_records(b"{\"Records\":[]} more", CAP).is_err());
}

#[test]
fn json_lines_are_read_independently() {
    let text = b"\n{\"eventVersion\":\"1\",\"eventID\":\"a\"}\r\n\nbroken\n{\"eventID\":\"b\"";
    for read in read_both_ways(text)
        .into_iter()
        .chain(read_both_ways(&gzip(text)))
    {
        let read = read.expect("lines");
        assert_eq!(read.len(), 3, "{read:?}");
        assert_eq!(event_ids(&read), ["a"]);
    }
    let cut = &gzip(text)[..20];
    assert!(read_both_ways(cut).iter().all(Result::is_err));
}

#[test]
fn malformed_records_list_is_rejected() {
    for text in [
        r#"{"Records":[{},]}"#,
        r#"{"Records":[{} {}]}"#,
        r#"{"Records":[,{}]}"#,
        r#"{"Records":[{}"#,
        r#"{"Records":[{}]"#,
        r#"{"Records" [{}]}"#,
        r#"{"Records":[{}],}"#,
        r#"{"a":1 "Records":[]}"#,
        "{Records:[]}",
        r#"{"Records":7}"#,
        r#"{"Records":"[]"}"#,
    ] {
        let read = read_both_ways(text.as_bytes());
        assert!(
            read.iter()
                .all(|read| matches!(read, Err(LogFileError::InvalidJson(_)))),
            "{text}: {read:?}"
        );
    }
}

#[test]
fn record_text_is_unchanged() {
    #[derive(serde::Deserialize)]
    struct File<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a serde_json::value::RawValue>,
    }
    for part in [
        "_2ru8PrDKZmsO3yWC",
        "_soULWstxp7lqsODg",
        "_OddRecords000001",
        "_RecordOver256KiB",
        "_CloudTrail-Insight_",
    ] {
        let mut file = String::new();
        flate2::read::GzDecoder::new(fixture(part).as_slice())
            .read_to_string(&mut file)
            .expect("gzip data");
        let file: File = serde_json::from_str(&file).expect("a log file");
        let texts: Vec<&str> = file.records.iter().map(|raw| raw.get()).collect();
        assert_eq!(read_fixture(part), texts, "{part}");
    }
}

#[test]
fn real_log_file_gives_expected_fields() {
    let lines: Vec<String> = read_fixture("_A6kvhMoVeCsc7v8U")
        .iter()
        .map(|text| {
            let record = Record::read(text).expect("a record");
            let words = [
                record.event_time(),
                record.service(),
                record.event_name(),
                record.actor(),
            ];
            words.map(|word| word.unwrap_or("-".into())).join(" ")
        })
        .collect();
    assert_eq!(
        lines,
        [
            "2017-12-11T15:01:51Z autoscaling DescribeLaunchConfigurations someRole/AutoScalingDescribeHandlerSession",
            "2017-12-11T15:04:51Z sts AssumeRole config.amazonaws.com",
        ]
    );
}
