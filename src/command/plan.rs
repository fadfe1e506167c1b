//! Shows what setup would do; and makes ready what setup then does.

use tokio::join;

use super::{Context, option_by_name};
use crate::aws::Aws;
use crate::aws::clients::Clients;
use crate::check;
use crate::cli;
use crate::cli::value_parsers;
use crate::deployment::Deployment;
use crate::deployment::scope::DeploymentScope;
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::InventoryRequest;
use crate::option::{self, DeliveryOption, Pipeline, Relocation, Target};
use crate::reconcile::plan::Plan;
use crate::render;
use crate::render::plan::PlanLocation;
use crate::resource::role::{ExternalId, HeelerTrust, parse_trust};

pub(super) async fn run(world: &Context, args: cli::PlanArgs) -> Result<Exit> {
    validate_trust(&args.trust)?;
    let Some(name) = &args.option else {
        return drift(world, &args).await;
    };
    let kind = option_by_name(name)?;
    let aws = world.connect().await?;
    plan_option(world, &aws, kind, &args).await
}

/// What a setup with these arguments would do.
async fn plan_option(
    world: &Context,
    aws: &Aws,
    kind: &'static dyn DeliveryOption,
    args: &cli::PlanArgs,
) -> Result<Exit> {
    let hints = InventoryRequest {
        accepted_checks: args.accept.accepted.clone(),
        adopt: args.adoption.adopt,
        ..world.hints(&args.discovery, &args.trust.heeler_role_arn)
    };
    let prepared = prepare(world, aws, kind, hints, &args.trust, true).await?;
    let plan = prepared.plan(args.adoption.adopt).await?;
    print_plan(world, args, &prepared.location(), &plan)
}

/// What differs from what was set up, wherever the trail leads today.
async fn drift(world: &Context, args: &cli::PlanArgs) -> Result<Exit> {
    if args.discovery != cli::DiscoveryArgs::default() || !args.accept.accepted.is_empty() {
        return Err(Error::usage(
            "--accept and the options that select the trail, bucket, key, topic or log group apply only with --option",
        )
        .with_hint("add --option to preview a setup, or leave these options out to detect drift"));
    }
    let (aws, caller, deployment) = world.require_deployment().await?;
    let option = option::of_deployment(&deployment)?;
    let target = option.deployed(
        &deployment,
        DeploymentScope::new(&caller, &deployment.region, world.names()),
        trust_from_deployment(&args.trust, &deployment),
    );
    if !target.is_complete() {
        return plan_option(world, &aws, option, args).await;
    }
    let pipeline = target.build();
    let plan = read_plan(&pipeline, &aws, args.adoption.adopt).await?;
    let place = location(&*target);
    let shown = print_plan(world, args, &place, &plan)?;
    if plan.is_empty() {
        world.ui.status("Nothing differs from what was set up.");
    } else {
        let adopt = if args.adoption.adopt { " --adopt" } else { "" };
        let again = world.command_line(&format!("setup --option {}{adopt}", option.name()));
        world.ui.status(
            "This differs from what was set up. As far as preflight passes, this puts it right, after a question:");
        world.ui.status_unwrapped(&format!("  {again}"));
    }
    Ok(shown)
}

/// Whom the role trusts, as its policy says, unless the operator says otherwise.
fn trust_from_deployment(given: &cli::TrustArgs, deployment: &Deployment) -> HeelerTrust {
    let mut trust = deployment.trust.clone().unwrap_or_else(HeelerTrust::empty);
    if !given.heeler_role_arn.is_empty() {
        trust.principals.clone_from(&given.heeler_role_arn);
        trust.principals.sort();
        trust.principals.dedup();
    }
    if let Some(id) = &given.external_id {
        trust.external_id = id.clone();
    }
    trust
}

/// The plan as the answer, and what it says to a script.
fn print_plan(
    world: &Context,
    args: &cli::PlanArgs,
    place: &PlanLocation<'_>,
    plan: &Plan<'_, Aws>,
) -> Result<Exit> {
    render::plan::print_plan(&world.ui, place, &plan.steps);
    match plan.first_unreadable() {
        Some(refusal) => Err(refusal.clone()),
        None if args.check && !plan.is_empty() => Ok(Exit::Negative),
        None => Ok(Exit::Success),
    }
}

/// The plan, with what bears nobody's mark taken over or in the way.
async fn read_plan<'p>(pipeline: &'p Pipeline, aws: &Aws, adopt: bool) -> Result<Plan<'p, Aws>> {
    let clients = Clients::new(aws.clone(), &pipeline.graph.home().account);
    let plan = Plan::read(&pipeline.graph, &clients).await?;
    Ok(if adopt { plan.with_adoption() } else { plan })
}

/// What a plan is read and obeyed with.
pub(super) struct Prepared {
    /// In the region of the bucket.
    pub aws: Aws,
    pub target: Box<dyn Target>,
    pub pipeline: Pipeline,
}

impl Prepared {
    pub async fn plan(&self, adopt: bool) -> Result<Plan<'_, Aws>> {
        read_plan(&self.pipeline, &self.aws, adopt).await
    }

    pub fn location(&self) -> PlanLocation<'_> {
        location(&*self.target)
    }
}

fn location(target: &dyn Target) -> PlanLocation<'_> {
    let scope = target.scope();
    PlanLocation {
        option: target.option().name(),
        account: &scope.account,
        region: &scope.region,
    }
}

/// Before any call.
pub(super) fn validate_trust(trust: &cli::TrustArgs) -> Result<()> {
    if let Some(id) = &trust.external_id {
        value_parsers::external_id(id.expose())
            .map_err(|why| Error::usage("--external-id is invalid").with_reason(why))?;
    }
    Ok(())
}

/// Checks, and describes the pipeline for what the checks saw.
pub(super) async fn prepare(
    world: &Context,
    aws: &Aws,
    kind: &'static dyn DeliveryOption,
    hints: InventoryRequest,
    trust: &cli::TrustArgs,
    only_to_show: bool,
) -> Result<Prepared> {
    let (options, adopt) = ([kind.profile()], hints.adopt);
    let [profile] = &options;
    let (facts, role) = join!(
        world.collect_inventory(aws, hints, &options),
        world.find_role(aws)
    );
    let deployment = role
        .as_ref()
        .map(|role| role.as_ref().and_then(Deployment::from_role));
    let survey = check::snapshot_preferring(
        &facts?,
        profile,
        |trail| matches!(&deployment, Ok(Some(found)) if kind.receives_from(found, trail)),
    );
    let report = check::run(&survey, profile.checks, false);
    if !report.is_ready() {
        render::report::blocking_results(&world.ui, &report);
        return Err(Error::negative(format!(
            "the prerequisites of option {} are not met; {}",
            kind.name(),
            world.unchanged_notice()
        ))
        .with_hint(
            Hint::from("to show all checks: ")
                .and_command(world.command_line(&format!("preflight --option {}", kind.name()))),
        ));
    }
    render::report::summary(&world.ui, &report);
    let (deployment, role) = (deployment.map_err(Clone::clone)?, role.as_ref().ok());
    // A role that is adopted goes on to trust whom it trusts.
    let adopted = role
        .and_then(Option::as_ref)
        .filter(|_| adopt)
        .and_then(parse_trust);
    let kept = match &deployment {
        Some(deployment) => deployment.trust.clone(),
        None => adopted,
    };
    warn_external_id_kept(world, trust, kept.as_ref());
    let trust = resolve_trust(trust, kept.as_ref(), deployment.is_some(), only_to_show)?;
    let target = kind.prepare(&survey, trust, deployment.as_ref())?;
    if let Some(deployment) = &deployment {
        reject_relocation(world, deployment, &*target)?;
    }
    let pipeline = target.build();
    Ok(Prepared {
        aws: aws.in_region(&target.scope().region),
        target,
        pipeline,
    })
}

/// One is made up for the first setup only: a script that runs again must not lock Heeler out.
fn warn_external_id_kept(world: &Context, given: &cli::TrustArgs, kept: Option<&HeelerTrust>) {
    if given.generate_external_id && kept.is_some() {
        world.ui.status(
            "The role has an external id and keeps it; --generate-external-id makes none up. --external-id changes it.");
    }
}

/// What was given, else what the existing role has.
fn resolve_trust(
    given: &cli::TrustArgs,
    existing: Option<&HeelerTrust>,
    is_set_up: bool,
    only_to_show: bool,
) -> Result<HeelerTrust> {
    let missing = if is_set_up {
        "the role's trust policy is not the one that setup wrote"
    } else {
        "this is the first setup"
    };
    let mut principals = given.heeler_role_arn.clone();
    principals.sort();
    principals.dedup();
    if principals.is_empty() {
        principals = existing.map(|trust| trust.principals.clone()).ok_or_else(|| {
            Error::usage(format!("--heeler-role-arn is required: {missing}"))
                .with_hint("Heeler shows its role ARN in the Event Collection Settings of the organization")
        })?;
        reject_deleted_principals(&principals)?;
    }
    let external_id = match (&given.external_id, existing) {
        (Some(id), _) => id.clone(),
        (None, Some(trust)) => trust.external_id.clone(),
        // A plan shows the id masked anyway.
        (None, None) if given.generate_external_id || only_to_show => {
            ExternalId::new(uuid::Uuid::new_v4().to_string())
        }
        (None, None) => {
            return Err(
                Error::usage(format!("an external ID is required: {missing}")).with_hint(
                    "use --generate-external-id to create one, or --external-id to supply your own",
                ),
            );
        }
    };
    Ok(HeelerTrust {
        principals,
        external_id,
    })
}

/// IAM shows an id in place of a role that was deleted. A role of the same name made later is not trusted by it.
fn reject_deleted_principals(principals: &[String]) -> Result<()> {
    match principals
        .iter()
        .find(|principal| !principal.starts_with("arn:"))
    {
        None => Ok(()),
        Some(deleted) => Err(Error::negative(format!(
            "the Heeler role that the role trusts was deleted (IAM shows {deleted})"
        ))
        .with_hint("set --heeler-role-arn to the ARN that Heeler shows now")),
    }
}

/// Rejects a setup that would move a deployment. Resources at the old place would be left without one.
fn reject_relocation(world: &Context, deployment: &Deployment, target: &dyn Target) -> Result<()> {
    let Some(relocation) = option::relocation(target, deployment) else {
        return Ok(());
    };
    let Relocation {
        aspect,
        deployed,
        requested,
    } = relocation;
    Err(Error::negative(format!(
        "the deployment uses {aspect} {deployed}, but this setup needs {requested}; {}",
        world.unchanged_notice()
    ))
    .with_hint(
        "a deployment cannot be moved: remove it with `heeler-ec destroy`, then run setup again",
    ))
}
