//! The file of `--log-file`: one JSON line per call to AWS, without bodies, headers or credentials. Another run can read it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value};

use super::pipe_writer::PipeWriter;
use crate::aws::AwsCall;
use crate::error::{Error, Result};
use crate::render;

/// A file to which lines are appended. Several runs may share it.
#[derive(Debug)]
pub(super) enum CallLogFile {
    File(Mutex<File>),
    Pipe(PipeWriter),
}

impl CallLogFile {
    /// Opens the file, or creates it for the current user only. This blocks until a named pipe has a reader.
    ///
    /// # Errors
    /// A usage error if the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let file = options.open(path).map_err(|why| {
            Error::usage(format!("cannot open the log file {}", path.display()))
                .with_reason(why.to_string())
        })?;
        Ok(if is_pipe(&file) {
            Self::Pipe(PipeWriter::start(file))
        } else {
            Self::File(Mutex::new(file))
        })
    }

    /// Appends a call. Neither a full disk nor a pipe whose reader is slow stops the command.
    pub fn write(&self, call: &AwsCall) {
        self.write_line(render::progress::call_log_line(call));
    }

    fn write_line(&self, line: String) {
        match self {
            Self::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let _ = file.write_all(line.as_bytes());
            }
            Self::Pipe(writer) => writer.write_line(line),
        }
    }
}

#[cfg(unix)]
fn is_pipe(file: &File) -> bool {
    use std::os::unix::fs::FileTypeExt;
    file.metadata()
        .is_ok_and(|metadata| metadata.file_type().is_fifo())
}

#[cfg(not(unix))]
const fn is_pipe(_: &File) -> bool {
    false
}

/// The end of a file that is read, in bytes. A line has about 200.
const MAX_READ_BYTES: u64 = 1024 * 1024;
/// The number of calls that are kept.
const MAX_CALLS: usize = 1_000;
/// The members of a line that are kept.
const MEMBERS: &[&str] = &[
    "time",
    "service",
    "operation",
    "status",
    "error_code",
    "request_id",
    "attempts",
    "elapsed_ms",
];

/// Returns the last calls of a file. Other lines and members are ignored.
///
/// # Errors
/// A usage error if the file cannot be read, or contains no call.
pub(super) fn read_call_log(path: &Path) -> Result<Vec<Value>> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let start = file.metadata()?.len().saturating_sub(MAX_READ_BYTES);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        file.take(MAX_READ_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let headline = || format!("cannot read the calls in {}", path.display());
    let bytes = read().map_err(|why| Error::usage(headline()).with_reason(why.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let calls: Vec<Value> = text.lines().filter_map(logged_call).collect();
    if calls.is_empty() {
        return Err(Error::usage(headline())
            .with_reason("it has no line of a call")
            .with_hint("name a file that --log-file wrote"));
    }
    let first = calls.len().saturating_sub(MAX_CALLS);
    Ok(calls[first..].to_vec())
}

fn logged_call(line: &str) -> Option<Value> {
    let line: Map<String, Value> = serde_json::from_str(line).ok()?;
    if line.get("type")? != "call" {
        return None;
    }
    let kept = MEMBERS.iter().filter_map(|name| {
        let value = line
            .get(*name)
            .filter(|value| !value.is_object() && !value.is_array())?;
        Some(((*name).to_owned(), value.clone()))
    });
    Some(Value::Object(kept.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_last_calls_of_a_log_are_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("calls.log");
        assert_eq!(read_call_log(&path).expect_err("no file").exit() as u8, 2);
        std::fs::write(&path, "notes\n{\"type\":\"notice\"}\n").expect("a file");
        assert_eq!(read_call_log(&path).expect_err("no call").exit() as u8, 2);
        let lines = (0..1_200).map(|number| {
            format!(
                "{{\"type\":\"call\",\"operation\":\"Op{number}\",\"status\":200,\"body\":\"secret\",\"time\":[1]}}\n"
            )
        });
        std::fs::write(&path, lines.collect::<String>()).expect("a file");
        let calls = read_call_log(&path).expect("calls");
        assert_eq!(calls.len(), MAX_CALLS);
        assert_eq!(
            calls[0],
            serde_json::json!({ "operation": "Op200", "status": 200 })
        );
        assert_eq!(calls[MAX_CALLS - 1]["operation"], "Op1199");
    }
}
