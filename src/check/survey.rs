//! Collects the facts that checks judge and that setup builds on: each a result, so that a refused call costs only
//! what hangs from it. The only file of this room that calls AWS.

use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types as cloudtrail;
use aws_sdk_kms::types::{KeyManagerType, KeyMetadata};
use aws_sdk_s3::types::ServerSideEncryption;
use tokio::join;

use super::selectors::{Field, Selector};
use crate::aws::arn::Arn;
use crate::aws::fault::Doing;
use crate::aws::notification::{CREATED, Entry, Target, entries};
use crate::aws::{Aws, Caller};
use crate::error::{Error, Result};

/// What the operator said; all else is discovered.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    pub account: Option<String>,
    pub region: Option<String>,
    pub trail: Option<String>,
    pub bucket: Option<String>,
    pub bucket_key: Option<String>,
    pub topic: Option<String>,
    pub heeler_roles: Vec<String>,
    /// Id of our entry in the bucket's notification configuration.
    pub entry: String,
}

#[derive(Clone, Debug)]
pub struct Survey {
    pub hints: Hints,
    pub endpoint: Option<String>,
    pub caller: Result<Caller>,
    pub organization: Result<Option<Organization>>,
    pub trails: Result<Vec<Trail>>,
    pub choice: Choice,
    /// Of the chosen trail.
    pub status: Option<Result<Status>>,
    pub selectors: Option<Result<Vec<Selector>>>,
    pub bucket: Option<Bucket>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    pub id: String,
    pub management_account: String,
    pub all_features: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    pub name: String,
    pub arn: String,
    pub home: String,
    pub organization: bool,
    pub multi_region: bool,
    pub global_events: bool,
    pub bucket: String,
    pub prefix: String,
    pub key: Option<String>,
    pub own_topic: Option<String>,
}

/// Which trail everything else is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    One(Trail),
    /// Several fit, and none was named.
    Several(Vec<String>),
    /// The one that was named does not exist.
    Unnamed(String),
    #[default]
    None,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub logging: bool,
    pub stopped: Option<String>,
    pub delivery_error: Option<String>,
    pub delivered: Option<String>,
}

/// The bucket that the trail delivers to.
#[derive(Clone, Debug)]
pub struct Bucket {
    pub name: String,
    pub owned: Result<Owned>,
    pub encryption: Option<Result<Encryption>>,
    pub key: Option<Result<Option<Key>>>,
    pub notifications: Option<Result<Vec<Entry>>>,
    pub topic: Option<Result<Option<TopicFacts>>>,
}

/// Whether the bucket is the caller's, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owned {
    Here { region: String },
    Elsewhere { region: Option<String> },
    Missing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    S3,
    /// With the key as the bucket names it; nothing for the key of AWS's own.
    Kms(Option<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub arn: String,
    pub account: String,
    pub state: String,
    pub customer_managed: bool,
    pub deletion: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicFacts {
    pub arn: String,
    pub policy: String,
    pub key: Option<String>,
}

impl Survey {
    /// Asks everything, side by side where nothing hangs from another answer: four round trips deep.
    pub async fn take(aws: &Aws, hints: Hints) -> Self {
        let (caller, organization, trails) = join!(aws.caller(), organization(aws), trails(aws));
        let choice = trails
            .as_ref()
            .map(|trails| choose(trails, hints.trail.as_deref(), caller.as_ref().ok()))
            .unwrap_or_default();
        let chosen = choice.trail().cloned();
        let bucket_name = hints
            .bucket
            .clone()
            .or_else(|| chosen.as_ref().map(|trail| trail.bucket.clone()));
        let account = caller.as_ref().ok().map(|caller| caller.account.clone());
        let (status, selectors, bucket) = join!(
            async {
                match &chosen {
                    Some(trail) => Some(status(&aws.at(&trail.home), trail).await),
                    None => None,
                }
            },
            async {
                match &chosen {
                    Some(trail) => Some(selectors(&aws.at(&trail.home), trail).await),
                    None => None,
                }
            },
            async {
                match (&bucket_name, &account) {
                    (Some(name), Some(account)) => {
                        Some(bucket(aws, name, account, chosen.as_ref(), &hints).await)
                    }
                    _ => None,
                }
            },
        );
        Self {
            endpoint: aws.endpoint(),
            hints,
            caller,
            organization,
            trails,
            choice,
            status,
            selectors,
            bucket,
        }
    }

    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.choice.trail()
    }

    /// The region of the bucket, where everything is made.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match &self.bucket.as_ref()?.owned {
            Ok(Owned::Here { region }) => Some(region),
            _ => None,
        }
    }

    /// The refusal, if there was one, because of which the bucket is not known.
    #[must_use]
    pub fn refusal(&self) -> Option<Error> {
        let bucket = self
            .bucket
            .as_ref()
            .and_then(|bucket| bucket.owned.as_ref().err());
        bucket
            .or(self.trails.as_ref().err())
            .or(self.caller.as_ref().err())
            .cloned()
    }

    /// The prefix under which log objects are delivered.
    #[must_use]
    pub fn log_prefix(&self) -> String {
        log_prefix(self.trail())
    }
}

fn log_prefix(trail: Option<&Trail>) -> String {
    match trail.map(|trail| trail.prefix.as_str()) {
        None | Some("") => "AWSLogs/".to_owned(),
        Some(prefix) => format!("{prefix}/AWSLogs/"),
    }
}

impl Choice {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        match self {
            Self::One(trail) => Some(trail),
            _ => None,
        }
    }
}

/// The named trail; else the only one of the organization; else the only one there is.
fn choose(trails: &[Trail], named: Option<&str>, caller: Option<&Caller>) -> Choice {
    if let Some(named) = named {
        return trails
            .iter()
            .find(|trail| trail.name == named || trail.arn == named)
            .map_or_else(
                || Choice::Unnamed(named.to_owned()),
                |trail| Choice::One(trail.clone()),
            );
    }
    let of_organization: Vec<&Trail> = trails.iter().filter(|trail| trail.organization).collect();
    let here = |trail: &&Trail| {
        caller.is_none_or(|caller| {
            Arn::parse(&trail.arn).is_none_or(|arn| arn.account == caller.account)
        })
    };
    let fitting: Vec<&Trail> = if of_organization.is_empty() {
        trails.iter().filter(here).collect()
    } else {
        of_organization
    };
    match fitting.as_slice() {
        [] => Choice::None,
        [one] => Choice::One((*one).clone()),
        several => Choice::Several(several.iter().map(|trail| trail.name.clone()).collect()),
    }
}

async fn organization(aws: &Aws) -> Result<Option<Organization>> {
    let found = aws
        .organizations
        .describe_organization()
        .send()
        .await
        .finding(
            "organizations:DescribeOrganization",
            &["AWSOrganizationsNotInUseException"],
            || "ask for the organization".into(),
        )?
        .and_then(|found| found.organization);
    Ok(found.map(|found| Organization {
        id: found.id().unwrap_or_default().to_owned(),
        management_account: found.master_account_id().unwrap_or_default().to_owned(),
        all_features: found.feature_set().is_none_or(|set| set.as_str() == "ALL"),
    }))
}

/// The trails that can be seen from here, shadows of other regions included.
async fn trails(aws: &Aws) -> Result<Vec<Trail>> {
    let found = aws
        .cloudtrail
        .describe_trails()
        .include_shadow_trails(true)
        .send()
        .await
        .doing("cloudtrail:DescribeTrails", || "list the trails".into())?;
    let mut trails: Vec<Trail> = found.trail_list().iter().map(plain).collect();
    trails.sort_by(|left, right| left.arn.cmp(&right.arn));
    trails.dedup_by(|left, right| left.arn == right.arn);
    Ok(trails)
}

fn plain(found: &cloudtrail::Trail) -> Trail {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    Trail {
        name: text(found.name()),
        arn: text(found.trail_arn()),
        home: text(found.home_region()),
        organization: found.is_organization_trail().unwrap_or_default(),
        multi_region: found.is_multi_region_trail().unwrap_or_default(),
        global_events: found.include_global_service_events().unwrap_or_default(),
        bucket: text(found.s3_bucket_name()),
        prefix: text(found.s3_key_prefix()).trim_end_matches('/').to_owned(),
        key: found
            .kms_key_id()
            .filter(|key| !key.is_empty())
            .map(str::to_owned),
        own_topic: found
            .sns_topic_arn()
            .filter(|arn| !arn.is_empty())
            .map(str::to_owned),
    }
}

/// A shadow trail has to be asked for by its ARN, in its home region.
async fn status(aws: &Aws, trail: &Trail) -> Result<Status> {
    let found = aws
        .cloudtrail
        .get_trail_status()
        .name(&trail.arn)
        .send()
        .await
        .doing("cloudtrail:GetTrailStatus", || {
            format!("ask for the status of trail {}", trail.name)
        })?;
    let time = |time: Option<&aws_smithy_types::DateTime>| time.map(ToString::to_string);
    Ok(Status {
        logging: found.is_logging().unwrap_or_default(),
        stopped: time(found.stop_logging_time()),
        delivery_error: found
            .latest_delivery_error()
            .filter(|text| !text.is_empty())
            .map(str::to_owned),
        delivered: time(found.latest_delivery_time()),
    })
}

async fn selectors(aws: &Aws, trail: &Trail) -> Result<Vec<Selector>> {
    let found = aws
        .cloudtrail
        .get_event_selectors()
        .trail_name(&trail.arn)
        .send()
        .await
        .doing("cloudtrail:GetEventSelectors", || {
            format!("read the event selectors of trail {}", trail.name)
        })?;
    Ok(plain_selectors(&found))
}

fn plain_selectors(found: &GetEventSelectorsOutput) -> Vec<Selector> {
    let classic = found.event_selectors().iter().map(|selector| {
        let kind = selector
            .read_write_type()
            .map(cloudtrail::ReadWriteType::as_str);
        Selector::Classic {
            read: kind != Some("WriteOnly"),
            write: kind != Some("ReadOnly"),
            management: selector.include_management_events().unwrap_or(true),
            excluded: selector.exclude_management_event_sources().to_vec(),
        }
    });
    let advanced = found
        .advanced_event_selectors()
        .iter()
        .map(|selector| Selector::Advanced {
            fields: selector
                .field_selectors()
                .iter()
                .map(|field| Field {
                    name: field.field().to_owned(),
                    equals: field.equals().to_vec(),
                    not_equals: field.not_equals().to_vec(),
                    other: !(field.starts_with().is_empty()
                        && field.ends_with().is_empty()
                        && field.not_starts_with().is_empty()
                        && field.not_ends_with().is_empty()),
                })
                .collect(),
        });
    classic.chain(advanced).collect()
}

async fn bucket(
    aws: &Aws,
    name: &str,
    account: &str,
    trail: Option<&Trail>,
    hints: &Hints,
) -> Bucket {
    let owned = owned(aws, name, account).await;
    let mut bucket = Bucket {
        name: name.to_owned(),
        owned,
        encryption: None,
        key: None,
        notifications: None,
        topic: None,
    };
    let Ok(Owned::Here { region }) = &bucket.owned else {
        return bucket;
    };
    let aws = aws.at(region);
    let named_key = hints
        .bucket_key
        .clone()
        .or_else(|| trail.and_then(|trail| trail.key.clone()));
    let (encryption_and_key, notifications_and_topic) = join!(
        async {
            // The key of the trail is the one that counts; only without one does the bucket's matter.
            if let Some(named) = named_key {
                let (encryption, key) = join!(encryption(&aws, name, account), key(&aws, &named));
                (encryption, Some(key))
            } else {
                let encryption = encryption(&aws, name, account).await;
                let key = match &encryption {
                    Ok(Encryption::Kms(Some(named))) => Some(key(&aws, named).await),
                    _ => None,
                };
                (encryption, key)
            }
        },
        async {
            let notifications = notifications(&aws, name, account).await;
            let topic = match &notifications {
                Ok(entries) => covering_topic(entries, hints, trail, &aws, account),
                Err(_) => None,
            };
            let topic = match topic {
                Some(arn) => Some(topic_facts(&aws, &arn).await),
                None => None,
            };
            (notifications, topic)
        },
    );
    bucket.encryption = Some(encryption_and_key.0);
    bucket.key = encryption_and_key.1;
    bucket.notifications = Some(notifications_and_topic.0);
    bucket.topic = notifications_and_topic.1;
    bucket
}

/// Whether the bucket is the caller's. HEAD names the region in every answer, and says nothing else.
async fn owned(aws: &Aws, name: &str, account: &str) -> Result<Owned> {
    let head = aws
        .s3
        .head_bucket()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await;
    let refusal = match head {
        Ok(found) => {
            let region = found.bucket_region().unwrap_or(aws.region()).to_owned();
            return Ok(Owned::Here { region });
        }
        Err(refusal) => refusal,
    };
    let region = refusal
        .raw_response()
        .and_then(|response| response.headers().get("x-amz-bucket-region"))
        .map(str::to_owned);
    let status = refusal
        .raw_response()
        .map(|response| response.status().as_u16());
    match (status, region) {
        // Another region answers for it: it has to be asked there whose it is.
        (Some(301 | 400), Some(region)) if region != aws.region() => {
            Box::pin(owned(&aws.at(&region), name, account)).await
        }
        (Some(404), _) => Ok(Owned::Missing),
        (Some(403), region) => elsewhere(aws, name, region).await,
        _ => Err(refusal).doing("s3:ListBucket", || format!("look at bucket {name}")),
    }
}

/// Without the condition on its owner: an answer means that it is somebody else's bucket, a refusal that the
/// caller may not look.
async fn elsewhere(aws: &Aws, name: &str, region: Option<String>) -> Result<Owned> {
    let aws = region
        .as_deref()
        .map_or_else(|| aws.clone(), |region| aws.at(region));
    aws.s3
        .head_bucket()
        .bucket(name)
        .send()
        .await
        .doing("s3:ListBucket", || format!("look at bucket {name}"))
        .map(|found| Owned::Elsewhere { region: found.bucket_region().map(str::to_owned).or(region) })
        .map_err(|refusal| {
            refusal.hint(format!(
                "either the bucket belongs to another account, or the caller lacks s3:ListBucket on it: \
                 aws s3api list-buckets --query \"Buckets[?Name=='{name}']\" shows whether it is yours"
            ))
        })
}

async fn encryption(aws: &Aws, name: &str, account: &str) -> Result<Encryption> {
    let found = aws
        .s3
        .get_bucket_encryption()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await
        .finding(
            "s3:GetEncryptionConfiguration",
            &["ServerSideEncryptionConfigurationNotFoundError"],
            || format!("read the encryption of bucket {name}"),
        )?;
    let rule = found
        .and_then(|found| found.server_side_encryption_configuration)
        .and_then(|found| found.rules.into_iter().next())
        .and_then(|rule| rule.apply_server_side_encryption_by_default);
    Ok(match rule {
        Some(rule) if *rule.sse_algorithm() != ServerSideEncryption::Aes256 => {
            Encryption::Kms(rule.kms_master_key_id)
        }
        _ => Encryption::S3,
    })
}

async fn key(aws: &Aws, named: &str) -> Result<Option<Key>> {
    let found = aws
        .kms
        .describe_key()
        .key_id(named)
        .send()
        .await
        .finding("kms:DescribeKey", &["NotFoundException"], || {
            format!("describe KMS key {named}")
        })?
        .and_then(|found| found.key_metadata);
    Ok(found.map(|key: KeyMetadata| Key {
        arn: key.arn().unwrap_or_default().to_owned(),
        account: Arn::parse(key.arn().unwrap_or_default())
            .map_or("", |arn| arn.account)
            .to_owned(),
        // Some endpoints leave the state out and tell only whether it is enabled.
        state: key
            .key_state()
            .map_or(
                if key.enabled() { "Enabled" } else { "Disabled" },
                |state| state.as_str(),
            )
            .to_owned(),
        customer_managed: key.key_manager() != Some(&KeyManagerType::Aws),
        deletion: key.deletion_date().map(ToString::to_string),
    }))
}

async fn notifications(aws: &Aws, name: &str, account: &str) -> Result<Vec<Entry>> {
    aws.s3
        .get_bucket_notification_configuration()
        .bucket(name)
        .expected_bucket_owner(account)
        .send()
        .await
        .doing("s3:GetBucketNotification", || {
            format!("read the notification configuration of bucket {name}")
        })
        .map(|found| entries(&found))
}

/// The existing topic that setup would use: the one that was named, or one that already gets every log object.
fn covering_topic(
    entries: &[Entry],
    hints: &Hints,
    trail: Option<&Trail>,
    aws: &Aws,
    account: &str,
) -> Option<String> {
    if let Some(named) = &hints.topic {
        if named.starts_with("arn:") {
            return Some(named.clone());
        }
        let partition = trail
            .and_then(|trail| Arn::parse(&trail.arn))
            .map_or("aws", |arn| arn.partition);
        return Some(crate::aws::arn::build(
            partition,
            "sns",
            aws.region(),
            account,
            named,
        ));
    }
    let logs = wanted_entry(&hints.entry, trail);
    entries
        .iter()
        .find(|entry| {
            entry.target == Target::Topic && entry.id != hints.entry && entry.covers(&logs)
        })
        .map(|entry| entry.destination.clone())
}

/// The entry that setup would make.
#[must_use]
pub fn wanted_entry(id: &str, trail: Option<&Trail>) -> Entry {
    Entry {
        id: id.to_owned(),
        target: Target::Topic,
        destination: String::new(),
        events: vec![CREATED.to_owned()],
        prefix: log_prefix(trail),
        suffix: String::new(),
    }
}

async fn topic_facts(aws: &Aws, arn: &str) -> Result<Option<TopicFacts>> {
    let region =
        Arn::parse(arn).map_or_else(|| aws.region().to_owned(), |arn| arn.region.to_owned());
    let found = aws
        .at(&region)
        .sns
        .get_topic_attributes()
        .topic_arn(arn)
        .send()
        .await
        .finding(
            "sns:GetTopicAttributes",
            &["NotFound", "NotFoundException"],
            || format!("read topic {arn}"),
        )?;
    Ok(found
        .and_then(|found| found.attributes)
        .map(|mut attributes| TopicFacts {
            arn: arn.to_owned(),
            policy: attributes.remove("Policy").unwrap_or_default(),
            key: attributes
                .remove("KmsMasterKeyId")
                .filter(|key| !key.is_empty()),
        }))
}

/// Whether a refusal of the survey means that there are no credentials to ask anything with.
#[must_use]
pub fn without_credentials(error: &Error) -> bool {
    error.needed_action() == Some("sts:GetCallerIdentity")
}
