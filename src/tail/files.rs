//! Objects that lie on this machine: files, folders in CloudTrail's layout, and what is piped in.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::name::unfit;
use super::notice::Skip;
use super::object::{Broken, Packed};
use super::unpack::Unpack;
use super::walk::{Form, Walk};
use super::window::Moving;

/// What is piped in is kept in memory up to here, and beyond it in a file without a name.
const KEPT_IN_MEMORY: usize = 16 * 1024 * 1024;

/// How much of what is piped in is looked at to tell its form.
const LOOKED_AT: usize = 64 * 1024;

/// The word for what is piped in.
pub const STANDARD_INPUT: &str = "-";

/// One thing that was asked for, or that lies in a folder that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    File(PathBuf),
    /// What gives its bytes once: standard input, a pipe.
    Stream(PathBuf),
    Skipped(Skip, PathBuf),
    /// With the reason.
    Unread(PathBuf, String),
}

/// What the words on the command line lead to, folders in the order of their names.
///
/// # Errors
/// The word that leads nowhere, and why.
pub fn find(words: &[PathBuf]) -> Result<Vec<Found>, (PathBuf, String)> {
    let mut found = Vec::new();
    for word in words {
        if word.as_os_str() == STANDARD_INPUT {
            found.push(Found::Stream(word.clone()));
            continue;
        }
        let about = std::fs::metadata(word).map_err(|why| (word.clone(), why.to_string()))?;
        if about.is_dir() {
            below(word, &mut found);
        } else if !about.is_file() {
            found.push(Found::Stream(word.clone()));
        } else {
            // A file that was named is read whatever its name, unless the name says that it holds no events.
            let skip = unfit(&word.to_string_lossy()).filter(|skip| *skip != Skip::NotALog);
            found.push(named(word.clone(), skip));
        }
    }
    Ok(found)
}

fn named(path: PathBuf, skip: Option<Skip>) -> Found {
    match skip {
        Some(skip) => Found::Skipped(skip, path),
        None => Found::File(path),
    }
}

/// Links to folders are not followed.
fn below(folder: &Path, found: &mut Vec<Found>) {
    let entries = std::fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(why) => return found.push(Found::Unread(folder.to_owned(), why.to_string())),
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            below(&path, found);
        } else if path.is_dir() {
            found.push(Found::Skipped(Skip::Link, path));
        } else if path.is_file() {
            let skip = unfit_here(&path);
            found.push(named(path, skip));
        }
    }
}

/// In a folder, a log may have been unpacked, and lines have a name that says so.
fn unfit_here(path: &Path) -> Option<Skip> {
    let name = path.to_string_lossy();
    let unpacked = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
    let ending = unpacked.extension().unwrap_or_default();
    if ending == "ndjson" || ending == "jsonl" {
        return None;
    }
    match name.strip_suffix(".json") {
        Some(_) => unfit(&format!("{name}.gz")),
        None => unfit(&name),
    }
}

/// Makes that which gives its bytes once readable twice, unless it holds lines, which need no second look.
///
/// # Errors
/// When it cannot be read, or is larger than the cap.
pub fn keep(mut bytes: Box<dyn Read + Send>, cap: u64) -> Result<Packed, Broken> {
    let mut head = Vec::new();
    loop {
        let ended = read_some(&mut bytes, &mut head)?;
        match form(&head) {
            Some(Form::Lines) => {
                let rest: Box<dyn Read + Send> = Box::new(io::Cursor::new(head).chain(bytes));
                return Ok(Packed::Lines(rest));
            }
            None if !ended && head.len() < LOOKED_AT => {}
            _ if ended => return Ok(Packed::Bytes(head)),
            _ => break,
        }
    }
    let unread = |why: io::Error| Broken::Unread(why.to_string());
    let room = KEPT_IN_MEMORY.saturating_sub(head.len()) as u64;
    bytes
        .by_ref()
        .take(room)
        .read_to_end(&mut head)
        .map_err(unread)?;
    if head.len() < KEPT_IN_MEMORY {
        return Ok(Packed::Bytes(head));
    }
    let mut file = tempfile::tempfile().map_err(unread)?;
    file.write_all(&head).map_err(unread)?;
    let further = cap.saturating_sub(head.len() as u64).saturating_add(1);
    let length = io::copy(&mut bytes.take(further), &mut file).map_err(unread)?;
    if length == further {
        return Err(Broken::TooLarge(cap));
    }
    file.rewind().map_err(unread)?;
    Ok(Packed::Kept(file))
}

/// Reads what is there; true at the end.
fn read_some(bytes: &mut dyn Read, head: &mut Vec<u8>) -> Result<bool, Broken> {
    let mut some = [0; 8 * 1024];
    loop {
        match bytes.read(&mut some) {
            Ok(length) => {
                head.extend(some.iter().take(length));
                return Ok(length == 0);
            }
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return Err(Broken::Unread(why.to_string())),
        }
    }
}

/// Nothing when the beginning does not tell.
fn form(head: &[u8]) -> Option<Form> {
    match Unpack::new(head, u64::MAX).and_then(|bytes| Walk::new(Moving::new(bytes)).form()) {
        Ok(form) => form,
        Err(Broken::Truncated) => None,
        Err(_) => Some(Form::Documents),
    }
}

/// Opens a pipe that has a name.
///
/// # Errors
/// When it cannot be opened.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, Broken> {
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(why) => Err(Broken::Unread(why.to_string())),
    }
}
