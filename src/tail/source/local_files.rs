//! Objects that lie on this machine: files, folders in CloudTrail's layout, and what is piped in.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::cloudtrail::gunzip::GunzipReader;
use crate::cloudtrail::log_file::{LogFileError, LogFileSource};
use crate::cloudtrail::object_key::skip_reason;
use crate::cloudtrail::record_parser::{LogFormat, RecordParser};
use crate::cloudtrail::skip_reason::SkipReason;
use crate::cloudtrail::text_buffer::SlidingBuffer;

/// What is piped in is kept in memory up to here, and beyond it in a file without a name.
const MAX_BYTES_IN_MEMORY: usize = 16 * 1024 * 1024;

/// How much of what is piped in is looked at to tell its form.
const FORMAT_DETECTION_BYTES: usize = 64 * 1024;

/// The word for what is piped in.
pub const STANDARD_INPUT: &str = "-";

/// One thing that was asked for, or that lies in a folder that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalPath {
    File(PathBuf),
    /// What gives its bytes once: standard input, a pipe.
    Stream(PathBuf),
    Skipped(SkipReason, PathBuf),
    /// With the reason.
    Unreadable(PathBuf, String),
}

/// What the words on the command line lead to, folders in the order of their names.
///
/// # Errors
/// The word that leads nowhere, and why.
pub fn find_log_files(words: &[PathBuf]) -> Result<Vec<LocalPath>, (PathBuf, String)> {
    let mut found = Vec::new();
    for word in words {
        if word.as_os_str() == STANDARD_INPUT {
            found.push(LocalPath::Stream(word.clone()));
            continue;
        }
        let about = std::fs::metadata(word).map_err(|why| (word.clone(), why.to_string()))?;
        if about.is_dir() {
            list_folder(word, &mut found);
        } else if !about.is_file() {
            found.push(LocalPath::Stream(word.clone()));
        } else {
            // A file that was named is read whatever its name, unless the name says that it holds no events.
            let skip = skip_reason(&word.to_string_lossy())
                .filter(|skip| *skip != SkipReason::NotALogFile);
            found.push(file_or_skipped(word.clone(), skip));
        }
    }
    Ok(found)
}

fn file_or_skipped(path: PathBuf, skip: Option<SkipReason>) -> LocalPath {
    match skip {
        Some(skip) => LocalPath::Skipped(skip, path),
        None => LocalPath::File(path),
    }
}

/// Links to folders are not followed.
fn list_folder(folder: &Path, found: &mut Vec<LocalPath>) {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(why) => return found.push(LocalPath::Unreadable(folder.to_owned(), why.to_string())),
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list_folder(&path, found);
        } else if path.is_dir() {
            found.push(LocalPath::Skipped(SkipReason::FolderLink, path));
        } else if path.is_file() {
            let skip = skip_reason_in_folder(&path);
            found.push(file_or_skipped(path, skip));
        }
    }
}

/// In a folder, a log may have been unpacked, and lines have a name that says so.
fn skip_reason_in_folder(path: &Path) -> Option<SkipReason> {
    let name = path.to_string_lossy();
    let unpacked = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
    let ending = unpacked.extension().unwrap_or_default();
    if ending == "ndjson" || ending == "jsonl" {
        return None;
    }
    match name.strip_suffix(".json") {
        Some(_) => skip_reason(&format!("{name}.gz")),
        None => skip_reason(&name),
    }
}

/// Makes that which gives its bytes once readable twice, unless it holds lines, which need no second look.
///
/// # Errors
/// When it cannot be read, or is larger than the cap.
pub fn buffer_stream(
    mut bytes: Box<dyn Read + Send>,
    cap: u64,
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
    let unread = |why: io::Error| LogFileError::ReadFailed(why.to_string());
    let room = MAX_BYTES_IN_MEMORY.saturating_sub(head.len()) as u64;
    bytes
        .by_ref()
        .take(room)
        .read_to_end(&mut head)
        .map_err(unread)?;
    if head.len() < MAX_BYTES_IN_MEMORY {
        return Ok(LogFileSource::Bytes(head));
    }
    let mut file = tempfile::tempfile().map_err(unread)?;
    file.write_all(&head).map_err(unread)?;
    let further = cap.saturating_sub(head.len() as u64).saturating_add(1);
    let length = io::copy(&mut bytes.take(further), &mut file).map_err(unread)?;
    if length == further {
        return Err(LogFileError::TooLarge(cap));
    }
    file.rewind().map_err(unread)?;
    Ok(LogFileSource::TempFile(file))
}

/// Reads what is there; true at the end.
fn read_chunk(bytes: &mut dyn Read, head: &mut Vec<u8>) -> Result<bool, LogFileError> {
    let mut some = [0; 8 * 1024];
    loop {
        match bytes.read(&mut some) {
            Ok(length) => {
                head.extend(some.iter().take(length));
                return Ok(length == 0);
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(LogFileError::ReadFailed(why.to_string())),
        }
    }
}

/// Nothing when the beginning does not tell.
fn detect_format(head: &[u8]) -> Option<LogFormat> {
    match GunzipReader::new(head, u64::MAX)
        .and_then(|bytes| RecordParser::new(SlidingBuffer::new(bytes)).detect_format())
    {
        Ok(form) => form,
        Err(LogFileError::Truncated) => None,
        Err(_) => Some(LogFormat::Documents),
    }
}

/// Opens a pipe that has a name.
///
/// # Errors
/// When it cannot be opened.
pub fn open_stream(path: &Path) -> Result<Box<dyn Read + Send>, LogFileError> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(why) => Err(LogFileError::ReadFailed(why.to_string())),
    }
}
