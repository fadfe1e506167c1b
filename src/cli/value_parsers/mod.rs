//! Parsers of command line values. They reject every invalid value before any call is made.

mod check_id;
mod iam;
mod quantity;
#[cfg(test)]
mod tests;

use url::Url;

use crate::aws::arn::Arn;
use crate::ownership::{MANAGED_BY_TAG, TAG_PREFIX};
pub use crate::secret::ExternalId;
use crate::verify::CanaryId;
pub use check_id::CheckIdParser;
pub use iam::{iam_path, own_role_arn, permissions_boundary, role_arn};
pub use quantity::{byte_size, count, day, duration, percent};

type ParsedText = std::result::Result<String, String>;

/// Parses the ID of a canary.
///
/// # Errors
/// If the text is not an ID that `verify` has printed.
pub fn canary_id(text: &str) -> std::result::Result<CanaryId, String> {
    CanaryId::parse(text)
        .ok_or_else(|| "an ID of verify has the form 20260131T120000-0123abcd".to_owned())
}

/// # Errors
/// If the text is not an account ID.
pub fn account_id(text: &str) -> ParsedText {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(text.to_owned());
    }
    Err("an account ID has 12 digits".to_owned())
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
    if authority.contains(['@', '\\']) || host.is_empty() {
        return Err("use a URL with a host and without a user name".to_owned());
    }
    let url = Url::parse(text).map_err(|why| format!("this is not a valid URL: {why}"))?;
    if url.port() == Some(0) {
        return Err("use a URL with a port from 1 to 65535".to_owned());
    }
    if secure || loopback {
        Ok(text.to_owned())
    } else {
        Err("http is allowed for this machine only (127.0.0.1, localhost); use https".to_owned())
    }
}
