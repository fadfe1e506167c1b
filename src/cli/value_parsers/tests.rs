//! Tests of the parsers: values that they accept and reject.

use std::time::Duration;

use super::*;

fn assert_accepts(check: fn(&str) -> ParsedText, good: &[&str], bad: &[&str]) {
    for text in good {
        assert_eq!(check(text).as_deref(), Ok(*text));
    }
    for text in bad {
        assert!(check(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn account_id_has_twelve_digits() {
    assert_accepts(
        account_id,
        &["111122223333"],
        &["", "11112222333", "1111222233334", "11112222333x"],
    );
}

#[test]
fn role_arn_accepts_only_roles() {
    assert_accepts(
        role_arn,
        &[
            "arn:aws:iam::111122223333:role/heeler",
            "arn:aws-us-gov:iam::111122223333:role/path/heeler-security",
        ],
        &[
            "*",
            "heeler",
            "111122223333",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/ann",
            "arn:aws:sts::111122223333:assumed-role/Admin/ann",
            "arn:aws:iam::1111:role/heeler",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::*:role/heeler",
            "arn:aws:sqs:us-east-1:111122223333:role/heeler",
            " arn:aws:iam::111122223333:role/heeler",
        ],
    );
}

#[test]
fn session_arn_error_names_the_role() {
    let reason = role_arn("arn:aws:sts::111122223333:assumed-role/Admin/ann").unwrap_err();
    assert!(
        reason.contains("arn:aws:iam::111122223333:role/Admin"),
        "{reason}"
    );
}

#[test]
fn external_id_follows_sts_rules() {
    let longest = "x".repeat(1224);
    let longer = "x".repeat(1225);
    assert_accepts(
        external_id,
        &["ab", "A-z_0+=,.@:/-", &longest],
        &[
            "",
            "a",
            &longer,
            "with space",
            " lead",
            "trail ",
            "a\nb",
            "ü-id",
            "a*",
            "<replace with your external_id>",
            "None",
            "heeler-ext-id",
        ],
    );
}

#[test]
fn reserved_and_invalid_tags_are_rejected() {
    for text in [
        "team",
        "=security",
        "aws:team=x",
        "AWS:team=x",
        "heeler-ec:option=s3",
        "Heeler-EC:x=y",
        "managed-by=terraform",
        "team=a#b",
        "team=a\u{7}",
    ] {
        assert!(tag(text).is_err(), "{text}");
    }
    let long = format!("team={}", "x".repeat(257));
    assert!(tag(&long).is_err() && tag(&format!("{}=x", "k".repeat(129))).is_err());
    let pair = |key: &str, value: &str| Ok((key.to_owned(), value.to_owned()));
    assert_eq!(tag("team=a=b"), pair("team", "a=b"));
    assert_eq!(tag("cost centre="), pair("cost centre", ""));
}

#[test]
fn iam_path_has_slashes_at_both_ends() {
    for path in ["/", "/platform/", "/a/b.c/"] {
        assert!(iam_path(path).is_ok(), "{path}");
    }
    for path in [
        "",
        "platform",
        "/platform",
        "platform/",
        "//",
        "/a*/",
        "/a b/",
        "/aws-service-role/x/",
    ] {
        assert!(iam_path(path).is_err(), "{path}");
    }
}

#[test]
fn permissions_boundary_is_a_managed_policy() {
    for arn in [
        "arn:aws:iam::111122223333:policy/boundary",
        "arn:aws-us-gov:iam::111122223333:policy/a/boundary",
        "arn:aws:iam::aws:policy/PowerUserAccess",
    ] {
        assert!(permissions_boundary(arn).is_ok(), "{arn}");
    }
    for arn in [
        "boundary",
        "arn:aws:iam::111122223333:role/boundary",
        "arn:aws:iam::111122223333:policy/",
        "arn:aws:iam::1111:policy/boundary",
        "arn:aws:iam::111122223333:policy/*",
    ] {
        assert!(permissions_boundary(arn).is_err(), "{arn}");
    }
}

#[test]
fn name_prefix_makes_valid_names() {
    assert_accepts(
        name_prefix,
        &["heeler", "h", "team_2"],
        &[
            "",
            "Heeler",
            "2heeler",
            "_h",
            "a-b",
            "aws",
            "averyveryverylongprefix_",
        ],
    );
}

#[test]
fn region_has_valid_form() {
    assert_accepts(
        region,
        &["us-east-1", "us-gov-west-1", "ap-southeast-3"],
        &["", "us-east", "US-EAST-1", "us_east_1", "us-east-1a", "--1"],
    );
}

#[test]
fn bucket_accepts_names_not_arns() {
    assert_accepts(
        bucket,
        &["abc", "org.trail-logs.1"],
        &[
            "ab",
            "Abc",
            "-abc",
            "abc-",
            "a..b",
            "arn:aws:s3:::abc",
            "a_b",
        ],
    );
}

#[test]
fn kms_key_accepts_arn_id_and_alias() {
    assert_accepts(
        kms_key,
        &[
            "arn:aws:kms:us-east-1:111122223333:key/1234",
            "mrk-1234abcd",
            "alias/trail",
        ],
        &[
            "",
            "arn:aws:s3:::bucket",
            "arn:aws:kms:us-east-1:111122223333:grant/1",
            "two words",
        ],
    );
}

#[test]
fn log_group_accepts_name_and_arn() {
    assert_accepts(
        log_group,
        &[
            "aws-controltower/CloudTrailLogs",
            "/aws/lambda/f",
            "a.b_c#d",
        ],
        &[
            "",
            "two words",
            "arn:aws:logs:us-east-1:111122223333:log-stream:x",
            "a:b",
        ],
    );
    assert_eq!(
        log_group("arn:aws:logs:us-east-1:111122223333:log-group:trail:*").as_deref(),
        Ok("trail")
    );
}

#[test]
fn duration_is_at_most_30_days() {
    assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
    for text in ["", "soon", "31days", "500000000000y"] {
        assert!(duration(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn topic_rejects_fifo() {
    assert_accepts(
        topic,
        &[
            "cloudtrail-events",
            "arn:aws:sns:us-east-1:111122223333:events",
        ],
        &[
            "",
            "events.fifo",
            "arn:aws:sns:us-east-1:111122223333:events.fifo",
            "arn:aws:sqs:us-east-1:111122223333:q",
            "a b",
        ],
    );
}

#[test]
fn plain_http_is_for_loopback_only() {
    assert_accepts(
        endpoint,
        &[
            "http://127.0.0.1:4566",
            "http://localhost:5000",
            "https://vpce.example.com",
            "http://[::1]:4566",
        ],
        &[
            "",
            "127.0.0.1:4566",
            "http://example.com",
            "http://",
            "ftp://127.0.0.1",
            "http://127.0.0.1.example.com",
            "http://user@127.0.0.1:1",
        ],
    );
}
