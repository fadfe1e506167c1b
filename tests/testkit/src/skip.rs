//! Reports of tests that cannot run on this machine.

use std::fs::OpenOptions;
use std::io::Write;

/// The environment variable with the path of a file. Each report adds a line to it, and `make test` prints the file.
const REPORT_FILE: &str = "HEELER_EC_SKIPPED";
/// The environment variable with the names of what must not be missing, separated by spaces.
const REQUIRED: &str = "HEELER_EC_REQUIRED";

/// Reports tests that do not run because something is missing, such as a program.
///
/// `missing` is its name, `tests` says what is not tested, and `remedy` says what to do, in the imperative.
///
/// # Panics
/// Panics if `HEELER_EC_REQUIRED` lists the name.
#[track_caller]
pub fn report(missing: &str, tests: &str, remedy: &str) {
    let required = std::env::var(REQUIRED).unwrap_or_default();
    assert!(
        !required.split_whitespace().any(|name| name == missing),
        "{missing} is missing, but {REQUIRED} lists it: {remedy}"
    );
    let line = format!("{tests}: {missing} is missing ({remedy})\n");
    let _ = write!(std::io::stderr(), "skipped: {line}");
    if let Some(path) = std::env::var_os(REPORT_FILE) {
        let file = OpenOptions::new().create(true).append(true).open(path);
        // One write, so that the lines of concurrent tests do not mix.
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.expect("the file of skipped tests");
    }
}
