//! Says whether the organization trail is ready; mends what it may, when it is asked to.

use std::time::{Duration, Instant};

use super::World;
use crate::aws::Aws;
use crate::check::survey::{Facts, Hints, Survey};
use crate::check::{Report, repair, run as judge};
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::render;
use crate::route::Route;

pub(super) async fn run(world: &World, args: cli::Preflight) -> Result<Exit> {
    if args.fix && !world.ui.can_ask() {
        return Err(Error::usage(
            "ask before each change",
            "there is no terminal to answer on",
        )
        .hint("without --fix, preflight prints the commands that mend what it finds"));
    }
    let looking = Looking {
        world,
        aws: world.aws().await?,
        hints: Hints {
            deep: args.deep,
            accepted: args.accept.accepted,
            ..world.hints(&args.discovery, &[])
        },
        routes: match args.option.as_deref().and_then(Route::named) {
            Some(route) => vec![route],
            None => Route::ALL.to_vec(),
        },
        strict: args.strict,
    };
    let mut seen = looking.look().await?;
    if args.fix {
        seen = looking.mend(seen).await?;
    }
    if let Some(limit) = args.wait {
        seen = looking.wait(seen, limit).await?;
    }
    let reports = looking.judge(&seen);
    render::report::reports(&world.ui, &reports, &world.again("plan --option OPTION"));
    Ok(if reports.iter().any(Report::is_ready) {
        Exit::Yes
    } else {
        Exit::No
    })
}

struct Looking<'a> {
    world: &'a World,
    aws: Aws,
    hints: Hints,
    routes: Vec<Route>,
    strict: bool,
}

impl Looking<'_> {
    async fn look(&self) -> Result<Facts> {
        self.world
            .look(&self.aws, self.hints.clone(), &self.routes)
            .await
    }

    fn judge(&self, facts: &Facts) -> Vec<Report> {
        self.routes
            .iter()
            .map(|route| judge(&facts.view(*route), self.strict))
            .collect()
    }

    /// Offers every repair once, and looks again when something was done.
    async fn mend(&self, seen: Facts) -> Result<Facts> {
        let mut offered = Vec::new();
        for route in &self.routes {
            let survey = seen.view(*route);
            for (repair, observed) in repair::offered(&survey) {
                let known = offered.iter().any(|(known, _, other): &(_, _, Survey)| {
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
                .story("There is nothing that --fix may change.");
            return Ok(seen);
        }
        let mut done = false;
        for (repair, observed, survey) in offered {
            let question = repair::question(repair, &survey, &observed);
            if self
                .world
                .confirms_by(&question.text, &question.word)
                .await?
            {
                // One that is refused does not keep the others.
                match repair::repair(&self.aws, repair, &survey).await {
                    Ok(()) => {
                        self.world
                            .has_written("what preflight has mended stays".to_owned());
                        self.world.ui.story("Done.\n");
                    }
                    Err(error) => render::error::error(&self.world.ui, &error),
                }
                done = true;
            } else {
                self.world.ui.story("Left as it is.\n");
            }
        }
        if done { self.look().await } else { Ok(seen) }
    }

    /// Looks again, more and more seldom, until one option has nothing left that time may cure.
    async fn wait(&self, mut seen: Facts, limit: Duration) -> Result<Facts> {
        const SELDOM: Duration = Duration::from_secs(15);
        let end = Instant::now() + limit;
        let mut pause = Duration::from_secs(1);
        loop {
            let Some(waiting) = render::report::waiting(&self.judge(&seen)) else {
                return Ok(seen);
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(seen);
            }
            let pause_now = pause.min(left);
            self.world.ui.told(
                &format!(
                    "Waiting for {waiting}; looking again in {} ({} left).",
                    humantime::format_duration(whole(pause_now)),
                    humantime::format_duration(whole(left))
                ),
                2,
            );
            tokio::time::sleep(pause_now).await;
            pause = (pause * 2).min(SELDOM);
            seen = self.look().await?;
        }
    }
}

/// Nobody reads fractions of a second; nothing is no time to wait.
fn whole(time: Duration) -> Duration {
    Duration::from_secs(time.as_secs().max(1))
}
