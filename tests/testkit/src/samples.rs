//! Public CloudTrail samples that are too large for this repository. `HEELER_EC_DATA` names their folder.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{emulator, skip};

/// The folder with published log files of real accounts, if it exists.
pub fn real_logs() -> Option<PathBuf> {
    sample("cloudtrail/s3", "tests with real records")
}

/// The folder with inputs from public bug reports, if it exists.
pub fn field() -> Option<PathBuf> {
    sample("field", "tests with inputs from public bug reports")
}

/// The published table of severities, if it exists.
pub fn severities() -> Option<String> {
    let folder = sample("severity", "comparison with the published severities")?;
    let mut files = std::fs::read_dir(folder).expect("a folder");
    let table = files.find_map(|file| {
        let path = file.expect("an entry of the folder").path();
        (path.extension()? == "toml").then_some(path)
    });
    Some(std::fs::read_to_string(table.expect("a table")).expect("a text"))
}

/// Returns a folder of the samples. Reports which tests are skipped without it.
fn sample(name: &str, skipped: &str) -> Option<PathBuf> {
    let data = std::env::var_os("HEELER_EC_DATA").map_or_else(
        || emulator::repository().join("../shared/data"),
        PathBuf::from,
    );
    let path = data.join(name);
    if path.exists() {
        return Some(path);
    }
    let remedy = format!("set HEELER_EC_DATA to a folder with {name}");
    skip::report("published samples", skipped, &remedy);
    None
}

/// Every log file in a folder and its subfolders: its object key and its bytes.
pub fn log_files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of logs") {
        let path = entry.expect("an entry of the folder").path();
        let text = path.to_string_lossy();
        if path.is_dir() {
            found.extend(log_files_below(&path));
        } else if let (true, Some(start)) = (text.ends_with(".json.gz"), text.find("AWSLogs/")) {
            found.push((
                text[start..].to_owned(),
                std::fs::read(&path).expect("a log"),
            ));
        }
    }
    found
}

/// The published events next to the log files, without EventBridge's envelope.
pub fn real_events(logs: &Path) -> Vec<String> {
    let folder = logs.parent().expect("the samples").join("eventbridge");
    let mut found = Vec::new();
    for publisher in std::fs::read_dir(folder).expect("a folder of events") {
        let publisher = publisher.expect("a publisher's folder").path();
        for entry in std::fs::read_dir(publisher).expect("a publisher's folder") {
            let text = std::fs::read_to_string(entry.expect("an event").path()).expect("an event");
            let event: Value = serde_json::from_str(&text).expect("an event of JSON");
            found.push(event.get("detail").unwrap_or(&event).to_string());
        }
    }
    found
}
