//! Prepares a setup: collects facts once, runs the checks, and builds the target.

use std::collections::BTreeSet;

use tokio::join;

use super::context::Context;
use crate::aws::clients::Clients;
use crate::aws::{Aws, arn, lookup};
use crate::check::{self, OptionProfile, Report};
use crate::cli::{self, value_parsers};
use crate::deployment::Deployment;
use crate::deployment::access::ExternalIdOrigin;
use crate::deployment::tags::REGION;
use crate::error::{Error, Exit, Result};
use crate::hint::Hint;
use crate::inventory::bucket_events::{BucketEvents, HEELER};
use crate::inventory::{Inventory, InventoryRequest, Snapshot, is_missing_credentials};
use crate::naming::ResourceNames;
use crate::option::request::{SetupRequest, TrustRequest};
use crate::option::{self, DeliveryOption, Pipeline, Relocation, Target};
use crate::reconcile::plan::Plan;
use crate::render;
use crate::render::notices::setup::SetupNotice;
use crate::render::plan::PlanLocation;
use crate::secret::ExternalId;
use crate::shared_document::role_trust::{HeelerTrust, IamRole, parse_trust};

/// The facts that a setup is prepared from.
pub(super) struct SetupFacts {
    pub snapshot: Snapshot,
    role: Result<Option<IamRole>>,
}

/// A setup whose checks have passed.
pub(super) struct Prepared {
    /// Clients for the region of the target.
    pub aws: Aws,
    pub target: Box<dyn Target>,
    pub pipeline: Pipeline,
    /// The origin of the external ID in the target.
    pub external_id: ExternalIdOrigin,
    adopt: bool,
}

impl Prepared {
    /// Compares the pipeline with the resources in AWS.
    ///
    /// # Errors
    /// Also if AWS would reject a planned write because of the resources of others.
    pub async fn plan(&self) -> Result<Plan<'_, Aws>> {
        let plan = read_plan(&self.pipeline, &self.aws, self.adopt).await?;
        plan.check_writes().await?;
        Ok(plan)
    }

    pub fn location(&self) -> PlanLocation<'_> {
        location(&*self.target)
    }
}

/// Compares a pipeline with the resources in AWS. With `adopt`, untagged resources are adopted and no conflict.
pub(super) async fn read_plan<'p>(
    pipeline: &'p Pipeline,
    aws: &Aws,
    adopt: bool,
) -> Result<Plan<'p, Aws>> {
    let clients = Clients::new(aws.clone(), &pipeline.graph.home().account);
    let plan = Plan::read(&pipeline.graph, &clients).await?;
    Ok(if adopt { plan.with_adoption() } else { plan })
}

pub(super) fn location(target: &dyn Target) -> PlanLocation<'_> {
    let scope = target.scope();
    PlanLocation {
        option: target.option().name(),
        account: &scope.account,
        region: &scope.region,
    }
}

/// Returns the inventory request for the discovery arguments.
pub(super) fn inventory_request(
    context: &Context,
    discovery: &cli::DiscoveryArgs,
) -> InventoryRequest {
    let global = &context.global;
    InventoryRequest {
        expected_account: global.account_id.clone(),
        expected_region: global.region.clone(),
        trail: discovery.trail.clone(),
        bucket: discovery.bucket.clone(),
        bucket_key: discovery.bucket_kms_key.clone(),
        topic: discovery.sns_topic.clone(),
        heeler_roles: Vec::new(),
        log_group: discovery.log_group.clone(),
        bucket_events: None,
        names: context.names(),
        permissions_boundary: None,
        extra_tags: Vec::new(),
        accepted_checks: Vec::new(),
        adopt: false,
        deep: false,
    }
}

/// Returns the inventory request of an option for the discovery arguments.
pub(super) fn option_request(
    context: &Context,
    option: &dyn DeliveryOption,
    discovery: &cli::DiscoveryArgs,
    direct: &cli::DirectArgs,
) -> InventoryRequest {
    let request = inventory_request(context, discovery);
    if !option.takes_bucket_events() {
        return request;
    }
    InventoryRequest {
        trail: None,
        topic: None,
        log_group: None,
        bucket_events: Some(BucketEvents {
            prefix: direct.object_prefix.clone(),
            suffix: direct.object_suffix.clone(),
            has_queue_key: direct.queue_key,
        }),
        ..request
    }
}

/// Returns the setup request for the arguments of `plan` and `setup`.
#[expect(
    clippy::too_many_arguments,
    reason = "one parameter for each group of options that plan and setup share"
)]
pub(super) fn setup_request(
    context: &Context,
    option: &'static dyn DeliveryOption,
    discovery: &cli::DiscoveryArgs,
    direct: &cli::DirectArgs,
    accept: &cli::AcceptArgs,
    trust: &cli::TrustArgs,
    adoption: &cli::AdoptionArgs,
    role: &cli::RoleArgs,
    tag: &cli::TagArgs,
) -> SetupRequest {
    SetupRequest {
        option,
        inventory: InventoryRequest {
            accepted_checks: accept.accepted.clone(),
            adopt: adoption.adopt,
            heeler_roles: trust.heeler_role_arn.clone(),
            names: role_names(context.names(), role),
            permissions_boundary: role.permissions_boundary.clone(),
            extra_tags: tag.tags.clone(),
            ..option_request(context, option, discovery, direct)
        },
        trust: TrustRequest {
            heeler_roles: trust.heeler_role_arn.clone(),
            external_id: trust.external_id.clone(),
            generate_external_id: trust.generate_external_id,
        },
        role_path: role.role_path.clone(),
        dry_run: false,
    }
}

/// Returns the names with the requested IAM path of the roles.
pub(super) fn role_names(names: ResourceNames, role: &cli::RoleArgs) -> ResourceNames {
    match &role.role_path {
        Some(path) => names.with_role_path(path),
        None => names,
    }
}

/// Fails if the role exists in another IAM path than the requested one: IAM cannot move a role.
pub(super) fn check_role_path(
    context: &Context,
    requested: Option<&str>,
    role: &str,
) -> Result<()> {
    let path = arn::role_path(role);
    if requested.is_none_or(|requested| requested == path) {
        return Ok(());
    }
    Err(Error::negative(format!(
        "--role-path differs from the path of the existing role, {path}; {}",
        context.writes.unchanged_notice()
    ))
    .with_hint(
        "IAM cannot move a role: leave --role-path out, or remove the deployment with `heeler-ec destroy` first",
    ))
}

/// Most further tags: IAM allows 50 on a role, and heeler-ec writes up to 20 itself.
const MAX_EXTRA_TAGS: usize = 30;

/// Checks the tags together. IAM treats keys that differ only in case as the same key.
pub(super) fn validate_tags(args: &cli::TagArgs) -> Result<()> {
    let keys: BTreeSet<String> = args
        .tags
        .iter()
        .map(|(key, _)| key.to_lowercase())
        .collect();
    if keys.len() < args.tags.len() {
        return Err(Error::usage("--tag names the same key twice")
            .with_reason("IAM does not distinguish upper and lower case in tag keys"));
    }
    if args.tags.len() > MAX_EXTRA_TAGS {
        return Err(Error::usage(format!(
            "--tag is allowed at most {MAX_EXTRA_TAGS} times"
        )));
    }
    Ok(())
}

/// Checks arguments before any call is made. Clap does not validate the external ID, because its error would print it.
pub(super) fn validate_trust(trust: &cli::TrustArgs) -> Result<()> {
    validate_external_id(trust.external_id.as_ref())
}

/// Checks an external ID from the command line.
pub(super) fn validate_external_id(given: Option<&ExternalId>) -> Result<()> {
    if let Some(id) = given {
        value_parsers::external_id(id.expose())
            .map_err(|why| Error::usage("--external-id is invalid").with_reason(why))?;
    }
    Ok(())
}

/// Collects all facts that the checks need.
///
/// # Errors
/// If there are no valid credentials.
pub(super) async fn collect_inventory(
    aws: &Aws,
    request: InventoryRequest,
    options: &[OptionProfile],
) -> Result<Inventory> {
    let inventory = check::collect(aws, request, options).await;
    match inventory.caller() {
        Err(error) if is_missing_credentials(error) => Err(error.clone()),
        _ => Ok(inventory),
    }
}

/// Collects the facts for a setup.
///
/// # Errors
/// A usage error, before any check, if the first setup lacks an argument. An error if there are no valid credentials.
pub(super) async fn collect_setup_facts(aws: &Aws, request: &SetupRequest) -> Result<SetupFacts> {
    let option = request.option;
    let profiles = [option.profile()];
    let [profile] = &profiles;
    let role_name = request.inventory.names.role();
    let mut inventory = request.inventory.clone();
    // Such a request needs the settings of an existing deployment.
    let needs_role = option.takes_bucket_events() || !is_trust_complete(request);
    let (inventory, role) = if needs_role {
        // One call decides if this is a first setup, which needs more arguments. The checks would make fifty.
        let role = lookup::role(aws, &role_name).await;
        match &role {
            Ok(role) => {
                let (deployment, existing) = existing_trust(role.as_ref(), inventory.adopt);
                match resolve_trust(request, existing.as_ref(), deployment.is_some()) {
                    Err(error) if error.exit() == Exit::Usage => return Err(error),
                    _ => {}
                }
                let deployed = deployment.filter(|found| found.option == option.name());
                if let Some(deployed) = &deployed {
                    option.keep_settings(deployed, &mut inventory)?;
                }
            }
            // Without a response, the checks would wait for as long again.
            Err(error) if error.is_unreachable() => return Err(error.clone()),
            Err(_) => {}
        }
        option.validate_request(&inventory)?;
        let inventory = Box::pin(collect_inventory(aws, inventory, &profiles));
        (inventory.await, role)
    } else {
        let inventory = Box::pin(collect_inventory(aws, inventory, &profiles));
        join!(inventory, lookup::role(aws, &role_name))
    };
    let deployment = role.as_ref().ok().and_then(Option::as_ref);
    let deployment = deployment.and_then(option::deployment_of);
    let mut snapshot = check::snapshot_preferring(&inventory?, profile, |trail| {
        deployment
            .as_ref()
            .is_some_and(|deployment| option.receives_from(deployment, trail))
    });
    if let Ok(Some(role)) = &role {
        // Every later use of the role's ARN has the path that the role has.
        let names = snapshot.request.names.clone();
        snapshot.request.names = names.with_role_path(role.path());
    }
    Ok(SetupFacts { snapshot, role })
}

/// Runs the checks and builds the target of a setup.
///
/// # Errors
/// A negative result if a check failed, or if the setup would move the deployment; a usage error if the first setup
/// lacks an argument.
pub(super) fn prepare(
    context: &Context,
    aws: &Aws,
    request: &SetupRequest,
    facts: SetupFacts,
) -> Result<Prepared> {
    let SetupFacts { snapshot, role } = facts;
    run_checks(context, request, &snapshot)?;
    let role = role?;
    if let Some(role) = &role {
        check_role_path(context, request.role_path.as_deref(), role.arn())?;
    }
    let adopt = request.inventory.adopt;
    let (deployment, existing) = existing_trust(role.as_ref(), adopt);
    if request.trust.generate_external_id && existing.is_some() {
        context.ui.notify(&SetupNotice::ExternalIdKept);
    }
    let trust = resolve_trust(request, existing.as_ref(), deployment.is_some())?;
    let target = request
        .option
        .prepare(&snapshot, trust, deployment.as_ref())?;
    if let Some(deployment) = &deployment {
        reject_relocation(context, deployment, &*target)?;
    }
    Ok(Prepared {
        aws: aws.in_region(&target.scope().region),
        pipeline: target.build(),
        external_id: external_id_origin(&request.trust, existing.is_some()),
        target,
        adopt,
    })
}

fn external_id_origin(requested: &TrustRequest, exists: bool) -> ExternalIdOrigin {
    if requested.external_id.is_some() {
        ExternalIdOrigin::Given
    } else if exists {
        ExternalIdOrigin::Kept
    } else {
        ExternalIdOrigin::Generated
    }
}

fn run_checks(context: &Context, request: &SetupRequest, snapshot: &Snapshot) -> Result<()> {
    let report = check::run(snapshot, request.option.profile().checks, false);
    if report.is_ready() {
        render::report::summary(&context.ui, &report);
        return Ok(());
    }
    render::report::blocking_results(&context.ui, &report);
    let option = request.option;
    let subject = format!("the prerequisites of option {} are not met", option.name());
    let preflight = format!("heeler-ec preflight {}", option.arguments());
    Err(not_ready_error(context, &report, &subject, &preflight))
}

/// Returns the error of a setup that a check prevents: a negative result, or the failure of a call. `preflight` is the
/// command that shows all checks.
pub(super) fn not_ready_error(
    context: &Context,
    report: &Report,
    subject: &str,
    preflight: &str,
) -> Error {
    if let Some(error) = report.call_failure() {
        let operation = format!("check the prerequisites of option {}", report.option);
        let failed = Error::failed(operation, error.to_string());
        return match error.hint() {
            Some(hint) => failed.with_hint(hint.clone()),
            None => failed,
        };
    }
    Error::negative(format!("{subject}; {}", context.writes.unchanged_notice()))
        .with_hint(Hint::from("to show all checks: ").and_command(preflight))
}

/// Returns true if the arguments suffice for a first setup.
fn is_trust_complete(request: &SetupRequest) -> bool {
    let trust = &request.trust;
    let has_id = trust.external_id.is_some() || trust.generate_external_id || request.dry_run;
    has_id && !trust.heeler_roles.is_empty()
}

/// Returns the deployment that the role belongs to, and the trust that a setup keeps.
pub(super) fn existing_trust(
    role: Option<&IamRole>,
    adopt: bool,
) -> (Option<Deployment>, Option<HeelerTrust>) {
    let deployment = role.and_then(option::deployment_of);
    let trust = match &deployment {
        Some(deployment) => deployment.trust.clone(),
        // An adopted role keeps its trust.
        None => role.filter(|_| adopt).and_then(parse_trust),
    };
    (deployment, trust)
}

/// Combines the requested trust with the one of the existing role.
fn resolve_trust(
    request: &SetupRequest,
    existing: Option<&HeelerTrust>,
    is_deployed: bool,
) -> Result<HeelerTrust> {
    let missing = if is_deployed {
        "the role's trust policy is not the one that setup wrote"
    } else {
        "this is the first setup"
    };
    let requested = &request.trust;
    let mut principals = requested.heeler_roles.clone();
    principals.sort();
    principals.dedup();
    if principals.is_empty() {
        principals = existing.map(|trust| trust.principals.clone()).ok_or_else(|| {
            if request.option.vendor() != HEELER {
                return Error::usage(format!("--vendor-role-arn is required: {missing}"))
                    .with_hint("ask the vendor for the ARN of the role that assumes yours");
            }
            Error::usage(format!("--heeler-role-arn is required: {missing}"))
                .with_hint(
                    "Heeler provides this ARN: look for heeler_security_role_arns in var.auto.tfvars of its Terraform \
                     module (--var-file reads it), or ask Heeler",
                )
        })?;
        reject_deleted_principals(&principals)?;
    }
    let external_id = match (&requested.external_id, existing) {
        (Some(id), _) => id.clone(),
        (None, Some(trust)) => trust.external_id.clone(),
        // A plan masks the ID.
        (None, None) if requested.generate_external_id || request.dry_run => {
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

/// Rejects principals that were deleted. IAM then shows a unique ID, and a new role of the same name is not trusted.
fn reject_deleted_principals(principals: &[String]) -> Result<()> {
    let is_deleted = |principal: &&String| !principal.starts_with("arn:");
    match principals.iter().find(is_deleted) {
        None => Ok(()),
        Some(id) => Err(Error::negative(format!(
            "the Heeler role that may assume your role was deleted (IAM shows {id})"
        ))
        .with_hint("ask Heeler for the current role ARN and pass it with --heeler-role-arn")),
    }
}

/// Rejects a setup that would move a deployment, because its old resources would be left behind.
fn reject_relocation(
    context: &Context,
    deployment: &Deployment,
    target: &dyn Target,
) -> Result<()> {
    let Some(relocation) = option::relocation(target, deployment) else {
        return Ok(());
    };
    let Relocation {
        aspect,
        deployed,
        requested,
    } = relocation;
    let refusal = Error::negative(format!(
        "the deployment uses {aspect} {deployed}, but this setup needs {requested}; {}",
        context.writes.unchanged_notice()
    ));
    let remove = Hint::from(
        "a deployment cannot be moved: remove it with `heeler-ec destroy`, then run setup again",
    );
    if aspect != "region" {
        return Err(refusal.with_hint(remove));
    }
    // A destroy in the wrong region would delete only the role, and leave all other resources behind.
    let role = target.scope().names.role();
    let restore = Hint::from("if another tool changed the tag of the role, restore it first: ")
        .and_command(format!(
            "aws iam tag-role --role-name {role} --tags Key={REGION},Value={requested}"
        ))
        .and(&Hint::from("; otherwise, "))
        .and(&remove);
    Err(refusal.with_hint(restore))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;

    fn inventory_request() -> InventoryRequest {
        InventoryRequest {
            expected_account: None,
            expected_region: None,
            trail: None,
            bucket: None,
            bucket_key: None,
            topic: None,
            heeler_roles: Vec::new(),
            log_group: None,
            bucket_events: None,
            names: ResourceNames::new("heeler"),
            permissions_boundary: None,
            extra_tags: Vec::new(),
            accepted_checks: Vec::new(),
            adopt: false,
            deep: true,
        }
    }

    /// The longest time without a first answer.
    const LIMIT: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn preflight_of_silent_service_ends_in_time() {
        let profiles: Vec<_> = option::OPTIONS
            .iter()
            .map(|option| option.profile())
            .collect();
        let started = Instant::now();
        let inventory = collect_inventory(&Aws::silent(), inventory_request(), &profiles).await;
        assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
        // The calls wait for slow answers.
        assert!(started.elapsed() > LIMIT / 3, "{:?}", started.elapsed());
        let error = inventory.expect_err("no identity");
        assert!(error.is_unreachable(), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn setup_of_silent_service_ends_in_time() {
        let arguments = [None, Some("arn:aws:iam::999900001111:role/heeler")];
        for (option, role) in option::OPTIONS
            .iter()
            .flat_map(|option| arguments.map(|role| (*option, role)))
        {
            let request = SetupRequest {
                option,
                inventory: inventory_request(),
                trust: TrustRequest {
                    heeler_roles: role.into_iter().map(str::to_owned).collect(),
                    external_id: role.map(|_| ExternalId::new("the-external-id")),
                    generate_external_id: false,
                },
                role_path: None,
                dry_run: false,
            };
            let started = Instant::now();
            let facts = collect_setup_facts(&Aws::silent(), &request).await;
            assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
            drop(facts);
        }
    }
}
