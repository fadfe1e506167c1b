//! An object: unpacked, seen to its end, and only then given out, record by record. All of it or nothing, because half
//! a file looks like a quiet account.
//!
//! What unpacks to no more than the share of memory is held and read once. What is larger is unpacked twice: to see
//! whether it is whole, and to give it out. So memory is bounded, whatever arrives.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::ops::{ControlFlow, Range};
use std::path::PathBuf;

use super::record::one_line;
pub use super::unpack::Broken;
use super::unpack::Unpack;
use super::walk::{Form, Walk};
use super::window::{Moving, Whole, Window};

/// How much packed data is read at a time.
const PACKED_STEP: usize = 64 * 1024;

/// Where an object's bytes are.
pub enum Packed {
    Bytes(Vec<u8>),
    File(PathBuf),
    /// A file without a name.
    Kept(File),
    /// A record a line, given out as they come, and for ever perhaps.
    Lines(Box<dyn Read + Send>),
}

/// How much may be unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Of one object, in all.
    pub object: u64,
    /// Of one object, in memory.
    pub held: usize,
}

/// Who is given the records.
pub trait Taker {
    /// One record, or what stands in the place of one.
    fn take(&mut self, text: &str) -> ControlFlow<()>;

    /// The next may be long in coming.
    fn pause(&mut self) -> ControlFlow<()>;
}

type Source<'a> = Box<dyn BufRead + 'a>;

/// Gives out every record, unless the taker has had enough before.
///
/// # Errors
/// What is wrong with the object; then nothing was given out, but for lines that came before the fault.
pub fn read(packed: Packed, limits: Limits, taker: &mut dyn Taker) -> Result<(), Broken> {
    let packed = match packed {
        Packed::Lines(bytes) => {
            let bytes = Unpack::new(BufReader::with_capacity(PACKED_STEP, bytes), u64::MAX)?;
            return lines(Walk::new(Moving::new(bytes)), taker);
        }
        packed => packed,
    };
    if let Some(text) = whole(packed.open()?, limits)? {
        return give_out_held(&text, taker);
    }
    let open = || {
        let bytes = Unpack::new(packed.open()?, limits.object)?;
        Ok(Walk::new(Moving::new(bytes)))
    };
    give_out(open, taker)
}

impl Packed {
    fn open(&self) -> Result<Source<'_>, Broken> {
        let buffered =
            |file| -> Source<'_> { Box::new(BufReader::with_capacity(PACKED_STEP, file)) };
        let opened: io::Result<Source<'_>> = match self {
            Self::Bytes(bytes) => Ok(Box::new(bytes.as_slice())),
            Self::File(path) => File::open(path).map(buffered),
            Self::Kept(file) => file.try_clone().and_then(|mut file| {
                file.rewind()?;
                Ok(buffered(file))
            }),
            Self::Lines(_) => Ok(Box::new(io::empty())),
        };
        opened.map_err(|why| Broken::Unread(why.to_string()))
    }
}

/// All of its text, if there is room for it.
fn whole(packed: Source<'_>, limits: Limits) -> Result<Option<String>, Broken> {
    const FIRST_STEP: usize = 32 * 1024;
    const LAST_STEP: usize = 1024 * 1024;
    let mut source = Unpack::new(packed, limits.object)?;
    let (mut text, mut filled, mut step) = (Vec::new(), 0, FIRST_STEP);
    loop {
        if text.len() == filled {
            text.resize(filled + step, 0);
            step = (step * 2).min(LAST_STEP);
        }
        let free = text.get_mut(filled..).unwrap_or_default();
        let length = source.read(free)?;
        if length == 0 {
            break;
        }
        filled += length;
        if filled > limits.held {
            return Ok(None);
        }
    }
    text.truncate(filled);
    match String::from_utf8(text) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(Broken::NotText),
    }
}

/// Goes through it to its end, and keeps in mind where the first records are. So many that their places would need
/// much memory themselves are looked for again.
fn give_out_held(text: &str, taker: &mut dyn Taker) -> Result<(), Broken> {
    const IN_MIND: usize = 128 * 1024;
    let mut walk = Walk::new(Whole(text));
    if walk.form()? == Some(Form::Lines) {
        return lines(walk, taker);
    }
    let mut places = Vec::new();
    while places.len() < IN_MIND
        && let Some(record) = walk.record()?
    {
        places.push(record);
    }
    let mut rest = walk.clone();
    while walk.record()?.is_some() {}
    for place in places {
        if taker.take(rest.text(place)?).is_break() {
            return Ok(());
        }
    }
    give_out_rest(&mut rest, taker)
}

/// Goes through it twice: to its end, and once more to give it out.
fn give_out<W: Window>(
    open: impl Fn() -> Result<Walk<W>, Broken>,
    taker: &mut dyn Taker,
) -> Result<(), Broken> {
    let mut first = open()?;
    if first.form()? == Some(Form::Lines) {
        first.pass()?;
        return lines(open()?, taker);
    }
    while let Some(record) = first.record()? {
        first.text(record)?;
    }
    drop(first);
    give_out_rest(&mut open()?, taker).map_err(|_| Broken::Changed)
}

fn give_out_rest<W: Window>(walk: &mut Walk<W>, taker: &mut dyn Taker) -> Result<(), Broken> {
    while let Some(record) = walk.record()? {
        if taker.take(walk.text(record)?).is_break() {
            break;
        }
    }
    Ok(())
}

fn lines<W: Window>(mut walk: Walk<W>, taker: &mut dyn Taker) -> Result<(), Broken> {
    loop {
        while let Some(line) = walk.line() {
            if take_line(&walk, line, taker)?.is_break() {
                return Ok(());
            }
        }
        if taker.pause().is_break() {
            return Ok(());
        }
        if !walk.more()? {
            let last = walk.last_line();
            let _ = take_line(&walk, last, taker)?;
            return Ok(());
        }
    }
}

/// An empty line is no record.
fn take_line<W: Window>(
    walk: &Walk<W>,
    line: Range<usize>,
    taker: &mut dyn Taker,
) -> Result<ControlFlow<()>, Broken> {
    let line = walk.text(line)?.trim_ascii();
    if line.is_empty() {
        return Ok(ControlFlow::Continue(()));
    }
    Ok(taker.take(line))
}

struct All(Vec<String>);

impl Taker for All {
    fn take(&mut self, text: &str) -> ControlFlow<()> {
        self.0.push(one_line(text).into_owned());
        ControlFlow::Continue(())
    }

    fn pause(&mut self) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Every record of an object in memory, on one line each.
///
/// # Errors
/// What is wrong with the object.
pub fn records(bytes: &[u8], cap: u64) -> Result<Vec<String>, Broken> {
    let limits = Limits {
        object: cap,
        held: usize::MAX,
    };
    let mut all = All(Vec::new());
    read(Packed::Bytes(bytes.to_vec()), limits, &mut all)?;
    Ok(all.0)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::path::{Path, PathBuf};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::tail::record::Record;

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

    fn read(part: &str) -> Vec<String> {
        records(&object(part), CAP).unwrap_or_else(|error| panic!("{part}: {error}"))
    }

    fn ids(records: &[String]) -> Vec<String> {
        let of = |text: &String| Some(Record::read(text)?.event_id()?.into_owned());
        records.iter().filter_map(of).collect()
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
        assert!(pretty.iter().all(|record| !record.contains('\n')));
        let meaning = |records: &[String]| -> Vec<serde_json::Value> {
            let parsed = records.iter().map(|record| serde_json::from_str(record));
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
        assert_eq!((odd.len(), ids(&odd).len()), (24, 24));
        let read: Vec<Record> = odd
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
        assert_eq!(read[0].key(), read[23].key());
    }

    #[test]
    fn a_record_over_the_size_of_a_message_is_read() {
        let large = read("_RecordOver256KiB");
        assert_eq!(large.len(), 2);
        assert!(large[0].len() > 256 << 10);
    }

    #[test]
    fn an_insight_has_an_id_and_an_account_and_no_name() {
        let insights = read("_CloudTrail-Insight_");
        assert_eq!(insights.len(), 2);
        let insight = Record::read(&insights[0]).expect("a record");
        let (account, id) = insight.key().expect("a key");
        assert_eq!(
            (account.as_ref(), id.as_ref()),
            ("123456789012", "00000000-0000-4000-8000-000000000100")
        );
        assert_eq!((insight.event_name(), insight.service()), (None, None));
    }

    #[test]
    fn what_is_no_record_is_kept_among_the_records() {
        let records =
            records(br#"{"Records":[{"eventID":"e"},7,null,["x"]]}"#, CAP).expect("this is a file");
        assert_eq!(records, [r#"{"eventID":"e"}"#, "7", "null", r#"["x"]"#]);
    }

    /// What each way to read an object gives: all of it in memory, and a stretch at a time.
    fn both_ways(bytes: &[u8]) -> [Result<Vec<String>, Broken>; 2] {
        [usize::MAX, 0].map(|held| {
            let limits = Limits { object: CAP, held };
            let mut all = All(Vec::new());
            super::read(Packed::Bytes(bytes.to_vec()), limits, &mut all).map(|()| all.0)
        })
    }

    #[test]
    fn what_is_read_a_stretch_at_a_time_is_the_same() {
        for path in objects_below(Path::new(OBJECTS)) {
            let [held, moving] = both_ways(&fs::read(&path).expect("a fixture"));
            assert_eq!(held, moving, "{}", path.display());
        }
        // More than one stretch, and a record longer than one.
        let long = format!(r#"{{"eventID":"l","x":"{}"}}"#, "\\\"]".repeat(300_000));
        let short: Vec<String> = (0..9_000)
            .map(|number| format!(r#"{{"eventID":"{number}","eventName":"{{[é"}}"#))
            .collect();
        let text = format!(
            r#"{{"Records":[{},{long},{}]}}"#,
            short.join(","),
            short.join(" , ")
        );
        let [held, moving] = both_ways(&gzip(text.as_bytes()));
        assert_eq!(held.as_ref().map(Vec::len), Ok(18_001));
        assert_eq!(held, moving);
        let [held, moving] = both_ways(&gzip(&text.as_bytes()[..text.len() - 1]));
        assert!(held.is_err());
        assert_eq!(held, moving);
    }

    #[test]
    fn a_record_that_no_stretch_has_room_for_is_refused() {
        let text = format!(r#"{{"Records":[{{"x":"{}"}}]}}"#, "x".repeat(17 << 20));
        let [held, moving] = both_ways(text.as_bytes());
        assert_eq!(held.map(|records| records.len()), Ok(1));
        assert!(matches!(moving, Err(Broken::LargeRecord(_))), "{moving:?}");
    }

    #[test]
    fn documents_may_follow_each_other() {
        let text = b"{\"Records\":[{\"eventID\":\"a\"}]}\n{\"Records\":[]}{\"Records\":[{\"eventID\":\"b\"}]}";
        let read = records(text, CAP).expect("three documents");
        assert_eq!(ids(&read), ["a", "b"]);
        assert!(records(b"{\"Records\":[]} more", CAP).is_err());
    }

    #[test]
    fn lines_stand_alone() {
        let text = b"\n{\"eventVersion\":\"1\",\"eventID\":\"a\"}\r\n\nbroken\n{\"eventID\":\"b\"";
        for read in both_ways(text).into_iter().chain(both_ways(&gzip(text))) {
            let read = read.expect("lines");
            assert_eq!(read.len(), 3, "{read:?}");
            assert_eq!(ids(&read), ["a"]);
        }
        let cut = &gzip(text)[..20];
        assert!(both_ways(cut).iter().all(Result::is_err));
    }

    #[test]
    fn a_list_that_is_written_wrongly_is_refused() {
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
            let read = both_ways(text.as_bytes());
            assert!(
                read.iter().all(|read| matches!(read, Err(Broken::Json(_)))),
                "{text}: {read:?}"
            );
        }
    }

    #[test]
    fn records_keep_their_text_byte_for_byte() {
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
            flate2::read::GzDecoder::new(object(part).as_slice())
                .read_to_string(&mut file)
                .expect("packed text");
            let file: File = serde_json::from_str(&file).expect("a log file");
            let texts: Vec<&str> = file.records.iter().map(|raw| raw.get()).collect();
            assert_eq!(read(part), texts, "{part}");
        }
    }

    #[test]
    fn a_real_object_gives_readable_lines() {
        let lines: Vec<String> = read("_A6kvhMoVeCsc7v8U")
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
}
