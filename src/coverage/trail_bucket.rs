//! Selects the trail of the organization, and locates its bucket.

use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::inventory::facts::{BucketOwner, Organization, Trail};
use crate::inventory::organization_trails::{OrganizationTrails, bucket_owner};

/// The trail of an organization, and the bucket that it delivers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailBucket {
    pub organization: String,
    pub trail: String,
    pub trail_arn: String,
    pub home_region: String,
    pub is_multi_region: bool,
    /// True if `CloudTrail` writes digests: log file validation is on.
    pub has_digests: bool,
    pub bucket: String,
    pub bucket_region: String,
    /// The account of the caller, which is that of the bucket if it has credentials of its own.
    pub account: String,
    /// The account that has to own the bucket; `None` if it belongs to another account, which lets the caller list it.
    pub bucket_owner: Option<String>,
    /// The prefix of all log files of the trail, with a slash at the end.
    pub log_prefix: String,
}

impl TrailBucket {
    /// Returns the only trail of the organization, or the given one, with its bucket.
    ///
    /// # Errors
    /// A negative result if there is no such trail, if there are several, or if the bucket cannot be found.
    pub async fn find(aws: &Aws, found: &OrganizationTrails, given: Option<&str>) -> Result<Self> {
        let example = "heeler-ec coverage";
        let (organization, trail) = select_trail(found, given, aws.region(), example)?;
        let owner = bucket_owner(aws, &trail.bucket, &found.caller).await?;
        let bucket = &trail.bucket;
        let account = &found.caller.account;
        let (region, bucket_owner) = match owner {
            BucketOwner::ThisAccount { region } => (region, Some(account.clone())),
            BucketOwner::OtherAccount {
                region: Some(region),
            } => (region, None),
            BucketOwner::OtherAccount { region: None } => {
                return Err(Error::negative(format!(
                    "the bucket {bucket} of trail {} belongs to another account",
                    trail.name
                ))
                .with_reason("its region is not known")
                .with_hint(
                    Hint::from(
                        "let its bucket policy allow this account s3:ListBucket, or use credentials for it: ",
                    )
                    .and_command("heeler-ec coverage --bucket-profile PROFILE_OF_THE_BUCKET_ACCOUNT"),
                ));
            }
            BucketOwner::Missing => {
                return Err(Error::negative(format!(
                    "the bucket {bucket} of trail {} does not exist",
                    trail.name
                ))
                .with_hint(preflight_hint()));
            }
        };
        Ok(Self {
            organization: organization.id.clone(),
            trail: trail.name.clone(),
            trail_arn: trail.arn.clone(),
            home_region: trail.home_region.clone(),
            is_multi_region: trail.is_multi_region,
            has_digests: trail.log_file_validation,
            bucket: trail.bucket.clone(),
            bucket_region: region,
            account: account.clone(),
            bucket_owner,
            log_prefix: found.log_prefix(trail),
        })
    }
}

fn preflight_hint() -> Hint {
    Hint::from("to see what is wrong, run: ").and_command("heeler-ec preflight")
}

/// Returns the organization and its only trail, or the given one.
///
/// # Errors
/// A negative result if there is no such trail, or if there are several. The hint has `command` with the name of a trail.
pub fn select_trail<'t>(
    found: &'t OrganizationTrails,
    given: Option<&str>,
    region: &str,
    command: &str,
) -> Result<(&'t Organization, &'t Trail)> {
    let Some(organization) = &found.organization else {
        let headline = format!("account {} is in no organization", found.caller.account);
        return Err(Error::negative(headline).with_hint(preflight_hint()));
    };
    let mut trails = found.trails.iter().filter(|trail| trail.is_organization);
    let selected = match (trails.next(), trails.next(), given) {
        (Some(only), None, _) => only,
        (None, _, Some(given)) => {
            return Err(Error::negative(format!(
                "{given:?} is no organization trail that is visible in {region}"
            ))
            .with_hint(preflight_hint()));
        }
        (None, _, None) => {
            let headline = format!("no organization trail is visible in {region}");
            return Err(Error::negative(headline).with_hint(preflight_hint()));
        }
        (Some(first), Some(_), _) => {
            let all = found.trails.iter().filter(|trail| trail.is_organization);
            let names: Vec<&str> = all.map(|trail| trail.name.as_str()).collect();
            let headline = format!(
                "there are several organization trails: {}",
                names.join(", ")
            );
            let command = format!("{command} --trail {}", first.name);
            return Err(Error::negative(headline)
                .with_hint(Hint::from("name the trail, for example: ").and_command(command)));
        }
    };
    Ok((organization, selected))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::CallerIdentity;

    fn trail(name: &str, is_organization: bool) -> Trail {
        Trail {
            name: name.to_owned(),
            is_organization,
            ..Trail::default()
        }
    }

    fn organization_with(trails: Vec<Trail>) -> OrganizationTrails {
        OrganizationTrails {
            caller: CallerIdentity {
                arn: String::new(),
                account: "111122223333".to_owned(),
                partition: "aws".to_owned(),
            },
            organization: Some(Organization {
                id: "o-1".to_owned(),
                management_account: String::new(),
                all_features: true,
            }),
            trails,
        }
    }

    #[test]
    fn only_organization_trail_is_selected() {
        let one = organization_with(vec![trail("own", false), trail("all", true)]);
        let (_, selected) = select_trail(&one, None, "us-east-1", "x").unwrap();
        assert_eq!(selected.name, "all");
    }

    #[test]
    fn missing_or_ambiguous_trail_is_a_negative_result() {
        let several = organization_with(vec![trail("one", true), trail("two", true)]);
        let none = organization_with(vec![trail("own", false)]);
        let alone = OrganizationTrails {
            organization: None,
            ..several.clone()
        };
        for (found, given, headline) in [
            (
                &several,
                None,
                "there are several organization trails: one, two",
            ),
            (&none, None, "no organization trail is visible in us-east-1"),
            (
                &none,
                Some("own"),
                "\"own\" is no organization trail that is visible in us-east-1",
            ),
            (&alone, None, "account 111122223333 is in no organization"),
        ] {
            let error = select_trail(found, given, "us-east-1", "x").unwrap_err();
            assert_eq!(error.headline(), headline);
            assert_eq!(error.exit() as u8, 1);
            assert!(error.hint().is_some());
        }
    }
}
