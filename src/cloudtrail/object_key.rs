//! Object keys: recognises CloudTrail log files by their names.

use crate::cloudtrail::skip_reason::SkipReason;

/// Returns the reason to skip an object, based on the last segment of its key; `None` for a CloudTrail log file.
///
/// The prefix is not reliable: digests and Insights have sibling prefixes, a trail may use any prefix before `AWSLogs`, and
/// AWS Config writes below `AWSLogs` as well.
#[must_use]
pub fn skip_reason(key: &str) -> Option<SkipReason> {
    let name = key.rsplit('/').next().unwrap_or(key);
    if name.is_empty() {
        Some(SkipReason::WriteCheck)
    } else if name.contains("_CloudTrail-Digest_") {
        Some(SkipReason::Digest)
    } else if name.contains("_CloudTrail-Insight_") {
        Some(SkipReason::Insight)
    } else if !is_log_file_name(name) {
        Some(SkipReason::NotALogFile)
    } else {
        None
    }
}

/// Returns true for `ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHmmZ_UNIQUE.json.gz`. Source:
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html>.
fn is_log_file_name(name: &str) -> bool {
    let Some((account, region, day, minute, unique)) = split_name(name) else {
        return false;
    };
    let all = |text: &str, fits: fn(u8) -> bool| !text.is_empty() && text.bytes().all(fits);
    let digits =
        |text: &str, count: usize| text.len() == count && all(text, |byte| byte.is_ascii_digit());
    digits(account, 12)
        && digits(day, 8)
        && digits(minute, 4)
        && all(region, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && all(unique, |byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn split_name(name: &str) -> Option<(&str, &str, &str, &str, &str)> {
    let (account, rest) = name.strip_suffix(".json.gz")?.split_once("_CloudTrail_")?;
    let (region, rest) = rest.split_once('_')?;
    let (timestamp, unique) = rest.split_once('_')?;
    let (day, minute) = timestamp.strip_suffix('Z')?.split_once('T')?;
    Some((account, region, day, minute, unique))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "111122223333_CloudTrail_eu-west-1_20240101T0000Z_AbCdEfGhIjKlMnOp.json.gz";

    #[test]
    fn skip_reason_depends_on_base_name() {
        for (key, expected) in [
            (LOG.to_owned(), None),
            (format!("any/prefix/CloudTrail-Digest/{LOG}"), None),
            (
                "111122223333_CloudTrail_us-gov-west-1_20240101T0000Z_a_b.json.gz".to_owned(),
                None,
            ),
            (
                "AWSLogs/111122223333/CloudTrail-Digest/".to_owned(),
                Some(SkipReason::WriteCheck),
            ),
            (
                "1_CloudTrail_eu-west-1_20240101T0000Z_Ab.json.gz".to_owned(),
                Some(SkipReason::NotALogFile),
            ),
            (
                "111122223333_CloudTrail_eu-west-1_20240101T0000Z_Ab.json".to_owned(),
                Some(SkipReason::NotALogFile),
            ),
            (
                "111122223333_CloudTrail_eu-west-1_20240101_Ab.json.gz".to_owned(),
                Some(SkipReason::NotALogFile),
            ),
            (
                "111122223333_Config_eu-west-1_ConfigHistory_x.json.gz".to_owned(),
                Some(SkipReason::NotALogFile),
            ),
            (
                "111122223333_CloudTrail__20240101T0000Z_Ab.json.gz".to_owned(),
                Some(SkipReason::NotALogFile),
            ),
        ] {
            assert_eq!(skip_reason(&key), expected, "{key}");
        }
    }
}
