//! The zip archive with the files for a support ticket.

use std::io::{Cursor, Write};
use std::path::Path;

use serde_json::Value;
use tempfile::NamedTempFile;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::redaction::Redactor;
use crate::error::{Error, Result};

/// A file of an archive, without secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    pub name: &'static str,
    /// One line about its content.
    pub purpose: &'static str,
    pub text: String,
}

impl ArchiveFile {
    /// Creates a file with a redacted JSON document.
    #[must_use]
    pub fn json(
        name: &'static str,
        purpose: &'static str,
        document: &Value,
        redactor: &mut Redactor,
    ) -> Self {
        let document = redactor.json(document);
        Self {
            name,
            purpose,
            text: format!("{document:#}\n"),
        }
    }
}

/// The permission to replace an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overwrite {
    Allowed,
    Refused,
}

/// Returns the bytes of the archive.
///
/// # Errors
/// If the archive would be too large for its format.
pub fn zipped(files: &[ArchiveFile]) -> Result<Vec<u8>> {
    let write = || -> ZipResult<Vec<u8>> {
        // No file has a time: the archive has its own in a file.
        let options = SimpleFileOptions::DEFAULT
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(0o600);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for file in files {
            zip.start_file(file.name, options)?;
            zip.write_all(file.text.as_bytes())?;
        }
        Ok(zip.finish()?.into_inner())
    };
    write().map_err(|why| Error::failed("make the archive", why.to_string()))
}

/// Rejects a path that exists or has no directory, before any call.
///
/// # Errors
/// A usage error.
pub fn validate_path(path: &Path, overwrite: Overwrite) -> Result<()> {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        return Err(
            Error::usage(format!("there is no directory {}", directory.display()))
                .with_hint("create it, or name a file in a directory that exists"),
        );
    }
    if path.is_dir() {
        return Err(
            Error::usage(format!("{} is a directory", path.display())).with_hint("name a file")
        );
    }
    if overwrite == Overwrite::Refused && path.symlink_metadata().is_ok() {
        return Err(existing_file_error(path));
    }
    Ok(())
}

fn existing_file_error(path: &Path) -> Error {
    Error::usage(format!("the file {} exists already", path.display()))
        .with_hint("choose another name, or replace it with --overwrite")
}

/// Writes the archive, readable by its owner only.
///
/// # Errors
/// If the file exists and may not be replaced, or cannot be written.
pub fn write(path: &Path, bytes: &[u8], overwrite: Overwrite) -> Result<()> {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    // A temporary file is readable by its owner only. It replaces an existing file, also one that others may read.
    let write = || {
        let mut file = NamedTempFile::new_in(directory.unwrap_or(Path::new(".")))?;
        file.write_all(bytes)?;
        let written = match overwrite {
            Overwrite::Refused => file.persist_noclobber(path),
            Overwrite::Allowed => file.persist(path),
        };
        written.map(drop).map_err(|failed| failed.error)
    };
    write().map_err(|why| match why.kind() {
        std::io::ErrorKind::AlreadyExists => existing_file_error(path),
        _ => Error::failed(
            format!("write the archive {}", path.display()),
            why.to_string(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;

    fn files() -> Vec<ArchiveFile> {
        let document = serde_json::json!({ "caller": "arn:aws:iam::111122223333:user/jane" });
        let mut redactor = Redactor::new(false);
        vec![ArchiveFile::json(
            "a.json",
            "A file.",
            &document,
            &mut redactor,
        )]
    }

    #[test]
    fn replaced_archive_is_readable_by_its_owner_only() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a.zip");
        std::fs::write(&path, b"old").expect("a file");
        write(&path, b"new", Overwrite::Refused).expect_err("the file exists");
        write(&path, b"new", Overwrite::Allowed).expect("an archive");
        assert_eq!(std::fs::read(&path).expect("a file"), b"new");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.metadata().expect("a file").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn archive_has_redacted_files() {
        let bytes = zipped(&files()).expect("an archive");
        let mut archive = ZipArchive::new(Cursor::new(bytes)).expect("a zip file");
        let mut text = String::new();
        let mut file = archive.by_name("a.json").expect("the file");
        file.read_to_string(&mut text).expect("text");
        assert!(text.contains("user/user-1"), "{text}");
    }

    #[test]
    fn existing_file_is_replaced_only_if_allowed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("support.zip");
        assert!(validate_path(&path, Overwrite::Refused).is_ok());
        write(&path, b"first", Overwrite::Refused).expect("a new file");
        for refused in [
            validate_path(&path, Overwrite::Refused),
            write(&path, b"second", Overwrite::Refused),
            validate_path(folder.path(), Overwrite::Allowed),
            validate_path(&folder.path().join("missing/a.zip"), Overwrite::Allowed),
        ] {
            let refused = refused.expect_err("a usage error");
            assert_eq!(refused.exit() as u8, 2, "{refused}");
        }
        assert_eq!(std::fs::read(&path).expect("the file"), b"first");
        assert!(validate_path(&path, Overwrite::Allowed).is_ok());
        write(&path, b"2nd", Overwrite::Allowed).expect("a replaced file");
        assert_eq!(std::fs::read(&path).expect("the file"), b"2nd");
    }
}
