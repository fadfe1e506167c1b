//! The file of `--log-file`: one JSON line per call to AWS, without bodies, headers or credentials.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::aws::AwsCall;
use crate::error::{Error, Result};
use crate::render;

/// A file to which lines are appended. Several runs may share it.
#[derive(Debug)]
pub(super) struct CallLogFile(Mutex<File>);

impl CallLogFile {
    /// Opens the file, or creates it for the current user only.
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
        Ok(Self(Mutex::new(file)))
    }

    /// Appends a call. A full disk does not end the command.
    pub fn write(&self, call: &AwsCall) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = file.write_all(render::progress::call_log_line(call).as_bytes());
    }
}
