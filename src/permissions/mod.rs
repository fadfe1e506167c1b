//! IAM permissions of each command: building blocks of policies, and the complete policy of a command. Pure.
//!
//! Delivery options contribute their statements through [`OptionPermissions`]; this module merges them.

pub mod account_part;
mod preflight;
pub mod scope;
pub mod shared;
pub mod statement;

use std::fmt::Debug;

use serde_json::Value;

use crate::iam;
use crate::inventory::{InventoryRequest, Snapshot};
use crate::tail::source::SourceKind;
use account_part::AccountPart;
use scope::{PLACEHOLDERS, Placeholder, PolicyScope, RegionalScope, TRAIL_BUCKET};
use shared::{account_names, find_deployment};
use statement::{Statement, merge_statements};

/// Maximum length of a managed policy in characters, without white space.
pub const MANAGED_POLICY_MAX_CHARS: usize = 6_144;
/// Maximum length of all inline policies of a role together.
pub const INLINE_POLICIES_MAX_CHARS: usize = 10_240;

/// The conditions that a request or a resource has the tag of managed resources, whatever its value.
pub(crate) const REQUEST_TAG_KEY: &str = "aws:RequestTag/heeler-ec:option";
pub(crate) const RESOURCE_TAG_KEY: &str = "aws:ResourceTag/heeler-ec:option";
pub(crate) const ANY_TAG_VALUE: &str = "*";

/// Commands that need permissions of their caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandName {
    Preflight,
    Plan,
    Setup,
    Outputs,
    List,
    Status,
    Coverage,
    Cost,
    Dlq,
    /// `dlq redrive`.
    DlqRedrive,
    Verify,
    Support,
    Export,
    Tail,
    Destroy,
    Restore,
}

/// A command, with the options and flags that its policy depends on.
#[derive(Clone, Debug)]
pub struct PermittedCommand {
    pub command: CommandName,
    /// The options that the policy covers.
    pub options: Vec<&'static dyn OptionPermissions>,
    /// `tail --source`; `None` for the default source of each option.
    pub tail_source: Option<SourceKind>,
    /// `setup --on-failure rollback`.
    pub rollback: bool,
    /// `preflight --deep` and `--fix`.
    pub preflight: PreflightFlags,
    /// The only account that the policy is for, if the log bucket is in another account than the trail.
    pub account_part: Option<AccountPart>,
}

impl PermittedCommand {
    /// The command without flags.
    #[must_use]
    pub fn new(command: CommandName, options: Vec<&'static dyn OptionPermissions>) -> Self {
        Self {
            command,
            options,
            tail_source: None,
            rollback: false,
            preflight: PreflightFlags::default(),
            account_part: None,
        }
    }
}

/// Flags of preflight that need further permissions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PreflightFlags {
    pub deep: bool,
    pub fix: bool,
}

/// Statements that a delivery option contributes to the policies of the commands.
pub trait OptionPermissions: Debug + Sync {
    /// Reads, and with `--fix` writes, of preflight.
    fn preflight(&self, flags: PreflightFlags, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads of plan in addition to preflight.
    fn plan_reads(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Writes of setup.
    fn setup_writes(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Writes of `setup --on-failure rollback` in addition to setup.
    fn rollback_writes(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Writes of destroy.
    fn destroy_writes(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads of status: every resource between the trail and the role.
    fn status_reads(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads of cost: the volume of what the option reads from.
    fn cost_reads(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Actions of verify: the canary, and reads at each observation point.
    fn verify(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads of export: all resources of a deployment, and nothing of the trail.
    fn export_reads(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads and writes of restore: whole documents, and no other setting.
    fn restore(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Sources that `tail` can read; the first is the default. Heeler's queue is not among them.
    fn tail_sources(&self) -> &'static [SourceKind];

    /// Actions of `tail` on one of those sources.
    fn tail(&self, source: SourceKind, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads of what messages in Heeler's queue refer to.
    fn message_reads(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Reads of the properties of the log objects that messages refer to, without their content.
    fn log_object_properties(&self, scope: &PolicyScope) -> Vec<Statement>;

    /// Name of Heeler's queue.
    fn queue_name(&self, scope: &PolicyScope) -> String;

    /// Name of the dead-letter queue.
    fn dead_letter_queue_name(&self, scope: &PolicyScope) -> String;

    /// The placeholders of the option, the one of its region first. A scope has its names under them.
    fn placeholders(&self) -> &'static [Placeholder];

    /// Sets the names that the operator has given.
    fn set_requested_names(&self, request: &InventoryRequest, scope: &mut PolicyScope);

    /// Sets the names that the facts contain.
    fn set_found_names(&self, snapshot: &Snapshot, scope: &mut PolicyScope);
}

/// The placeholder of the region of an option's resources.
#[must_use]
pub fn region_placeholder(option: &dyn OptionPermissions) -> &'static str {
    option.placeholders()[0].0
}

/// ARNs in the region of an option's resources.
fn regional_scope<'a>(option: &dyn OptionPermissions, scope: &'a PolicyScope) -> RegionalScope<'a> {
    scope.in_region(region_placeholder(option))
}

/// The complete policy of a command: the one of setup includes those of preflight and plan, and so on.
#[must_use]
pub fn statements(permitted: &PermittedCommand, scope: &PolicyScope) -> Vec<Statement> {
    let options = permitted.options.as_slice();
    let for_each = |of_option: &dyn Fn(&'static dyn OptionPermissions) -> Vec<Statement>| {
        options.iter().copied().flat_map(of_option).collect()
    };
    let all = match permitted.command {
        CommandName::Preflight => preflight_statements(options, permitted.preflight, scope),
        CommandName::Plan => for_each(&|option| plan(option, scope)),
        CommandName::Setup if permitted.rollback => for_each(&|option| {
            let writes = option.rollback_writes(scope);
            [plan(option, scope), option.setup_writes(scope), writes].concat()
        }),
        CommandName::Setup => {
            for_each(&|option| [plan(option, scope), option.setup_writes(scope)].concat())
        }
        CommandName::Outputs => outputs(options, scope),
        CommandName::List => list(scope),
        CommandName::Status => status(options, scope),
        CommandName::Coverage => coverage(scope),
        CommandName::Cost => cost(options, scope),
        CommandName::Dlq => dlq(options, scope),
        CommandName::DlqRedrive => dlq_redrive(options, scope),
        CommandName::Verify => verify(options, scope),
        // It makes the reads of status and of plan, which are also those of preflight.
        CommandName::Support => {
            let plans: Vec<Statement> = for_each(&|option| plan(option, scope));
            [status(options, scope), plans].concat()
        }
        CommandName::Export => for_each(&|option| option.export_reads(scope)),
        CommandName::Tail if permitted.tail_source == Some(SourceKind::HeelerQueue) => {
            tail_heeler_queue(options, scope)
        }
        CommandName::Tail => for_each(&|option| tail(option, permitted.tail_source, scope)),
        // If the role does not exist, destroy finds the resources through the trail, as preflight does.
        CommandName::Destroy => {
            for_each(&|option| [plan(option, scope), option.destroy_writes(scope)].concat())
        }
        CommandName::Restore => for_each(&|option| option.restore(scope)),
    };
    // Before statements are merged, because a wider one may be for the other account.
    merge_statements(match permitted.account_part {
        Some(part) => part.restrict(all, &scope.account),
        None => all,
    })
}

fn preflight_statements(
    options: &[&dyn OptionPermissions],
    flags: PreflightFlags,
    scope: &PolicyScope,
) -> Vec<Statement> {
    let mut all = preflight::common_reads(scope);
    for option in options {
        all.extend(option.preflight(flags, scope));
    }
    if flags.deep {
        all.extend(preflight::deep_reads(scope));
    }
    if flags.fix {
        all.push(preflight::fix_writes(scope));
    }
    all
}

fn plan(option: &'static dyn OptionPermissions, scope: &PolicyScope) -> Vec<Statement> {
    let preflight = preflight_statements(&[option], PreflightFlags::default(), scope);
    [preflight, option.plan_reads(scope)].concat()
}

fn queue_arns(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<String> {
    options
        .iter()
        .map(|option| regional_scope(*option, scope).queue_arn(&option.queue_name(scope)))
        .collect()
}

fn outputs(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<Statement> {
    vec![
        find_deployment(scope),
        Statement::new(
            "ReadQueueUrl",
            &["sqs:GetQueueUrl"],
            queue_arns(options, scope),
        ),
    ]
}

/// Finds every deployment of the account by the tags of its role.
fn list(scope: &PolicyScope) -> Vec<Statement> {
    vec![
        Statement::for_all_resources("ListRoles", &["iam:ListRoles"]),
        Statement::new(
            "FindDeployments",
            &["iam:GetRole"],
            [scope.deployment_role_arns()],
        ),
    ]
}

fn status(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        find_deployment(scope),
        Statement::for_all_resources(
            "ReadWithoutResource",
            &[
                "cloudtrail:DescribeTrails",
                "cloudwatch:GetMetricData",
                "organizations:DescribeOrganization",
            ],
        ),
        Statement::new(
            "ReadTrail",
            &["cloudtrail:GetTrailStatus"],
            [scope.trail_arns()],
        ),
    ];
    for option in options {
        all.extend(option.status_reads(scope));
    }
    all
}

/// Lists the keys of the trail's bucket, for the accounts and the regions of the organization.
fn coverage(scope: &PolicyScope) -> Vec<Statement> {
    let bucket = scope.bucket_arn(scope.name_or(TRAIL_BUCKET));
    vec![
        Statement::for_all_resources(
            "ReadWithoutResource",
            &[
                "account:ListRegions",
                "cloudtrail:DescribeTrails",
                "organizations:DescribeOrganization",
                "organizations:ListAccounts",
            ],
        ),
        Statement::new(
            "ReadTrail",
            &["cloudtrail:GetTrailStatus"],
            [scope.trail_arns()],
        ),
        Statement::new("ListLogFiles", &["s3:ListBucket"], [bucket]).in_account(&scope.account),
    ]
}

/// Measures the volume of the trail.
fn cost(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![Statement::for_all_resources(
        "ReadWithoutResource",
        &[
            "cloudtrail:DescribeTrails",
            "organizations:DescribeOrganization",
        ],
    )];
    for option in options {
        all.extend(option.cost_reads(scope));
    }
    all
}

fn dead_letter_queue_arns(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<String> {
    options
        .iter()
        .map(|option| {
            let name = option.dead_letter_queue_name(scope);
            regional_scope(*option, scope).queue_arn(&name)
        })
        .collect()
}

/// Actions on the keys of the queues.
fn queue_keys(
    sid: &'static str,
    actions: &[&'static str],
    options: &[&dyn OptionPermissions],
    scope: &PolicyScope,
) -> Statement {
    let key_arns = options
        .iter()
        .map(|option| regional_scope(*option, scope).all_key_arns());
    Statement::new(sid, actions, key_arns).condition(
        "StringLike",
        RESOURCE_TAG_KEY,
        [ANY_TAG_VALUE.to_owned()],
    )
}

/// Reads the deployment as `status` does, and receives messages from the dead-letter queue and returns them.
fn dlq(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<Statement> {
    let mut all = status(options, scope);
    all.push(Statement::new(
        "ReadDeadLetterQueueAndReturn",
        &[
            "sqs:ChangeMessageVisibility",
            "sqs:ListQueueTags",
            "sqs:ReceiveMessage",
        ],
        dead_letter_queue_arns(options, scope),
    ));
    all.push(queue_keys(
        "DecryptMessages",
        &["kms:Decrypt"],
        options,
        scope,
    ));
    for option in options {
        all.extend(option.log_object_properties(scope));
    }
    all
}

/// Reads the deployment as `status` does, and starts a move task. SQS moves the messages with the permissions of the
/// caller (SQS Developer Guide, "Dead-letter queue redrive permissions").
fn dlq_redrive(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<Statement> {
    let mut all = status(options, scope);
    all.push(Statement::new(
        "MoveFromDeadLetterQueue",
        &[
            "sqs:CancelMessageMoveTask",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ListMessageMoveTasks",
            "sqs:ListQueueTags",
            "sqs:ReceiveMessage",
            "sqs:StartMessageMoveTask",
        ],
        dead_letter_queue_arns(options, scope),
    ));
    all.push(Statement::new(
        "MoveToHeelersQueue",
        &["sqs:SendMessage"],
        queue_arns(options, scope),
    ));
    all.push(queue_keys(
        "EncryptMovedMessages",
        &["kms:Decrypt", "kms:GenerateDataKey"],
        options,
        scope,
    ));
    all
}

fn verify(options: &[&dyn OptionPermissions], scope: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        find_deployment(scope),
        Statement::for_all_resources("ReadEventHistory", &["cloudtrail:LookupEvents"]),
    ];
    all.push(Statement::new(
        "CountMessages",
        &["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
        queue_arns(options, scope),
    ));
    for option in options {
        all.extend(option.verify(scope));
    }
    all
}

fn tail(
    option: &dyn OptionPermissions,
    source: Option<SourceKind>,
    scope: &PolicyScope,
) -> Vec<Statement> {
    let sources = option.tail_sources();
    let source = match source {
        None => sources.first(),
        Some(source) => sources.iter().find(|offered| **offered == source),
    };
    source.map_or_else(Vec::new, |source| {
        let mut all = vec![find_deployment(scope), account_names()];
        all.extend(option.tail(*source, scope));
        all
    })
}

/// Receives messages from Heeler's queue and returns them.
fn tail_heeler_queue(
    options: &[&'static dyn OptionPermissions],
    scope: &PolicyScope,
) -> Vec<Statement> {
    let mut all = vec![
        find_deployment(scope),
        account_names(),
        Statement::new(
            "ReceiveFromHeelersQueueAndReturn",
            &[
                "sqs:ChangeMessageVisibility",
                "sqs:GetQueueUrl",
                "sqs:ReceiveMessage",
            ],
            queue_arns(options, scope),
        ),
        queue_keys("DecryptMessages", &["kms:Decrypt"], options, scope),
    ];
    for option in options {
        all.extend(option.message_reads(scope));
    }
    all
}

/// A policy document with these statements.
#[must_use]
pub fn document(statements: &[Statement]) -> Value {
    iam::document(statements.iter().map(Statement::to_json).collect())
}

/// Length of a policy as IAM counts it: without white space.
#[must_use]
pub fn policy_length(document: &Value) -> usize {
    let text = document.to_string();
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// The placeholders of every policy, and of these options.
pub fn all_placeholders(
    options: &[&'static dyn OptionPermissions],
) -> impl Iterator<Item = Placeholder> {
    let of_options = options.iter().flat_map(|option| option.placeholders());
    PLACEHOLDERS.iter().chain(of_options).copied()
}

/// Placeholders that a document contains, each with its meaning.
#[must_use]
pub fn remaining_placeholders(
    document: &Value,
    options: &[&'static dyn OptionPermissions],
) -> Vec<Placeholder> {
    let text = document.to_string();
    all_placeholders(options)
        .filter(|(name, _)| text.contains(name))
        .collect()
}
