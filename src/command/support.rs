//! Writes a redacted archive for a support ticket. It makes only reading calls, and receives from no queue.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::Value;
use tokio::join;

use super::call_log_file::read_call_log;
use super::existing_deployment::{check_account, find_role};
use super::prepare::{collect_inventory, inventory_request, location, read_plan};
use super::prompt::{NOT_A_TERMINAL, confirm};
use super::{CommandOutcome, Context, with_status_line};
use crate::aws::configuration::setting_names;
use crate::aws::{Aws, AwsCall, CallerIdentity};
use crate::check::lint::lint_deployment;
use crate::check::{self, OptionProfile};
use crate::cli;
use crate::deployment::Deployment;
use crate::deployment::access::{AccessSummary, ExternalIdOrigin};
use crate::error::{Error, Exit, Result};
use crate::hop::PipelineHealth;
use crate::inventory::pipeline;
use crate::option::{self, OPTIONS, Target, existing_target};
use crate::render::notices::question::{Cancelled, Question};
use crate::render::notices::support::SupportNotice;
use crate::render::plan::PlanView;
use crate::render::status::StatusReport;
use crate::render::support::{
    ConfigurationNames, SupportContent, SupportResult, announce_archive, archive_files,
    default_file_name, plan_value, preflight_value, status_value, support_document,
};
use crate::support::archive::{self, Overwrite};
use crate::support::redaction::Redactor;

/// Variables of other programs whose names are in the archive, beside those of AWS and of this program.
const OTHER_VARIABLES: &[&str] = &[
    "ALL_PROXY",
    "CI",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LC_ALL",
    "NO_COLOR",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TERM",
];
/// Parts of the names of variables whose values are secrets.
const SECRET_VARIABLE_PARTS: &[&str] = &[
    "EXTERNAL_ID",
    "KEY",
    "PASSWORD",
    "PROXY",
    "SECRET",
    "TOKEN",
    "WEBHOOK",
];

pub(super) async fn run(context: &Context, args: cli::SupportArgs) -> Result<CommandOutcome> {
    let created_at = SystemTime::now();
    let default_path = || PathBuf::from(default_file_name(created_at));
    let path = args.file.clone().unwrap_or_else(default_path);
    let overwrite = if args.overwrite {
        Overwrite::Allowed
    } else {
        Overwrite::Refused
    };
    archive::validate_path(&path, overwrite)?;
    if !args.yes && !args.dry_run && !context.ui.can_prompt() {
        return Err(Error::usage(NOT_A_TERMINAL).with_hint(
            "use --yes to write the archive without a prompt, or --dry-run to show its files",
        ));
    }
    let logged_calls = args.call_log.as_deref().map(read_call_log).transpose()?;
    let collected = context.cancellable(Box::pin(collect(context, args.redact_accounts)));
    let mut collected = with_status_line(context.ui, "Collecting the archive", collected).await?;
    let files = collected.files(context, created_at, logged_calls.as_deref());
    let path_text = path.display().to_string();
    let mut result = SupportResult {
        path: &path_text,
        files: &files,
        redacts_accounts: args.redact_accounts,
        error_count: collected.errors.len(),
        is_written: false,
        is_cancelled: false,
    };
    if args.dry_run {
        let document = support_document(&context.ui, &result);
        return Ok(collected.outcome().with_document(document));
    }
    announce_archive(&context.ui, &result, !args.yes);
    let question = Question::WriteArchive {
        count: files.len(),
        file: &path_text,
    };
    if !args.yes && !confirm(context, question).await? {
        result.is_cancelled = true;
        let document = support_document(&context.ui, &result);
        let outcome = CommandOutcome::exit(Exit::Negative).with_document(document);
        return Ok(outcome.and_notice(&Cancelled { has_changes: false }));
    }
    let bytes = archive::zipped(&files)?;
    archive::write(&path, &bytes, overwrite)?;
    result.is_written = true;
    let written = SupportNotice::Written {
        file: path_text.clone(),
        bytes: bytes.len(),
    };
    let document = support_document(&context.ui, &result);
    let outcome = collected.outcome().with_document(document);
    Ok(outcome.and_notice(&written))
}

/// Facts for an archive, as far as AWS could be read.
struct CollectedSupport {
    redactor: Redactor,
    region: Option<String>,
    caller: Option<CallerIdentity>,
    deployment: Option<Deployment>,
    configuration: ConfigurationNames,
    status: Option<Value>,
    plan: Option<Value>,
    preflight: Option<Value>,
    calls: Vec<AwsCall>,
    errors: Vec<Error>,
}

impl CollectedSupport {
    /// Returns the end of the command: the first error, or success.
    fn outcome(&self) -> CommandOutcome {
        let outcome = CommandOutcome::exit(Exit::Success);
        match self.errors.len() {
            0 => outcome,
            errors => outcome
                .and_notice(&SupportNotice::Incomplete { errors })
                .and_error(self.errors.first().cloned()),
        }
    }

    fn files(
        &mut self,
        context: &Context,
        created_at: SystemTime,
        logged_calls: Option<&[Value]>,
    ) -> Vec<archive::ArchiveFile> {
        let input = SupportContent {
            created_at,
            name_prefix: &context.global.name_prefix,
            region: self.region.as_deref(),
            caller: self.caller.as_ref(),
            deployment: self.deployment.as_ref(),
            configuration: &self.configuration,
            status: self.status.take(),
            plan: self.plan.take(),
            preflight: self.preflight.take(),
            calls: &self.calls,
            logged_calls,
            errors: &self.errors,
        };
        archive_files(&context.ui, &input, &mut self.redactor)
    }

    /// Keeps a value, or the error.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.errors.push(error)).ok()
    }
}

/// Reads what an archive contains. A failed read does not prevent the others.
///
/// # Errors
/// A usage error of the configuration, and a negative result if `--account-id` names another account.
async fn collect(context: &Context, redacts_accounts: bool) -> Result<CollectedSupport> {
    let mut collected = CollectedSupport {
        redactor: redactor_of_run(context, redacts_accounts),
        region: None,
        caller: None,
        deployment: None,
        configuration: configuration_names(),
        status: None,
        plan: None,
        preflight: None,
        calls: Vec::new(),
        errors: Vec::new(),
    };
    let calls = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&calls);
    let connected = context.connect_recording(Some(Arc::new(move |call| {
        recorded
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
    })));
    match connected.await {
        Ok(aws) => read_all(context, &aws, &mut collected).await?,
        Err(error) if error.exit() == Exit::Failed => collected.errors.push(error),
        Err(error) => return Err(error),
    }
    let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
    collected.calls = std::mem::take(&mut *calls);
    Ok(collected)
}

async fn read_all(context: &Context, aws: &Aws, collected: &mut CollectedSupport) -> Result<()> {
    collected.region = Some(aws.region().to_owned());
    collected.configuration.has_custom_endpoint = aws.endpoint().is_some();
    let (caller, role) = join!(aws.caller_identity(), find_role(context, aws));
    let Some(caller) = collected.keep(caller) else {
        collected.keep(role);
        return Ok(());
    };
    check_account(context, &caller.account)?;
    collected.redactor.add_account(&caller.account);
    collected.redactor.add_caller(&caller.arn);
    collected.caller = Some(caller.clone());
    let role = collected.keep(role).flatten();
    if let Some(trust) = role
        .as_ref()
        .and_then(|role| role.assume_role_policy_document())
    {
        collected.redactor.add_external_ids_of(trust);
    }
    collected.deployment = role.as_ref().and_then(option::deployment_of);
    let Some(deployment) = collected.deployment.clone() else {
        return read_preflight(context, aws, collected).await;
    };
    let names = context.names();
    let target = existing_target(&deployment, &caller, names);
    let Some(target) = collected.keep(target) else {
        return Ok(());
    };
    let aws = aws.in_region(&deployment.region);
    let (status, plan) = join!(
        read_status(context, &aws, &*target),
        read_drift(&aws, &deployment, &caller, context)
    );
    collected.status = Some(status);
    if let Some((plan, unreadable)) = collected.keep(plan) {
        collected.plan = Some(plan);
        collected.errors.extend(unreadable);
    }
    Ok(())
}

/// Reads every hop. A failed read is part of the status.
async fn read_status(context: &Context, aws: &Aws, target: &dyn Target) -> Value {
    let facts = pipeline::read(aws, target.pipeline_request()).await;
    let health = PipelineHealth::new(target.hops(&facts));
    let report = StatusReport {
        option: target.option().name(),
        name_prefix: &context.global.name_prefix,
        facts: &facts,
        health: &health,
        warnings: &lint_deployment(&facts, &target.trust().principals),
    };
    status_value(&context.ui, &report)
}

/// Compares the deployment with what was set up. Returns the plan and the first error of a resource that was not read.
async fn read_drift(
    aws: &Aws,
    deployment: &Deployment,
    caller: &CallerIdentity,
    context: &Context,
) -> Result<(Value, Option<Error>)> {
    let mut target = existing_target(deployment, caller, context.names())?;
    if !target.is_complete() {
        return Err(Error::failed(
            "compare the deployment",
            "the tags of the role lack names, which only `heeler-ec plan` finds",
        ));
    }
    if target.may_narrow_log_prefix()
        && let Some(prefix) = pipeline::current_log_prefix(aws, &target.pipeline_request()).await?
    {
        target.narrow_log_prefix(prefix);
    }
    let pipeline = target.build();
    let plan = read_plan(&pipeline, aws, false).await?;
    let view = PlanView {
        location: location(&*target),
        steps: &plan.steps,
        existing: &plan.existing_resources(),
        access: &AccessSummary::of(&plan.steps, ExternalIdOrigin::Kept, false),
        is_detailed: false,
    };
    Ok((plan_value(&view), plan.first_unreadable().cloned()))
}

/// Runs the checks of all options, because nothing is deployed.
async fn read_preflight(
    context: &Context,
    aws: &Aws,
    collected: &mut CollectedSupport,
) -> Result<()> {
    let profiles: Vec<OptionProfile> = OPTIONS.iter().map(|option| option.profile()).collect();
    let request = inventory_request(context, &cli::DiscoveryArgs::default());
    let inventory = collect_inventory(aws, request, &profiles).await;
    if let Some(inventory) = collected.keep(inventory) {
        let reports = profiles.iter().map(|option| {
            let snapshot = check::snapshot(&inventory, option);
            check::run(&snapshot, option.checks, false)
        });
        let reports: Vec<_> = reports.collect();
        collected.preflight = Some(preflight_value(&context.ui, &reports));
    }
    Ok(())
}

/// Returns a redactor that knows the secrets and personal names in the environment of this run.
fn redactor_of_run(context: &Context, redacts_accounts: bool) -> Redactor {
    let mut redactor = Redactor::new(redacts_accounts);
    for (name, value) in std::env::vars_os() {
        let (name, value) = (name.to_string_lossy(), value.to_string_lossy());
        let is_listed = is_listed_variable(&name);
        let is_secret = SECRET_VARIABLE_PARTS
            .iter()
            .any(|part| name.to_ascii_uppercase().contains(part));
        if is_listed && is_secret && !is_account_id(&value) {
            redactor.add_known(&value, &format!("({name})"));
        }
    }
    for name in ["HOME", "USERPROFILE"] {
        if let Some(home) = std::env::var(name).ok().filter(|home| home.len() > 1) {
            redactor.add_known(&home, "~");
        }
    }
    let environment = || std::env::var("AWS_PROFILE").ok();
    let profile = context.global.profile.clone().or_else(environment);
    if let Some(profile) = profile.filter(|name| name != "default") {
        redactor.add_known(&profile, "(profile)");
    }
    redactor
}

/// Returns true for a text that may be an account ID, which has a pseudonym.
fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_listed_variable(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    name.starts_with("AWS_")
        || name.starts_with("HEELER_EC_")
        || OTHER_VARIABLES.contains(&name.as_str())
}

/// Returns the names of options, environment variables and settings of this run.
fn configuration_names() -> ConfigurationNames {
    let args = std::env::args_os().skip(1);
    let args = args.map(|arg| arg.to_string_lossy().into_owned());
    let options = args.filter(|arg| arg.starts_with('-')).filter_map(|arg| {
        let name = arg.split('=').next()?;
        // A short option may contain its value.
        Some(
            name.get(
                ..if name.starts_with("--") {
                    name.len()
                } else {
                    2
                },
            )?
            .to_owned(),
        )
    });
    let variables = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned());
    let variables: BTreeSet<String> = variables.filter(|name| is_listed_variable(name)).collect();
    ConfigurationNames {
        options: options.collect(),
        variables: variables.into_iter().collect(),
        settings: setting_names(),
        has_custom_endpoint: false,
    }
}
