//! Parsers of ARNs and paths of IAM.

use super::{ParsedText, account_id};
use crate::aws::arn::Arn;

/// Parses the ARN of a role that the caller assumes.
///
/// # Errors
/// If the text is not the ARN of an IAM role.
pub fn own_role_arn(text: &str) -> ParsedText {
    let is_role = |arn: &Arn<'_>| arn.service == "iam" && arn.resource.starts_with("role/");
    match Arn::parse(text).filter(is_role) {
        Some(_) => Ok(text.to_owned()),
        None => Err(
            "use the ARN of a role in the account of the log bucket, such as arn:aws:iam::123456789012:role/NAME".into(),
        ),
    }
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
