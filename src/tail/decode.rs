//! An object as it lies in the bucket: inflated and split into records, all of them or none.

use std::fmt;
use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::record::Record;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Real objects compress about 8 to 1, so this much room is seldom too small.
const USUAL_RATIO: usize = 8;

/// Why an object gives no records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Broken {
    /// There are no bytes, packed or unpacked.
    Empty,
    /// The gzip data ends before its end mark.
    Truncated,
    /// The gzip data is damaged.
    Gzip(String),
    /// The unpacked bytes are more than this cap.
    TooLarge(u64),
    /// The unpacked bytes are no UTF-8.
    NotText,
    /// The text is no JSON, or ends too early.
    Json(String),
    /// The JSON has no list of records. Digests and error documents look like this.
    NoRecords,
}

impl fmt::Display for Broken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the object is empty"),
            Self::Truncated => write!(out, "the gzip data ends too early"),
            Self::Gzip(why) => write!(out, "the gzip data is damaged: {why}"),
            Self::TooLarge(cap) => {
                write!(out, "the object is larger than {cap} bytes when unpacked")
            }
            Self::NotText => write!(out, "the object is not UTF-8 text"),
            Self::Json(why) => write!(out, "the object is not valid JSON: {why}"),
            Self::NoRecords => write!(out, "the object has no list of Records"),
        }
    }
}

impl std::error::Error for Broken {}

/// A delivered file. The list may stand anywhere among the keys.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(rename = "Records", borrow)]
    records: Option<Vec<&'a RawValue>>,
}

/// Reads every record of an object whose unpacked size is at most `cap` bytes. A damaged object gives no records at
/// all, because half a file looks like a quiet account.
///
/// # Errors
/// What is wrong with the object.
pub fn records(bytes: &[u8], cap: u64) -> Result<Vec<Record>, Broken> {
    // Neither the name nor the content type says reliably whether an object is packed; its first bytes do.
    if bytes.starts_with(&GZIP) {
        split(&inflate(bytes, cap)?)
    } else if exceeds(bytes.len(), cap) {
        Err(Broken::TooLarge(cap))
    } else {
        split(bytes)
    }
}

/// Unpacks all gzip members. Reading only the first one would lose the rest without a word.
fn inflate(bytes: &[u8], cap: u64) -> Result<Vec<u8>, Broken> {
    let most = usize::try_from(cap).unwrap_or(usize::MAX);
    let mut unpacked = Vec::with_capacity(bytes.len().saturating_mul(USUAL_RATIO).min(most));
    let mut rest = bytes;
    while !is_padding(rest) {
        let mut member = GzDecoder::new(rest);
        // One byte more than allowed tells a full file from a larger one.
        let room = cap.saturating_sub(unpacked.len() as u64).saturating_add(1);
        member
            .by_ref()
            .take(room)
            .read_to_end(&mut unpacked)
            .map_err(|error| damage(&error))?;
        if exceeds(unpacked.len(), cap) {
            return Err(Broken::TooLarge(cap));
        }
        rest = member.into_inner();
    }
    Ok(unpacked)
}

/// Some writers fill the last block with zero bytes.
fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|byte| *byte == 0)
}

fn exceeds(length: usize, cap: u64) -> bool {
    u64::try_from(length).map_or(true, |length| length > cap)
}

fn damage(error: &io::Error) -> Broken {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        Broken::Truncated
    } else {
        Broken::Gzip(error.to_string())
    }
}

fn split(bytes: &[u8]) -> Result<Vec<Record>, Broken> {
    if bytes.is_empty() {
        return Err(Broken::Empty);
    }
    let text = str::from_utf8(bytes).map_err(|_| Broken::NotText)?;
    if !text.trim_start().starts_with('{') {
        return Err(Broken::Json("it does not begin with an object".to_owned()));
    }
    let file: File = serde_json::from_str(text).map_err(|error| Broken::Json(error.to_string()))?;
    let records = file.records.ok_or(Broken::NoRecords)?;
    Ok(records
        .into_iter()
        .map(|raw| Record::read(raw.get()))
        .collect())
}

#[cfg(test)]
mod tests {

    use std::fs;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const CAP: u64 = 64 << 20;
    const OBJECTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tail/objects");

    fn object(part: &str) -> Vec<u8> {
        let path = objects_below(Path::new(OBJECTS))
            .into_iter()
            .find(|path| path.to_string_lossy().contains(part))
            .unwrap_or_else(|| panic!("no fixture is named {part}"));
        fs::read(path).expect("a fixture can be read")
    }

    fn objects_below(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("a fixture folder can be listed");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry can be read").path())
            .collect();
        paths.sort();
        let below = |path: PathBuf| {
            if path.is_dir() {
                objects_below(&path)
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
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(text).expect("memory takes every byte");
        packed.finish().expect("memory takes every byte")
    }

    fn read(part: &str) -> Vec<Record> {
        records(&object(part), CAP).unwrap_or_else(|error| panic!("{part}: {error}"))
    }

    fn ids(records: &[Record]) -> Vec<&str> {
        records
            .iter()
            .filter_map(|record| record.event_id.as_deref())
            .collect()
    }

    #[test]
    fn every_gzip_member_is_read() {
        assert_eq!(read("_MultiMemberGzip1").len(), 51);
    }

    #[test]
    fn trailing_zero_bytes_change_nothing() {
        assert_eq!(
            ids(&read("_TrailingZeros001")),
            ids(&read("_MultiMemberGzip1"))
        );
    }

    #[test]
    fn plain_json_under_a_gzip_name_is_read() {
        assert_eq!(
            ids(&read("_PlainNotGzip0001")),
            ids(&read("_MultiMemberGzip1"))
        );
    }

    #[test]
    fn pretty_printed_records_come_out_on_one_line_each() {
        let pretty = read("_PrettyPrinted001");
        assert_eq!(ids(&pretty), ids(&read("_MultiMemberGzip1")));
        assert!(pretty.iter().all(|record| !record.json().contains('\n')));
        let meaning = |records: &[Record]| -> Vec<serde_json::Value> {
            let parsed = records
                .iter()
                .map(|record| serde_json::from_str(record.json()));
            parsed
                .collect::<Result<_, _>>()
                .expect("every record is JSON")
        };
        assert_eq!(meaning(&pretty), meaning(&read("_MultiMemberGzip1")));
    }

    #[test]
    fn an_empty_list_of_records_is_fine() {
        assert_eq!(records(&object("_EmptyRecords0001"), CAP), Ok(vec![]));
    }

    #[test]
    fn a_damaged_object_gives_an_error_and_no_records() {
        for (part, expected) in [
            ("_NoRecordsKey0001", Broken::NoRecords),
            ("_CloudTrail-Digest_", Broken::NoRecords),
            ("_TruncatedGzip001", Broken::Truncated),
            ("_ZeroBytes0000001", Broken::Empty),
        ] {
            assert_eq!(records(&object(part), CAP), Err(expected), "{part}");
        }
    }

    #[test]
    fn truncated_json_gives_an_error_and_no_records() {
        let error = records(&object("_TruncatedJson001"), CAP).expect_err("half a file is no file");
        assert!(matches!(error, Broken::Json(_)), "{error}");
    }

    #[test]
    fn a_file_cut_anywhere_gives_an_error() {
        let whole = object("_2ru8PrDKZmsO3yWC");
        for length in 0..whole.len() {
            assert!(records(&whole[..length], CAP).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn a_broken_checksum_gives_an_error() {
        let mut packed = gzip(br#"{"Records":[]}"#);
        let checksum = packed.len() - 8;
        packed[checksum] ^= 0xff;
        assert!(matches!(records(&packed, CAP), Err(Broken::Gzip(_))));
    }

    #[test]
    fn what_follows_the_gzip_data_is_not_passed_over() {
        let mut packed = gzip(br#"{"Records":[]}"#);
        packed.extend(b"something else");
        assert!(matches!(records(&packed, CAP), Err(Broken::Gzip(_))));
    }

    #[test]
    fn the_unpacked_size_is_capped() {
        let text = format!(r#"{{"Records":[]{}}}"#, " ".repeat(1 << 20));
        let size = text.len() as u64;
        let (packed, plain) = (gzip(text.as_bytes()), text.into_bytes());
        for bytes in [packed, plain] {
            assert_eq!(records(&bytes, size), Ok(vec![]));
            assert_eq!(records(&bytes, u64::MAX), Ok(vec![]));
            assert_eq!(records(&bytes, size - 1), Err(Broken::TooLarge(size - 1)));
            assert_eq!(records(&bytes, 0), Err(Broken::TooLarge(0)));
        }
    }

    #[test]
    fn the_cap_counts_all_members_together() {
        let packed = [gzip(br#"{"Records":"#), gzip(b"[]}")].concat();
        assert_eq!(records(&packed, 14), Ok(vec![]));
        assert_eq!(records(&packed, 13), Err(Broken::TooLarge(13)));
    }

    #[test]
    fn the_list_of_records_may_stand_anywhere() {
        let records = records(
            br#"{"a":{"Records":[1]},"Records":[{"eventID":"e"}],"z":null}"#,
            CAP,
        );
        assert_eq!(ids(&records.expect("this is a file")), ["e"]);
    }

    #[test]
    fn other_json_and_other_bytes_are_told_apart() {
        for (bytes, expected) in [
            (&br#"{"Records":null}"#[..], Broken::NoRecords),
            (
                b"[[{}]]",
                Broken::Json("it does not begin with an object".to_owned()),
            ),
            (b"{\"a\":\"\xff\"}", Broken::NotText),
        ] {
            assert_eq!(records(bytes, CAP), Err(expected));
        }
        assert_eq!(records(&gzip(b""), CAP), Err(Broken::Empty));
        assert!(matches!(
            records(br#"{"Records":{"a":1}}"#, CAP),
            Err(Broken::Json(_))
        ));
    }

    #[test]
    fn every_odd_record_is_kept() {
        let odd = read("_OddRecords000001");
        assert_eq!(odd.len(), 24);
        assert!(odd.iter().all(Record::is_readable));
        assert_eq!(ids(&odd).len(), 24);
        let read_only: Vec<_> = odd.iter().take(4).map(|record| record.read_only).collect();
        assert_eq!(read_only, [None, None, Some(true), Some(true)]);
        let actors: Vec<_> = odd
            .iter()
            .skip(2)
            .take(4)
            .map(|record| record.actor.as_deref())
            .collect();
        assert_eq!(
            actors,
            [
                Some("benjamin"),
                Some("10.248.16.43"),
                Some("10.248.16.43"),
                Some("benjamin")
            ]
        );
        let message = odd[14]
            .error_message
            .as_deref()
            .expect("the fifteenth record has an error");
        assert!(message.contains("\nsecond line\t\u{1b}[31mred"));
        assert_eq!(odd[20].event_name.as_deref().map(str::len), Some(300));
        assert_eq!(odd[0].key(), odd[23].key());
    }

    #[test]
    fn a_record_over_the_size_of_a_message_is_read() {
        let large = read("_RecordOver256KiB");
        assert_eq!(large.len(), 2);
        assert!(large[0].json().len() > 256 << 10);
    }

    #[test]
    fn an_insight_has_an_id_and_an_account_and_no_name() {
        let insights = read("_CloudTrail-Insight_");
        assert_eq!(insights.len(), 2);
        assert_eq!(
            insights[0].key(),
            Some(("123456789012", "00000000-0000-4000-8000-000000000100"))
        );
        assert_eq!(
            (&insights[0].event_name, &insights[0].event_source),
            (&None, &None)
        );
    }

    #[test]
    fn what_is_no_record_is_kept_among_the_records() {
        let records =
            records(br#"{"Records":[{"eventID":"e"},7,null,["x"]]}"#, CAP).expect("this is a file");
        let texts: Vec<_> = records
            .iter()
            .map(|record| (record.is_readable(), record.json()))
            .collect();
        assert_eq!(
            texts,
            [
                (true, r#"{"eventID":"e"}"#),
                (false, "7"),
                (false, "null"),
                (false, r#"["x"]"#)
            ]
        );
    }

    #[test]
    fn records_keep_their_text_byte_for_byte() {
        for part in ["_2ru8PrDKZmsO3yWC", "_soULWstxp7lqsODg"] {
            let unpacked = inflate(&object(part), CAP).expect("a real object unpacks");
            let texts: Vec<String> = read(part)
                .iter()
                .map(|record| record.json().to_owned())
                .collect();
            let file = String::from_utf8(unpacked).expect("a real object is text");
            assert_eq!(
                file.trim_end(),
                format!(r#"{{"Records":[{}]}}"#, texts.join(",")),
                "{part}"
            );
        }
    }

    #[test]
    fn a_real_object_gives_readable_lines() {
        let lines: Vec<String> = read("_A6kvhMoVeCsc7v8U")
            .iter()
            .map(|record| {
                let words = [
                    &record.event_time,
                    &record.event_source,
                    &record.event_name,
                    &record.actor,
                ];
                words.map(|word| word.as_deref().unwrap_or("-")).join(" ")
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
}
