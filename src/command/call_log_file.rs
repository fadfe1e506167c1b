//! The file of `--log-file`: one JSON line per call to AWS, without bodies, headers or credentials. Another run can read it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::aws::AwsCall;
use crate::error::{Error, Result};
use crate::render;

/// The number of lines that wait for the reader of a named pipe. Further lines are dropped.
const MAX_WAITING_LINES: usize = 1_000;
/// The time that the reader of a named pipe has for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

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

/// Writes to a named pipe on a thread of its own, because a write blocks while the pipe is full.
#[derive(Debug)]
pub(super) struct PipeWriter {
    /// `None` at the end.
    lines: Option<SyncSender<String>>,
    /// Closed when the thread has written all lines.
    end: Mutex<Receiver<()>>,
}

impl PipeWriter {
    fn start(mut pipe: File) -> Self {
        let (lines, waiting) = sync_channel::<String>(MAX_WAITING_LINES);
        let (ending, end) = sync_channel(0);
        let write_all = move || {
            let _ending: SyncSender<()> = ending;
            for line in waiting {
                if pipe.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        };
        // Without a thread, the lines are dropped.
        let _ = thread::Builder::new().spawn(write_all);
        Self {
            lines: Some(lines),
            end: Mutex::new(end),
        }
    }

    fn write_line(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.lines = None;
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let ended: std::result::Result<(), RecvTimeoutError> = end.recv_timeout(FLUSH_TIMEOUT);
        drop(ended);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Read;
    use std::process::Command;

    use super::*;

    #[test]
    fn pipe_without_reads_does_not_block() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.expect("mkfifo").success());
        let mut options = OpenOptions::new();
        // On Linux, a pipe that is opened for both needs no other process.
        let mut reader = options.read(true).write(true).open(&path).expect("a pipe");
        let log = CallLogFile::open(&path).expect("a log file");
        let line = "x".repeat(999) + "\n";
        // A pipe holds 64 KiB.
        for _ in 0..3 * MAX_WAITING_LINES {
            log.write_line(line.clone());
        }
        drop(log);
        let mut first = [0; 1_000];
        reader.read_exact(&mut first).expect("the first line");
        assert_eq!(first, line.as_bytes());
    }
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
