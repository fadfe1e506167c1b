//! Parsers of command line values. They reject every invalid value before any call is made.

use std::time::Duration;

use crate::aws::arn::Arn;
use crate::ownership::{MANAGED_BY_TAG, TAG_PREFIX};
pub use crate::secret::ExternalId;

type ParsedText = std::result::Result<String, String>;

/// # Errors
/// If the text is not an account ID.
pub fn account_id(text: &str) -> ParsedText {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account ID has 12 digits".to_owned())
}

/// # Errors
/// If the text is not the ARN of an IAM role.
pub fn role_arn(text: &str) -> ParsedText {
    let advice =
        "use the role ARN that Heeler provides, such as arn:aws:iam::123456789012:role/NAME";
    if text == "*" {
        return Err(format!("this would trust every AWS account: {advice}"));
    }
    let arn = Arn::parse(text).ok_or_else(|| format!("this is not an ARN: {advice}"))?;
    match (arn.service, arn.resource) {
        ("iam", "root") => {
            return Err(format!(
                "this would trust every role of that account: {advice}"
            ));
        }
        ("iam", resource) if resource.starts_with("user/") => {
            return Err(format!("this is a user, not a role: {advice}"));
        }
        ("sts", resource) if resource.starts_with("assumed-role/") => {
            let role = resource.split('/').nth(1).unwrap_or_default();
            return Err(format!(
                "this is a session of a role; use the ARN of the role: arn:{}:iam::{}:role/{role}",
                arn.partition, arn.account
            ));
        }
        _ => {}
    }
    account_id(arn.account).map_err(|reason| format!("{reason}: {advice}"))?;
    let name = arn.resource.strip_prefix("role/").unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    let valid = arn.service == "iam"
        && arn.region.is_empty()
        && (1..=64).contains(&last.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&byte));
    if valid {
        Ok(text.to_owned())
    } else {
        Err(format!("this is not the ARN of a role: {advice}"))
    }
}

/// # Errors
/// If the text is not the ARN of a managed policy.
pub fn permissions_boundary(text: &str) -> ParsedText {
    let advice = "use the ARN of a managed policy, such as arn:aws:iam::123456789012:policy/NAME";
    let arn = Arn::parse(text).ok_or_else(|| format!("this is not an ARN: {advice}"))?;
    let is_policy = arn.service == "iam"
        && arn.region.is_empty()
        && (arn.account == "aws" || account_id(arn.account).is_ok())
        && arn
            .resource
            .strip_prefix("policy/")
            .is_some_and(is_iam_name);
    if is_policy {
        Ok(text.to_owned())
    } else {
        Err(format!("this is not the ARN of a managed policy: {advice}"))
    }
}

/// Returns true for a path and a name with the characters that IAM allows in names.
fn is_iam_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 512
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&byte))
}

/// # Errors
/// If the text is not an IAM path of up to 512 characters.
pub fn iam_path(text: &str) -> ParsedText {
    let has_slashes = text.starts_with('/') && text.ends_with('/') && !text.contains("//");
    if !has_slashes || !is_iam_name(text) {
        return Err(
            "an IAM path starts and ends with a slash, such as /platform/, and has letters, digits and +=,.@_-"
                .to_owned(),
        );
    }
    if text.starts_with("/aws-service-role/") || text.starts_with("/aws-reserved/") {
        return Err("AWS reserves this path for its own roles".to_owned());
    }
    Ok(text.to_owned())
}

/// Parses a tag, `KEY=VALUE`.
///
/// # Errors
/// If a service does not accept the key or the value, or if the key is reserved.
pub fn tag(text: &str) -> std::result::Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("a tag has the form KEY=VALUE")?;
    let lower = key.to_ascii_lowercase();
    if lower.starts_with("aws:") {
        return Err("AWS reserves tag keys that start with aws:".to_owned());
    }
    if lower.starts_with(TAG_PREFIX) || lower == MANAGED_BY_TAG {
        return Err(format!("heeler-ec sets the tag {key} itself"));
    }
    if !(1..=128).contains(&key.chars().count()) {
        return Err("a tag key has 1 to 128 characters".to_owned());
    }
    if value.chars().count() > 256 {
        return Err("a tag value has at most 256 characters".to_owned());
    }
    let allowed = |c: char| c.is_alphanumeric() || " _.:/=+-@".contains(c);
    match text.chars().find(|c| !allowed(*c)) {
        Some(odd) => Err(format!(
            "{odd:?} is not allowed in a tag; use letters, digits, spaces and _.:/=+-@"
        )),
        None => Ok((key.to_owned(), value.to_owned())),
    }
}

/// # Errors
/// If STS does not accept the text as an external ID, or if it is a placeholder of Heeler's guide.
pub fn external_id(text: &str) -> ParsedText {
    if text.starts_with('<') || matches!(text, "None" | "heeler-ext-id") {
        return Err("this is the placeholder of Heeler's guide; choose your own external ID, or use --generate-external-id".into());
    }
    if !(2..=1224).contains(&text.len()) {
        return Err(format!(
            "this has {} characters; an external ID has 2 to 1224",
            text.len()
        ));
    }
    let odd = text
        .chars()
        .find(|c| !(c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(*c)));
    match odd {
        Some(odd) => Err(format!(
            "{odd:?} is not allowed; use letters, digits and _+=,.@:/-"
        )),
        None => Ok(text.to_owned()),
    }
}

/// # Errors
/// If the resource names would not be valid.
pub fn name_prefix(text: &str) -> ParsedText {
    let starts = text
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_lowercase());
    let valid = text
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if starts && valid && text.len() <= 21 && !text.starts_with("aws") {
        return Ok(text.to_owned());
    }
    Err(
        "a name prefix has at most 21 characters: first a lowercase letter, then lowercase letters, digits and underscores; \
         it does not start with aws"
            .to_owned(),
    )
}

/// # Errors
/// If the text is not a duration, or is longer than 30 days.
pub fn duration(text: &str) -> std::result::Result<Duration, String> {
    const MAX: Duration = Duration::from_secs(30 * 86_400);
    let time = humantime::parse_duration(text).map_err(|reason| reason.to_string())?;
    if time > MAX {
        return Err("the longest time is 30 days".to_owned());
    }
    Ok(time)
}

/// # Errors
/// If the text is not a size in bytes.
pub fn byte_size(text: &str) -> std::result::Result<u64, String> {
    const UNITS: &[(&str, u64)] = &[
        ("KB", 1_000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KIB", 1 << 10),
        ("MIB", 1 << 20),
        ("GIB", 1 << 30),
        ("B", 1),
        ("", 1),
    ];
    let advice = || "use a size such as 512MB or 1GiB".to_owned();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text
        .strip_prefix(digits)
        .unwrap_or_default()
        .to_ascii_uppercase();
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(advice)?;
    let number: u64 = digits.trim_end().parse().map_err(|_| advice())?;
    match number.checked_mul(*factor) {
        Some(0) | None => Err(advice()),
        Some(size) => Ok(size),
    }
}

/// # Errors
/// If the text is neither the name nor the ARN of a log group.
pub fn log_group(text: &str) -> ParsedText {
    let name = Arn::parse(text)
        .and_then(|arn| arn.resource.strip_prefix("log-group:"))
        .map_or(text, |rest| rest.strip_suffix(":*").unwrap_or(rest));
    let valid = (1..=512).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-_/#".contains(&byte));
    if valid {
        Ok(name.to_owned())
    } else {
        Err("use the name or ARN of a log group, such as aws-cloudtrail-logs".to_owned())
    }
}

/// # Errors
/// If the text does not have the form of a region.
pub fn region(text: &str) -> ParsedText {
    let parts: Vec<&str> = text.split('-').collect();
    let valid = parts.len() >= 3
        && parts.iter().all(|part| !part.is_empty())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && parts
            .last()
            .is_some_and(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if valid {
        Ok(text.to_owned())
    } else {
        Err("use a region such as eu-west-1".to_owned())
    }
}

/// # Errors
/// If the text is not the name of a bucket.
pub fn bucket(text: &str) -> ParsedText {
    if text.starts_with("arn:") {
        return Err("use the name of the bucket, not its ARN".to_owned());
    }
    let edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let valid = (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| edge(byte) || byte == b'-' || byte == b'.')
        && text.bytes().next().is_some_and(edge)
        && text.bytes().next_back().is_some_and(edge)
        && !text.contains("..");
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a bucket name has 3 to 63 lowercase letters, digits, dots and hyphens".to_owned())
    }
}

/// # Errors
/// If the text does not identify a KMS key.
pub fn kms_key(text: &str) -> ParsedText {
    if text.starts_with("arn:") {
        let arn = Arn::parse(text).filter(|arn| {
            arn.service == "kms"
                && !arn.region.is_empty()
                && (arn.resource.starts_with("key/") || arn.resource.starts_with("alias/"))
        });
        return arn
            .map(|_| text.to_owned())
            .ok_or_else(|| "this is not the ARN of a KMS key".to_owned());
    }
    let valid = !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_/:".contains(&byte));
    if valid {
        Ok(text.to_owned())
    } else {
        Err("use a key ARN, a key ID or an alias".to_owned())
    }
}

/// # Errors
/// If the text does not identify a standard SNS topic.
#[expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "AWS writes the suffix of a FIFO topic in lower case only"
)]
pub fn topic(text: &str) -> ParsedText {
    let name = if text.starts_with("arn:") {
        Arn::parse(text)
            .filter(|arn| {
                arn.service == "sns" && !arn.region.is_empty() && account_id(arn.account).is_ok()
            })
            .map(|arn| arn.resource)
            .ok_or_else(|| "this is not the ARN of an SNS topic".to_owned())?
    } else {
        text
    };
    if name.ends_with(".fifo") {
        return Err("S3 cannot publish to a FIFO topic".to_owned());
    }
    let valid = (1..=256).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if valid {
        Ok(text.to_owned())
    } else {
        Err("a topic name has 1 to 256 letters, digits, hyphens and underscores".to_owned())
    }
}

/// # Errors
/// If credentials would be sent without TLS.
pub fn endpoint(text: &str) -> ParsedText {
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii())
    {
        return Err(
            "use a URL without spaces, control characters and other characters than ASCII"
                .to_owned(),
        );
    }
    let rest = text
        .strip_prefix("https://")
        .map(|rest| (true, rest))
        .or_else(|| text.strip_prefix("http://").map(|rest| (false, rest)));
    let Some((secure, rest)) = rest.filter(|(_, rest)| !rest.is_empty()) else {
        return Err("use a URL such as http://127.0.0.1:4566".to_owned());
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    let loopback = matches!(host, "localhost" | "[::1]")
        || host
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback());
    if authority.contains('@') || host.is_empty() {
        return Err("use a URL with a host and without a user name".to_owned());
    }
    if secure || loopback {
        Ok(text.to_owned())
    } else {
        Err("http is allowed for this machine only (127.0.0.1, localhost); use https".to_owned())
    }
}

#[cfg(test)]
mod tests {
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
}
