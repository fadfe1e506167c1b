//! Says whether the organization trail is ready; mends what it may, when it is asked to.

use std::time::{Duration, Instant};

use super::{Context, NOT_A_TERMINAL};
use crate::aws::Aws;
use crate::check::{Report, fixes, run as judge};
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::inventory::trail_destination::TrailDestination;
use crate::inventory::{Inventory, InventoryRequest, Snapshot};
use crate::option::{self, OPTIONS};
use crate::render;

pub(super) async fn run(world: &Context, args: cli::PreflightArgs) -> Result<Exit> {
    if args.fix && !world.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL)
            .with_hint("without --fix, preflight prints the commands that fix its findings"));
    }
    let looking = PreflightRun {
        world,
        aws: world.connect().await?,
        hints: InventoryRequest {
            deep: args.deep,
            accepted_checks: args.accept.accepted,
            ..world.hints(&args.discovery, &[])
        },
        routes: match args.option.as_deref().and_then(option::find) {
            Some(option) => vec![option.destination()],
            None => OPTIONS.iter().map(|option| option.destination()).collect(),
        },
        strict: args.strict,
    };
    let mut seen = looking.collect().await?;
    if args.fix {
        seen = looking.apply_fixes(seen).await?;
    }
    if let Some(limit) = args.wait {
        seen = looking.wait(seen, limit).await?;
    }
    let reports = looking.evaluate(&seen);
    let knows_whom = looking
        .routes
        .iter()
        .any(|route| seen.snapshot(*route).has_managed_role());
    let next = world.command_line(if knows_whom {
        "plan --option OPTION"
    } else {
        "plan --option OPTION --heeler-role-arn ARN"
    });
    render::report::reports(&world.ui, &reports, &next);
    Ok(if reports.iter().any(Report::is_ready) {
        Exit::Success
    } else {
        Exit::Negative
    })
}

struct PreflightRun<'a> {
    world: &'a Context,
    aws: Aws,
    hints: InventoryRequest,
    routes: Vec<TrailDestination>,
    strict: bool,
}

impl PreflightRun<'_> {
    async fn collect(&self) -> Result<Inventory> {
        self.world
            .collect_inventory(&self.aws, self.hints.clone(), &self.routes)
            .await
    }

    fn evaluate(&self, facts: &Inventory) -> Vec<Report> {
        self.routes
            .iter()
            .map(|route| judge(&facts.snapshot(*route), self.strict))
            .collect()
    }

    /// Offers every repair once, and looks again when something was done.
    async fn apply_fixes(&self, seen: Inventory) -> Result<Inventory> {
        let mut offered = Vec::new();
        for route in &self.routes {
            let survey = seen.snapshot(*route);
            for (repair, observed) in fixes::available(&survey) {
                let known = offered.iter().any(|(known, _, other): &(_, _, Snapshot)| {
                    *known == repair && other.trail() == survey.trail()
                });
                if !known {
                    offered.push((repair, observed, survey.clone()));
                }
            }
        }
        if offered.is_empty() {
            self.world
                .ui
                .status("There is nothing that --fix may change.");
            return Ok(seen);
        }
        let mut done = false;
        for (repair, observed, survey) in offered {
            let question = fixes::confirmation(repair, &survey, &observed);
            if self
                .world
                .confirm_by_typing(&question.prompt, &question.expected_answer)
                .await?
            {
                // One that is refused does not keep the others.
                match fixes::apply(&self.aws, repair, &survey).await {
                    Ok(()) => {
                        self.world
                            .record_write("what preflight has mended stays".to_owned());
                        self.world.ui.status("Done.\n");
                    }
                    Err(error) => self.world.ui.error(&error),
                }
                done = true;
            } else {
                self.world.ui.status("Left as it is.\n");
            }
        }
        if done { self.collect().await } else { Ok(seen) }
    }

    /// Looks again, more and more seldom, until one option has nothing left that time may cure.
    async fn wait(&self, mut seen: Inventory, limit: Duration) -> Result<Inventory> {
        const MAX_PAUSE: Duration = Duration::from_secs(15);
        let end = Instant::now() + limit;
        let mut pause = Duration::from_secs(1);
        loop {
            let Some(waiting) = render::report::pending_checks(&self.evaluate(&seen)) else {
                return Ok(seen);
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(seen);
            }
            let pause_now = pause.min(left);
            self.world.ui.status(&format!(
                "Waiting for {waiting}; looking again in {} ({} left).",
                humantime::format_duration(whole_seconds(pause_now)),
                humantime::format_duration(whole_seconds(left))
            ));
            tokio::time::sleep(pause_now).await;
            pause = (pause * 2).min(MAX_PAUSE);
            seen = self.collect().await?;
        }
    }
}

/// Nobody reads fractions of a second; nothing is no time to wait.
fn whole_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().max(1))
}
