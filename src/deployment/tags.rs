//! Tags of the role, from which a deployment is found again.

/// The region of the deployment.
pub const REGION: &str = "heeler-ec:region";

/// Tags of a role, as `(key, value)`.
pub type RoleTags = Vec<(&'static str, String)>;

/// The region and the tags of an option, without those whose value IAM does not accept.
#[must_use]
pub fn deployment_tags(region: &str, of_option: RoleTags) -> RoleTags {
    let mut tags = vec![(REGION, region.to_owned())];
    tags.extend(of_option);
    tags.retain(|(_, value)| is_valid_tag_value(value));
    tags
}

/// Returns true if IAM accepts the value. Prefixes of log objects and names of log groups may contain characters that
/// tags may not.
fn is_valid_tag_value(value: &str) -> bool {
    value.chars().count() <= 256
        && value
            .chars()
            .all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_iam_rejects_are_left_out() {
        let tags = deployment_tags(
            "eu-west-1",
            vec![
                ("fits", "AWSLogs/".to_owned()),
                ("characters", "trail#1".to_owned()),
                ("length", "x".repeat(257)),
            ],
        );
        let keys: Vec<&str> = tags.iter().map(|(key, _)| *key).collect();
        assert_eq!(keys, [REGION, "fits"]);
    }
}
