//! Published logs of real accounts, which are too many for this repository: beside it, or where `HEELER_EC_DATA` says.

use std::io::Write;
use std::path::{Path, PathBuf};

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
