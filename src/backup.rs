//! The backup file: documents as they were before a run, and as the run left them.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// The largest file that is read. A backup contains a few documents of at most some kilobytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// The only version of the file format so far.
const VERSION: u64 = 1;
/// The field with the digest of the content.
const DIGEST: &str = "sha256";

#[derive(Clone, Debug, PartialEq)]
pub struct Backup {
    pub account: String,
    pub region: String,
    /// Start of the run, as RFC 3339.
    pub time: String,
    pub documents: Vec<SavedDocument>,
}

/// One document and the resource that it belongs to.
#[derive(Clone, PartialEq)]
pub struct SavedDocument {
    pub kind: String,
    pub resource: String,
    pub before: Value,
    /// The document after the run; `None` until the run has ended.
    pub after: Option<DocumentAfter>,
}

#[derive(Clone, PartialEq)]
pub enum DocumentAfter {
    Present(Value),
    /// The resource was deleted.
    Deleted,
}

/// Omits the documents, because a trust policy contains the external ID.
impl std::fmt::Debug for SavedDocument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.kind, self.resource)
    }
}

impl Backup {
    /// Creates the file, readable by its owner only.
    ///
    /// # Errors
    /// If the file exists or cannot be written.
    pub fn create(&self, path: &Path) -> Result<()> {
        self.write(path)
            .map_err(|error| io_error("write the backup", path, &error))
    }

    /// Replaces the file atomically.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn replace(&self, path: &Path) -> Result<()> {
        let temporary = temporary_path(path);
        self.write(&temporary)
            .and_then(|()| std::fs::rename(&temporary, path))
            .map_err(|error| {
                Error::failed(
                    format!("complete the backup {}", path.display()),
                    error.to_string(),
                )
                .with_hint("the file holds the documents from before the run; without the state after the run, restore skips them")
            })
    }

    fn write(&self, path: &Path) -> std::io::Result<()> {
        let mut file = create_private_file(path)?;
        let mut document = self.to_json();
        document[DIGEST] = self.digest().into();
        let text = serde_json::to_string_pretty(&document)?;
        file.write_all(format!("{text}\n").as_bytes())?;
        file.sync_all()
    }

    fn to_json(&self) -> Value {
        let documents = self.documents.iter().map(|saved| {
            let mut entry = Map::new();
            entry.insert("kind".into(), saved.kind.as_str().into());
            entry.insert("resource".into(), saved.resource.as_str().into());
            entry.insert("before".into(), saved.before.clone());
            let after = saved.after.as_ref().map(|after| match after {
                DocumentAfter::Present(document) => document.clone(),
                DocumentAfter::Deleted => Value::Null,
            });
            if let Some(after) = after {
                entry.insert("after".into(), after);
            }
            Value::Object(entry)
        });
        json!({
            "version": VERSION,
            "account": self.account,
            "region": self.region,
            "time": self.time,
            "documents": documents.collect::<Vec<_>>(),
        })
    }

    /// The SHA-256 digest of the content, in hexadecimal digits.
    fn digest(&self) -> String {
        let digest = Sha256::digest(self.to_json().to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a file that [`Backup::create`] or [`Backup::replace`] wrote.
    ///
    /// # Errors
    /// If the file cannot be read, has another format, or was edited.
    pub fn read(path: &Path) -> Result<Self> {
        let mut text = String::new();
        File::open(path)
            .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text))
            .map_err(|why| io_error("read the backup", path, &why))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(
                Error::usage(format!("cannot read the backup {}", path.display()))
                    .with_reason(format!("it is larger than {MAX_FILE_BYTES} bytes")),
            );
        }
        parse(&text).map_err(|why| {
            Error::usage(format!("cannot read the backup {}", path.display())).with_reason(why)
        })
    }
}

/// Rejects an existing path: a backup is never overwritten. The path of the file that later replaces the backup must be
/// free, too.
///
/// # Errors
/// If one of the two paths exists.
pub fn reject_existing(path: &Path) -> Result<()> {
    for path in [path.to_owned(), temporary_path(path)] {
        match path.symlink_metadata() {
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {}
            Err(why) => return Err(io_error("write the backup", &path, &why)),
            Ok(_) => {
                let exists = format!("the backup file {} exists already", path.display());
                return Err(Error::usage(exists)
                    .with_hint("choose another name: a backup is never overwritten"));
            }
        }
    }
    Ok(())
}

/// The file in which a complete backup is written before it replaces the backup of the start of the run.
fn temporary_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

fn io_error(doing: &str, path: &Path, why: &std::io::Error) -> Error {
    Error::usage(format!("cannot {doing} {}", path.display())).with_reason(why.to_string())
}

fn create_private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn parse(text: &str) -> std::result::Result<Backup, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value["version"] != VERSION {
        return Err(format!("it is not a backup of version {VERSION}"));
    }
    let text = |value: &Value, field: &str| {
        let found = value[field].as_str().map(str::to_owned);
        found.ok_or_else(|| format!("it has no field {field:?}"))
    };
    let entries = value["documents"].as_array();
    let entries = entries.ok_or("it has no documents")?.iter();
    let documents = entries.map(|entry| {
        Ok(SavedDocument {
            kind: text(entry, "kind")?,
            resource: text(entry, "resource")?,
            before: entry
                .get("before")
                .cloned()
                .ok_or("a document has no field \"before\"")?,
            after: entry.get("after").map(|after| match after {
                Value::Null => DocumentAfter::Deleted,
                after => DocumentAfter::Present(after.clone()),
            }),
        })
    });
    let backup = Backup {
        account: text(&value, "account")?,
        region: text(&value, "region")?,
        time: text(&value, "time")?,
        documents: documents.collect::<std::result::Result<_, String>>()?,
    };
    if text(&value, DIGEST)? != backup.digest() {
        return Err("it was edited: its digest does not match its content".to_owned());
    }
    Ok(backup)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backup() -> Backup {
        let saved = |resource: &str, after| SavedDocument {
            kind: "queue policy".to_owned(),
            resource: resource.to_owned(),
            before: json!({ "Statement": [] }),
            after,
        };
        let changed = DocumentAfter::Present(json!({ "Statement": [1] }));
        Backup {
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            time: "2026-01-02T03:04:05Z".to_owned(),
            documents: vec![
                saved("a", Some(changed)),
                saved("b", Some(DocumentAfter::Deleted)),
                saved("c", None),
            ],
        }
    }

    #[test]
    fn written_backup_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.json");
        backup().create(&path).unwrap();
        assert_eq!(Backup::read(&path).unwrap(), backup());
        backup().replace(&path).unwrap();
        assert_eq!(Backup::read(&path).unwrap(), backup());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn edited_backup_is_rejected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.json");
        backup().create(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("\"a\"", "\"foreign\"")).unwrap();
        let error = Backup::read(&path).unwrap_err();
        assert!(error.reason().contains("it was edited"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn backup_is_readable_by_owner_only() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.json");
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        backup().create(&path).unwrap();
        assert_eq!(mode(), 0o600);
        backup().replace(&path).unwrap();
        assert_eq!(mode(), 0o600);
    }

    #[test]
    fn backup_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.json");
        reject_existing(&path).unwrap();
        std::fs::write(&path, "mine").unwrap();
        reject_existing(&path).unwrap_err();
        backup().create(&path).unwrap_err();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn path_of_completed_backup_must_be_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.json");
        std::fs::write(folder.path().join("backup.json.new"), "mine").unwrap();
        let error = reject_existing(&path).unwrap_err();
        assert!(error.headline().contains("backup.json.new exists already"));
    }

    #[test]
    fn invalid_backup_is_rejected_with_reason() {
        let table = [
            ("", "EOF"),
            ("{}", "version 1"),
            (r#"{"version": 2}"#, "version 1"),
            (
                r#"{"version": 1, "account": "1", "region": "r", "time": "t"}"#,
                "no documents",
            ),
            (r#"{"version": 1, "documents": [{"kind": "k"}]}"#, "no "),
        ];
        for (text, expected) in table {
            let reason = parse(text).unwrap_err();
            assert!(reason.contains(expected), "{text}: {reason}");
        }
    }
}
