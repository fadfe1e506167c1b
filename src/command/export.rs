//! Prints what is set up as text for another tool.

use std::collections::BTreeMap;

use super::World;
use crate::aws::Aws;
use crate::cli;
use crate::converge::graph::Output;
use crate::converge::plan::{Plan, Step};
use crate::error::{Error, Exit, Result};
use crate::export::{Import, Item, Place, imports, text};
use crate::pipeline::kind;
use crate::pipeline::site::Site;
use crate::render;

pub(super) async fn run(world: &World, args: cli::Export) -> Result<Exit> {
    let cli::ExportForm::Terraform = args.form;
    let (aws, caller, deployment) = world.deployed().await?;
    let kind = kind(&deployment.option).ok_or_else(|| {
        let why = format!("this version knows no option {}", deployment.option);
        Error::no("export the deployment", why)
    })?;
    let site = Site::deployed(&caller, world.names(), &deployment);
    let pipeline = (kind.build)(&site);
    let plan = Plan::read(&pipeline.graph, &aws).await?;
    let names = world.names();
    let place = Place {
        option: kind.name(),
        account: &site.account,
        region: &site.region,
        function_role: names.function_role(),
        function_policy: names.function_policy(),
        dead_letter_queues: [names.dead_letter_queue(), names.dead_letter_fifo_queue()],
    };
    let items = plan
        .steps
        .iter()
        .filter_map(|step| item(world, &plan, step));
    let exported = imports(&place, items.collect());
    match world.global.output {
        cli::Format::Json => {
            let imports: Vec<&Import> = exported.iter().map(|(_, import)| import).collect();
            render::export::imports(&world.ui, &place, &imports);
        }
        cli::Format::Table | cli::Format::Csv => {
            world.ui.answer(&text(&place, &exported)?);
        }
    }
    Ok(Exit::Yes)
}

/// What is there and ours; the rest is told.
fn item<'p>(world: &World, plan: &'p Plan<'_, Aws>, step: &'p Step) -> Option<Item<'p>> {
    let Some(live) = &step.live else {
        world.ui.alert(&format!(
            "Left out: {} is missing; heeler-ec setup makes it again.",
            step.id
        ));
        return None;
    };
    if !live.is_ours() {
        world
            .ui
            .alert(&format!("Left out: {} was not made by heeler-ec.", step.id));
        return None;
    }
    let mut outputs: BTreeMap<&'static str, String> = live.outputs.clone();
    let arn = Output {
        of: step.id.clone(),
        name: "arn",
    };
    outputs.extend(plan.output(&arn).map(|arn| ("arn", arn)));
    Some(Item {
        id: &step.id,
        state: &live.state,
        outputs,
    })
}
