//! Says whether the organization trail is ready.

use super::{World, option};
use crate::cli;
use crate::error::{Exit, Result};
use crate::render;

pub(super) async fn run(world: &World, args: cli::Preflight) -> Result<Exit> {
    let kind = option(&args.choice.option)?;
    let aws = world.aws().await?;
    let (_, report) = world
        .check(&aws, kind, world.hints(&args.discovery, &[]))
        .await?;
    render::report::report(&world.ui, kind.name(), &report);
    Ok(if report.is_ready() {
        Exit::Yes
    } else {
        Exit::No
    })
}
