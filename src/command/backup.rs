//! Backs up the documents that a run may change, and completes the backup at its end.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use futures_util::future::try_join_all;

use super::Context;
use crate::aws::Aws;
use crate::backup::{Backup, DocumentAfter, SavedDocument};
use crate::error::{Error, Result};
use crate::reconcile::graph::ResourceId;
use crate::render::notices::backup::BackupNotice;
use crate::shared_document::{self, kind::DocumentKind};

/// A backup whose run has not ended.
pub(super) struct BackupInProgress<'a> {
    aws: &'a Aws,
    path: PathBuf,
    ids: Vec<ResourceId>,
    backup: Backup,
}

/// Completes the backup, if there is one. Returns the error if that fails.
pub(super) async fn finish(backup: Option<BackupInProgress<'_>>) -> Option<Error> {
    backup?.finish().await.err()
}

impl<'a> BackupInProgress<'a> {
    /// Reads those of the documents that exist, and creates the file.
    pub async fn start(
        context: &Context,
        aws: &'a Aws,
        account: &str,
        path: &Path,
        ids: Vec<ResourceId>,
    ) -> Result<Self> {
        let reads = ids.iter().map(|id| shared_document::read(aws, account, id));
        let found = try_join_all(reads).await?;
        let there = ids
            .into_iter()
            .zip(found)
            .filter_map(|(id, found)| Some((id, found?)));
        let (ids, documents): (Vec<ResourceId>, Vec<SavedDocument>) = there
            .map(|(id, before)| {
                let saved = SavedDocument {
                    kind: id.kind.to_owned(),
                    resource: id.name.clone(),
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
        context.ui.notify(&BackupNotice::Saved {
            documents: backup.documents.len(),
            has_external_id: backup.documents.iter().any(has_external_id),
            file: path.to_owned(),
        });
        Ok(Self {
            aws,
            path: path.to_owned(),
            ids,
            backup,
        })
    }

    /// Reads them again, and notes what the run left.
    async fn finish(mut self) -> Result<()> {
        let reads = self
            .ids
            .iter()
            .map(|id| shared_document::read(self.aws, &self.backup.account, id));
        let found = try_join_all(reads).await?;
        for (saved, found) in self.backup.documents.iter_mut().zip(found) {
            saved.after = Some(found.map_or(DocumentAfter::Deleted, DocumentAfter::Present));
        }
        self.backup.replace(&self.path)
    }
}

/// Returns true if the document is a trust policy with an external ID.
fn has_external_id(saved: &SavedDocument) -> bool {
    saved.kind == DocumentKind::RoleTrust.as_str()
        && saved.before.to_string().contains("sts:ExternalId")
}
