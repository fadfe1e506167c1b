//! Puts back what a backup holds: those documents that nobody has changed since the run that made it.

use futures_util::future::try_join_all;
use serde_json::Value;

use super::{OTHER_ACCOUNT, World};
use crate::aws::Aws;
use crate::backup::{After, Backup, Saved};
use crate::cli;
use crate::converge::graph::Id;
use crate::error::{Error, Exit, Result};
use crate::render;
use crate::render::restore::{Fate, Row};
use crate::resource::document::{self, KINDS};

pub(super) async fn run(world: &World, args: cli::Restore) -> Result<Exit> {
    let backup = Backup::read(&args.file)?;
    let ids: Vec<Id> = backup.documents.iter().map(id).collect::<Result<_>>()?;
    if !args.yes && !args.dry_run && !world.ui.can_ask() {
        return Err(
            Error::usage("ask before writing", "there is no terminal to answer on")
                .hint("--yes restores without asking; --dry-run only shows what would be restored"),
        );
    }
    let aws = world.aws().await?.at(&backup.region);
    let fates = world
        .before_writing(judge(world, &aws, &backup, &ids))
        .await?;
    let rows: Vec<Row<'_>> = backup
        .documents
        .iter()
        .zip(&fates)
        .map(|(saved, fate)| Row {
            kind: &saved.kind,
            of: &saved.of,
            fate: *fate,
        })
        .collect();
    let due = fates.iter().filter(|fate| **fate == Fate::PutBack).count();
    if args.dry_run {
        render::restore::rows(&world.ui, &backup, &rows);
        return Ok(verdict(&fates));
    }
    render::restore::announce(&world.ui, &backup, &rows, !args.yes);
    if due == 0 {
        world
            .ui
            .story("There is nothing to put back; nothing was written.");
        return Ok(verdict(&fates));
    }
    if !args.yes && !world.confirms("\nPut these back?").await? {
        return Err(Error::no(
            "restore",
            "the answer was not yes; nothing was written",
        ));
    }
    put_all_back(world, &aws, &backup, &ids, fates).await
}

/// One after the other, each looked at once more right before it is written.
async fn put_all_back(
    world: &World,
    aws: &Aws,
    backup: &Backup,
    ids: &[Id],
    mut fates: Vec<Fate>,
) -> Result<Exit> {
    let stop = world.interrupt.stop();
    world.interrupt.cleans_up("finishing the document at hand");
    let documents = backup.documents.iter().zip(ids).zip(&mut fates);
    let mut failed = None;
    for ((saved, id), planned) in documents.filter(|(_, fate)| **fate == Fate::PutBack) {
        if stop.asked() {
            return Err(Error::interrupted(format!("put back the {id}")));
        }
        let now = match document::read(aws, &backup.account, id).await {
            Ok(now) => now,
            Err(error) => {
                render::error::error(&world.ui, &error);
                failed.get_or_insert(error);
                continue;
            }
        };
        *planned = fate(id.kind, saved, now.as_ref());
        if *planned != Fate::PutBack {
            world
                .ui
                .alert(&format!("  ! left the {id}: somebody has just changed it"));
        } else if let Err(error) = put_back(world, aws, &backup.account, id, &saved.before).await {
            // The others do not depend on it.
            world
                .ui
                .alert(&format!("  ! left the {id}: {}", error.cause()));
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(verdict(&fates)), Err)
}

fn id(saved: &Saved) -> Result<Id> {
    let kind = KINDS.iter().find(|kind| **kind == saved.kind);
    kind.map(|kind| document::id(kind, &saved.of))
        .ok_or_else(|| {
            Error::usage(
                "read the backup",
                format!("this version knows no documents of kind {:?}", saved.kind),
            )
        })
}

async fn judge(world: &World, aws: &Aws, backup: &Backup, ids: &[Id]) -> Result<Vec<Fate>> {
    let caller = aws.caller().await?;
    world.refuse_other_account(&caller.account)?;
    if caller.account != backup.account {
        return Err(Error::no(
            "restore",
            format!(
                "the backup is of account {}, and the credentials are for {}",
                backup.account, caller.account
            ),
        )
        .hint(OTHER_ACCOUNT));
    }
    let reads = ids
        .iter()
        .map(|id| document::read(aws, &backup.account, id));
    let found = try_join_all(reads).await?;
    let documents = backup.documents.iter().zip(ids).zip(found);
    Ok(documents
        .map(|((saved, id), now)| fate(id.kind, saved, now.as_ref()))
        .collect())
}

/// A document is put back when it is as the run left it. Then nobody's change is lost.
fn fate(kind: &str, saved: &Saved, now: Option<&Value>) -> Fate {
    let Some(now) = now else { return Fate::Gone };
    if document::is_same(kind, now, &saved.before) {
        return Fate::AsBefore;
    }
    match &saved.after {
        None => Fate::Unfinished,
        Some(After::Is(after)) if document::is_same(kind, now, after) => Fate::PutBack,
        Some(_) => Fate::Changed,
    }
}

/// Writes, and reads until it shows.
async fn put_back(world: &World, aws: &Aws, account: &str, id: &Id, before: &Value) -> Result<()> {
    document::write(aws, account, id, before).await?;
    let mut pause = FIRST_PAUSE;
    let mut waited = std::time::Duration::ZERO;
    loop {
        let now = document::read(aws, account, id).await?;
        if now.is_some_and(|now| document::is_same(id.kind, &now, before)) {
            world.ui.story(&format!("  ~ put back the {id}"));
            return Ok(());
        }
        if waited >= SETTLES {
            return Err(Error::unanswered(
                format!("see the {id} as it was written"),
                "AWS still shows another",
            )
            .hint("run the same command again in a few minutes"));
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause *= 2;
    }
}

const FIRST_PAUSE: std::time::Duration = std::time::Duration::from_millis(250);
const SETTLES: std::time::Duration = std::time::Duration::from_secs(60);

/// What could not be put back, since somebody has changed it or it is gone, is a no.
fn verdict(fates: &[Fate]) -> Exit {
    let done = |fate: &Fate| matches!(fate, Fate::PutBack | Fate::AsBefore);
    if fates.iter().all(done) {
        Exit::Yes
    } else {
        Exit::No
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_the_run_left_is_put_back() {
        let one = |sid: &str| json!({ "Statement": [{ "Sid": sid }] });
        let left = || Some(After::Is(one("after")));
        let table = [
            (left(), Some("after"), Fate::PutBack),
            (left(), Some("before"), Fate::AsBefore),
            (left(), Some("another"), Fate::Changed),
            (left(), None, Fate::Gone),
            (Some(After::Gone), None, Fate::Gone),
            (Some(After::Gone), Some("another"), Fate::Changed),
            (None, Some("before"), Fate::AsBefore),
            (None, Some("after"), Fate::Unfinished),
        ];
        for (after, now, wanted) in table {
            let saved = Saved {
                kind: document::QUEUE_POLICY.to_owned(),
                of: "queue".to_owned(),
                before: one("before"),
                after,
            };
            let now = now.map(one);
            assert_eq!(fate(document::QUEUE_POLICY, &saved, now.as_ref()), wanted);
        }
    }
}
