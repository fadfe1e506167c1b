//! Moves the messages of the dead-letter queue back to Heeler's queue, and follows the move task of SQS.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::PreparedDlq;
use crate::aws::arn::is_fifo_queue;
use crate::cli;
use crate::command::prompt::{NOT_A_TERMINAL, confirm};
use crate::command::{CommandOutcome, Context};
use crate::dead_letter::DeadLetterQueue;
use crate::dead_letter::move_task::{
    DEDUPLICATION_INTERVAL, FollowedTask, MoveTask, MoveTaskStatus, cancel_task, list_tasks,
    start_task,
};
use crate::error::{Error, Exit, Result};
use crate::hop::{Hop, HopId, HopStatus};
use crate::inventory::pipeline::count_messages_of;
use crate::render::dlq::{RedriveReport, redrive_document, redrive_progress};
use crate::render::notices::dlq::DlqNotice;
use crate::render::notices::interrupt::CleanUp;
use crate::render::notices::question::{Cancelled, Question};
use crate::render::status_line::StatusLine;

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_PAUSE: Duration = Duration::from_secs(5);
/// The time within which SQS lists a new task.
const LISTING_DELAY: Duration = Duration::from_secs(60);
/// Without a terminal, the progress is reported this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);

pub(super) async fn run(context: &Context, args: &cli::DlqArgs) -> Result<CommandOutcome> {
    if !args.yes && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL)
            .with_hint("use --yes to move the messages without a prompt"));
    }
    let line = StatusLine::start_delayed(context.ui, "Reading the deployment");
    let read = Box::pin(async {
        let prepared = PreparedDlq::read(context).await?;
        DeadLetterQueue::find(&prepared.aws, &prepared.facts).await?;
        let tasks = list_tasks(&prepared.aws, &source_arn(&prepared)).await?;
        Ok((prepared, tasks))
    });
    let (prepared, tasks) = context.cancellable(read).await?;
    drop(line);
    let redrive = Redrive {
        context,
        args,
        source: source_arn(&prepared),
        prepared: &prepared,
    };
    if let Some(running) = tasks.iter().find(|task| !task.status.is_final()) {
        context.ui.notify(&DlqNotice::FollowsTask);
        return redrive.follow(FollowedTask::existing(running), None).await;
    }
    if prepared.approximate_messages() == 0 {
        let queue = prepared.facts.request.dead_letter_queue.clone();
        context.ui.notify(&DlqNotice::Empty { queue });
        return Ok(redrive.outcome(None, false, Some(0), Exit::Success));
    }
    redrive.reject_useless_move(&tasks)?;
    if redrive.is_fifo() {
        context.ui.notify(&DlqNotice::FifoRules);
    }
    let question = Question::RedriveMessages {
        count: prepared.approximate_messages(),
        queue: &prepared.facts.request.queue,
        account: &prepared.facts.request.account,
    };
    if !args.yes && !confirm(context, question).await? {
        let outcome = redrive.outcome(None, true, None, Exit::Negative);
        return Ok(outcome.and_notice(&Cancelled { has_changes: false }));
    }
    redrive.start_and_follow(&tasks).await
}

fn source_arn(prepared: &PreparedDlq) -> String {
    let facts = &prepared.facts;
    facts.regional_arn("sqs", &facts.request.dead_letter_queue)
}

/// A redrive of a dead-letter queue.
struct Redrive<'a> {
    context: &'a Context,
    args: &'a cli::DlqArgs,
    prepared: &'a PreparedDlq,
    /// ARN of the dead-letter queue.
    source: String,
}

impl Redrive<'_> {
    fn is_fifo(&self) -> bool {
        is_fifo_queue(&self.source)
    }

    /// Fails if the messages would come back, or if SQS would drop them. `--force` overrides both.
    fn reject_useless_move(&self, tasks: &[MoveTask]) -> Result<()> {
        if self.args.force {
            return Ok(());
        }
        if let Some(hop) = broken_hop(&self.prepared.health.hops) {
            return Err(Error::negative(format!(
                "the messages would come back, because hop {} is broken",
                hop.id.as_str()
            ))
            .with_reason(hop.observed.clone())
            .with_hint(
                "`heeler-ec status` shows the fix; to move the messages nevertheless, add --force",
            ));
        }
        if !self.is_fifo() {
            return Ok(());
        }
        let now = SystemTime::now();
        let last = tasks.iter().find(|task| task.moved > 0);
        let age = last.and_then(|task| now.duration_since(task.started_at?).ok());
        match age.and_then(|age| DEDUPLICATION_INTERVAL.checked_sub(age)) {
            None => Ok(()),
            Some(left) => Err(Error::negative(
                "messages were moved less than 5 minutes ago, and SQS would drop those that came back",
            )
            .with_reason(
                "a FIFO queue drops a message that it received within the last 5 minutes",
            )
            .with_hint(format!(
                "run `heeler-ec dlq redrive` again in {} s; to move the messages now, add --force",
                left.as_secs() + 1
            ))),
        }
    }

    /// Starts a task. If another run was faster, follows its task.
    async fn start_and_follow(&self, earlier: &[MoveTask]) -> Result<CommandOutcome> {
        let prepared = self.prepared;
        let interrupt = &self.context.interrupt;
        interrupt.set_clean_up(CleanUp::CancelMoveTask);
        let destination = prepared.facts.queue_arn();
        // Not cancelled: a task whose handle is not known could not be cancelled afterwards.
        let started = start_task(&prepared.aws, &self.source, &destination, self.args.rate).await;
        let handle = match started {
            Ok(handle) => handle,
            Err(refusal) => {
                interrupt.clear_clean_up();
                let tasks = list_tasks(&prepared.aws, &self.source).await;
                let tasks = tasks.unwrap_or_default();
                let Some(running) = tasks.iter().find(|task| !task.status.is_final()) else {
                    return Err(refusal);
                };
                self.context.ui.notify(&DlqNotice::FollowsTask);
                return self.follow(FollowedTask::existing(running), None).await;
            }
        };
        interrupt.set_leftovers(&self.task_goes_on(Some(&handle)));
        let outcome = self
            .follow(FollowedTask::after(earlier), Some(&handle))
            .await;
        interrupt.clear_clean_up();
        interrupt.clear_leftovers();
        outcome
    }

    fn task_goes_on(&self, handle: Option<&str>) -> DlqNotice {
        DlqNotice::TaskGoesOn {
            region: self.prepared.facts.request.region.clone(),
            handle: handle.map(str::to_owned),
        }
    }

    /// Follows a task until it ends. Ctrl-C cancels it if this run started it, which `handle` shows.
    async fn follow(
        &self,
        mut followed: FollowedTask,
        handle: Option<&str>,
    ) -> Result<CommandOutcome> {
        let line = StatusLine::start_delayed(self.context.ui, "Moving the messages");
        let cancellation = self.context.interrupt.cancellation();
        let began = Instant::now();
        let (mut pause, mut reported_at) = (FIRST_PAUSE, began);
        let mut last = MoveTask::default();
        loop {
            let listed = tokio::select! {
                listed = list_tasks(&self.prepared.aws, &self.source) => listed,
                () = cancellation.cancelled() => return Err(self.interrupt_task(handle, &last).await),
            };
            let listed = listed.inspect_err(|_| {
                self.context.ui.notify(&self.task_goes_on(handle));
            })?;
            match followed.find(&listed) {
                Some(task) if task.status.is_final() => {
                    drop(line);
                    return Ok(self.finish(task.clone()).await);
                }
                Some(task) => {
                    line.set_text(&redrive_progress(task));
                    if reported_at.elapsed() >= REPORT_INTERVAL && !line.is_visible() {
                        reported_at = Instant::now();
                        let text = redrive_progress(task);
                        self.context.ui.notify(&DlqNotice::Progress { text });
                    }
                    last = task.clone();
                }
                None if began.elapsed() >= LISTING_DELAY => {
                    self.context.ui.notify(&self.task_goes_on(handle));
                    let reason = "AWS accepted the call, but does not list the task";
                    return Err(Error::failed("follow the message move task", reason));
                }
                None => {}
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = cancellation.cancelled() => return Err(self.interrupt_task(handle, &last).await),
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// Returns the error of an interrupted run. Cancels the task that this run started.
    async fn interrupt_task(&self, handle: Option<&str>, last: &MoveTask) -> Error {
        let Some(handle) = handle else {
            self.context.ui.notify(&self.task_goes_on(None));
            return Error::interrupted("the move task of another run goes on");
        };
        match cancel_task(&self.prepared.aws, handle).await {
            Ok(moved) => Error::interrupted(format!(
                "the move task was cancelled; about {} messages were moved, and the others stay in the dead-letter queue",
                moved.max(last.moved)
            )),
            Err(error) => {
                // The task may have ended meanwhile.
                let listed = list_tasks(&self.prepared.aws, &self.source).await;
                let is_ended = listed.is_ok_and(|tasks| {
                    let mut running = tasks.iter().filter(|task| !task.status.is_final());
                    running.all(|task| task.handle.as_deref() != Some(handle))
                });
                if is_ended {
                    return Error::interrupted("the move task had ended before it was cancelled");
                }
                self.context.ui.error(&error);
                self.context.ui.notify(&self.task_goes_on(Some(handle)));
                Error::interrupted("the move task was not cancelled")
            }
        }
    }

    async fn finish(&self, task: MoveTask) -> CommandOutcome {
        let name = &self.prepared.facts.request.dead_letter_queue;
        let remaining = count_messages_of(&self.prepared.aws, name).await;
        let remaining = remaining.ok().flatten();
        let error = match task.status {
            MoveTaskStatus::Failed => {
                let reason = task.failure_reason.clone().unwrap_or_default();
                Some(Error::failed("move all messages", reason))
            }
            MoveTaskStatus::Cancelled => Some(Error::negative("the move task was cancelled")),
            _ => None,
        };
        let outcome = self.outcome(Some(task), false, remaining, Exit::Success);
        outcome.and_error(error)
    }

    fn outcome(
        &self,
        task: Option<MoveTask>,
        is_cancelled: bool,
        remaining: Option<u64>,
        exit: Exit,
    ) -> CommandOutcome {
        let report = RedriveReport {
            location: self.prepared.location(self.context),
            task,
            is_cancelled,
            remaining,
        };
        let document = redrive_document(&self.context.ui, &report);
        CommandOutcome::result(document).with_exit(exit)
    }
}

/// Returns the first broken hop. The messages in the dead-letter queue break its own hop, which does not count.
fn broken_hop(hops: &[Hop]) -> Option<&Hop> {
    hops.iter()
        .find(|hop| hop.status == HopStatus::Broken && hop.id != HopId::DeadLetterQueue)
}
