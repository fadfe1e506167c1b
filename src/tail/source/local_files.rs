//! Local log files: single files, folders in CloudTrail's layout, pipes and standard input.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::cloudtrail::log_file::{LogFileError, LogFileSource, LogFormat};
use crate::cloudtrail::object_key::skip_reason;
use crate::cloudtrail::record_parser::RecordParser;
use crate::cloudtrail::skip_reason::SkipReason;
use crate::cloudtrail::text_buffer::SlidingBuffer;
use crate::cloudtrail::text_reader::TextReader;

/// Maximum memory for a stream. A larger stream is stored in an anonymous temporary file.
const MAX_BYTES_IN_MEMORY: usize = 16 * 1024 * 1024;

/// Number of bytes of a stream that are read to detect its format.
const FORMAT_DETECTION_BYTES: usize = 512 * 1024;

/// The path that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// A path from the command line, or a file in a folder from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalPath {
    File(PathBuf),
    /// Standard input or a pipe, which can be read only once.
    Stream(PathBuf),
    Skipped(SkipReason, PathBuf),
    /// A folder that cannot be listed, with the reason.
    Unreadable(PathBuf, String),
}

/// Finds the log files for the paths on the command line. Folders are listed in name order.
///
/// # Errors
/// Returns the first path that cannot be accessed, and the reason.
pub fn find_log_files(paths: &[PathBuf]) -> Result<Vec<LocalPath>, (PathBuf, String)> {
    let mut found = Vec::new();
    for path in paths {
        if path.as_os_str() == STANDARD_INPUT {
            found.push(LocalPath::Stream(path.clone()));
            continue;
        }
        let metadata =
            std::fs::metadata(path).map_err(|error| (path.clone(), error.to_string()))?;
        if metadata.is_dir() {
            let mut listed = Vec::new();
            list_folder(path, &mut listed);
            if !listed.iter().any(|path| matches!(path, LocalPath::File(_))) {
                include_renamed_files(&mut listed);
            }
            found.append(&mut listed);
        } else if !metadata.is_file() {
            found.push(LocalPath::Stream(path.clone()));
        } else {
            // A file on the command line may have any name except the name of a digest or Insights file.
            let reason = skip_reason(&path.to_string_lossy())
                .filter(|reason| *reason != SkipReason::NotALogFile);
            found.push(file_or_skipped(path.clone(), reason));
        }
    }
    Ok(found)
}

fn file_or_skipped(path: PathBuf, reason: Option<SkipReason>) -> LocalPath {
    match reason {
        Some(reason) => LocalPath::Skipped(reason, path),
        None => LocalPath::File(path),
    }
}

/// Adds the files in a folder and its subfolders. Symbolic links to folders are not followed.
fn list_folder(folder: &Path, found: &mut Vec<LocalPath>) {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(error) => {
            return found.push(LocalPath::Unreadable(folder.to_owned(), error.to_string()));
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().is_ok_and(|file_type| file_type.is_dir()) {
            list_folder(&path, found);
        } else if path.is_dir() {
            found.push(LocalPath::Skipped(SkipReason::FolderLink, path));
        } else if path.is_file() {
            let reason = skip_reason_in_folder(&path);
            found.push(file_or_skipped(path, reason));
        }
    }
}

/// Includes skipped files that may be log files under other names, such as the files of a published data set.
fn include_renamed_files(listed: &mut [LocalPath]) {
    for entry in listed {
        if let LocalPath::Skipped(SkipReason::NotALogFile, path) = entry
            && has_log_file_extension(path)
            && !is_log_of_other_service(path)
        {
            *entry = LocalPath::File(std::mem::take(path));
        }
    }
}

fn has_log_file_extension(path: &Path) -> bool {
    let is_hidden = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().starts_with('.'));
    !is_hidden
        && path
            .extension()
            .is_some_and(|extension| extension == "json" || extension == "gz")
}

/// Returns true for names such as `111122223333_Config_eu-west-1_...`. Services other than CloudTrail also write log
/// files below `AWSLogs`.
fn is_log_of_other_service(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split_once('_').is_some_and(|(account, service)| {
        account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && !service.starts_with("CloudTrail")
    })
}

/// The reason to skip a file in a folder. A log file may be decompressed. A JSON Lines file is recognised by its
/// extension.
fn skip_reason_in_folder(path: &Path) -> Option<SkipReason> {
    let name = path.to_string_lossy();
    let without_gz = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
    let extension = without_gz.extension().unwrap_or_default();
    if extension == "ndjson" || extension == "jsonl" {
        return None;
    }
    match name.strip_suffix(".json") {
        Some(_) => skip_reason(&format!("{name}.gz")),
        None => skip_reason(&name),
    }
}

/// Stores a stream so that it can be read twice. A JSON Lines stream is not stored, because it is read only once.
///
/// # Errors
/// Returns an error if the stream cannot be read or is larger than `max_bytes`.
pub fn buffer_stream(
    mut bytes: Box<dyn Read + Send>,
    max_bytes: u64,
) -> Result<LogFileSource, LogFileError> {
    let mut head = Vec::new();
    loop {
        let ended = read_chunk(&mut bytes, &mut head)?;
        match detect_format(&head) {
            Some(LogFormat::Lines) => {
                let rest: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(bytes));
                return Ok(LogFileSource::JsonLines(rest));
            }
            None if !ended && head.len() < FORMAT_DETECTION_BYTES => {}
            _ if ended => return Ok(LogFileSource::Bytes(head)),
            _ => break,
        }
    }
    let read_failed = |error: io::Error| LogFileError::ReadFailed(error.to_string());
    let remaining = MAX_BYTES_IN_MEMORY.saturating_sub(head.len()) as u64;
    bytes
        .by_ref()
        .take(remaining)
        .read_to_end(&mut head)
        .map_err(read_failed)?;
    if head.len() < MAX_BYTES_IN_MEMORY {
        return Ok(LogFileSource::Bytes(head));
    }
    let mut file = tempfile::tempfile().map_err(read_failed)?;
    file.write_all(&head).map_err(read_failed)?;
    let limit = max_bytes
        .saturating_sub(head.len() as u64)
        .saturating_add(1);
    let length = io::copy(&mut bytes.take(limit), &mut file).map_err(read_failed)?;
    if length == limit {
        return Err(LogFileError::TooLarge(max_bytes));
    }
    file.rewind().map_err(read_failed)?;
    Ok(LogFileSource::TempFile(file))
}

/// Reads the available bytes. Returns true at the end of the stream.
fn read_chunk(bytes: &mut dyn Read, head: &mut Vec<u8>) -> Result<bool, LogFileError> {
    let mut chunk = [0; 16 * 1024];
    loop {
        match bytes.read(&mut chunk) {
            Ok(length) => {
                head.extend(chunk.iter().take(length));
                return Ok(length == 0);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(LogFileError::ReadFailed(error.to_string())),
        }
    }
}

/// Detects the format of a stream from its first bytes. Returns `None` if more bytes are needed.
fn detect_format(head: &[u8]) -> Option<LogFormat> {
    match TextReader::new(Box::new(head), u64::MAX)
        .and_then(|text| RecordParser::new(SlidingBuffer::new(text)).detect_format())
    {
        Ok(format) => format,
        Err(LogFileError::Truncated) => None,
        Err(_) => Some(LogFormat::Documents),
    }
}

/// Opens a named pipe.
///
/// # Errors
/// Returns an error if the pipe cannot be opened.
pub fn open_stream(path: &Path) -> Result<Box<dyn Read + Send>, LogFileError> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(LogFileError::ReadFailed(error.to_string())),
    }
}
