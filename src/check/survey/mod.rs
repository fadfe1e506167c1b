//! Collects the facts that checks judge and that setup builds on: each a result, so that a refused call costs only
//! what hangs from it. Here and in its two rooms are the only calls to AWS that checks stand on.

mod bucket;
mod trail;

use tokio::join;

use super::selectors::Selector;
use crate::aws::arn::Arn;
use crate::aws::notification::{CREATED, Entry, Target};
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
        let (caller, organization, trails) =
            join!(aws.caller(), trail::organization(aws), trail::trails(aws));
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
                    Some(trail) => Some(trail::status(&aws.at(&trail.home), trail).await),
                    None => None,
                }
            },
            async {
                match &chosen {
                    Some(trail) => Some(trail::selectors(&aws.at(&trail.home), trail).await),
                    None => None,
                }
            },
            async {
                match (&bucket_name, &account) {
                    (Some(name), Some(account)) => {
                        Some(bucket::bucket(aws, name, account, chosen.as_ref(), &hints).await)
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

/// Whether a refusal of the survey means that there are no credentials to ask anything with.
#[must_use]
pub fn without_credentials(error: &Error) -> bool {
    error.needed_action() == Some("sts:GetCallerIdentity")
}
