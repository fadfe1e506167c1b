//! What a caller has to be allowed: the least-privilege policy of each command, as values. Pure.

mod cloudwatch;
mod destroy;
mod export;
mod preflight;
mod restore;
pub mod scope;
mod setup;
pub mod statement;
mod tail;

use serde_json::Value;

use crate::iam;
use crate::inventory::trail_destination::TrailDestination;
use scope::{PLACEHOLDERS, PolicyScope};
use statement::{Statement, merge_statements};

/// Characters, white space not counted, that IAM takes for a managed policy.
pub const MANAGED_POLICY_MAX_CHARS: usize = 6_144;
/// The same for all inline policies of a role together.
pub const INLINE_POLICIES_MAX_CHARS: usize = 10_240;

/// The value of the tag that everything of ours bears.
const MANAGED_BY_VALUE: &str = env!("CARGO_PKG_NAME");
const REQUEST_TAG_KEY: &str = "aws:RequestTag/managed-by";
const RESOURCE_TAG_KEY: &str = "aws:ResourceTag/managed-by";

/// What somebody wants to be allowed, and of which option; without one, of whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Preflight(Preflight),
    Plan(TrailDestination),
    Setup(TrailDestination),
    /// Setup that takes back what it did when it fails.
    Rollback(TrailDestination),
    Outputs(Option<TrailDestination>),
    Export(Option<TrailDestination>),
    Tail(Option<TrailDestination>),
    /// Tail that lists the bucket instead of listening to the topic.
    TailOfBucket,
    /// Tail that looks into Heeler's own queue.
    TailOfHeelersQueue(Option<TrailDestination>),
    Destroy(Option<TrailDestination>),
    Restore(Option<TrailDestination>),
}

impl Task {
    /// The options that it is about.
    #[must_use]
    pub fn destinations(self) -> Vec<TrailDestination> {
        match self {
            Self::Preflight(preflight) => preflight.destinations(),
            Self::TailOfBucket => vec![TrailDestination::Bucket],
            Self::Plan(route) | Self::Setup(route) | Self::Rollback(route) => vec![route],
            Self::Outputs(route)
            | Self::Export(route)
            | Self::Tail(route)
            | Self::TailOfHeelersQueue(route)
            | Self::Destroy(route)
            | Self::Restore(route) => one_or_all(route),
        }
    }
}

/// How far preflight goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preflight {
    /// One option, or all of them.
    pub route: Option<TrailDestination>,
    /// Also what only `--deep` asks.
    pub deep: bool,
    /// Also what `--fix` writes.
    pub fix: bool,
}

impl Preflight {
    /// The options that it is about.
    #[must_use]
    pub fn destinations(self) -> Vec<TrailDestination> {
        one_or_all(self.route)
    }
}

fn one_or_all(route: Option<TrailDestination>) -> Vec<TrailDestination> {
    route.map_or_else(|| TrailDestination::ALL.to_vec(), |route| vec![route])
}

/// All that the task needs: that of plan holds that of preflight, and so on.
#[must_use]
pub fn statements(task: Task, place: &PolicyScope) -> Vec<Statement> {
    let at_log_group = place.in_log_group_region();
    let plan = |route| {
        let wanted = Preflight {
            route: Some(route),
            ..Preflight::default()
        };
        let reads = match route {
            TrailDestination::Bucket => setup::plan_reads(place),
            TrailDestination::LogGroup => cloudwatch::plan_reads(&at_log_group),
        };
        [preflight::statements(wanted, place), reads].concat()
    };
    let writes = |route| match route {
        TrailDestination::Bucket => setup::setup_writes(place),
        TrailDestination::LogGroup => cloudwatch::setup_writes(&at_log_group),
    };
    let deletes = |route| match route {
        TrailDestination::Bucket => [
            destroy::destroy_writes(place),
            destroy::temporary_queue_deletes(place),
        ]
        .concat(),
        TrailDestination::LogGroup => [
            cloudwatch::destroy_writes(&at_log_group),
            vec![cloudwatch::function_log_group_delete(&at_log_group)],
        ]
        .concat(),
    };
    let takes_back = |route| match route {
        TrailDestination::Bucket => [
            destroy::destroy_writes(place),
            destroy::rollback_writes(place),
        ]
        .concat(),
        TrailDestination::LogGroup => [
            cloudwatch::destroy_writes(&at_log_group),
            destroy::rollback_writes(&at_log_group),
            vec![cloudwatch::rollback_writes(&at_log_group)],
        ]
        .concat(),
    };
    merge_statements(match task {
        Task::Preflight(wanted) => preflight::statements(wanted, place),
        Task::Plan(route) => plan(route),
        Task::Setup(route) => [plan(route), writes(route)].concat(),
        Task::Rollback(route) => [plan(route), writes(route), takes_back(route)].concat(),
        Task::Outputs(route) => tail::outputs(&one_or_all(route), place),
        Task::Export(route) => one_or_all(route)
            .into_iter()
            .flat_map(|route| match route {
                TrailDestination::Bucket => export::s3(place),
                TrailDestination::LogGroup => export::cloudwatch(&at_log_group),
            })
            .collect(),
        Task::Tail(route) => one_or_all(route)
            .into_iter()
            .flat_map(|route| match route {
                TrailDestination::Bucket => tail::temporary_queue(place),
                TrailDestination::LogGroup => tail::log_group(&at_log_group),
            })
            .collect(),
        Task::TailOfBucket => tail::bucket(place),
        Task::TailOfHeelersQueue(route) => tail::heelers_queue(&one_or_all(route), place),
        // Without the role it looks where the trail leads, as preflight does.
        Task::Destroy(route) => one_or_all(route)
            .into_iter()
            .flat_map(|route| [plan(route), deletes(route)].concat())
            .collect(),
        Task::Restore(route) => one_or_all(route)
            .into_iter()
            .flat_map(|route| match route {
                TrailDestination::Bucket => restore::of_bucket(place),
                TrailDestination::LogGroup => restore::of_log_group(&at_log_group),
            })
            .collect(),
    })
}

/// The statements as a document that can be given to IAM.
#[must_use]
pub fn document(statements: &[Statement]) -> Value {
    iam::document(statements.iter().map(Statement::to_json).collect())
}

/// How long IAM finds a document.
#[must_use]
pub fn policy_length(document: &Value) -> usize {
    let text = document.to_string();
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// The placeholders that are left in a document, and what has to be put there.
#[must_use]
pub fn remaining_placeholders(document: &Value) -> Vec<(&'static str, &'static str)> {
    let text = document.to_string();
    PLACEHOLDERS
        .iter()
        .filter(|(name, _)| text.contains(name))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::naming::{MANAGED_BY_TAG, ResourceNames};

    fn all_tasks() -> Vec<Task> {
        let routes = [
            None,
            Some(TrailDestination::Bucket),
            Some(TrailDestination::LogGroup),
        ];
        let mut tasks = vec![Task::TailOfBucket];
        for route in TrailDestination::ALL {
            tasks.extend([Task::Plan(route), Task::Setup(route)]);
        }
        for route in routes {
            tasks.extend([
                Task::Outputs(route),
                Task::Export(route),
                Task::Tail(route),
                Task::TailOfHeelersQueue(route),
                Task::Destroy(route),
            ]);
            for (deep, fix) in [(false, false), (true, false), (false, true), (true, true)] {
                tasks.push(Task::Preflight(Preflight { route, deep, fix }));
            }
        }
        tasks
    }

    /// Every name about as long as anybody gives it.
    fn longest_scope() -> PolicyScope {
        let key = |id: &str| {
            let resource = format!("key/mrk-{}{id}", "0123456789abcdef".repeat(2));
            crate::aws::arn::build(
                "aws-us-gov",
                "kms",
                "ap-southeast-2",
                "111122223333",
                &resource,
            )
        };
        PolicyScope {
            partition: "aws-us-gov".to_owned(),
            account: "111122223333".to_owned(),
            region: "ap-southeast-2".to_owned(),
            names: ResourceNames::new(&"x".repeat(21)),
            bucket: "b".repeat(63),
            log_prefix: format!("{}/AWSLogs/", "p".repeat(200)),
            bucket_keys: vec![key("1"), key("2")],
            topic: None,
            topic_key: None,
            other_keys: Vec::new(),
            log_group_region: "ap-southeast-4".to_owned(),
            log_group: "g".repeat(256),
            log_group_key: Some(key("3")),
        }
    }

    fn scope_with_topic() -> PolicyScope {
        let place = longest_scope();
        PolicyScope {
            topic: Some(format!(
                "arn:aws-us-gov:sns:ap-southeast-2:111122223333:{}",
                "t".repeat(256)
            )),
            topic_key: Some("2".repeat(36)),
            ..place
        }
    }

    fn permitted_actions(task: Task, place: &PolicyScope) -> BTreeSet<&'static str> {
        let statements = statements(task, place).into_iter();
        statements.flat_map(|statement| statement.actions).collect()
    }

    #[test]
    fn every_policy_fits_the_inline_limit() {
        for place in [
            longest_scope(),
            scope_with_topic(),
            PolicyScope::unknown(ResourceNames::new("heeler")),
        ] {
            for task in all_tasks() {
                // That of both options is for a place of which nothing else is known.
                if task == Task::Destroy(None) && place.account == "111122223333" {
                    continue;
                }
                let length = policy_length(&document(&statements(task, &place)));
                assert!(length <= INLINE_POLICIES_MAX_CHARS, "{task:?}: {length}");
            }
        }
    }

    #[test]
    fn sids_are_unique_and_alphanumeric() {
        for place in [longest_scope(), scope_with_topic()] {
            for task in all_tasks() {
                let statements = statements(task, &place);
                let sids: BTreeSet<&str> = statements.iter().map(|each| each.sid).collect();
                assert_eq!(sids.len(), statements.len(), "{task:?}");
                let plain = |sid: &str| sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
                assert!(sids.iter().all(|sid| plain(sid)), "{sids:?}");
            }
        }
    }

    #[test]
    fn only_remaining_placeholders_are_listed() {
        let anywhere = PolicyScope::unknown(ResourceNames::new("heeler"));
        let names = |task, place: &PolicyScope| {
            let left = remaining_placeholders(&document(&statements(task, place)));
            left.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(Task::Outputs(Some(TrailDestination::Bucket)), &anywhere),
            ["${PARTITION}", "${ACCOUNT}", "${REGION}"]
        );
        assert_eq!(
            names(Task::Setup(TrailDestination::Bucket), &longest_scope()),
            [""; 0]
        );
        for task in all_tasks() {
            let text = document(&statements(task, &anywhere)).to_string();
            assert_eq!(
                text.matches("${").count(),
                names(task, &anywhere)
                    .iter()
                    .map(|name| text.matches(name).count())
                    .sum::<usize>(),
                "{task:?} has a placeholder that is in no table"
            );
        }
    }

    #[test]
    fn statements_omit_missing_keys() {
        let place = PolicyScope {
            bucket_keys: Vec::new(),
            log_group_key: None,
            ..longest_scope()
        };
        assert!(
            !permitted_actions(Task::Setup(TrailDestination::Bucket), &place)
                .contains("kms:CreateGrant")
        );
        assert!(!permitted_actions(Task::Tail(None), &place).contains("kms:Decrypt"));
        let preflight = Task::Preflight(Preflight::default());
        assert!(!permitted_actions(preflight, &place).contains("kms:ListGrants"));
    }

    #[test]
    fn existing_topic_and_its_bucket_are_not_writable() {
        let topic = [
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:SetTopicAttributes",
            "s3:PutBucketNotification",
        ];
        for task in [Task::Setup(TrailDestination::Bucket), Task::Destroy(None)] {
            let permitted = permitted_actions(task, &scope_with_topic());
            assert!(
                !topic.iter().any(|action| permitted.contains(action)),
                "{task:?}"
            );
        }
    }

    #[test]
    fn read_only_commands_have_only_read_actions() {
        let reads = |action: &str| {
            let (_, verb) = action.split_once(':').expect("a service and a verb");
            ["Decrypt", "Describe", "Filter", "Get", "List", "Simulate"]
                .iter()
                .any(|beginning| verb.starts_with(beginning))
        };
        for task in all_tasks() {
            let only_reads = match task {
                Task::Preflight(preflight) => !preflight.fix,
                Task::Plan(_)
                | Task::Outputs(_)
                | Task::TailOfBucket
                | Task::Export(_)
                | Task::Tail(Some(TrailDestination::LogGroup)) => true,
                Task::Setup(_)
                | Task::Rollback(_)
                | Task::Tail(_)
                | Task::TailOfHeelersQueue(_)
                | Task::Destroy(_)
                | Task::Restore(_) => false,
            };
            let permitted = permitted_actions(task, &longest_scope());
            assert_eq!(
                permitted.iter().all(|action| reads(action)),
                only_reads,
                "{task:?}"
            );
        }
    }

    #[test]
    fn tail_may_not_receive_from_heelers_queue() {
        for statement in statements(Task::Tail(None), &longest_scope()) {
            if statement.actions.contains(&"sqs:ReceiveMessage") {
                assert!(
                    statement
                        .resources
                        .iter()
                        .all(|arn| arn.contains("_ec_tail_"))
                );
            }
        }
    }

    #[test]
    fn condition_keys_use_the_managed_by_tag() {
        for key in [REQUEST_TAG_KEY, RESOURCE_TAG_KEY] {
            assert_eq!(key.split('/').next_back(), Some(MANAGED_BY_TAG));
        }
    }
}
