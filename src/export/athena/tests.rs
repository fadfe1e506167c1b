//! The statements of a small organization. `tests/athena.rs` parses and runs them.

use super::*;

fn trail() -> AthenaTrail {
    AthenaTrail {
        bucket: "logs".into(),
        log_prefix: "audit/AWSLogs/o-1/".into(),
        trail: "org_trail".into(),
        home_region: "us-east-1".into(),
        has_digests: true,
        accounts: vec!["111122223333".into(), "222233334444".into()],
        regions: vec!["af-south-1".into(), "us-east-1".into()],
        expected_accounts: vec![("111122223333".into(), "O'Neil".into())],
        expected_regions: vec!["us-east-1".into()],
        name_prefix: "heeler".into(),
    }
}

#[test]
fn partitions_follow_the_keys_of_the_trail() {
    let severities = SeverityTable::built_in().unwrap();
    let statements = statements(&trail(), &severities);
    let sql = |name: &str| {
        let found = statements.iter().find(|each| each.name == name);
        found.map(|each| each.sql.clone()).unwrap()
    };
    let logs = sql("heeler_cloudtrail_logs");
    for expected in [
        "LOCATION 's3://logs/audit/AWSLogs/o-1/'",
        "'storage.location.template' = 's3://logs/audit/AWSLogs/o-1/${account}/CloudTrail/${region}/${day}'",
        "'projection.account.values' = '111122223333,222233334444'",
        "'projection.region.values' = 'af-south-1,us-east-1'",
    ] {
        assert!(logs.contains(expected), "{logs}");
    }
    let digests = sql("heeler_cloudtrail_digests");
    assert!(
        digests.contains("/${account}/CloudTrail-Digest/${region}/${day}'"),
        "{digests}"
    );
    let coverage = sql("coverage");
    assert!(
        coverage.contains("FROM heeler_accounts AS accounts"),
        "{coverage}"
    );
    let accounts = sql("heeler_accounts");
    assert!(
        accounts.contains("('111122223333', 'O''Neil')"),
        "{accounts}"
    );
    assert!(
        coverage.contains(r"\_org\_trail\_us-east-1\_%'"),
        "{coverage}"
    );
}

#[test]
fn statements_fit_the_limit_of_athena() {
    // "The maximum allowed query string length is 262144 bytes" (Athena User Guide, "Service Quotas").
    const MAX_QUERY_BYTES: usize = 262_144;
    let accounts = (0..12_000).map(|number| format!("{}", 100_000_000_000_u64 + number));
    let accounts: Vec<String> = accounts.collect();
    let named = accounts.iter().map(|id| (id.clone(), "a".repeat(50)));
    let trail = AthenaTrail {
        expected_accounts: named.collect(),
        accounts,
        ..trail()
    };
    let statements = statements(&trail, &SeverityTable::built_in().unwrap());
    let mut listed = 0;
    for statement in &statements {
        assert!(statement.sql.len() < MAX_QUERY_BYTES, "{}", statement.name);
        if statement.kind == StatementKind::View {
            listed += statement.sql.matches("('1").count();
        }
    }
    // Each account is in one view.
    assert_eq!(listed, 12_000);
    let listed_names: Vec<&str> = statements.iter().map(|each| &*each.name).collect();
    let parts = listed_names
        .iter()
        .filter(|name| name.starts_with("heeler_accounts_"))
        .count();
    let all = listed_names
        .iter()
        .position(|name| *name == "heeler_accounts")
        .unwrap();
    assert!(parts > 1 && listed_names[all - 1] == format!("heeler_accounts_{parts}"));
    let union = &statements[all].sql;
    assert_eq!(union.matches("UNION ALL").count(), parts - 1);
}

#[test]
fn trail_without_digests_has_no_gaps() {
    let trail = AthenaTrail {
        has_digests: false,
        ..trail()
    };
    let statements = statements(&trail, &SeverityTable::built_in().unwrap());
    let coverage = statements.iter().find(|each| each.name == "coverage");
    let sql = &coverage.unwrap().sql;
    assert!(
        sql.contains("ELSE 'unknown'") && !sql.contains("cloudtrail_digests"),
        "{sql}"
    );
}
