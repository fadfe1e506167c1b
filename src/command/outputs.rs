//! Prints the three values that the operator enters in Heeler, as AWS returns them.

use super::existing_deployment::require_deployment;
use super::{CommandOutcome, Context};
use crate::aws::queue_url;
use crate::cli;
use crate::error::{Error, Result};
use crate::option::existing_target;
use crate::render::outputs::{OutputValues, Selection, print_mask_command, selected_document};

pub(super) async fn run(context: &Context, args: cli::OutputsArgs) -> Result<CommandOutcome> {
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
    let values = OutputValues {
        queue_url: &queue_url,
        role_arn: &deployment.role_arn,
        external_id: trust.external_id.expose(),
    };
    let selection = Selection {
        name: args.name,
        layout: args.format.output.into(),
    };
    print_mask_command(&context.ui, &values, selection);
    let document = selected_document(&context.ui, &values, selection);
    Ok(CommandOutcome::result(document))
}
