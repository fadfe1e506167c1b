//! Tests of the policies of all commands and options.

use std::collections::BTreeSet;

use crate::naming::ResourceNames;
use crate::option::{DeliveryOption, OPTIONS, find, permissions_of};
use crate::ownership::OPTION_TAG;
use crate::permissions::scope::PolicyScope;
use crate::permissions::{
    CommandName, INLINE_POLICIES_MAX_CHARS, PermittedCommand, PreflightFlags, REQUEST_TAG_KEY,
    RESOURCE_TAG_KEY, document, policy_length, remaining_placeholders, statements,
};
use crate::tail::source::SourceKind;

fn command(command: CommandName, option: Option<&str>) -> PermittedCommand {
    PermittedCommand::new(command, permissions_of(option))
}

fn tail_from(source: SourceKind, option: Option<&str>) -> PermittedCommand {
    PermittedCommand {
        tail_source: Some(source),
        ..command(CommandName::Tail, option)
    }
}

fn all_commands() -> Vec<PermittedCommand> {
    let mut all = Vec::new();
    let each = OPTIONS.iter().map(|option| Some(option.name()));
    for option in std::iter::once(None).chain(each) {
        // One run sets up one option.
        if option.is_some() {
            all.extend([CommandName::Plan, CommandName::Setup].map(|name| command(name, option)));
            all.push(PermittedCommand {
                rollback: true,
                ..command(CommandName::Setup, option)
            });
        }
        all.extend(
            [
                CommandName::Outputs,
                CommandName::List,
                CommandName::Status,
                CommandName::Coverage,
                CommandName::Cost,
                CommandName::Dlq,
                CommandName::DlqRedrive,
                CommandName::Verify,
                CommandName::Export,
                CommandName::Tail,
                CommandName::Destroy,
                CommandName::Restore,
            ]
            .map(|name| command(name, option)),
        );
        all.extend(
            [
                SourceKind::Bucket,
                SourceKind::LogGroup,
                SourceKind::HeelerQueue,
            ]
            .map(|source| tail_from(source, option)),
        );
        for (deep, fix) in [(false, false), (true, false), (false, true), (true, true)] {
            all.push(PermittedCommand {
                preflight: PreflightFlags { deep, fix },
                ..command(CommandName::Preflight, option)
            });
        }
    }
    all
}

/// A scope in which every name is about as long as in practice.
fn longest_scope() -> PolicyScope {
    let key = |id: &str| {
        let resource = format!("key/mrk-{}{id}", "0123456789abcdef".repeat(2));
        format!("arn:aws-us-gov:kms:ap-southeast-2:111122223333:{resource}")
    };
    let mut scope = PolicyScope::unknown(ResourceNames::new(&"x".repeat(21)));
    scope.partition = "aws-us-gov".to_owned();
    scope.account = "111122223333".to_owned();
    scope.set("${REGION}", "ap-southeast-2");
    scope.set("${BUCKET}", "b".repeat(63));
    scope.set("${LOG_PREFIX}", format!("{}/AWSLogs/", "p".repeat(200)));
    scope.set_all("${BUCKET_KEY_ID}", vec![key("1"), key("2")]);
    scope.set("${LOG_GROUP_REGION}", "ap-southeast-4");
    scope.set("${LOG_GROUP}", "g".repeat(256));
    scope.set("${LOG_GROUP_KEY_ID}", key("3"));
    scope
}

fn scope_with_topic() -> PolicyScope {
    let mut scope = longest_scope();
    let topic = "t".repeat(256);
    let arn = format!("arn:aws-us-gov:sns:ap-southeast-2:111122223333:{topic}");
    scope.set("existing topic", arn);
    scope.set("${TOPIC_KEY_ID}", "2".repeat(36));
    scope
}

fn permitted_actions(command: &PermittedCommand, scope: &PolicyScope) -> BTreeSet<&'static str> {
    let statements = statements(command, scope).into_iter();
    statements.flat_map(|statement| statement.actions).collect()
}

#[test]
fn every_policy_fits_the_inline_limit() {
    let unknown = PolicyScope::unknown(ResourceNames::new("heeler"));
    for scope in [longest_scope(), scope_with_topic(), unknown] {
        for command in all_commands() {
            // A policy for several options is printed only if nothing else is known.
            let for_all = command.options.len() > 1 && command.command == CommandName::Destroy;
            if for_all && scope.account == "111122223333" {
                continue;
            }
            let length = policy_length(&document(&statements(&command, &scope)));
            assert!(length <= INLINE_POLICIES_MAX_CHARS, "{command:?}: {length}");
        }
    }
}

#[test]
fn sids_are_unique_and_alphanumeric() {
    for scope in [longest_scope(), scope_with_topic()] {
        for command in all_commands() {
            let statements = statements(&command, &scope);
            let sids: BTreeSet<&str> = statements.iter().map(|each| each.sid).collect();
            assert_eq!(sids.len(), statements.len(), "{command:?}");
            let plain = |sid: &str| sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
            assert!(sids.iter().all(|sid| plain(sid)), "{sids:?}");
        }
    }
}

#[test]
fn only_remaining_placeholders_are_listed() {
    let unknown = PolicyScope::unknown(ResourceNames::new("heeler"));
    let names = |command: &PermittedCommand, scope: &PolicyScope| {
        let remaining =
            remaining_placeholders(&document(&statements(command, scope)), &command.options);
        let names = remaining.into_iter().map(|(name, _)| name);
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        names(&command(CommandName::Outputs, Some("s3")), &unknown),
        ["${PARTITION}", "${ACCOUNT}", "${REGION}"]
    );
    let setup = command(CommandName::Setup, Some("s3"));
    assert_eq!(names(&setup, &longest_scope()), [""; 0]);
    for command in all_commands() {
        let text = document(&statements(&command, &unknown)).to_string();
        assert_eq!(
            text.matches("${").count(),
            names(&command, &unknown)
                .iter()
                .map(|name| text.matches(name).count())
                .sum::<usize>(),
            "{command:?} has a placeholder that is not listed"
        );
    }
}

#[test]
fn statements_omit_missing_keys() {
    let mut scope = longest_scope();
    scope.set_all("${BUCKET_KEY_ID}", Vec::new());
    scope.set_all("${LOG_GROUP_KEY_ID}", Vec::new());
    let actions = |name, option| permitted_actions(&command(name, option), &scope);
    assert!(!actions(CommandName::Setup, Some("s3")).contains("kms:CreateGrant"));
    assert!(!actions(CommandName::Tail, None).contains("kms:Decrypt"));
    assert!(!actions(CommandName::Preflight, None).contains("kms:ListGrants"));
}

#[test]
fn existing_topic_and_its_bucket_are_not_writable() {
    let writes = [
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:SetTopicAttributes",
        "s3:PutBucketNotification",
    ];
    for command in [
        command(CommandName::Setup, Some("s3")),
        command(CommandName::Destroy, None),
    ] {
        let permitted = permitted_actions(&command, &scope_with_topic());
        assert!(
            !writes.iter().any(|action| permitted.contains(action)),
            "{command:?}"
        );
    }
}

#[test]
fn read_only_commands_have_only_read_actions() {
    let is_read = |action: &str| {
        let (_, verb) = action.split_once(':').expect("a service and a verb");
        ["Decrypt", "Describe", "Filter", "Get", "List", "Simulate"]
            .iter()
            .any(|beginning| verb.starts_with(beginning))
    };
    for command in all_commands() {
        let reads_only = match command.command {
            CommandName::Preflight => !command.preflight.fix,
            CommandName::Plan
            | CommandName::Outputs
            | CommandName::List
            | CommandName::Status
            | CommandName::Coverage
            | CommandName::Cost
            | CommandName::Support
            | CommandName::Export => true,
            CommandName::Tail => match command.tail_source {
                Some(SourceKind::Bucket | SourceKind::LogGroup) => true,
                Some(SourceKind::Queue | SourceKind::HeelerQueue) => false,
                // The default source of option s3 is a temporary queue.
                None => {
                    let mut sources = command.options.iter().map(|each| each.tail_sources()[0]);
                    sources.all(|source| source == SourceKind::LogGroup)
                }
            },
            CommandName::Setup
            | CommandName::Destroy
            | CommandName::Restore
            | CommandName::Dlq
            | CommandName::DlqRedrive
            | CommandName::Verify => false,
        };
        let permitted = permitted_actions(&command, &longest_scope());
        assert_eq!(
            permitted.iter().all(|action| is_read(action)),
            reads_only,
            "{command:?}"
        );
    }
}

#[test]
fn tail_and_verify_never_receive_from_heelers_queue() {
    for name in [CommandName::Tail, CommandName::Verify] {
        for statement in statements(&command(name, None), &longest_scope()) {
            if statement.actions.contains(&"sqs:ReceiveMessage") {
                let is_temporary = |arn: &String| arn.contains("_ec_tail_");
                assert!(statement.resources.iter().all(is_temporary));
            }
        }
    }
}

#[test]
fn dlq_receives_only_from_the_dead_letter_queue() {
    for name in [CommandName::Dlq, CommandName::DlqRedrive] {
        for statement in statements(&command(name, None), &longest_scope()) {
            if statement.actions.contains(&"sqs:ReceiveMessage") {
                let is_dead_letter_queue = |arn: &String| arn.contains("_dlq");
                assert!(statement.resources.iter().all(is_dead_letter_queue));
            }
        }
    }
}

#[test]
fn condition_keys_use_the_option_tag() {
    for key in [REQUEST_TAG_KEY, RESOURCE_TAG_KEY] {
        assert_eq!(key.split('/').next_back(), Some(OPTION_TAG));
    }
}

#[test]
fn option_names_are_unique_and_found() {
    for option in OPTIONS {
        let found = find(option.name()).map(DeliveryOption::name);
        assert_eq!(found, Some(option.name()));
    }
    assert!(find("other").is_none());
}
