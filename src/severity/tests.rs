use super::*;

fn table() -> SeverityTable {
    SeverityTable::built_in().unwrap()
}

fn level(service: &str, name: &str) -> SeverityLevel {
    table().level(&RatedEvent {
        service,
        name,
        ..RatedEvent::default()
    })
}

#[test]
fn built_in_table_has_all_entries() {
    let table = table();
    let levels: Vec<SeverityLevel> = table
        .entries
        .values()
        .flat_map(|names| names.values().copied())
        .collect();
    let count = |counted| levels.iter().filter(|level| **level == counted).count();
    assert_eq!(levels.len(), 318);
    assert_eq!(
        (
            count(SeverityLevel::High),
            count(SeverityLevel::Medium),
            count(SeverityLevel::Low)
        ),
        (96, 49, 173)
    );
}

#[test]
fn listed_event_has_its_level() {
    assert_eq!(level("ec2", "RunInstances"), SeverityLevel::High);
    assert_eq!(level("s3", "PutBucketPolicy"), SeverityLevel::Medium);
    assert_eq!(level("iam.amazonaws.com", "CreateUser"), SeverityLevel::Low);
    assert_eq!(
        level("config", "StartConfigRulesEvaluation"),
        SeverityLevel::Low
    );
    assert_eq!(level("signin", "ConsoleLogin"), SeverityLevel::Low);
}

#[test]
fn listed_name_applies_to_all_listed_services() {
    assert_eq!(level("dynamodb", "UntagResource"), SeverityLevel::Medium);
    assert_eq!(level("lambda", "UntagResource"), SeverityLevel::Medium);
    assert_eq!(level("glue", "UntagResource"), SeverityLevel::Low);
}

#[test]
fn destructive_events_are_high_for_any_service() {
    for (service, name) in [
        ("s3", "DeleteBucket"),
        ("glue", "DeleteTable"),
        ("ec2", "DeleteRoute"),
        ("cognito-idp", "AdminRemoveUserFromGroup"),
        ("lakeformation", "BatchRevokePermissions"),
        ("iam", "RemoveUserFromGroup"),
        ("x", "deleteThing"),
    ] {
        assert_eq!(
            level(service, name),
            SeverityLevel::High,
            "{service} {name}"
        );
    }
}

#[test]
fn similar_names_are_not_destructive() {
    for (service, name) in [
        ("ec2", "DescribeRemovedThings"),
        ("x", "UndeleteThing"),
        ("ecr", "BatchDeleteImage"),
        ("x", ",eleteThing"),
        ("x", "x,evoke"),
        ("x", "DELETEBUCKET"),
        ("kms", "CancelRemoval"),
    ] {
        assert_eq!(level(service, name), SeverityLevel::Low, "{service} {name}");
    }
    let reads = RatedEvent {
        service: "x",
        name: "RemovalsRemoved",
        read_only: Some(true),
        failed: false,
    };
    assert_eq!(table().level(&reads), SeverityLevel::Low);
}

#[test]
fn routine_service_is_low_except_listed_events() {
    assert_eq!(level("kms", "Decrypt"), SeverityLevel::Low);
    assert_eq!(level("kms", "RevokeGrant"), SeverityLevel::Low);
    assert_eq!(level("sts", "AssumeRole"), SeverityLevel::Low);
    assert_eq!(level("kms", "ScheduleKeyDeletion"), SeverityLevel::High);
    assert_eq!(level("kms", "DisableKey"), SeverityLevel::High);
    assert_eq!(level("kms", "CancelKeyDeletion"), SeverityLevel::Medium);
}

#[test]
fn routine_event_ignores_the_destructive_rule() {
    assert_eq!(
        level("ec2", "DeleteNetworkInterface"),
        SeverityLevel::Medium
    );
    assert_eq!(level("iam", "DeletePolicyVersion"), SeverityLevel::High);
}

#[test]
fn failed_call_is_one_level_lower() {
    let failed = |service, name| {
        table().level(&RatedEvent {
            service,
            name,
            failed: true,
            read_only: None,
        })
    };
    assert_eq!(failed("s3", "DeleteBucket"), SeverityLevel::Medium);
    assert_eq!(failed("s3", "PutBucketPolicy"), SeverityLevel::Low);
    assert_eq!(failed("s3", "GetObject"), SeverityLevel::Low);
}

#[test]
fn unlisted_event_has_the_default_level() {
    assert_eq!(level("glue", "CreateJob"), SeverityLevel::Low);
    assert_eq!(level("ec2", "InventedYesterday"), SeverityLevel::Low);
    assert_eq!(level("", ""), SeverityLevel::Low);
}

#[test]
fn custom_entry_overrides_every_rule() {
    let table = table()
        .with_overrides(
            "[events.\"s3.amazonaws.com\"]\nlow = [\"DeleteObject\"]\n[events.kms]\nhigh = [\"Decrypt\"]\n",
        )
        .unwrap();
    let level = |service, name| {
        table.level(&RatedEvent {
            service,
            name,
            ..RatedEvent::default()
        })
    };
    assert_eq!(level("s3", "DeleteObject"), SeverityLevel::Low);
    assert_eq!(level("s3", "DeleteBucket"), SeverityLevel::High);
    assert_eq!(level("kms", "Decrypt"), SeverityLevel::High);
}

#[test]
fn custom_rule_replaces_the_built_in_rule() {
    let table = table()
        .with_overrides("unlisted = \"medium\"\n[destructive]\nlevel = \"medium\"\nprefixes = [\"Purge\"]\n[routine]\n")
        .unwrap();
    let level = |service, name| {
        table.level(&RatedEvent {
            service,
            name,
            ..RatedEvent::default()
        })
    };
    assert_eq!(level("glue", "CreateJob"), SeverityLevel::Medium);
    assert_eq!(level("sqs", "PurgeQueue"), SeverityLevel::Medium);
    assert_eq!(level("ec2", "DeleteRoute"), SeverityLevel::Medium);
    assert_eq!(level("ec2", "RunInstances"), SeverityLevel::High);
}

#[test]
fn invalid_table_error_names_the_line() {
    let wrong = |file: &str| table().with_overrides(file).unwrap_err();
    assert_eq!(
        wrong("unlisted = \"low\"\n[events.s3]\nhihg = []\n"),
        "line 3: unknown field `hihg`, expected one of `high`, `medium`, `low`"
    );
    assert_eq!(
        wrong("unlisted = \"urgent\""),
        "line 1: unknown variant `urgent`, expected one of `low`, `medium`, `high`"
    );
    assert_eq!(
        wrong("[events.s3]\nhigh = [\"GetObject\"]\nlow = [\"GetObject\"]"),
        "GetObject of s3 is listed as both high and low"
    );
    assert!(wrong("[events").starts_with("line 1: "));
}
