//! Cases of the checks on the trail's log group.

use heeler_ec::check::Verdict;
use heeler_ec::inventory::facts::{
    AccountSubscriptionFilter, LambdaConcurrency, LogGroupSettings, LogStreamPresence,
    SubscriptionFilterFacts, TrailSelection,
};
use heeler_ec::inventory::trail_destination::TrailDestination::LogGroup;
use heeler_ec::inventory::{Fact, Snapshot};

use super::account::{log_group, trail};
use super::fixture::{KEY, key, minutes_ago};
use super::trail::status;
use super::{VerdictCase, assert_verdicts, check, cloudwatch, ready, refused};

#[test]
fn log_group_verdicts() {
    assert_verdicts(&cases());
}

/// Control Tower treats a change as drift and reverts it.
#[test]
fn control_tower_retention_has_no_fix() {
    let states = cases().into_iter();
    let of_control_tower = |state: &VerdictCase| {
        state.check == "logs.retention" && state.situation == "Control Tower manages the log group"
    };
    let found: Vec<Verdict> = states
        .filter(of_control_tower)
        .map(|state| state.evaluate())
        .collect();
    let [Verdict::Warn(finding)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(finding.fix.cli, [""; 0]);
    assert_eq!(finding.fix.action, None);
}

/// The commands that a check of option cloudwatch prints in this case.
fn printed_commands(id: &str, differs: impl FnOnce(&mut Snapshot)) -> Vec<String> {
    let mut snapshot = ready(LogGroup);
    differs(&mut snapshot);
    match (check(LogGroup, id).evaluate)(&snapshot) {
        Verdict::Fail(finding) => finding.fix.cli,
        other => panic!("{id}: {other:?}"),
    }
}

/// CloudTrail rejects a log group that does not exist, or to which the role may not write.
#[test]
fn new_log_group_commands_create_and_grant() {
    const NEW: &str = "aws-cloudtrail-logs";
    type Differs = fn(&mut Snapshot);
    let states: [(&str, &str, Differs); 3] = [
        ("logs.enabled", NEW, |s| trail(s).log_group = None),
        ("logs.class", "aws-cloudtrail-logs-standard", |s| {
            log_group_settings(s).class = Some("INFREQUENT_ACCESS".into());
        }),
        ("logs.recursion", NEW, |s| {
            log_group(s).name = "/aws/lambda/heeler_event_collection_lambda".into();
        }),
    ];
    for (id, group, differs) in states {
        let commands = printed_commands(id, differs);
        let [make, let_in, deliver] = commands.as_slice() else {
            panic!("{id}: {commands:#?}");
        };
        let on_group = format!("--log-group-name {group} ");
        assert!(
            make.starts_with("aws logs create-log-group --region us-east-1 ")
                && make.contains(&on_group),
            "{id}: {make}"
        );
        assert!(
            let_in.starts_with("aws iam put-role-policy --role-name CloudTrailLogs ")
                && let_in.contains(&format!(":log-group:{group}:log-stream:o-example_*")),
            "{id}: {let_in}"
        );
        assert!(
            deliver.starts_with("aws cloudtrail update-trail ")
                && deliver.contains(&format!(":log-group:{group}:*'")),
            "{id}: {deliver}"
        );
    }
}

/// If the trail has no role, no command can allow the role to write.
#[test]
fn new_log_group_commands_without_role() {
    let commands = printed_commands("logs.enabled", |s| {
        trail(s).log_group = None;
        trail(s).log_group_role = None;
    });
    let [make, deliver] = commands.as_slice() else {
        panic!("{commands:#?}");
    };
    assert!(make.starts_with("aws logs create-log-group "), "{make}");
    assert!(
        deliver.ends_with("--cloud-watch-logs-role-arn ROLE_ARN"),
        "{deliver}"
    );
}

/// A policy with the same name would be replaced, and the role could no longer write to its other log groups.
#[test]
fn role_policy_names_are_unique_and_valid() {
    let name_for = |name: &str| {
        let commands = printed_commands("logs.member_streams", |s| {
            log_group(s).name = name.to_owned();
            log_group(s).streams = Fact::Present(LogStreamPresence {
                member_accounts: false,
                any: true,
            });
        });
        let name = commands[0].split(" --policy-name ").nth(1);
        let name = name.and_then(|rest| rest.split(' ').next());
        name.expect("a name").to_owned()
    };
    assert_eq!(name_for("trail"), "cloudtrail-streams-trail");
    assert_eq!(name_for("/org/trail#1"), "cloudtrail-streams-.org.trail_1");
    assert_eq!(name_for(&"x".repeat(512)).len(), 128);
}

pub fn cases() -> Vec<VerdictCase> {
    vec![
        cloudwatch(
            "logs.enabled",
            "the trail delivers to a log group",
            |_| {},
            "pass",
            "aws-cloudtrail-logs",
        ),
        cloudwatch(
            "logs.enabled",
            "the trail delivers to no log group",
            |s| trail(s).log_group = None,
            "fail",
            "--cloud-watch-logs-log-group-arn 'arn:aws:logs:us-east-1:111122223333:log-group:aws-cloudtrail-logs:*'",
        ),
        cloudwatch(
            "logs.enabled",
            "there is no role",
            |s| trail(s).log_group_role = None,
            "fail",
            "no role for CloudWatch Logs",
        ),
        cloudwatch(
            "logs.enabled",
            "--log-group names another log group",
            |s| s.request.log_group = Some("other".into()),
            "fail",
            "remove --log-group",
        ),
        cloudwatch(
            "logs.enabled",
            "no trail was found",
            |s| s.trail_selection = TrailSelection::None,
            "skip",
            "depends on trail.found",
        ),
        cloudwatch(
            "logs.account",
            "it belongs to this account",
            |_| {},
            "pass",
            "account 111122223333",
        ),
        cloudwatch(
            "logs.account",
            "it belongs to a delegated administrator",
            |s| log_group(s).account = "222233334444".into(),
            "fail",
            "run heeler-ec with credentials for 222233334444",
        ),
        cloudwatch(
            "logs.exists",
            "it exists",
            |_| {},
            "pass",
            "aws-cloudtrail-logs in us-east-1",
        ),
        cloudwatch(
            "logs.exists",
            "it was deleted",
            |s| log_group(s).settings = Fact::Absent,
            "fail",
            "logs create-log-group --region us-east-1",
        ),
        cloudwatch(
            "logs.exists",
            "the caller may not list log groups",
            |s| log_group(s).settings = Fact::Failed(refused("logs:DescribeLogGroups")),
            "unknown",
            "logs:DescribeLogGroups",
        ),
        cloudwatch(
            "logs.exists",
            "no account-level filter",
            |s| s.log_group = None,
            "skip",
            "depends on logs.enabled",
        ),
        cloudwatch(
            "logs.delivery",
            "the last delivery was minutes ago",
            |_| {},
            "pass",
            "2026-03-02T11:57:00Z",
        ),
        cloudwatch(
            "logs.delivery",
            "the last delivery was hours ago",
            |s| status(s).to_log_group.at = Some(minutes_ago(120)),
            "warn",
            "the last delivery was",
        ),
        cloudwatch(
            "logs.delivery",
            "the last delivery was days ago",
            |s| status(s).to_log_group.at = Some(minutes_ago(60 * 48)),
            "fail",
            "the last delivery was",
        ),
        cloudwatch(
            "logs.delivery",
            "the delivery was denied",
            |s| {
                status(s).to_log_group.at = None;
                status(s).to_log_group.error = Some("AccessDenied".into());
            },
            "fail",
            "log-group:aws-cloudtrail-logs:log-stream:o-example_*",
        ),
        cloudwatch(
            "logs.delivery",
            "the caller may not read the trail's status",
            |s| s.trail_status = Fact::Failed(refused("cloudtrail:GetTrailStatus")),
            "unknown",
            "cloudtrail:GetTrailStatus",
        ),
        cloudwatch(
            "logs.retention",
            "the log group belongs to another account",
            |s| log_group(s).account = "222233334444".into(),
            "skip",
            "depends on logs.account",
        ),
        cloudwatch(
            "logs.exists",
            "the log group belongs to another account",
            |s| log_group(s).account = "222233334444".into(),
            "skip",
            "depends on logs.account",
        ),
        cloudwatch(
            "logs.account_subscription_filter",
            "an account filter excludes a log group with a longer name",
            |s| {
                log_group(s).account_subscription_filters = Ok(vec![account_filter(Some(
                    r#"LogGroupName NOT IN ["/aws/lambda/heeler_event_collection_lambda_old"]"#,
                ))])
            },
            "warn",
            "includes /aws/lambda/heeler_event_collection_lambda",
        ),
        cloudwatch(
            "logs.member_streams",
            "members have log streams",
            |_| {},
            "pass",
            "member accounts have log streams",
        ),
        cloudwatch(
            "logs.member_streams",
            "only this account has log streams",
            |s| {
                log_group(s).streams = Fact::Present(LogStreamPresence {
                    member_accounts: false,
                    any: true,
                })
            },
            "fail",
            "events of member accounts are missing",
        ),
        cloudwatch(
            "logs.member_streams",
            "there are no log streams",
            |s| {
                log_group(s).streams = Fact::Present(LogStreamPresence::default());
                status(s).to_log_group.at = Some(minutes_ago(60 * 48));
            },
            "skip",
            "depends on logs.delivery",
        ),
        cloudwatch(
            "logs.member_streams",
            "the caller may not list log streams",
            |s| log_group(s).streams = Fact::Failed(refused("logs:DescribeLogStreams")),
            "unknown",
            "logs:DescribeLogStreams",
        ),
        cloudwatch(
            "logs.class",
            "the class is STANDARD",
            |_| {},
            "pass",
            "STANDARD",
        ),
        cloudwatch(
            "logs.class",
            "the response omits it",
            |s| log_group_settings(s).class = None,
            "pass",
            "STANDARD",
        ),
        cloudwatch(
            "logs.class",
            "the class is INFREQUENT_ACCESS",
            |s| log_group_settings(s).class = Some("INFREQUENT_ACCESS".into()),
            "fail",
            "--log-group-class STANDARD",
        ),
        cloudwatch(
            "logs.class",
            "the class is ESSENTIALS",
            |s| log_group_settings(s).class = Some("ESSENTIALS".into()),
            "fail",
            "class ESSENTIALS",
        ),
        cloudwatch(
            "logs.class",
            "the class is DELIVERY",
            |s| log_group_settings(s).class = Some("DELIVERY".into()),
            "fail",
            "class DELIVERY",
        ),
        cloudwatch(
            "logs.class",
            "the log group does not exist",
            |s| log_group(s).settings = Fact::Absent,
            "skip",
            "depends on logs.exists",
        ),
        cloudwatch("logs.retention", "it is one day", |_| {}, "pass", "1 day"),
        cloudwatch(
            "logs.retention",
            "it is one year",
            |s| log_group_settings(s).retention_days = Some(365),
            "fail",
            "put-retention-policy --region us-east-1 --log-group-name aws-cloudtrail-logs --retention-in-days 1",
        ),
        cloudwatch(
            "logs.retention",
            "it is unlimited",
            |s| log_group_settings(s).retention_days = None,
            "fail",
            "events never expire",
        ),
        cloudwatch(
            "logs.retention",
            "others use the events",
            |s| {
                log_group_settings(s).retention_days = Some(30);
                log_group_settings(s).metric_filter_count = 2;
                log_group(s).subscription_filters = Ok(vec![filter("siem", "siem")]);
            },
            "fail",
            "30 days; also used by 2 metric filters, 1 other subscription filter",
        ),
        cloudwatch(
            "logs.retention",
            "the caller may not list the subscription filters",
            |s| {
                log_group_settings(s).retention_days = Some(30);
                log_group_settings(s).metric_filter_count = 1;
                log_group(s).subscription_filters =
                    Err(refused("logs:DescribeSubscriptionFilters"));
            },
            "fail",
            "30 days; also used by 1 metric filter; its subscription filters could not be read",
        ),
        cloudwatch(
            "logs.member_streams",
            "there is none, although the trail delivers",
            |s| log_group(s).streams = Fact::Present(LogStreamPresence::default()),
            "warn",
            "the log group has no streams",
        ),
        cloudwatch(
            "quota.lambda",
            "the limit is high, but nearly all of it is reserved",
            |s| concurrency(s, 3000, Some(20)),
            "warn",
            "--desired-value 4000",
        ),
        cloudwatch(
            "logs.retention",
            "an account policy overrides it",
            |s| {
                log_group_settings(s).retention_days = Some(90);
                log_group_settings(s).retention_policy = Some("keep-90".into());
            },
            "fail",
            "the account's retention policy keep-90 overrides",
        ),
        cloudwatch(
            "logs.retention",
            "Control Tower manages the log group",
            |s| {
                log_group_settings(s).retention_days = Some(14);
                log_group(s).name = "aws-controltower/CloudTrailLogs".into();
            },
            "warn",
            "reverts changes",
        ),
        cloudwatch(
            "logs.filters",
            "no account-level filter",
            |_| {},
            "pass",
            "no other filters",
        ),
        cloudwatch(
            "logs.filters",
            "there is another filter",
            |s| log_group(s).subscription_filters = Ok(vec![filter("siem", "siem")]),
            "pass",
            "1 other filter (unchanged): siem → arn:aws:lambda",
        ),
        cloudwatch(
            "logs.filters",
            "there are four other filters",
            |s| filters(s, 4),
            "pass",
            "4 other filters",
        ),
        cloudwatch(
            "logs.filters",
            "there are five other filters",
            |s| filters(s, 5),
            "fail",
            "use an option that reads from the bucket",
        ),
        cloudwatch(
            "logs.filters",
            "the managed filter exists",
            |s| {
                log_group(s).subscription_filters =
                    Ok(vec![filter(OWN, "heeler_event_collection_lambda")])
            },
            "pass",
            "already exists",
        ),
        cloudwatch(
            "logs.filters",
            "the managed filter is one of five",
            |s| {
                filters(s, 4);
                log_group(s)
                    .subscription_filters
                    .as_mut()
                    .expect("filters")
                    .push(filter(OWN, "heeler_event_collection_lambda"));
            },
            "pass",
            "already exists",
        ),
        cloudwatch(
            "logs.filters",
            "the managed filter has another destination",
            |s| log_group(s).subscription_filters = Ok(vec![filter(OWN, "another")]),
            "fail",
            "choose other names with --name-prefix",
        ),
        cloudwatch(
            "logs.filters",
            "the caller may not list them",
            |s| {
                log_group(s).subscription_filters = Err(refused("logs:DescribeSubscriptionFilters"))
            },
            "unknown",
            "logs:DescribeSubscriptionFilters",
        ),
        cloudwatch(
            "logs.account_subscription_filter",
            "no account-level filter",
            |_| {},
            "pass",
            "no account-level filter",
        ),
        cloudwatch(
            "logs.account_subscription_filter",
            "an account filter includes everything",
            |s| log_group(s).account_subscription_filters = Ok(vec![account_filter(None)]),
            "warn",
            "may cause recursion",
        ),
        cloudwatch(
            "logs.account_subscription_filter",
            "an account filter excludes another log group",
            |s| {
                log_group(s).account_subscription_filters = Ok(vec![account_filter(Some(
                    r#"LogGroupName NOT IN ["/aws/lambda/x"]"#,
                ))])
            },
            "warn",
            "includes /aws/lambda/heeler_event_collection_lambda",
        ),
        cloudwatch(
            "logs.account_subscription_filter",
            "an account filter excludes the function's log group",
            |s| {
                log_group(s).account_subscription_filters = Ok(vec![account_filter(Some(
                    r#"LogGroupName NOT IN ["/aws/lambda/heeler_event_collection_lambda"]"#,
                ))])
            },
            "pass",
            "exclude /aws/lambda/heeler_event_collection_lambda",
        ),
        cloudwatch(
            "logs.account_subscription_filter",
            "the caller may not list them",
            |s| {
                log_group(s).account_subscription_filters =
                    Err(refused("logs:DescribeAccountPolicies"))
            },
            "unknown",
            "logs:DescribeAccountPolicies",
        ),
        cloudwatch(
            "logs.key",
            "no account-level filter",
            |_| {},
            "skip",
            "has no KMS key",
        ),
        cloudwatch(
            "logs.key",
            "it is enabled",
            |s| log_group(s).key = Some(key(KEY)),
            "pass",
            KEY,
        ),
        cloudwatch(
            "logs.key",
            "it is disabled",
            |s| {
                let mut facts = key(KEY);
                facts.key.present_mut().expect("a key").state = "Disabled".into();
                log_group(s).key = Some(facts);
            },
            "fail",
            "kms enable-key",
        ),
        cloudwatch(
            "logs.key",
            "it does not exist",
            |s| {
                let mut facts = key(KEY);
                facts.key = Fact::Absent;
                log_group(s).key = Some(facts);
            },
            "fail",
            "does not exist",
        ),
        cloudwatch(
            "logs.key",
            "the caller may not describe it",
            |s| {
                let mut facts = key(KEY);
                facts.key = Fact::Failed(refused("kms:DescribeKey"));
                log_group(s).key = Some(facts);
            },
            "unknown",
            "kms:DescribeKey",
        ),
        cloudwatch(
            "logs.data_protection",
            "there is no data protection policy",
            |_| {},
            "pass",
            "no data protection policy",
        ),
        cloudwatch(
            "logs.data_protection",
            "a data protection policy is active",
            |s| log_group_settings(s).has_data_protection = true,
            "warn",
            "receive masked values",
        ),
        cloudwatch(
            "logs.transformer",
            "--deep is not given",
            |_| {},
            "skip",
            "checked only with --deep",
        ),
        cloudwatch(
            "logs.transformer",
            "no account-level filter",
            |s| log_group(s).transformer = Fact::Present(false),
            "pass",
            "no transformer",
        ),
        cloudwatch(
            "logs.transformer",
            "there is a transformer",
            |s| log_group(s).transformer = Fact::Present(true),
            "warn",
            "has a transformer",
        ),
        cloudwatch(
            "logs.transformer",
            "the caller may not read it",
            |s| log_group(s).transformer = Fact::Failed(refused("logs:GetTransformer")),
            "unknown",
            "logs:GetTransformer",
        ),
        cloudwatch(
            "logs.recursion",
            "the trail delivers to another log group",
            |_| {},
            "pass",
            "the function logs to",
        ),
        cloudwatch(
            "logs.recursion",
            "the trail delivers to the function's log group",
            |s| log_group(s).name = "/aws/lambda/heeler_event_collection_lambda".into(),
            "fail",
            "each invocation would cause the next",
        ),
        cloudwatch(
            "quota.lambda",
            "no concurrency is reserved",
            |_| {},
            "pass",
            "1000 of 1000",
        ),
        cloudwatch(
            "quota.lambda",
            "the account has ten concurrent executions",
            |s| concurrency(s, 10, Some(10)),
            "warn",
            "request-service-quota-increase",
        ),
        cloudwatch(
            "quota.lambda",
            "all concurrency is reserved",
            |s| concurrency(s, 1000, Some(0)),
            "fail",
            "0 of 1000",
        ),
        cloudwatch(
            "quota.lambda",
            "the reserved concurrency is unknown",
            |s| concurrency(s, 1000, None),
            "pass",
            "1000 of 1000",
        ),
        cloudwatch(
            "quota.lambda",
            "the caller may not read it",
            |s| log_group(s).concurrency = Fact::Failed(refused("lambda:GetAccountSettings")),
            "unknown",
            "lambda:GetAccountSettings",
        ),
        cloudwatch(
            "quota.lambda",
            "does not exist",
            |s| s.log_group = None,
            "skip",
            "depends on logs.enabled",
        ),
    ]
}

const OWN: &str = "heeler_cloudwatch_log_subscription_filter";

fn log_group_settings(snapshot: &mut Snapshot) -> &mut LogGroupSettings {
    let settings = log_group(snapshot).settings.present_mut();
    settings.expect("a log group")
}

fn filter(name: &str, function: &str) -> SubscriptionFilterFacts {
    SubscriptionFilterFacts {
        name: name.into(),
        destination: format!("arn:aws:lambda:us-east-1:111122223333:function:{function}"),
        pattern: String::new(),
    }
}

fn filters(snapshot: &mut Snapshot, count: usize) {
    let filters = (0..count).map(|number| filter(&format!("f{number}"), "siem"));
    log_group(snapshot).subscription_filters = Ok(filters.collect());
}

fn account_filter(selection: Option<&str>) -> AccountSubscriptionFilter {
    AccountSubscriptionFilter {
        name: "all-to-siem".into(),
        selection_criteria: selection.map(str::to_owned),
    }
}

fn concurrency(snapshot: &mut Snapshot, total: i32, unreserved: Option<i32>) {
    log_group(snapshot).concurrency = Fact::Present(LambdaConcurrency { total, unreserved });
}
