//! Prints the IAM policy that a command needs, with the names of this account.

use super::existing_deployment::{check_account, find_deployment};
use super::prepare::{inventory_request, option_request, role_names};
use super::{CommandOutcome, Context, requested_option};
use crate::aws::{Aws, BucketCredentials};
use crate::check;
use crate::cli::{self, OnFailure, PolicyAccount, PolicyCommand};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::inventory::{InventoryRequest, is_missing_credentials};
use crate::option::{self, DeliveryOption, OPTIONS};
use crate::permissions::account_part::AccountPart;
use crate::permissions::scope::{PolicyScope, TRAIL_BUCKET};
use crate::permissions::shared::assume_bucket_role;
use crate::permissions::{
    CommandName, INLINE_POLICIES_MAX_CHARS, MANAGED_POLICY_MAX_CHARS, PermittedCommand,
    PreflightFlags, document, policy_length, region_placeholder, remaining_placeholders,
    statements,
};
use crate::render::document::Document;
use crate::render::notices::policy::PolicyNotice;
use crate::tail::source::SourceKind;

pub(super) async fn run(context: &Context, args: cli::PolicyArgs) -> Result<CommandOutcome> {
    validate(&args)?;
    let named = requested_option(args.option.as_deref(), &args.direct)?;
    let options = requested_options(&args, named);
    let request = match named {
        Some(option) => option_request(context, option, &args.discovery, &args.direct),
        None => inventory_request(context, &args.discovery),
    };
    let scope = scope_from_args(context, &args, &request, &options);
    let (options, scope) = if args.offline {
        (options, scope)
    } else {
        scope_from_aws(context, &args, request, options, scope).await?
    };
    let permitted = PermittedCommand {
        account_part: account_part(context, &args),
        ..permitted_command(&args, &options)
    };
    let mut statements = statements(&permitted, &scope);
    if permitted.account_part == Some(AccountPart::Management)
        && let Some(BucketCredentials::Role(role)) = context.bucket_credentials()
    {
        statements.push(assume_bucket_role(role));
    }
    let document = document(&statements);
    if args.account.is_none() && context.bucket_credentials().is_some() {
        context.ui.notify(&PolicyNotice::OnlyBucketAccount);
    }
    print_notes(context, &permitted, &document);
    Ok(CommandOutcome::result(Document::Json(document)))
}

/// Returns the account of the policy: by default that of the log bucket, if it has credentials of its own.
fn account_part(context: &Context, args: &cli::PolicyArgs) -> Option<AccountPart> {
    match args.account {
        Some(PolicyAccount::Management) => Some(AccountPart::Management),
        Some(PolicyAccount::Bucket) => Some(AccountPart::Bucket),
        None => context.bucket_credentials().map(|_| AccountPart::Bucket),
    }
}

/// Rejects flags that the command does not have.
fn validate(args: &cli::PolicyArgs) -> Result<()> {
    let reject = |headline| Err(Error::usage(headline));
    let rollback = args.on_failure == OnFailure::Rollback;
    if rollback && args.command != PolicyCommand::Setup {
        return reject("--on-failure applies only to setup");
    }
    if source(args).is_some() && args.command != PolicyCommand::Tail {
        return reject("--source applies only to tail");
    }
    if (args.deep || args.fix) && args.command != PolicyCommand::Preflight {
        return reject("--deep and --fix apply only to preflight");
    }
    Ok(())
}

/// The options that the policy covers: the named one, else the recommended one for plan and setup, else all.
fn requested_options(
    args: &cli::PolicyArgs,
    named: Option<&'static dyn DeliveryOption>,
) -> Vec<&'static dyn DeliveryOption> {
    let options = match (named, args.command) {
        (Some(named), _) => vec![named],
        (None, PolicyCommand::Plan | PolicyCommand::Setup) => vec![option::recommended()],
        (None, _) => OPTIONS.to_vec(),
    };
    match source(args) {
        None | Some(SourceKind::HeelerQueue) => options,
        Some(source) => {
            let offers = |option: &&'static dyn DeliveryOption| {
                option.permissions().tail_sources().contains(&source)
            };
            OPTIONS.iter().copied().filter(offers).collect()
        }
    }
}

fn permitted_command(
    args: &cli::PolicyArgs,
    options: &[&'static dyn DeliveryOption],
) -> PermittedCommand {
    let command = match args.command {
        PolicyCommand::Preflight => CommandName::Preflight,
        PolicyCommand::Plan => CommandName::Plan,
        PolicyCommand::Setup => CommandName::Setup,
        PolicyCommand::Outputs => CommandName::Outputs,
        PolicyCommand::List => CommandName::List,
        PolicyCommand::Status => CommandName::Status,
        PolicyCommand::Coverage => CommandName::Coverage,
        PolicyCommand::Cost => CommandName::Cost,
        PolicyCommand::Dlq => CommandName::Dlq,
        PolicyCommand::DlqRedrive => CommandName::DlqRedrive,
        PolicyCommand::Verify => CommandName::Verify,
        PolicyCommand::Support => CommandName::Support,
        PolicyCommand::Export => CommandName::Export,
        PolicyCommand::Tail => CommandName::Tail,
        PolicyCommand::Destroy => CommandName::Destroy,
        PolicyCommand::Restore => CommandName::Restore,
    };
    PermittedCommand {
        command,
        options: options.iter().map(|option| option.permissions()).collect(),
        tail_source: source(args),
        rollback: args.on_failure == OnFailure::Rollback,
        preflight: PreflightFlags {
            deep: args.deep,
            fix: args.fix,
        },
        account_part: None,
    }
}

/// Returns true if the command is about an existing deployment.
fn needs_deployment(command: PolicyCommand) -> bool {
    match command {
        PolicyCommand::Preflight
        | PolicyCommand::Plan
        | PolicyCommand::Setup
        | PolicyCommand::Coverage
        | PolicyCommand::Cost
        | PolicyCommand::List => false,
        PolicyCommand::Outputs
        | PolicyCommand::Status
        | PolicyCommand::Dlq
        | PolicyCommand::DlqRedrive
        | PolicyCommand::Verify
        | PolicyCommand::Support
        | PolicyCommand::Export
        | PolicyCommand::Tail
        | PolicyCommand::Destroy
        | PolicyCommand::Restore => true,
    }
}

/// The scope that the arguments describe.
fn scope_from_args(
    context: &Context,
    args: &cli::PolicyArgs,
    request: &InventoryRequest,
    options: &[&'static dyn DeliveryOption],
) -> PolicyScope {
    let mut scope = PolicyScope::unknown(role_names(context.names(), &args.role));
    scope
        .permissions_boundary
        .clone_from(&args.role.permissions_boundary);
    if let Some(account) = &context.global.account_id {
        scope.account.clone_from(account);
    }
    if let Some(bucket) = &request.bucket {
        scope.set(TRAIL_BUCKET, bucket);
    }
    for option in options.iter().chain(OPTIONS) {
        option
            .permissions()
            .set_requested_names(request, &mut scope);
    }
    scope
}

/// Replaces placeholders by the names of a deployment, or of what the trail delivers to. Names that the caller may not
/// read stay placeholders.
async fn scope_from_aws(
    context: &Context,
    args: &cli::PolicyArgs,
    request: InventoryRequest,
    options: Vec<&'static dyn DeliveryOption>,
    mut scope: PolicyScope,
) -> Result<(Vec<&'static dyn DeliveryOption>, PolicyScope)> {
    let aws = context.connect().await?;
    let caller = match aws.caller_identity().await {
        Ok(caller) => caller,
        Err(error) if is_missing_credentials(&error) => {
            context.ui.notify(&PolicyNotice::OnlyPlaceholders {
                is_unreachable: error.is_unreachable(),
                cause: error.cause(),
            });
            return Ok((options, scope));
        }
        Err(error) => return Err(error),
    };
    check_account(context, &caller.account)?;
    let is_of_management = args.account == Some(PolicyAccount::Management);
    let management = aws.management_identity().filter(|_| is_of_management);
    scope.set_caller(management.unwrap_or(&caller));
    if args.command == PolicyCommand::List {
        return Ok((options, scope));
    }
    if needs_deployment(args.command)
        && let Some(deployment) = try_find_deployment(context, &aws).await
        && let Some(deployed) = option::find(&deployment.option)
    {
        for option in option::all() {
            let placeholder = region_placeholder(option.permissions());
            scope.set(placeholder, &deployment.region);
        }
        scope.names = deployment.names(context.names());
        deployed.set_deployed_names(&deployment, &mut scope);
        return Ok((narrow(args, options, deployed), scope));
    }
    let profiles: Vec<_> = options.iter().map(|option| option.profile()).collect();
    let inventory = check::collect(&aws, request, &profiles).await;
    let mut located = Vec::new();
    for option in &options {
        let snapshot = check::snapshot(&inventory, &option.profile());
        if let Some(trail) = snapshot.trail() {
            scope.set(TRAIL_BUCKET, &trail.bucket);
        }
        if let Some(error) = snapshot.bucket_error() {
            warn_refused(context, &error);
        }
        option.permissions().set_found_names(&snapshot, &mut scope);
        located.extend(snapshot.region().map(|_| *option));
    }
    // An option without a bucket or log group here was never set up.
    let options = match located.as_slice() {
        [only] if needs_deployment(args.command) => narrow(args, options, *only),
        _ => options,
    };
    Ok((options, scope))
}

/// Reduces the options to one, unless the arguments name another.
fn narrow(
    args: &cli::PolicyArgs,
    options: Vec<&'static dyn DeliveryOption>,
    to: &'static dyn DeliveryOption,
) -> Vec<&'static dyn DeliveryOption> {
    let is_candidate = options.iter().any(|option| option.name() == to.name());
    // A variant for another vendor is none of the options that are offered.
    let is_variant = source(args).is_none_or(|source| {
        source == SourceKind::HeelerQueue || to.permissions().tail_sources().contains(&source)
    }) && to.takes_bucket_events();
    if args.option.is_none() && (is_candidate || is_variant) {
        vec![to]
    } else {
        options
    }
}

async fn try_find_deployment(context: &Context, aws: &Aws) -> Option<Deployment> {
    find_deployment(context, aws).await.unwrap_or_else(|error| {
        warn_refused(context, &error);
        None
    })
}

fn warn_refused(context: &Context, error: &Error) {
    context.ui.notify(&PolicyNotice::Skipped {
        operation: error.operation().to_owned(),
        cause: error.cause(),
    });
}

/// Prints how to complete the document, and where it fits.
fn print_notes(context: &Context, permitted: &PermittedCommand, document: &serde_json::Value) {
    let placeholders = remaining_placeholders(document, &permitted.options);
    if !placeholders.is_empty() {
        context.ui.notify(&PolicyNotice::Placeholders(placeholders));
    }
    let length = policy_length(document);
    if length > MANAGED_POLICY_MAX_CHARS {
        context.ui.notify(&PolicyNotice::TooLong {
            chars: length,
            inline_max_chars: INLINE_POLICIES_MAX_CHARS,
            managed_max_chars: MANAGED_POLICY_MAX_CHARS,
        });
    }
}

/// The source of `tail`, if the arguments name one.
fn source(args: &cli::PolicyArgs) -> Option<SourceKind> {
    args.source.map(Into::into)
}
