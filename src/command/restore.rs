//! Restores the documents of a backup that have not changed since.

use futures_util::future::try_join_all;
use serde_json::Value;

use super::blocking::run_blocking;
use super::existing_deployment::check_account;
use super::next_steps::OTHER_ACCOUNT_HINT;
use super::prompt::{NOT_A_TERMINAL, confirm};
use super::{CommandOutcome, Context, with_status_line};
use crate::aws::Aws;
use crate::backup::{Backup, DocumentAfter, SavedDocument};
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::reconcile::diff::Change;
use crate::reconcile::graph::ResourceId;
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::question::{Cancelled, Question};
use crate::render::notices::restore::RestoreNotice;
use crate::render::restore::{RestoreAction, RestoreRow};
use crate::render::run_document::{initial_restore_statuses, restore_document};
use crate::render::step_status::StepStatus;
use crate::render::{self, OutputFormat};
use crate::shared_document;
use crate::shared_document::kind::DocumentKind;
use crate::shared_document::ownership::is_own_change;

pub(super) async fn run(context: &Context, args: cli::RestoreArgs) -> Result<CommandOutcome> {
    let file = args.file.clone();
    let backup = run_blocking(&context.interrupt, move || Backup::read(&file)).await?;
    let ids: Vec<ResourceId> = backup
        .documents
        .iter()
        .map(resource_id)
        .collect::<Result<_>>()?;
    if !args.yes && !args.dry_run && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL).with_hint(
            "use --yes to restore without a prompt, or --dry-run to show what would be restored",
        ));
    }
    let aws = context.connect().await?.in_region(&backup.region);
    let decisions = context.cancellable(Box::pin(decide_all(context, &aws, &backup, &ids)));
    let decisions = with_status_line(context.ui, "Comparing with the backup", decisions).await?;
    let actions: Vec<RestoreAction> = decisions.iter().map(|(action, _)| *action).collect();
    let rows: Vec<RestoreRow<'_>> = backup
        .documents
        .iter()
        .zip(decisions)
        .map(|(saved, (action, changes))| RestoreRow {
            kind: &saved.kind,
            resource: &saved.resource,
            action,
            changes,
        })
        .collect();
    let restore_count = actions
        .iter()
        .filter(|action| **action == RestoreAction::Restore)
        .count();
    let document = |statuses: &[StepStatus], is_cancelled| {
        restore_document(&context.ui, &backup, &rows, statuses, is_cancelled)
    };
    let mut statuses = initial_restore_statuses(&actions);
    if args.dry_run {
        let outcome = CommandOutcome::result(document(&statuses, false));
        return Ok(outcome.with_exit(exit_code(&actions)));
    }
    render::restore::announce_restore(&context.ui, &backup, &rows, !args.yes);
    let question = Question::RestoreDocuments {
        count: restore_count,
        account: &backup.account,
    };
    let mut is_cancelled = false;
    let result = if restore_count == 0 {
        context.ui.notify(&RestoreNotice::NothingToRestore);
        Ok(exit_code(&actions))
    } else if args.yes || confirm(context, question).await? {
        restore_all(
            context,
            &aws,
            &backup,
            &ids,
            exit_code(&actions),
            &mut statuses,
        )
        .await
    } else {
        is_cancelled = true;
        Ok(Exit::Negative)
    };
    // As text, the messages show what was restored.
    let document =
        (context.ui.format() == OutputFormat::Json).then(|| document(&statuses, is_cancelled));
    let mut outcome = result.map_or_else(CommandOutcome::from, CommandOutcome::exit);
    if is_cancelled {
        outcome = outcome.and_notice(&Cancelled { has_changes: false });
    }
    Ok(outcome.with_document(document))
}

/// Restores the pending documents one after the other. Each is read again directly before it is written.
async fn restore_all(
    context: &Context,
    aws: &Aws,
    backup: &Backup,
    ids: &[ResourceId],
    exit: Exit,
    statuses: &mut [StepStatus],
) -> Result<Exit> {
    let cancellation = context.interrupt.cancellation();
    context.interrupt.set_clean_up(CleanUp::FinishDocument);
    let documents = backup.documents.iter().zip(ids).zip(statuses.iter_mut());
    let mut failed = None;
    for ((saved, id), status) in
        documents.filter(|(_, status)| matches!(status, StepStatus::Pending))
    {
        if cancellation.is_cancelled() {
            return Err(Error::interrupted(format!("{id} was not restored")));
        }
        let action = match decide(aws, &backup.account, id, saved).await {
            Ok((action, _)) => action,
            Err(error) => {
                context.ui.error(&error);
                *status = StepStatus::Failed(error.clone());
                failed.get_or_insert(error);
                continue;
            }
        };
        if action != RestoreAction::Restore {
            *status = StepStatus::Skipped;
            context.ui.notify(&RestoreNotice::Changed(id.clone()));
        } else if let Err(error) =
            write_document(context, aws, &backup.account, id, &saved.before).await
        {
            // The others do not depend on it.
            context.ui.notify(&RestoreNotice::Failed {
                id: id.clone(),
                cause: error.cause(),
            });
            *status = StepStatus::Failed(error.clone());
            failed.get_or_insert(error);
        } else {
            *status = StepStatus::Done;
        }
    }
    let is_skipped = statuses
        .iter()
        .any(|status| matches!(status, StepStatus::Skipped));
    let exit = if is_skipped { Exit::Negative } else { exit };
    failed.map_or(Ok(exit), Err)
}

fn resource_id(saved: &SavedDocument) -> Result<ResourceId> {
    DocumentKind::parse(&saved.kind)
        .map(|kind| kind.id(&saved.resource))
        .ok_or_else(|| {
            Error::usage(format!(
                "the backup has a document of unknown kind {:?}",
                saved.kind
            ))
        })
}

/// Decides about each document. Returns the changes of those that are restored.
async fn decide_all(
    context: &Context,
    aws: &Aws,
    backup: &Backup,
    ids: &[ResourceId],
) -> Result<Vec<(RestoreAction, Vec<Change>)>> {
    let caller = aws.caller_identity().await?;
    check_account(context, &caller.account)?;
    if caller.account != backup.account {
        return Err(Error::negative(format!(
            "wrong account: the backup is from account {}, the credentials are for {}",
            backup.account, caller.account
        ))
        .with_hint(OTHER_ACCOUNT_HINT));
    }
    let documents = backup.documents.iter().zip(ids);
    let decisions = documents.map(|(saved, id)| decide(aws, &backup.account, id, saved));
    try_join_all(decisions).await
}

/// Reads a document and decides about it. The file is no evidence of ownership, so the tags decide.
async fn decide(
    aws: &Aws,
    account: &str,
    id: &ResourceId,
    saved: &SavedDocument,
) -> Result<(RestoreAction, Vec<Change>)> {
    let now = shared_document::read(aws, account, id).await?;
    let action = action_for(id.kind, saved, now.as_ref());
    let (RestoreAction::Restore, Some(now)) = (action, now) else {
        return Ok((action, Vec::new()));
    };
    if !is_own_change(aws, id, &now, &saved.before).await? {
        return Ok((RestoreAction::SkipNotManaged, Vec::new()));
    }
    let changes = shared_document::changes(id.kind, &now, &saved.before);
    Ok((action, changes))
}

/// Decides about a document. It is restored only if it is as the run left it, so that no later change is lost.
fn action_for(kind: &str, saved: &SavedDocument, now: Option<&Value>) -> RestoreAction {
    let Some(now) = now else {
        return RestoreAction::SkipMissing;
    };
    if shared_document::is_equivalent(kind, now, &saved.before) {
        return RestoreAction::Keep;
    }
    match &saved.after {
        None => RestoreAction::SkipIncomplete,
        Some(DocumentAfter::Present(after)) if shared_document::is_equivalent(kind, now, after) => {
            RestoreAction::Restore
        }
        Some(_) => RestoreAction::SkipChanged,
    }
}

/// Writes a document, and reads it until AWS returns the new content.
async fn write_document(
    context: &Context,
    aws: &Aws,
    account: &str,
    id: &ResourceId,
    before: &Value,
) -> Result<()> {
    shared_document::write(aws, account, id, before).await?;
    let mut pause = FIRST_POLL_DELAY;
    let mut waited = std::time::Duration::ZERO;
    loop {
        let now = shared_document::read(aws, account, id).await?;
        if now.is_some_and(|now| shared_document::is_equivalent(id.kind, &now, before)) {
            context.ui.notify(&RestoreNotice::Restored(id.clone()));
            return Ok(());
        }
        if waited >= CONSISTENCY_TIMEOUT {
            return Err(Error::failed(
                format!("verify {id}"),
                "AWS still returns the previous content",
            )
            .with_hint("run the same command again in a few minutes"));
        }
        tokio::time::sleep(pause).await;
        waited += pause;
        pause *= 2;
    }
}

const FIRST_POLL_DELAY: std::time::Duration = std::time::Duration::from_millis(250);
const CONSISTENCY_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);

/// Returns a negative exit code if a document was skipped.
fn exit_code(actions: &[RestoreAction]) -> Exit {
    let done =
        |action: &RestoreAction| matches!(action, RestoreAction::Restore | RestoreAction::Keep);
    if actions.iter().all(done) {
        Exit::Success
    } else {
        Exit::Negative
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_unchanged_documents_are_restored() {
        let one = |sid: &str| json!({ "Statement": [{ "Sid": sid }] });
        let after_run = || Some(DocumentAfter::Present(one("after")));
        let table = [
            (after_run(), Some("after"), RestoreAction::Restore),
            (after_run(), Some("before"), RestoreAction::Keep),
            (after_run(), Some("another"), RestoreAction::SkipChanged),
            (after_run(), None, RestoreAction::SkipMissing),
            (
                Some(DocumentAfter::Deleted),
                None,
                RestoreAction::SkipMissing,
            ),
            (
                Some(DocumentAfter::Deleted),
                Some("another"),
                RestoreAction::SkipChanged,
            ),
            (None, Some("before"), RestoreAction::Keep),
            (None, Some("after"), RestoreAction::SkipIncomplete),
        ];
        for (after, now, wanted) in table {
            let saved = SavedDocument {
                kind: DocumentKind::QueuePolicy.as_str().to_owned(),
                resource: "queue".to_owned(),
                before: one("before"),
                after,
            };
            let now = now.map(one);
            assert_eq!(
                action_for(DocumentKind::QueuePolicy.as_str(), &saved, now.as_ref()),
                wanted
            );
        }
    }
}
