//! Writes lines to a named pipe without blocking the command.

use std::fs::File;
use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// The number of lines that wait for the reader of a named pipe. Further lines are dropped.
const MAX_WAITING_LINES: usize = 1_000;
/// The time that the reader of a named pipe has for the last lines.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes to a named pipe on a thread of its own, because a write blocks while the pipe is full.
#[derive(Debug)]
pub(super) struct PipeWriter {
    /// `None` at the end.
    lines: Option<SyncSender<String>>,
    /// Closed when the thread has written all lines.
    end: Mutex<Receiver<()>>,
}

impl PipeWriter {
    /// Starts the thread.
    pub fn start(mut pipe: File) -> Self {
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

    /// Writes a line, or drops it if too many lines wait.
    pub fn write_line(&self, line: String) {
        if let Some(lines) = &self.lines {
            let _ = lines.try_send(line);
        }
    }
}

impl Drop for PipeWriter {
    fn drop(&mut self) {
        self.lines = None;
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        // The channel is closed, or the reader is too slow.
        let _ = end.recv_timeout(FLUSH_TIMEOUT);
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
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
        let pipe = OpenOptions::new().append(true).open(&path);
        let writer = PipeWriter::start(pipe.expect("a writer"));
        let line = "x".repeat(999) + "\n";
        // A pipe holds 64 KiB.
        for _ in 0..3 * MAX_WAITING_LINES {
            writer.write_line(line.clone());
        }
        drop(writer);
        let mut first = [0; 1_000];
        reader.read_exact(&mut first).expect("the first line");
        assert_eq!(first, line.as_bytes());
    }
}
