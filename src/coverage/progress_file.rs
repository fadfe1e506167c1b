//! The file of an unfinished scan: a line about the scan, and one line per account that was read.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::matrix::AccountCoverage;
use super::trail_bucket::TrailBucket;
use crate::error::{Error, Result};

/// The value that marks such a file. It changes with the format.
const FORMAT: &str = "heeler-ec coverage 1";
/// The age from which a scan is not continued, because its first results would be too old.
const MAX_AGE: Duration = Duration::from_secs(86_400);

/// The clock of the machine that began the scan may be fast by this time.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(300);

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ProgressHeader {
    format: String,
    /// The start of the scan, in seconds since 1970.
    started: u64,
    trail: String,
    bucket: String,
    log_prefix: String,
    opt_in_regions: bool,
}

/// The file of a scan, open for appending.
#[derive(Debug)]
pub struct ProgressFile {
    path: PathBuf,
    file: File,
    /// The start of the scan, perhaps in an earlier run.
    pub started: SystemTime,
    /// The accounts that earlier runs have read.
    pub accounts: Vec<AccountCoverage>,
}

impl ProgressFile {
    /// Opens the file of an unfinished scan, or creates it.
    ///
    /// # Errors
    /// A usage error if the file has other content, or is about another trail, other options or a scan of another day; an
    /// error if it cannot be read or written.
    pub fn open(
        path: &Path,
        target: &TrailBucket,
        opt_in_regions: bool,
        now: SystemTime,
    ) -> Result<Self> {
        let failed = |error: io::Error| {
            Error::failed(
                format!("open the file {}", path.display()),
                error.to_string(),
            )
        };
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        let refused = |why: &str| {
            Err(Error::usage(format!("--resume {}: {why}", path.display()))
                .with_hint("name a file that does not exist, or delete this one"))
        };
        if file.metadata().map_err(failed)?.len() == 0 {
            return Self::create(path, file, target, opt_in_regions, now).map_err(failed);
        }
        let mut reader = BufReader::new(&mut file);
        let mut line = String::new();
        let Ok(mut length) = reader.read_line(&mut line).map(|read| read as u64) else {
            return refused("it is not a file of coverage");
        };
        let header: ProgressHeader = match serde_json::from_str(&line) {
            Ok(header) => header,
            Err(_) => return refused("it is not a file of coverage"),
        };
        if header != ProgressHeader::new(target, opt_in_regions, header.started) {
            return refused("it is about another trail or has other options");
        }
        let started = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(header.started));
        let Some(started) = started.filter(|started| *started <= now + CLOCK_TOLERANCE) else {
            return refused("its scan begins in the future");
        };
        if now.duration_since(started).unwrap_or_default() >= MAX_AGE {
            return refused("its scan began more than a day ago");
        }
        let mut accounts = Vec::new();
        loop {
            line.clear();
            match reader.read_line(&mut line) {
                // The last line is incomplete if the program was killed.
                Ok(read) if line.ends_with('\n') => {
                    let Ok(account) = serde_json::from_str(&line) else {
                        break;
                    };
                    accounts.push(account);
                    length += read as u64;
                }
                _ => break,
            }
        }
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            started,
            accounts,
        })
    }

    fn create(
        path: &Path,
        mut file: File,
        target: &TrailBucket,
        opt_in_regions: bool,
        now: SystemTime,
    ) -> io::Result<Self> {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since_epoch.unwrap_or_default().as_secs();
        let header = ProgressHeader::new(target, opt_in_regions, seconds);
        write_line(&mut file, &header)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            started: now,
            accounts: Vec::new(),
        })
    }

    /// Appends an account that was read.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn append(&mut self, account: &AccountCoverage) -> Result<()> {
        write_line(&mut self.file, account).map_err(|error| {
            let operation = format!("write the file {}", self.path.display());
            Error::failed(operation, error.to_string())
        })
    }

    /// Deletes the file, because its scan is complete.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub fn remove(self) -> Result<()> {
        std::fs::remove_file(&self.path).map_err(|error| {
            let operation = format!("delete the file {}", self.path.display());
            Error::failed(operation, error.to_string())
        })
    }
}

impl ProgressHeader {
    fn new(target: &TrailBucket, opt_in_regions: bool, started: u64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            started,
            trail: target.trail_arn.clone(),
            bucket: target.bucket.clone(),
            log_prefix: target.log_prefix.clone(),
            opt_in_regions,
        }
    }
}

fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    file.write_all(&line)
}
