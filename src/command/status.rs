//! Shows the health of a deployment, hop by hop. It makes only reading calls, and receives from no queue.

use std::time::Duration;

use super::existing_deployment::require_deployment;
use super::prepare::validate_external_id;
use super::wait_schedule::{WaitPause, WaitSchedule};
use super::{CommandOutcome, Context};
use crate::aws::Aws;
use crate::check::lint::{LintWarning, lint_deployment};
use crate::cli;
use crate::cli::output::StatusFormat;
use crate::error::{Error, Exit, Result};
use crate::hop::PipelineHealth;
use crate::inventory::pipeline::{self, PipelineFacts};
use crate::option::{Target, existing_target};
use crate::render;
use crate::render::notices::status::StatusNotice;
use crate::render::status::StatusReport;

/// The pause between two readings of `--watch`.
const WATCH_INTERVAL: Duration = Duration::from_secs(15);

pub(super) async fn run(context: &Context, args: cli::StatusArgs) -> Result<CommandOutcome> {
    let format = args.format.output;
    if args.watch && format != StatusFormat::Table {
        return Err(Error::usage("--watch applies only to --output table"));
    }
    validate_external_id(args.external_id.as_ref())?;
    let (aws, caller, mut deployment) = require_deployment(context).await?;
    if let (Some(given), Some(trust)) = (args.external_id, &mut deployment.trust) {
        trust.external_id = given;
    }
    let target = existing_target(&deployment, &caller, context.names())?;
    let run = StatusRun {
        context,
        aws,
        target: &*target,
    };
    if args.watch {
        return Ok(CommandOutcome::exit(run.watch().await));
    }
    let (facts, health) = match args.wait {
        Some(limit) => run.wait(limit).await,
        None => run.read().await,
    };
    let warnings = run.warnings(&facts);
    let report = run.report(&facts, &health, &warnings);
    let document = match format {
        StatusFormat::Junit => render::status::junit_document(&context.ui, &report),
        StatusFormat::Table | StatusFormat::Json => {
            render::status::status_document(&context.ui, &report)
        }
    };
    Ok(CommandOutcome::result(document).with_exit(exit_code(&health)))
}

fn exit_code(health: &PipelineHealth) -> Exit {
    if health.is_healthy() {
        Exit::Success
    } else {
        Exit::Negative
    }
}

struct StatusRun<'a> {
    context: &'a Context,
    /// Clients for the region of the deployment.
    aws: Aws,
    target: &'a dyn Target,
}

impl StatusRun<'_> {
    fn report<'a>(
        &'a self,
        facts: &'a PipelineFacts,
        health: &'a PipelineHealth,
        warnings: &'a [LintWarning],
    ) -> StatusReport<'a> {
        StatusReport {
            option: self.target.option().name(),
            name_prefix: &self.context.global.name_prefix,
            facts,
            health,
            warnings,
        }
    }

    fn warnings(&self, facts: &PipelineFacts) -> Vec<LintWarning> {
        lint_deployment(facts, &self.target.trust().principals)
    }

    /// Shows the status repeatedly, until the reader closes the output or the user interrupts.
    async fn watch(&self) -> Exit {
        loop {
            let (facts, health) = self.read().await;
            let warnings = self.warnings(&facts);
            let report = self.report(&facts, &health, &warnings);
            if !render::status::redraw(&self.context.ui, &report) {
                return exit_code(&health);
            }
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
    }

    async fn read(&self) -> (PipelineFacts, PipelineHealth) {
        let request = self.target.pipeline_request();
        let facts = pipeline::read(&self.aws, request).await;
        let health = PipelineHealth::new(self.target.hops(&facts));
        (facts, health)
    }

    /// Reads repeatedly, with growing pauses, until no hop is broken or the time is up.
    async fn wait(&self, limit: Duration) -> (PipelineFacts, PipelineHealth) {
        let mut schedule = WaitSchedule::start(limit);
        loop {
            let (facts, health) = self.read().await;
            let Some(cause) = health.cause() else {
                return (facts, health);
            };
            let Some(WaitPause { pause, .. }) = schedule.next_pause() else {
                return (facts, health);
            };
            self.context.ui.notify(&StatusNotice::Waiting {
                hop: cause.id.as_str(),
            });
            tokio::time::sleep(pause).await;
        }
    }
}
