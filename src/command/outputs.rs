//! Prints the three values, as AWS has them.

use super::World;
use crate::error::{Error, Exit, Result};
use crate::render;
use crate::resource::queue;

pub(super) async fn run(world: &World) -> Result<Exit> {
    let (aws, _, deployment) = world.deployed().await?;
    let queue_url = queue::url(&aws, &world.names().queue())
        .await?
        .ok_or_else(|| {
            Error::no(
                "show the outputs",
                format!("the queue {} is missing", world.names().queue()),
            )
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
