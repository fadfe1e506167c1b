//! Published logs of real accounts, which are too many for this repository: beside it, or where `HEELER_EC_DATA` says.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::emulator;

/// The folder with the logs, if it is on this machine. What is not tested is said, past the runner's own capture.
pub fn real_logs() -> Option<PathBuf> {
    let data = std::env::var_os("HEELER_EC_DATA").map_or_else(
        || emulator::repository().join("../shared/data"),
        PathBuf::from,
    );
    let folder = data.join("cloudtrail/s3");
    if folder.is_dir() {
        return Some(folder);
    }
    let _ = writeln!(
        std::io::stderr(),
        "skipped, real records are not read: {} is not there (HEELER_EC_DATA names another place)",
        folder.display()
    );
    None
}

/// Every log below a folder: the key that it had in its bucket, and its bytes.
pub fn below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of logs") {
        let path = entry.expect("an entry of the folder").path();
        let text = path.to_string_lossy();
        if path.is_dir() {
            found.extend(below(&path));
        } else if let (true, Some(start)) = (text.ends_with(".json.gz"), text.find("AWSLogs/")) {
            found.push((
                text[start..].to_owned(),
                std::fs::read(&path).expect("a log"),
            ));
        }
    }
    found
}

/// The published events that lie beside the logs, one in a file, each without what EventBridge puts around it.
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
