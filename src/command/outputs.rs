//! Prints the three values, as AWS has them.

use super::World;
use crate::error::{Error, Exit, Result};
use crate::pipeline::kind;
use crate::render;
use crate::resource::queue;
use crate::route::Route;

pub(super) async fn run(world: &World) -> Result<Exit> {
    let (aws, _, deployment) = world.deployed().await?;
    let name = match kind(&deployment.option).map(|kind| kind.route) {
        Some(Route::CloudWatch) => world.names().fifo_queue(),
        _ => world.names().queue(),
    };
    let queue_url = queue::url(&aws, &name).await?.ok_or_else(|| {
        Error::no("show the outputs", format!("the queue {name} is missing"))
            .hint("heeler-ec setup completes the deployment")
    })?;
    let trust = deployment.trust.as_ref().ok_or_else(|| {
        Error::no(
            "show the outputs",
            "the role's trust policy is not the one that setup wrote",
        )
        .hint("heeler-ec plan shows the difference, heeler-ec setup puts it back")
    })?;
    render::outputs::outputs(
        &world.ui,
        &render::outputs::Outputs {
            queue_url: &queue_url,
            role_arn: &deployment.role_arn,
            external_id: trust.external_id.expose(),
        },
    );
    Ok(Exit::Yes)
}
