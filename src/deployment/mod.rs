//! What was set up, and where: read from the tags of the role, which is found by its name in any region. This is
//! what stands in place of a state file.

pub mod policies;
pub mod target;
use aws_sdk_iam::types::Role;

use crate::deployment::target::DeploymentTarget;
use crate::inventory::facts::Trail;
use crate::naming::{MANAGED_BY_TAG, OPTION_TAG};
use crate::resource::role::{HeelerTrust, parse_trust};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    pub option: String,
    pub role_arn: String,
    pub region: String,
    pub bucket: String,
    pub log_prefix: String,
    /// The keys on which the role was granted decryption.
    pub bucket_keys: Vec<String>,
    pub topic: Option<String>,
    pub log_group: Option<String>,
    /// Nothing when somebody has given the role a trust policy of another form.
    pub trust: Option<HeelerTrust>,
    /// Whether the tags hold all of it; some names fit no tag.
    pub is_complete: bool,
}

const REGION: &str = "heeler-ec:region";
const BUCKET: &str = "heeler-ec:bucket";
const LOG_PREFIX: &str = "heeler-ec:log-prefix";
/// A tag has room for two of the longest ARNs of keys.
const KEYS_PER_TAG: usize = 2;
const BUCKET_KEYS: [&str; 8] = [
    "heeler-ec:bucket-key",
    "heeler-ec:bucket-key-2",
    "heeler-ec:bucket-key-3",
    "heeler-ec:bucket-key-4",
    "heeler-ec:bucket-key-5",
    "heeler-ec:bucket-key-6",
    "heeler-ec:bucket-key-7",
    "heeler-ec:bucket-key-8",
];
const TOPIC: &str = "heeler-ec:topic";
const LOG_GROUP: &str = "heeler-ec:log-group";

/// The notes that `read` finds again.
pub(crate) fn deployment_tags(site: &DeploymentTarget) -> Vec<(&'static str, String)> {
    let mut notes = vec![(REGION, site.region.clone())];
    if let Some(group) = &site.log_group {
        notes.push((LOG_GROUP, group.clone()));
    } else {
        notes.push((BUCKET, site.bucket.clone()));
        notes.push((LOG_PREFIX, site.log_prefix.clone()));
    }
    let keys: Vec<&str> = site
        .bucket_keys
        .iter()
        .chain(&site.previous_keys)
        .map(String::as_str)
        .collect();
    for (name, key) in BUCKET_KEYS.iter().zip(keys.chunks(KEYS_PER_TAG)) {
        notes.push((name, key.join(" ")));
    }
    notes.extend(site.topic.clone().map(|topic| (TOPIC, topic)));
    notes.retain(|(_, value)| is_valid_tag_value(value));
    notes
}

/// What IAM takes as the value of a tag. A prefix of log objects may hold more.
fn is_valid_tag_value(value: &str) -> bool {
    value.chars().count() <= 256
        && value
            .chars()
            .all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
}

impl Deployment {
    /// Whether the trail delivers to where the deployment takes its events from.
    #[must_use]
    pub fn receives_from(&self, trail: &Trail) -> bool {
        match (&self.log_group, &trail.log_group) {
            (Some(group), Some(arn)) => arn.ends_with(&format!(":log-group:{group}")),
            (Some(_), None) => false,
            (None, _) => trail.bucket == self.bucket,
        }
    }

    /// What the role tells of the deployment it belongs to; nothing when it is not ours.
    #[must_use]
    pub fn from_role(role: &Role) -> Option<Self> {
        let tag = |key: &str| {
            role.tags()
                .iter()
                .find(|tag| tag.key() == key)
                .map(|tag| tag.value().to_owned())
        };
        if tag(MANAGED_BY_TAG).as_deref() != Some(env!("CARGO_PKG_NAME")) {
            return None;
        }
        let of_a_bucket = tag(BUCKET).is_some() && tag(LOG_PREFIX).is_some();
        Some(Self {
            is_complete: of_a_bucket || tag(LOG_GROUP).is_some(),
            option: tag(OPTION_TAG)?,
            role_arn: role.arn().to_owned(),
            region: tag(REGION)?,
            bucket: tag(BUCKET).unwrap_or_default(),
            log_prefix: tag(LOG_PREFIX).unwrap_or_else(|| "AWSLogs/".to_owned()),
            bucket_keys: BUCKET_KEYS
                .iter()
                .filter_map(|name| tag(name))
                .flat_map(|keys| {
                    let keys = keys.split_whitespace().map(str::to_owned);
                    keys.collect::<Vec<_>>()
                })
                .collect(),
            topic: tag(TOPIC),
            log_group: tag(LOG_GROUP),
            trust: parse_trust(role),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::role::HeelerTrust;

    fn deployment(bucket: &str, log_group: Option<&str>) -> Deployment {
        Deployment {
            option: String::new(),
            role_arn: String::new(),
            region: String::new(),
            bucket: bucket.to_owned(),
            log_prefix: String::new(),
            bucket_keys: Vec::new(),
            topic: None,
            log_group: log_group.map(str::to_owned),
            trust: Some(HeelerTrust::empty()),
            is_complete: true,
        }
    }

    #[test]
    fn role_tags_hold_every_key() {
        let key = |number: usize| {
            format!("arn:aws-us-gov:kms:ap-southeast-2:111122223333:key/mrk-{number:032}")
        };
        let site = DeploymentTarget {
            bucket_keys: (0..5).map(key).collect(),
            previous_keys: (5..8).map(key).collect(),
            ..DeploymentTarget::for_log_group(
                &crate::aws::CallerIdentity {
                    arn: String::new(),
                    account: "111122223333".into(),
                    partition: "aws".into(),
                },
                "eu-west-1",
                crate::naming::ResourceNames::new("heeler"),
                "group",
            )
        };
        let tags: Vec<_> = deployment_tags(&site)
            .into_iter()
            .chain([
                (MANAGED_BY_TAG, env!("CARGO_PKG_NAME").to_owned()),
                (OPTION_TAG, "s3".to_owned()),
            ])
            .map(|(name, value)| {
                let tag = aws_sdk_iam::types::Tag::builder().key(name).value(value);
                tag.build().unwrap()
            })
            .collect();
        let role = Role::builder()
            .path("/")
            .role_name("role")
            .role_id("AROA")
            .arn("arn:aws:iam::111122223333:role/role")
            .create_date(aws_smithy_types::DateTime::from_secs(0))
            .set_tags(Some(tags))
            .build()
            .unwrap();
        let found = Deployment::from_role(&role).unwrap();
        assert_eq!(found.bucket_keys, (0..8).map(key).collect::<Vec<_>>());
    }

    #[test]
    fn deployment_matches_trail_by_destination() {
        let trail = Trail {
            bucket: "logs".into(),
            log_group: Some("arn:aws:logs:us-east-1:111122223333:log-group:trail".into()),
            ..Trail::default()
        };
        assert!(deployment("logs", None).receives_from(&trail));
        assert!(!deployment("others", None).receives_from(&trail));
        assert!(deployment("", Some("trail")).receives_from(&trail));
        assert!(!deployment("", Some("rail")).receives_from(&trail));
        let without = Trail {
            log_group: None,
            ..trail
        };
        assert!(!deployment("", Some("trail")).receives_from(&without));
    }
}
