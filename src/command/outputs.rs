//! Prints the values that the operator enters in Heeler, or gives to another vendor, as AWS returns them.

use super::existing_deployment::require_deployment;
use super::{CommandOutcome, Context};
use crate::aws::queue_url;
use crate::cli;
use crate::error::{Error, Result};
use crate::option::{Target, existing_target};
use crate::render::outputs::{
    ObjectValues, OutputName, OutputValues, Selection, print_mask_command, selected_document,
};

pub(super) async fn run(context: &Context, args: cli::OutputsArgs) -> Result<CommandOutcome> {
    let (aws, caller, deployment) = require_deployment(context).await?;
    let target = existing_target(&deployment, &caller, context.names())?;
    let (arguments, name) = (target.option().arguments(), target.queue_name());
    let queue_url = queue_url::queue_url(&aws, &name).await?.ok_or_else(|| {
        Error::negative(format!("queue {name} does not exist")).with_hint(format!(
            "`heeler-ec setup {arguments}` completes the deployment"
        ))
    })?;
    let trust = deployment.trust.as_ref().ok_or_else(|| {
        Error::negative("the role's trust policy is not the one that setup wrote").with_hint(
            format!(
                "`heeler-ec plan` shows the difference; `heeler-ec setup {arguments}` corrects it"
            ),
        )
    })?;
    let values = OutputValues {
        queue_url: &queue_url,
        role_arn: &deployment.role_arn,
        external_id: trust.external_id.expose(),
        objects: vendor_objects(&*target),
    };
    if let Some(name) = args.name.filter(|name| !values.has(*name)) {
        return Err(unavailable_value_error(name, &values));
    }
    let selection = Selection {
        name: args.name,
        layout: args.format.output.into(),
    };
    print_mask_command(&context.ui, &values, selection);
    let document = selected_document(&context.ui, &values, selection);
    Ok(CommandOutcome::result(document))
}

/// Returns the values about objects that another vendor needs. `None` for Heeler.
pub(super) fn vendor_objects(target: &dyn Target) -> Option<ObjectValues<'_>> {
    let objects = target.announced_objects()?;
    Some(ObjectValues {
        region: &target.scope().region,
        bucket: objects.bucket,
        prefix: objects.prefix,
        suffix: objects.suffix,
    })
}

/// Creates the error for a value that only deployments for other vendors have.
fn unavailable_value_error(name: OutputName, values: &OutputValues<'_>) -> Error {
    let available: Vec<&str> = values.names().collect();
    Error::usage(format!(
        "the deployment has no value {}",
        name.name_for_vendor()
    ))
    .with_hint(format!("its values are {}", available.join(", ")))
}
