//! Writes the evidence report of `verify`: Markdown to the file of `--evidence`, and JSON beside it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::render::evidence::EvidenceTexts;

/// The files of an evidence report.
pub(super) struct EvidenceFiles {
    markdown: PathBuf,
    json: PathBuf,
}

impl EvidenceFiles {
    /// Takes the name of the Markdown file. The JSON file has the same name with the extension `json`.
    ///
    /// # Errors
    /// A usage error if one of the files exists, if their directory does not exist, or if both have the same name.
    pub fn new(path: &Path) -> Result<Self> {
        let files = Self {
            markdown: path.to_owned(),
            json: path.with_extension("json"),
        };
        if files.json == files.markdown {
            let name = path.display();
            return Err(
                Error::usage(format!("--evidence {name} is the name of the JSON file"))
                    .with_hint("give the name of the Markdown file, such as evidence.md"),
            );
        }
        let directory = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        if let Some(directory) = directory
            && !directory.is_dir()
        {
            let missing = format!("there is no directory {}", directory.display());
            return Err(Error::usage(missing)
                .with_hint("create it, or name a file in a directory that exists"));
        }
        for path in [&files.markdown, &files.json] {
            if path.symlink_metadata().is_ok() {
                let exists = format!("the file {} exists already", path.display());
                return Err(Error::usage(exists)
                    .with_hint("choose another name: a report is never overwritten"));
            }
        }
        Ok(files)
    }

    /// Writes both files.
    ///
    /// # Errors
    /// If a file exists meanwhile or cannot be written.
    pub fn write(&self, texts: &EvidenceTexts) -> Result<()> {
        write_new(&self.markdown, &texts.markdown)?;
        write_new(&self.json, &texts.json)
    }

    /// The names of both files.
    pub fn names(&self) -> [String; 2] {
        [&self.markdown, &self.json].map(|path| path.display().to_string())
    }
}

fn write_new(path: &Path, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    write().map_err(|error| {
        Error::failed(
            format!("write the report {}", path.display()),
            error.to_string(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_directory_of_evidence_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for directory in [folder.path().join("missing"), file] {
            let refused = EvidenceFiles::new(&directory.join("evidence.md"));
            let refused = refused.err().expect("a usage error");
            assert_eq!(refused.exit() as u8, 2, "{refused}");
        }
        assert!(EvidenceFiles::new(&folder.path().join("evidence.md")).is_ok());
        assert!(EvidenceFiles::new(Path::new("no-such-evidence.md")).is_ok());
    }
}
