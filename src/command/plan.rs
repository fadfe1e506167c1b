//! Shows what setup would do; and makes ready what setup then does.

use tokio::join;

use super::{World, option};
use crate::aws::Aws;
use crate::check;
use crate::check::survey::Hints;
use crate::cli;
use crate::converge::plan::Plan;
use crate::error::{Error, Exit, Result};
use crate::pipeline::deployment::Deployment;
use crate::pipeline::site::Site;
use crate::pipeline::{Kind, Pipeline, input, kind};
use crate::render;
use crate::render::plan::Place;
use crate::resource::role::{ExternalId, Trust, trust_of};

pub(super) async fn run(world: &World, args: cli::Plan) -> Result<Exit> {
    input_is_valid(&args.trust)?;
    let Some(name) = &args.option else {
        return drift(world, &args).await;
    };
    let kind = option(name)?;
    let aws = world.aws().await?;
    intended(world, &aws, kind, &args).await
}

/// What a setup with these arguments would do.
async fn intended(world: &World, aws: &Aws, kind: &Kind, args: &cli::Plan) -> Result<Exit> {
    let hints = Hints {
        accepted: args.accept.accepted.clone(),
        adopt: args.adoption.adopt,
        ..world.hints(&args.discovery, &args.trust.heeler_role_arn)
    };
    let prepared = prepare(world, aws, kind, hints, &args.trust, true).await?;
    let plan = prepared.plan(args.adoption.adopt).await?;
    show(world, args, &prepared.place(kind), &plan)
}

/// What differs from what was set up, wherever the trail leads today.
async fn drift(world: &World, args: &cli::Plan) -> Result<Exit> {
    if args.discovery != cli::Discovery::default() || !args.accept.accepted.is_empty() {
        return Err(Error::usage(
            "compare with what was set up",
            "options that say where events are found, or what to accept, are about a setup",
        )
        .hint("give --option, too, for what setup would do"));
    }
    let (aws, caller, deployment) = world.deployed().await?;
    let kind = kind(&deployment.option).ok_or_else(|| {
        Error::no(
            "compare with what was set up",
            format!("option {} was set up by a newer version", deployment.option),
        )
    })?;
    if !deployment.is_whole {
        return intended(world, &aws, kind, args).await;
    }
    let site = Site {
        trust: as_found(&args.trust, &deployment),
        ..Site::deployed(&caller, world.names(), &deployment)
    };
    let pipeline = (kind.build)(&site);
    let plan = read(&pipeline, &aws, args.adoption.adopt).await?;
    let place = Place {
        option: kind.name(),
        account: &site.account,
        region: &site.region,
    };
    let shown = show(world, args, &place, &plan)?;
    if plan.is_empty() {
        world.ui.story("Nothing differs from what was set up.");
    } else {
        let adopt = if args.adoption.adopt { " --adopt" } else { "" };
        let again = world.again(&format!("setup --option {}{adopt}", kind.name()));
        world.ui.told(
            "This differs from what was set up. As far as preflight passes, this puts it right, after a question:",
            0,
        );
        world.ui.story_as_it_is(&format!("  {again}"));
    }
    Ok(shown)
}

/// Whom the role trusts, as its policy says, unless the operator says otherwise.
fn as_found(given: &cli::Trust, deployment: &Deployment) -> Trust {
    let mut trust = deployment.trust.clone().unwrap_or_else(Trust::nobody);
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
fn show(world: &World, args: &cli::Plan, place: &Place<'_>, plan: &Plan<'_, Aws>) -> Result<Exit> {
    render::plan::plan(&world.ui, place, &plan.steps);
    match plan.hole() {
        Some(refusal) => Err(refusal.clone()),
        None if args.check && !plan.is_empty() => Ok(Exit::No),
        None => Ok(Exit::Yes),
    }
}

/// The plan, with what bears nobody's mark taken over or in the way.
async fn read<'p>(pipeline: &'p Pipeline, aws: &Aws, adopt: bool) -> Result<Plan<'p, Aws>> {
    let plan = Plan::read(&pipeline.graph, aws).await?;
    Ok(if adopt { plan.adopting() } else { plan })
}

/// What a plan is read and obeyed with.
pub(super) struct Prepared {
    /// In the region of the bucket.
    pub aws: Aws,
    pub site: Site,
    pub pipeline: Pipeline,
}

impl Prepared {
    pub async fn plan(&self, adopt: bool) -> Result<Plan<'_, Aws>> {
        read(&self.pipeline, &self.aws, adopt).await
    }

    pub fn place<'a>(&'a self, kind: &'a Kind) -> Place<'a> {
        Place {
            option: kind.name(),
            account: &self.site.account,
            region: &self.site.region,
        }
    }
}

/// Before any call.
pub(super) fn input_is_valid(trust: &cli::Trust) -> Result<()> {
    if let Some(id) = &trust.external_id {
        input::external_id(id.expose()).map_err(|why| Error::usage("use --external-id", why))?;
    }
    Ok(())
}

/// Checks, and describes the pipeline for what the checks saw.
pub(super) async fn prepare(
    world: &World,
    aws: &Aws,
    kind: &Kind,
    hints: Hints,
    trust: &cli::Trust,
    only_to_show: bool,
) -> Result<Prepared> {
    let (routes, adopt) = ([kind.route], hints.adopt);
    let (facts, role) = join!(world.look(aws, hints, &routes), world.role(aws));
    let deployment = role
        .as_ref()
        .map(|role| role.as_ref().and_then(Deployment::read));
    let survey = facts?.view_preferring(
        kind.route,
        |trail| matches!(&deployment, Ok(Some(found)) if found.is_fed_by(trail)),
    );
    let report = check::run(&survey, false);
    if !report.is_ready() {
        render::report::obstacles(&world.ui, &report);
        return Err(Error::no(
            format!("set up option {}", kind.name()),
            format!("the checks above failed; {}", world.nothing_written()),
        )
        .hint(format!(
            "{} shows all of them",
            world.again(&format!("preflight --option {}", kind.name()))
        )));
    }
    render::report::summary(&world.ui, &report);
    let (deployment, role) = (deployment.map_err(Clone::clone)?, role.as_ref().ok());
    // A role that is adopted goes on to trust whom it trusts.
    let adopted = role
        .and_then(Option::as_ref)
        .filter(|_| adopt)
        .and_then(trust_of);
    let kept = match &deployment {
        Some(deployment) => deployment.trust.clone(),
        None => adopted,
    };
    tell_of_kept_id(world, trust, kept.as_ref());
    let trust = whom_to_trust(trust, kept.as_ref(), deployment.is_some(), only_to_show)?;
    let mut site = Site::surveyed(&survey, world.names(), trust)?;
    // What older objects are encrypted with stays granted, and is taken back by destroy.
    let former = deployment.iter().flat_map(|found| &found.bucket_keys);
    site.former_keys = former
        .filter(|key| !site.bucket_keys.contains(key))
        .cloned()
        .collect();
    refuse_move(world, deployment.as_ref(), &site, kind)?;
    let pipeline = (kind.build)(&site);
    Ok(Prepared {
        aws: aws.at(&site.region),
        site,
        pipeline,
    })
}

/// One is made up for the first setup only: a script that runs again must not lock Heeler out.
fn tell_of_kept_id(world: &World, given: &cli::Trust, kept: Option<&Trust>) {
    if given.generate_external_id && kept.is_some() {
        world.ui.told(
            "The role has an external id and keeps it; --generate-external-id makes none up. --external-id changes it.",
            0,
        );
    }
}

/// What was given, else what the existing role has.
fn whom_to_trust(
    given: &cli::Trust,
    existing: Option<&Trust>,
    is_set_up: bool,
    only_to_show: bool,
) -> Result<Trust> {
    let nothing_to_keep = if is_set_up {
        "the role's trust policy is not the one that setup wrote"
    } else {
        "this is the first setup"
    };
    let mut principals = given.heeler_role_arn.clone();
    principals.sort();
    principals.dedup();
    if principals.is_empty() {
        principals = existing.map(|trust| trust.principals.clone()).ok_or_else(|| {
            Error::usage("know whom to trust", format!("{nothing_to_keep}, and --heeler-role-arn is missing"))
                .hint("Heeler shows its role ARNs in the Event Collection Settings of the organization")
        })?;
        refuse_dead(&principals)?;
    }
    let external_id = match (&given.external_id, existing) {
        (Some(id), _) => id.clone(),
        (None, Some(trust)) => trust.external_id.clone(),
        // A plan shows the id masked anyway.
        (None, None) if given.generate_external_id || only_to_show => {
            ExternalId::new(uuid::Uuid::new_v4().to_string())
        }
        (None, None) => {
            return Err(Error::usage("know the external id", format!("{nothing_to_keep}, and none was given"))
                .hint("--generate-external-id makes one up and shows it at the end; --external-id takes yours"));
        }
    };
    Ok(Trust {
        principals,
        external_id,
    })
}

/// IAM shows an id in place of a role that was deleted. A role of the same name made later is not trusted by it.
fn refuse_dead(principals: &[String]) -> Result<()> {
    match principals
        .iter()
        .find(|principal| !principal.starts_with("arn:"))
    {
        None => Ok(()),
        Some(dead) => Err(Error::no(
            "keep whom the role trusts",
            format!("the Heeler role that it trusted was deleted (IAM shows {dead})"),
        )
        .hint("give --heeler-role-arn with the value that Heeler shows now")),
    }
}

/// A deployment is not moved: what it left at the old place would be nobody's.
fn refuse_move(
    world: &World,
    deployment: Option<&Deployment>,
    site: &Site,
    kind: &Kind,
) -> Result<()> {
    let Some(deployment) = deployment else {
        return Ok(());
    };
    let refuse = |what: &str, was: &str, is: &str| {
        Err(Error::no(
            format!("set up option {}", kind.name()),
            format!(
                "it was set up for {what} {was}, and the trail now wants {is}; {}",
                world.nothing_written()
            ),
        )
        .hint("heeler-ec destroy removes the old deployment; then run setup again"))
    };
    if deployment.option != kind.name() {
        return refuse("option", &deployment.option, kind.name());
    }
    if deployment.region != site.region {
        return refuse("region", &deployment.region, &site.region);
    }
    if let Some(group) = &site.log_group {
        // A tag cannot hold every name.
        return match &deployment.log_group {
            Some(was) if was != group => refuse("log group", was, group),
            _ => Ok(()),
        };
    }
    if deployment.bucket != site.bucket {
        return refuse("bucket", &deployment.bucket, &site.bucket);
    }
    let own = site.own_topic();
    let (was, is) = (
        deployment.topic.as_ref().unwrap_or(&own),
        site.topic.as_ref().unwrap_or(&own),
    );
    if was != is {
        return refuse("topic", was, is);
    }
    Ok(())
}
