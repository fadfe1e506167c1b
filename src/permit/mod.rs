//! What a caller has to be allowed: the least-privilege policy of each command, as values. Pure.

mod cloudwatch;
mod destroy;
mod export;
pub mod place;
mod preflight;
mod restore;
mod setup;
pub mod statement;
mod tail;

use serde_json::Value;

use crate::policy;
use crate::route::Route;
use place::{PLACEHOLDERS, Place};
use statement::{Statement, tidy};

/// Characters, white space not counted, that IAM takes for a managed policy.
pub const MANAGED_LIMIT: usize = 6_144;
/// The same for all inline policies of a role together.
pub const INLINE_LIMIT: usize = 10_240;

/// The value of the tag that everything of ours bears.
const OWN: &str = env!("CARGO_PKG_NAME");
const OWN_TAG_OF_REQUEST: &str = "aws:RequestTag/managed-by";
const OWN_TAG_OF_RESOURCE: &str = "aws:ResourceTag/managed-by";

/// What somebody wants to be allowed, and of which option; without one, of whichever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Preflight(Preflight),
    Plan(Route),
    Setup(Route),
    /// Setup that takes back what it did when it fails.
    Rollback(Route),
    Outputs(Option<Route>),
    Export(Option<Route>),
    Tail(Option<Route>),
    /// Tail that lists the bucket instead of listening to the topic.
    TailOfBucket,
    /// Tail that looks into Heeler's own queue.
    TailOfHeelersQueue(Option<Route>),
    Destroy(Option<Route>),
    Restore(Option<Route>),
}

impl Task {
    /// The options that it is about.
    #[must_use]
    pub fn routes(self) -> Vec<Route> {
        match self {
            Self::Preflight(preflight) => preflight.routes(),
            Self::TailOfBucket => vec![Route::S3],
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
    pub route: Option<Route>,
    /// Also what only `--deep` asks.
    pub deep: bool,
    /// Also what `--fix` writes.
    pub fix: bool,
}

impl Preflight {
    /// The options that it is about.
    #[must_use]
    pub fn routes(self) -> Vec<Route> {
        one_or_all(self.route)
    }
}

fn one_or_all(route: Option<Route>) -> Vec<Route> {
    route.map_or_else(|| Route::ALL.to_vec(), |route| vec![route])
}

/// All that the task needs: that of plan holds that of preflight, and so on.
#[must_use]
pub fn statements(task: Task, place: &Place) -> Vec<Statement> {
    let at_log_group = place.at_log_group();
    let plan = |route| {
        let wanted = Preflight {
            route: Some(route),
            ..Preflight::default()
        };
        let reads = match route {
            Route::S3 => setup::reads(place),
            Route::CloudWatch => cloudwatch::reads(&at_log_group),
        };
        [preflight::statements(wanted, place), reads].concat()
    };
    let writes = |route| match route {
        Route::S3 => setup::writes(place),
        Route::CloudWatch => cloudwatch::writes(&at_log_group),
    };
    let deletes = |route| match route {
        Route::S3 => [destroy::deletes(place), destroy::taps(place)].concat(),
        Route::CloudWatch => [
            cloudwatch::deletes(&at_log_group),
            vec![cloudwatch::deletes_log_of_function(&at_log_group)],
        ]
        .concat(),
    };
    let takes_back = |route| match route {
        Route::S3 => [destroy::deletes(place), destroy::puts_back(place)].concat(),
        Route::CloudWatch => [
            cloudwatch::deletes(&at_log_group),
            destroy::puts_back(&at_log_group),
            vec![cloudwatch::puts_back(&at_log_group)],
        ]
        .concat(),
    };
    tidy(match task {
        Task::Preflight(wanted) => preflight::statements(wanted, place),
        Task::Plan(route) => plan(route),
        Task::Setup(route) => [plan(route), writes(route)].concat(),
        Task::Rollback(route) => [plan(route), writes(route), takes_back(route)].concat(),
        Task::Outputs(route) => tail::outputs(&one_or_all(route), place),
        Task::Export(route) => one_or_all(route)
            .into_iter()
            .flat_map(|route| match route {
                Route::S3 => export::s3(place),
                Route::CloudWatch => export::cloudwatch(&at_log_group),
            })
            .collect(),
        Task::Tail(route) => one_or_all(route)
            .into_iter()
            .flat_map(|route| match route {
                Route::S3 => tail::tap(place),
                Route::CloudWatch => tail::log_group(&at_log_group),
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
                Route::S3 => restore::of_bucket(place),
                Route::CloudWatch => restore::of_log_group(&at_log_group),
            })
            .collect(),
    })
}

/// The statements as a document that can be given to IAM.
#[must_use]
pub fn document(statements: &[Statement]) -> Value {
    policy::document(statements.iter().map(Statement::value).collect())
}

/// How long IAM finds a document.
#[must_use]
pub fn length(document: &Value) -> usize {
    let text = document.to_string();
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// The placeholders that are left in a document, and what has to be put there.
#[must_use]
pub fn placeholders(document: &Value) -> Vec<(&'static str, &'static str)> {
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
    use crate::names::{MANAGED_BY, Names};

    fn tasks() -> Vec<Task> {
        let routes = [None, Some(Route::S3), Some(Route::CloudWatch)];
        let mut tasks = vec![Task::TailOfBucket];
        for route in Route::ALL {
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
    fn long() -> Place {
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
        Place {
            partition: "aws-us-gov".to_owned(),
            account: "111122223333".to_owned(),
            region: "ap-southeast-2".to_owned(),
            names: Names::new(&"x".repeat(21)),
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

    fn with_topic() -> Place {
        let place = long();
        Place {
            topic: Some(format!(
                "arn:aws-us-gov:sns:ap-southeast-2:111122223333:{}",
                "t".repeat(256)
            )),
            topic_key: Some("2".repeat(36)),
            ..place
        }
    }

    fn actions(task: Task, place: &Place) -> BTreeSet<&'static str> {
        let statements = statements(task, place).into_iter();
        statements.flat_map(|statement| statement.actions).collect()
    }

    #[test]
    fn every_document_fits_into_a_role() {
        for place in [long(), with_topic(), Place::anywhere(Names::new("heeler"))] {
            for task in tasks() {
                // That of both options is for a place of which nothing else is known.
                if task == Task::Destroy(None) && place.account == "111122223333" {
                    continue;
                }
                let length = length(&document(&statements(task, &place)));
                assert!(length <= INLINE_LIMIT, "{task:?}: {length}");
            }
        }
    }

    #[test]
    fn every_statement_has_a_name_of_its_own() {
        for place in [long(), with_topic()] {
            for task in tasks() {
                let statements = statements(task, &place);
                let sids: BTreeSet<&str> = statements.iter().map(|each| each.sid).collect();
                assert_eq!(sids.len(), statements.len(), "{task:?}");
                let plain = |sid: &str| sid.bytes().all(|byte| byte.is_ascii_alphanumeric());
                assert!(sids.iter().all(|sid| plain(sid)), "{sids:?}");
            }
        }
    }

    #[test]
    fn only_the_placeholders_that_are_left_are_told() {
        let anywhere = Place::anywhere(Names::new("heeler"));
        let names = |task, place: &Place| {
            let left = placeholders(&document(&statements(task, place)));
            left.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(
            names(Task::Outputs(Some(Route::S3)), &anywhere),
            ["${PARTITION}", "${ACCOUNT}", "${REGION}"]
        );
        assert_eq!(names(Task::Setup(Route::S3), &long()), [""; 0]);
        for task in tasks() {
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
    fn without_a_key_nothing_is_said_of_it() {
        let place = Place {
            bucket_keys: Vec::new(),
            log_group_key: None,
            ..long()
        };
        assert!(!actions(Task::Setup(Route::S3), &place).contains("kms:CreateGrant"));
        assert!(!actions(Task::Tail(None), &place).contains("kms:Decrypt"));
        let preflight = Task::Preflight(Preflight::default());
        assert!(!actions(preflight, &place).contains("kms:ListGrants"));
    }

    #[test]
    fn a_topic_of_others_is_not_changed_and_neither_is_the_bucket() {
        let topic = [
            "sns:CreateTopic",
            "sns:DeleteTopic",
            "sns:SetTopicAttributes",
            "s3:PutBucketNotification",
        ];
        for task in [Task::Setup(Route::S3), Task::Destroy(None)] {
            let permitted = actions(task, &with_topic());
            assert!(
                !topic.iter().any(|action| permitted.contains(action)),
                "{task:?}"
            );
        }
    }

    #[test]
    fn what_only_reads_is_not_allowed_to_write() {
        let reads = |action: &str| {
            let (_, verb) = action.split_once(':').expect("a service and a verb");
            ["Decrypt", "Describe", "Filter", "Get", "List", "Simulate"]
                .iter()
                .any(|beginning| verb.starts_with(beginning))
        };
        for task in tasks() {
            let only_reads = match task {
                Task::Preflight(preflight) => !preflight.fix,
                Task::Plan(_)
                | Task::Outputs(_)
                | Task::TailOfBucket
                | Task::Export(_)
                | Task::Tail(Some(Route::CloudWatch)) => true,
                Task::Setup(_)
                | Task::Rollback(_)
                | Task::Tail(_)
                | Task::TailOfHeelersQueue(_)
                | Task::Destroy(_)
                | Task::Restore(_) => false,
            };
            let permitted = actions(task, &long());
            assert_eq!(
                permitted.iter().all(|action| reads(action)),
                only_reads,
                "{task:?}"
            );
        }
    }

    #[test]
    fn nobody_but_heeler_may_receive_from_its_queue() {
        for statement in statements(Task::Tail(None), &long()) {
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
    fn the_tag_is_the_one_that_setup_writes() {
        for key in [OWN_TAG_OF_REQUEST, OWN_TAG_OF_RESOURCE] {
            assert_eq!(key.split('/').next_back(), Some(MANAGED_BY));
        }
    }
}
