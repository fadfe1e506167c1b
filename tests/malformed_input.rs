//! Malformed input: checks the properties of the fuzz targets on samples and on damaged copies of them. The damage is the
//! same in every run.

use std::path::{Path, PathBuf};

use testkit::emulator;

#[path = "../fuzz/src/properties.rs"]
mod properties;

/// Number of damaged copies per sample.
const COPIES: usize = 40;

#[test]
fn damaged_messages_are_read_or_rejected() {
    for_each_file("bodies", usize::MAX, properties::check_message);
}

#[test]
fn damaged_files_read_the_same_both_ways() {
    for_each_file("layouts", 20_000, properties::check_log_file);
    // Damaged gzip data hardly ever decompresses, so the decompressed text is damaged as well.
    for_each_file("objects", 20_000, |bytes| {
        properties::check_log_file(bytes);
        let mut text = Vec::new();
        let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
        if std::io::Read::read_to_end(&mut decoder, &mut text).is_ok() {
            for copy in damaged(&text).take(3) {
                properties::check_log_file(&copy);
            }
        }
    });
}

#[test]
fn damaged_records_do_not_panic() {
    let folder = emulator::repository().join("tests/fixtures/tail/objects");
    for path in files(&folder) {
        let bytes = std::fs::read(&path).expect("a sample");
        let records =
            heeler_ec::cloudtrail::log_file::collect_records(&bytes, u64::MAX).unwrap_or_default();
        for record in records
            .iter()
            .filter(|record| record.len() < 10_000)
            .take(5)
        {
            properties::check_record(record.as_bytes());
            for copy in damaged(record.as_bytes()).take(COPIES) {
                properties::check_record(&copy);
            }
        }
    }
}

fn for_each_file(folder: &str, max_bytes: usize, check: impl Fn(&[u8])) {
    let folder = emulator::repository()
        .join("tests/fixtures/tail")
        .join(folder);
    for path in files(&folder) {
        let bytes = std::fs::read(&path).expect("a sample");
        check(&bytes);
        if bytes.len() <= max_bytes {
            damaged(&bytes).take(COPIES).for_each(|copy| check(&copy));
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the samples");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a sample").path())
        .collect();
    found.sort();
    assert!(found.len() > 10, "{} is missing", folder.display());
    found
}

/// Copies with changed, deleted, duplicated or truncated bytes.
fn damaged(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let bytes = bytes.to_vec();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ bytes.len() as u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).expect("31 bits") % below.max(1)
    };
    std::iter::repeat_with(move || {
        const STRUCTURAL: &[u8] = b"{}[]\",:\\ \n\0\x1f\xff0nt";
        let mut copy = bytes.clone();
        for _ in 0..=random(3) {
            let at = random(copy.len());
            let end = (at + random(16)).min(copy.len());
            match random(5) {
                0 => copy.truncate(at),
                1 => drop(copy.drain(at..end)),
                2 => {
                    let duplicate = copy[at..end].to_vec();
                    copy.splice(at..at, duplicate);
                }
                3 => copy.splice(at..end, *b"\"").for_each(drop),
                _ => {
                    if let Some(byte) = copy.get_mut(at) {
                        *byte = STRUCTURAL[random(STRUCTURAL.len())];
                    }
                }
            }
        }
        copy
    })
}
