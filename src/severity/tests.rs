use super::*;

fn table() -> Table {
    Table::built_in().unwrap()
}

fn level(service: &str, name: &str) -> Level {
    table().level(&Event {
        service,
        name,
        ..Event::default()
    })
}

#[test]
fn the_table_that_comes_along_has_all_entries() {
    let table = table();
    let levels: Vec<Level> = table
        .entries
        .values()
        .flat_map(|names| names.values().copied())
        .collect();
    let count = |wanted| levels.iter().filter(|level| **level == wanted).count();
    assert_eq!(levels.len(), 318);
    assert_eq!(
        (count(Level::High), count(Level::Medium), count(Level::Low)),
        (96, 49, 173)
    );
}

#[test]
fn an_entry_tells_the_level() {
    assert_eq!(level("ec2", "RunInstances"), Level::High);
    assert_eq!(level("s3", "PutBucketPolicy"), Level::Medium);
    assert_eq!(level("iam.amazonaws.com", "CreateUser"), Level::Low);
    assert_eq!(level("config", "StartConfigRulesEvaluation"), Level::Low);
    assert_eq!(level("signin", "ConsoleLogin"), Level::Low);
}

#[test]
fn a_name_that_is_listed_with_one_service_counts_with_all_that_are_known() {
    assert_eq!(level("dynamodb", "UntagResource"), Level::Medium);
    assert_eq!(level("lambda", "UntagResource"), Level::Medium);
    assert_eq!(level("glue", "UntagResource"), Level::Low);
}

#[test]
fn what_takes_something_away_is_high_whatever_the_service() {
    for (service, name) in [
        ("s3", "DeleteBucket"),
        ("glue", "DeleteTable"),
        ("ec2", "DeleteRoute"),
        ("cognito-idp", "AdminRemoveUserFromGroup"),
        ("lakeformation", "BatchRevokePermissions"),
        ("iam", "RemoveUserFromGroup"),
        ("x", "deleteThing"),
    ] {
        assert_eq!(level(service, name), Level::High, "{service} {name}");
    }
}

#[test]
fn a_name_that_only_looks_like_it_is_not() {
    for (service, name) in [
        ("ec2", "DescribeRemovedThings"),
        ("x", "UndeleteThing"),
        ("ecr", "BatchDeleteImage"),
        ("x", ",eleteThing"),
        ("x", "x,evoke"),
        ("x", "DELETEBUCKET"),
        ("kms", "CancelRemoval"),
    ] {
        assert_eq!(level(service, name), Level::Low, "{service} {name}");
    }
    let reads = Event {
        service: "x",
        name: "RemovalsRemoved",
        reads: Some(true),
        failed: false,
    };
    assert_eq!(table().level(&reads), Level::Low);
}

#[test]
fn an_everyday_service_is_quiet_but_for_its_own_entries() {
    assert_eq!(level("kms", "Decrypt"), Level::Low);
    assert_eq!(level("kms", "RevokeGrant"), Level::Low);
    assert_eq!(level("sts", "AssumeRole"), Level::Low);
    assert_eq!(level("kms", "ScheduleKeyDeletion"), Level::High);
    assert_eq!(level("kms", "DisableKey"), Level::High);
    assert_eq!(level("kms", "CancelKeyDeletion"), Level::Medium);
}

#[test]
fn an_everyday_name_is_judged_by_its_entry_and_not_by_how_it_begins() {
    assert_eq!(level("ec2", "DeleteNetworkInterface"), Level::Medium);
    assert_eq!(level("iam", "DeletePolicyVersion"), Level::High);
}

#[test]
fn a_call_that_failed_counts_one_level_less() {
    let failed = |service, name| {
        table().level(&Event {
            service,
            name,
            failed: true,
            reads: None,
        })
    };
    assert_eq!(failed("s3", "DeleteBucket"), Level::Medium);
    assert_eq!(failed("s3", "PutBucketPolicy"), Level::Low);
    assert_eq!(failed("s3", "GetObject"), Level::Low);
}

#[test]
fn what_nobody_knows_has_a_level_too() {
    assert_eq!(level("glue", "CreateJob"), Level::Low);
    assert_eq!(level("ec2", "InventedYesterday"), Level::Low);
    assert_eq!(level("", ""), Level::Low);
}

#[test]
fn an_operators_entry_wins_over_every_rule() {
    let table = table()
        .overlaid(
            "[events.\"s3.amazonaws.com\"]\nlow = [\"DeleteObject\"]\n[events.kms]\nhigh = [\"Decrypt\"]\n",
        )
        .unwrap();
    let level = |service, name| {
        table.level(&Event {
            service,
            name,
            ..Event::default()
        })
    };
    assert_eq!(level("s3", "DeleteObject"), Level::Low);
    assert_eq!(level("s3", "DeleteBucket"), Level::High);
    assert_eq!(level("kms", "Decrypt"), Level::High);
}

#[test]
fn an_operators_rule_replaces_the_one_that_comes_along() {
    let table = table()
        .overlaid("unlisted = \"medium\"\n[taking]\nlevel = \"medium\"\nbegin = [\"Purge\"]\n[everyday]\n")
        .unwrap();
    let level = |service, name| {
        table.level(&Event {
            service,
            name,
            ..Event::default()
        })
    };
    assert_eq!(level("glue", "CreateJob"), Level::Medium);
    assert_eq!(level("sqs", "PurgeQueue"), Level::Medium);
    assert_eq!(level("ec2", "DeleteRoute"), Level::Medium);
    assert_eq!(level("ec2", "RunInstances"), Level::High);
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line() {
    let wrong = |file: &str| table().overlaid(file).unwrap_err();
    assert_eq!(
        wrong("unlisted = \"low\"\n[events.s3]\nhihg = []\n"),
        "line 3: unknown field `hihg`, expected one of `high`, `medium`, `low`"
    );
    assert_eq!(
        wrong("unlisted = \"grave\""),
        "line 1: unknown variant `grave`, expected one of `low`, `medium`, `high`"
    );
    assert_eq!(
        wrong("[events.s3]\nhigh = [\"GetObject\"]\nlow = [\"GetObject\"]"),
        "GetObject of s3 is both high and low"
    );
    assert!(wrong("[events").starts_with("line 1: "));
}
