//! Saves the documents that a run is about to write, and notes at its end what it left.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures_util::future::try_join_all;

use super::World;
use crate::aws::Aws;
use crate::backup::{After, Backup, Saved};
use crate::converge::graph::Id;
use crate::error::{Exit, Result};
use crate::render;
use crate::resource::document;

/// A backup whose run has not ended.
pub(super) struct Running<'a> {
    aws: &'a Aws,
    path: PathBuf,
    ids: Vec<Id>,
    backup: Backup,
}

/// Completes the file, if there is one. How the command ends when that fails; why, is told.
pub(super) async fn end(world: &World, backup: Option<Running<'_>>) -> Option<Exit> {
    let error = backup?.end().await.err()?;
    render::error::error(&world.ui, &error);
    Some(error.exit())
}

impl<'a> Running<'a> {
    /// Reads all that is there of these documents, and writes the file.
    pub async fn begin(
        world: &World,
        aws: &'a Aws,
        account: &str,
        path: &Path,
        ids: Vec<Id>,
    ) -> Result<Self> {
        let reads = ids.iter().map(|id| document::read(aws, account, id));
        let found = try_join_all(reads).await?;
        let there = ids
            .into_iter()
            .zip(found)
            .filter_map(|(id, found)| Some((id, found?)));
        let (ids, documents): (Vec<Id>, Vec<Saved>) = there
            .map(|(id, before)| {
                let saved = Saved {
                    kind: id.kind.to_owned(),
                    of: id.name.clone(),
                    before,
                    after: None,
                };
                (id, saved)
            })
            .unzip();
        let backup = Backup {
            account: account.to_owned(),
            region: aws.region().to_owned(),
            time: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            documents,
        };
        backup.create(path)?;
        let count = match backup.documents.len() {
            1 => "1 document as it is".to_owned(),
            count => format!("{count} documents as they are"),
        };
        let file = path.display();
        world.ui.story(&format!("Saved {count} now in {file}."));
        Ok(Self {
            aws,
            path: path.to_owned(),
            ids,
            backup,
        })
    }

    /// Reads them again, and notes what the run left.
    async fn end(mut self) -> Result<()> {
        let reads = self
            .ids
            .iter()
            .map(|id| document::read(self.aws, &self.backup.account, id));
        let found = try_join_all(reads).await?;
        for (saved, found) in self.backup.documents.iter_mut().zip(found) {
            saved.after = Some(found.map_or(After::Gone, After::Is));
        }
        self.backup.replace(&self.path)
    }
}
