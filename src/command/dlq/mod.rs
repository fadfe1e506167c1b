//! Shows why messages are in the dead-letter queue. It reads each message once and returns it.

mod redrive;

use super::existing_deployment::require_deployment;
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::cli;
use crate::dead_letter::classify::{announced_log_objects, classify};
use crate::dead_letter::log_object::read_log_objects;
use crate::dead_letter::queue::ReadingEnd;
use crate::dead_letter::{DeadLetterMessage, DeadLetterQueue};
use crate::error::{Exit, Result};
use crate::hop::PipelineHealth;
use crate::inventory::pipeline::{self, PipelineFacts, QueueFacts};
use crate::option::existing_target;
use crate::render::dlq::{DlqLocation, DlqReport, dlq_document, reading_progress};
use crate::render::notices::dlq::DlqNotice;
use crate::render::notices::interrupt::CleanUp;
use crate::render::status_line::StatusLine;

pub(super) async fn run(context: &Context, args: cli::DlqArgs) -> Result<CommandOutcome> {
    if args.action.is_some() {
        return redrive::run(context, &args).await;
    }
    let line = StatusLine::start_delayed(context.ui, "Reading the deployment");
    let prepared = context
        .cancellable(Box::pin(PreparedDlq::read(context)))
        .await?;
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let (messages, end) = read_messages(context, &prepared, limit, &line).await?;
    let bodies = messages.iter().map(|message| message.body.as_str());
    let keys = announced_log_objects(&prepared.facts, bodies);
    let objects = read_log_objects(&prepared.aws, &prepared.facts, keys);
    let objects = context.cancellable(async { Ok(objects.await) }).await?;
    let hops = &prepared.health.hops;
    let messages = messages.into_iter().map(|message| {
        let reason = classify(&message.body, &prepared.facts, hops, &objects);
        (message, reason)
    });
    let report = DlqReport {
        location: prepared.location(context),
        approximate_messages: prepared.approximate_messages(),
        messages: messages.collect(),
        is_complete: end == ReadingEnd::Complete,
    };
    drop(line);
    let exit = if report.messages.is_empty() && report.approximate_messages == 0 {
        Exit::Success
    } else {
        Exit::Negative
    };
    Ok(CommandOutcome::result(dlq_document(&context.ui, &report)).with_exit(exit))
}

/// A deployment whose dead-letter queue is read or redriven.
struct PreparedDlq {
    /// Clients for the region of the deployment.
    aws: Aws,
    option: &'static str,
    facts: PipelineFacts,
    health: PipelineHealth,
}

impl PreparedDlq {
    /// Reads the deployment and evaluates its hops, as `status` does.
    async fn read(context: &Context) -> Result<Self> {
        let (aws, caller, deployment) = require_deployment(context).await?;
        let target = existing_target(&deployment, &caller, context.names())?;
        let facts = pipeline::read(&aws, target.pipeline_request()).await;
        let health = PipelineHealth::new(target.hops(&facts));
        Ok(Self {
            aws,
            option: target.option().name(),
            facts,
            health,
        })
    }

    fn location<'a>(&'a self, context: &'a Context) -> DlqLocation<'a> {
        DlqLocation {
            option: self.option,
            name_prefix: &context.global.name_prefix,
            facts: &self.facts,
        }
    }

    /// The number of messages in the dead-letter queue, as SQS counts it.
    fn approximate_messages(&self) -> u64 {
        let queue = self.facts.dead_letter_queue.present();
        queue.map_or(0, QueueFacts::messages)
    }
}

/// Reads the messages and returns them to the queue, also after an error and after Ctrl-C.
async fn read_messages(
    context: &Context,
    prepared: &PreparedDlq,
    limit: usize,
    line: &StatusLine,
) -> Result<(Vec<DeadLetterMessage>, ReadingEnd)> {
    let find = DeadLetterQueue::find(&prepared.aws, &prepared.facts);
    let mut queue = context.cancellable(find).await?;
    let total = prepared.approximate_messages();
    let interrupt = &context.interrupt;
    interrupt.set_clean_up(CleanUp::ReturnMessages);
    interrupt.set_leftovers(&DlqNotice::NotReturned);
    let on_progress = |read: usize| line.set_text(&reading_progress(read, total));
    let cancellation = interrupt.cancellation();
    let end = queue.read(limit, total, &cancellation, &on_progress).await;
    let returned = queue.return_messages().await;
    if returned.is_err() {
        interrupt.print_leftovers(context.ui);
    }
    interrupt.clear_clean_up();
    interrupt.clear_leftovers();
    let end = end?;
    returned?;
    if end == ReadingEnd::Interrupted {
        return Err(context.interrupted_error());
    }
    Ok((queue.into_messages(), end))
}
