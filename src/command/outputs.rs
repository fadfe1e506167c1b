//! Prints the three values that the operator enters in Heeler, as AWS returns them.

use super::existing_deployment::require_deployment;
use super::{CommandOutcome, Context};
use crate::aws::queue_url;
use crate::error::{Error, Result};
use crate::option::existing_target;
use crate::render;

pub(super) async fn run(context: &Context) -> Result<CommandOutcome> {
    let (aws, caller, deployment) = require_deployment(context).await?;
    let target = existing_target(&deployment, &caller, context.names())?;
    let (option, name) = (target.option().name(), target.queue_name());
    let queue_url = queue_url::queue_url(&aws, &name).await?.ok_or_else(|| {
        Error::negative(format!("queue {name} does not exist")).with_hint(format!(
            "`heeler-ec setup --option {option}` completes the deployment"
        ))
    })?;
    let trust = deployment.trust.as_ref().ok_or_else(|| {
        Error::negative("the role's trust policy is not the one that setup wrote")
            .with_hint(format!(
                "`heeler-ec plan` shows the difference; `heeler-ec setup --option {option}` corrects it"
            ))
    })?;
    let values = render::outputs::OutputValues {
        queue_url: &queue_url,
        role_arn: &deployment.role_arn,
        external_id: trust.external_id.expose(),
    };
    let document = render::outputs::outputs_document(&context.ui, &values);
    Ok(CommandOutcome::result(document))
}
