//! The IAM actions that the policy of a command allows. A run fails if it needs any other action.

use std::collections::BTreeSet;

use heeler_ec::naming::ResourceNames;
use heeler_ec::option::permissions_of;
use heeler_ec::permissions::scope::PolicyScope;
use heeler_ec::permissions::{CommandName, PermittedCommand, PreflightFlags, statements};
use heeler_ec::tail::source::SourceKind;

/// Returns the actions that a command line may need. `None` if it makes no calls, or belongs to another program.
pub fn allowed_actions(args: &[String]) -> Option<BTreeSet<String>> {
    let boundary = args
        .windows(2)
        .find(|pair| pair[0] == "--permissions-boundary");
    let mut scope = PolicyScope::unknown(ResourceNames::new("heeler"));
    scope.permissions_boundary = boundary.map(|pair| pair[1].clone());
    let command = command_of(args)?;
    let mut actions = actions(&command, &scope);
    // If nothing is deployed, the error names the deployments under other prefixes. It does without if it may not.
    actions.insert("iam:ListRoles".to_owned());
    if args.iter().any(|arg| arg == "--bucket-role") {
        actions.insert("sts:AssumeRole".to_owned());
    }
    Some(actions)
}

/// A command for the named option, or for all options.
pub fn command(command: CommandName, option: Option<&str>) -> PermittedCommand {
    PermittedCommand::new(command, permissions_of(option))
}

/// `setup --on-failure rollback`.
pub fn setup_with_rollback(option: Option<&str>) -> PermittedCommand {
    PermittedCommand {
        rollback: true,
        ..command(CommandName::Setup, option)
    }
}

/// `preflight` with flags.
pub fn preflight(option: Option<&str>, deep: bool, fix: bool) -> PermittedCommand {
    PermittedCommand {
        preflight: PreflightFlags { deep, fix },
        ..command(CommandName::Preflight, option)
    }
}

fn tail_from(source: SourceKind) -> PermittedCommand {
    PermittedCommand {
        tail_source: Some(source),
        ..command(CommandName::Tail, None)
    }
}

/// The command of a command line.
fn command_of(args: &[String]) -> Option<PermittedCommand> {
    let has = |name: &str| args.iter().any(|arg| arg == name);
    let option = args
        .windows(2)
        .find(|pair| pair[0] == "--option")
        .map(|pair| pair[1].as_str());
    args.iter().find_map(|arg| {
        Some(match arg.as_str() {
            "preflight" => preflight(option, has("--deep"), has("--fix")),
            "plan" => command(CommandName::Plan, option),
            "setup" if has("--dry-run") => command(CommandName::Plan, option),
            "setup" if has("rollback") => setup_with_rollback(option),
            "setup" => command(CommandName::Setup, option),
            "outputs" => command(CommandName::Outputs, None),
            "list" => command(CommandName::List, None),
            "status" => command(CommandName::Status, None),
            "coverage" => command(CommandName::Coverage, None),
            "cost" => command(CommandName::Cost, None),
            "dlq" if has("redrive") => command(CommandName::DlqRedrive, None),
            "dlq" => command(CommandName::Dlq, None),
            "verify" => command(CommandName::Verify, None),
            "support" => command(CommandName::Support, None),
            "tail" if has("bucket") => tail_from(SourceKind::Bucket),
            "tail" if has("heeler-queue") => tail_from(SourceKind::HeelerQueue),
            "tail" => command(CommandName::Tail, None),
            // Athena needs no deployment, and the calls are among those of coverage.
            "export" if has("athena") => command(CommandName::Coverage, None),
            "export" => command(CommandName::Export, None),
            "destroy" => command(CommandName::Destroy, None),
            "restore" => command(CommandName::Restore, None),
            // `policy` makes the calls of preflight.
            "policy" => preflight(None, false, false),
            _ => return None,
        })
    })
}

/// The actions of a command's policy.
pub fn permitted(command: &PermittedCommand) -> BTreeSet<String> {
    actions(command, &PolicyScope::unknown(ResourceNames::new("heeler")))
}

fn actions(command: &PermittedCommand, scope: &PolicyScope) -> BTreeSet<String> {
    statements(command, scope)
        .into_iter()
        .flat_map(|statement| statement.actions)
        .map(str::to_owned)
        .collect()
}
