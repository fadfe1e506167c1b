//! Work that may block for any time, such as reading a file from the command line that is a named pipe.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::ctrl_c::Interrupt;
use super::write_log::WriteLog;
use crate::error::{Error, Result};

/// Runs work on another thread, so that Ctrl-C still works. At the first interrupt, it fails.
///
/// # Errors
/// The error of the work, or that the run was interrupted. The thread may then still be blocked; it ends with the process.
pub(super) async fn run_blocking<T: Send + 'static>(
    interrupt: &Interrupt,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let cancellation = interrupt.cancellation();
    tokio::select! {
        finished = tokio::task::spawn_blocking(work) => {
            finished.unwrap_or_else(|error| Err(Error::failed("read a file", error.to_string())))
        }
        () = cancellation.cancelled() => {
            Err(Error::interrupted(WriteLog::default().unchanged_notice()))
        }
    }
}

/// Reads a file of at most `max_bytes`. A device such as `/dev/zero` has no end.
///
/// # Errors
/// If the file cannot be read, or is larger.
pub(super) fn read_at_most(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let reason = format!("it is larger than {max_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    Ok(bytes)
}
