//! Checks whether the organization trail is ready, and makes the fixes that the operator confirms.

use std::time::Duration;

use super::bucket_credentials::{reject_unusable, usable_options};
use super::prepare::{collect_inventory, inventory_request, option_request};
use super::prompt::{NOT_A_TERMINAL, confirm_fix};
use super::wait_schedule::{WaitPause, WaitSchedule};
use super::{CommandOutcome, Context, requested_option};
use crate::aws::Aws;
use crate::check::{self, OptionProfile, Report, fixes};
use crate::cli;
use crate::cli::output::ReportFormat;
use crate::error::{Error, Exit, Result};
use crate::inventory::{Inventory, InventoryRequest, Snapshot};
use crate::option::{self, DeliveryOption};
use crate::render;
use crate::render::notices::preflight::PreflightNotice;
use crate::render::report::{Advice, ReportDetail};

pub(super) async fn run(context: &Context, args: cli::PreflightArgs) -> Result<CommandOutcome> {
    if args.fix && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL)
            .with_hint("without --fix, preflight prints the commands that fix its findings"));
    }
    let option = requested_option(args.option.as_deref(), &args.direct)?;
    let request = match option {
        Some(option) => option_request(context, option, &args.discovery, &args.direct),
        None => inventory_request(context, &args.discovery),
    };
    if let Some(option) = option {
        option.validate_request(&request)?;
    }
    let options = match option {
        Some(option) => {
            reject_unusable(context, option)?;
            vec![option]
        }
        None => usable_options(context),
    };
    let run = PreflightRun {
        context,
        aws: context.connect().await?,
        request: InventoryRequest {
            deep: args.deep,
            accepted_checks: args.accept.accepted,
            ..request
        },
        options: options.iter().map(|option| option.profile()).collect(),
        strict: args.strict,
    };
    let mut inventory = run.collect().await?;
    if args.fix {
        inventory = run.apply_fixes(inventory).await?;
    }
    if let Some(limit) = args.wait {
        inventory = run.wait(inventory, limit).await?;
    }
    let reports = run.evaluate(&inventory);
    let trust_is_known = run
        .options
        .iter()
        .any(|option| check::snapshot(&inventory, option).has_managed_role());
    let advice = Advice {
        trust_is_known,
        reason: &|name| option::find(name).map_or("", DeliveryOption::recommendation),
    };
    let detail = match args.format.output {
        ReportFormat::Short => ReportDetail::Short,
        _ if args.detail => ReportDetail::Full,
        _ => ReportDetail::Groups,
    };
    let document = render::report::reports_document(&context.ui, &reports, &advice, detail);
    let exit = if reports.iter().any(Report::is_ready) {
        Exit::Success
    } else if reports.iter().any(|report| report.call_failure().is_some()) {
        Exit::Failed
    } else {
        Exit::Negative
    };
    Ok(CommandOutcome::result(document).with_exit(exit))
}

struct PreflightRun<'a> {
    context: &'a Context,
    aws: Aws,
    request: InventoryRequest,
    options: Vec<OptionProfile>,
    strict: bool,
}

impl PreflightRun<'_> {
    async fn collect(&self) -> Result<Inventory> {
        collect_inventory(&self.aws, self.request.clone(), &self.options).await
    }

    fn evaluate(&self, inventory: &Inventory) -> Vec<Report> {
        self.options
            .iter()
            .map(|option| {
                let snapshot = check::snapshot(inventory, option);
                check::run(&snapshot, option.checks, self.strict)
            })
            .collect()
    }

    /// Offers each fix once, and collects the inventory again if the operator confirmed any.
    async fn apply_fixes(&self, inventory: Inventory) -> Result<Inventory> {
        let mut offered = Vec::new();
        for option in &self.options {
            let snapshot = check::snapshot(&inventory, option);
            for (action, observed) in fixes::available(&snapshot, option.checks) {
                let is_known = offered.iter().any(|(known, _, other): &(_, _, Snapshot)| {
                    *known == action && other.trail() == snapshot.trail()
                });
                if !is_known {
                    offered.push((action, observed, snapshot.clone()));
                }
            }
        }
        if offered.is_empty() {
            self.context.ui.notify(&PreflightNotice::NothingToFix);
            return Ok(inventory);
        }
        let mut confirmed_any = false;
        for (action, observed, snapshot) in offered {
            let question = fixes::confirmation(action, &snapshot, &observed);
            if confirm_fix(self.context, &question).await? {
                // A refused fix does not prevent the others.
                match fixes::apply(&self.aws, action, &snapshot).await {
                    Ok(()) => {
                        self.context
                            .writes
                            .record("the fixes of preflight stay in place".to_owned());
                        self.context.ui.notify(&PreflightNotice::Fixed);
                    }
                    Err(error) => self.context.ui.error(&error),
                }
                confirmed_any = true;
            } else {
                self.context.ui.notify(&PreflightNotice::NotFixed);
            }
        }
        if confirmed_any {
            self.collect().await
        } else {
            Ok(inventory)
        }
    }

    /// Collects the inventory repeatedly, with growing pauses, until one option has no check left that may pass later.
    async fn wait(&self, mut inventory: Inventory, limit: Duration) -> Result<Inventory> {
        let mut schedule = WaitSchedule::start(limit);
        let mut reported = Vec::new();
        loop {
            let pending = render::report::pending_checks(&self.evaluate(&inventory));
            if pending.is_empty() {
                return Ok(inventory);
            }
            let Some(WaitPause { pause, remaining }) = schedule.next_pause() else {
                return Ok(inventory);
            };
            if pending != reported {
                reported.clone_from(&pending);
                let checks = pending.clone();
                self.context.ui.notify(&PreflightNotice::Pending { checks });
            }
            self.context.ui.notify(&PreflightNotice::Waiting {
                checks: pending,
                next_check: pause,
                remaining,
            });
            tokio::time::sleep(pause).await;
            inventory = self.collect().await?;
        }
    }
}
