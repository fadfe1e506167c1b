//! Collects the facts that checks judge and that setup builds on: each a result, so that a refused call costs only
//! what hangs from it. Here and in its rooms are the only calls to AWS that checks stand on.

mod ask;
mod bucket;
mod deep;
pub mod facts;
mod key;
mod logs;
mod names;
mod trail;

use std::time::SystemTime;

use tokio::join;

use super::{Verdict, Weight, checks};
use crate::aws::arn::{self, Arn};
use crate::aws::notification::{CREATED, Entry, Target};
use crate::aws::{Aws, Caller};
use crate::error::{Error, Result};
use crate::names::Names;
use crate::route::Route;
use ask::Ask;
use facts::{
    Account, Bucket, Choice, Deep, Encryption, KeyFacts, LogGroup, Organization, Owned, Prospect,
    SelectorList, Shadow, Simulated, Status, Taken, Trail,
};
use futures_util::future::join_all;

/// What the operator said; all else is discovered.
#[derive(Clone, Debug)]
pub struct Hints {
    pub account: Option<String>,
    pub region: Option<String>,
    pub trail: Option<String>,
    pub bucket: Option<String>,
    pub bucket_key: Option<String>,
    pub topic: Option<String>,
    pub log_group: Option<String>,
    pub heeler_roles: Vec<String>,
    /// What setup would call its resources.
    pub names: Names,
    /// The global options of this run, to be said again in commands that are printed.
    pub own_options: String,
    /// Checks that the operator takes as they are.
    pub accepted: Vec<String>,
    /// Whether to ask also what needs permissions beyond those of preflight.
    pub deep: bool,
}

/// Everything that was found, for any option and with every trail that could do.
#[derive(Clone, Debug)]
pub struct Facts {
    hints: Hints,
    now: SystemTime,
    endpoint: Option<String>,
    account: Account,
    prospects: Vec<Prospect>,
    /// A bucket that was named, where no trail leads to it.
    named: (Option<Bucket>, Taken),
    simulated: Vec<(Route, Option<Result<Simulated>>)>,
}

/// The facts as one option sees them: with the trail that it would take.
#[derive(Clone, Debug)]
pub struct Survey {
    pub route: Route,
    pub hints: Hints,
    pub now: SystemTime,
    pub endpoint: Option<String>,
    pub account: Account,
    pub choice: Choice,
    /// Of the chosen trail, as is all that follows.
    pub status: Option<Result<Status>>,
    pub selectors: Option<Result<SelectorList>>,
    /// The trail's copies in regions that were switched on.
    pub shadows: Vec<Shadow>,
    pub bucket: Option<Bucket>,
    pub log_group: Option<LogGroup>,
    /// Who has the names that setup would take.
    pub taken: Taken,
    pub deep: Option<Deep>,
    /// What the caller may do; asked only in depth.
    pub simulated: Option<Result<Simulated>>,
}

impl Facts {
    /// Asks everything, side by side where nothing hangs from another answer: five round trips deep.
    pub async fn take(aws: &Aws, hints: Hints, routes: &[Route]) -> Self {
        let ask = Ask::new(aws);
        let account = trail::account(&ask, &hints).await;
        let who = account.caller.as_ref().ok();
        let trails = account.trails.as_deref().unwrap_or_default();
        let prospects = prospects(trails, hints.trail.as_deref(), who);
        // Destroy may ask for a bucket that no trail delivers to any more.
        let astray = hints
            .bucket
            .as_ref()
            .is_some_and(|named| prospects.iter().all(|trail| trail.bucket != *named));
        let prospects = prospects
            .into_iter()
            .map(|trail| prospect(&ask, trail, &account, &hints, routes));
        let (prospects, named, elsewhere, deep) = join!(
            join_all(prospects),
            async {
                match who.filter(|_| astray && routes.contains(&Route::S3)) {
                    Some(who) => for_s3(&ask, &Trail::default(), who, Ok(&None), &hints).await,
                    None => (None, Taken::default()),
                }
            },
            trail::elsewhere(&ask, trails, &hints),
            deep::account(&ask, &hints),
        );
        let mut facts = Self {
            hints,
            now: SystemTime::now(),
            endpoint: aws.endpoint(),
            account,
            prospects,
            named,
            simulated: Vec::new(),
        };
        facts.account.elsewhere = elsewhere;
        facts.account.deep = deep;
        if facts.hints.deep {
            let asked = routes.iter().map(|route| {
                let (ask, survey) = (&ask, facts.view(*route));
                async move { (survey.route, deep::simulate(ask, &survey).await) }
            });
            facts.simulated = join_all(asked).await;
        }
        facts
    }

    /// Who asks.
    ///
    /// # Errors
    /// The refusal, when that is not known.
    pub fn caller(&self) -> std::result::Result<&Caller, &Error> {
        self.account.caller.as_ref()
    }

    /// What one option has to go by.
    #[must_use]
    pub fn view(&self, route: Route) -> Survey {
        self.view_preferring(route, |_| false)
    }

    /// The same; of several trails that pass, the preferred one is taken.
    #[must_use]
    pub fn view_preferring(&self, route: Route, prefers: impl Fn(&Trail) -> bool) -> Survey {
        let several = match self.prospects.as_slice() {
            [] => return self.without(route),
            [one] => return self.with(route, one),
            several => several,
        };
        let mut judged: Vec<(&Prospect, Flaws)> = several
            .iter()
            .map(|prospect| (prospect, Flaws::of(&self.with(route, prospect))))
            .collect();
        let passing = |test: fn(&Flaws) -> bool| {
            let fitting: Vec<&Prospect> = judged
                .iter()
                .filter(|(_, flaws)| test(flaws))
                .map(|(prospect, _)| *prospect)
                .collect();
            let preferred = fitting.iter().find(|prospect| prefers(&prospect.trail));
            match (fitting.as_slice(), preferred) {
                ([one], _) => Some(*one),
                (_, preferred) => preferred.copied(),
            }
        };
        // What could not be asked is no failure, but what passes everything is better.
        let sure = |flaws: &Flaws| flaws.failed.is_empty() && !flaws.unsure;
        let likely = |flaws: &Flaws| flaws.failed.is_empty();
        let any_sure = judged.iter().any(|(_, flaws)| sure(flaws));
        if let Some(one) = passing(if any_sure { sure } else { likely }) {
            return self.with(route, one);
        }
        judged.sort_by_key(|(_, flaws)| flaws.failed.len());
        let best = judged.first().is_some_and(|(_, flaws)| likely(flaws));
        let told = judged
            .into_iter()
            .filter(|(_, flaws)| !best || likely(flaws))
            .map(|(prospect, flaws)| (prospect.trail.name.clone(), flaws.failed))
            .collect();
        Survey {
            choice: Choice::Several(told),
            ..self.without(route)
        }
    }

    fn without(&self, route: Route) -> Survey {
        let (bucket, taken) = match route {
            Route::S3 => self.named.clone(),
            Route::CloudWatch => (None, Taken::default()),
        };
        let choice = match (&self.hints.trail, &self.account.trails) {
            (Some(named), Ok(_)) => Choice::Unnamed(named.clone()),
            _ => Choice::None,
        };
        Survey {
            route,
            hints: self.hints.clone(),
            now: self.now,
            endpoint: self.endpoint.clone(),
            account: self.account.clone(),
            choice,
            status: None,
            selectors: None,
            shadows: Vec::new(),
            bucket,
            log_group: None,
            taken,
            deep: self.account.deep.clone(),
            simulated: self
                .simulated
                .iter()
                .find(|(of, _)| *of == route)
                .and_then(|(_, simulated)| simulated.clone()),
        }
    }

    fn with(&self, route: Route, prospect: &Prospect) -> Survey {
        let taken = match route {
            Route::S3 => &prospect.taken_for_s3,
            Route::CloudWatch => &prospect.taken_for_cloudwatch,
        };
        Survey {
            choice: Choice::One(prospect.trail.clone()),
            status: Some(prospect.status.clone()),
            selectors: Some(prospect.selectors.clone()),
            shadows: prospect.shadows.clone(),
            bucket: prospect.bucket.clone(),
            log_group: prospect.log_group.clone(),
            taken: taken.clone(),
            ..self.without(route)
        }
    }
}

/// What speaks against a trail.
struct Flaws {
    failed: Vec<&'static str>,
    /// Whether something that setup cannot do without could not be asked.
    unsure: bool,
}

impl Flaws {
    /// By the checks of the trail and of what it delivers to.
    fn of(survey: &Survey) -> Self {
        const OF_A_TRAIL: [&str; 4] = ["trail.", "bucket.", "key.", "logs."];
        let mut flaws = Self {
            failed: Vec::new(),
            unsure: false,
        };
        let of_a_trail = checks(survey.route)
            .iter()
            .copied()
            .flatten()
            .filter(|check| OF_A_TRAIL.iter().any(|group| check.id.starts_with(group)))
            .filter(|check| !survey.hints.accepted.iter().any(|id| id == check.id));
        for check in of_a_trail {
            match (check.judge)(survey) {
                Verdict::Fail(_) => flaws.failed.push(check.id),
                Verdict::Unknown(_) => flaws.unsure |= check.weight != Weight::Advisory,
                _ => {}
            }
        }
        flaws
    }
}

/// The trails that could do: the named one; else those of the organization; else those of this account.
fn prospects(trails: &[Trail], named: Option<&str>, caller: Option<&Caller>) -> Vec<Trail> {
    let all = || trails.iter().cloned();
    if let Some(named) = named {
        return all()
            .filter(|trail| trail.name == named || trail.arn == named)
            .take(1)
            .collect();
    }
    let here = |trail: &Trail| {
        caller.is_none_or(|caller| {
            Arn::parse(&trail.arn).is_none_or(|arn| arn.account == caller.account)
        })
    };
    let of_organization: Vec<Trail> = all().filter(|trail| trail.organization).collect();
    if of_organization.is_empty() {
        return all().filter(here).collect();
    }
    // Where some record everything that a trail can, the others are not worth their calls.
    let wide: Vec<Trail> = of_organization
        .iter()
        .filter(|trail| trail.multi_region && trail.global_events)
        .cloned()
        .collect();
    if wide.is_empty() {
        of_organization
    } else {
        wide
    }
}

/// Everything about one trail and what it delivers to.
async fn prospect(
    ask: &Ask,
    trail: Trail,
    account: &Account,
    hints: &Hints,
    routes: &[Route],
) -> Prospect {
    let home = ask.at(&trail.home);
    let caller = account.caller.as_ref().ok();
    let organization = account.organization.as_ref();
    let (status, selectors, shadows, (bucket, taken_for_s3), (log_group, taken_for_cloudwatch)) = join!(
        trail::status(&home, &trail),
        trail::selectors(&home, &trail),
        trail::shadows(ask, &trail, account),
        async {
            match caller.filter(|_| routes.contains(&Route::S3)) {
                Some(caller) => for_s3(ask, &trail, caller, organization, hints).await,
                None => (None, Taken::default()),
            }
        },
        async {
            match caller.filter(|_| routes.contains(&Route::CloudWatch)) {
                Some(caller) => for_cloudwatch(ask, &trail, caller, organization, hints).await,
                None => (None, Taken::default()),
            }
        },
    );
    Prospect {
        trail,
        status,
        selectors,
        shadows,
        bucket,
        log_group,
        taken_for_s3,
        taken_for_cloudwatch,
    }
}

async fn for_s3(
    ask: &Ask,
    trail: &Trail,
    caller: &Caller,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &Hints,
) -> (Option<Bucket>, Taken) {
    let name = hints.bucket.as_ref().unwrap_or(&trail.bucket);
    let (found, global) = join!(
        bucket::find(ask, name, caller),
        names::global(ask, Route::S3, caller, hints)
    );
    let Some(region) = found.region() else {
        return (Some(Bucket::unseen(name, found.owned)), global);
    };
    let there = ask.at(region);
    let (bucket, regional) = join!(
        bucket::look(&there, found.clone(), trail, caller, organization, hints),
        names::regional(&there, Route::S3, caller, hints),
    );
    (Some(bucket), global.and(regional))
}

async fn for_cloudwatch(
    ask: &Ask,
    trail: &Trail,
    caller: &Caller,
    organization: std::result::Result<&Option<Organization>, &Error>,
    hints: &Hints,
) -> (Option<LogGroup>, Taken) {
    let Some(arn) = trail.log_group.as_deref().and_then(Arn::parse) else {
        return (
            None,
            names::global(ask, Route::CloudWatch, caller, hints).await,
        );
    };
    let there = ask.at(arn.region);
    if arn.account != caller.account {
        // One of the same name may be here, and is none of this.
        let global = names::global(ask, Route::CloudWatch, caller, hints).await;
        return (Some(logs::elsewhere(&arn)), global);
    }
    let (group, global, regional) = join!(
        logs::look(
            &there,
            &arn,
            organization.ok().and_then(Option::as_ref),
            hints
        ),
        names::global(ask, Route::CloudWatch, caller, hints),
        names::regional(&there, Route::CloudWatch, caller, hints),
    );
    (Some(group), global.and(regional))
}

/// What the log objects are encrypted with, as far as it can be seen.
#[derive(Clone, Debug)]
pub enum Sealed<'a> {
    /// With S3's own keys: nobody needs a permission.
    ByS3,
    /// With the key of AWS in this account, which S3 uses for whoever may read.
    ByAws,
    /// With keys of the customer: first the one that counts for what comes next.
    ByKeys(Vec<&'a KeyFacts>),
    /// The calls that would tell were refused.
    Unseen,
}

impl Survey {
    #[must_use]
    pub fn trail(&self) -> Option<&Trail> {
        self.choice.trail()
    }

    /// Where everything is made: with the bucket, or with the log group.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        match self.route {
            Route::S3 => match &self.bucket.as_ref()?.owned {
                Ok(Owned::Here { region }) => Some(region),
                _ => None,
            },
            Route::CloudWatch => Some(&self.log_group.as_ref()?.region),
        }
    }

    /// The caller's account, once it is known.
    #[must_use]
    pub fn own_account(&self) -> Option<&str> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(&caller.account)
    }

    /// ARN of the role that Heeler will come in by.
    #[must_use]
    pub fn harvest_role(&self) -> Option<String> {
        let caller = self.account.caller.as_ref().ok()?;
        Some(harvest_role(&self.hints, caller))
    }

    /// What the log objects are encrypted with: the trail's key, if it has one, whatever the bucket's default is; and
    /// whatever else the newest object and the bucket show. The operator's word goes before all of it, unless there is
    /// nothing to decrypt.
    #[must_use]
    pub fn sealed(&self) -> Sealed<'_> {
        let Some(bucket) = &self.bucket else {
            return Sealed::Unseen;
        };
        let of_trail = self.trail().and_then(|trail| trail.key.as_deref());
        let object = match &bucket.newest {
            Some(Ok(Some(object))) => Some(&object.encryption),
            _ => None,
        };
        let plain = of_trail.is_none() && object == Some(&Encryption::S3);
        if plain {
            return Sealed::ByS3;
        }
        if let Some(named) = &self.hints.bucket_key {
            return bucket
                .key(named)
                .map_or(Sealed::Unseen, |key| Sealed::ByKeys(vec![key]));
        }
        let of_bucket = match &bucket.encryption {
            Some(Ok(Encryption::Kms(key))) => key.as_deref(),
            Some(Ok(Encryption::S3)) => None,
            _ if of_trail.is_some() || object.is_some() => None,
            _ => return Sealed::Unseen,
        };
        let of_object = match object {
            Some(Encryption::Kms(key)) => key.as_deref(),
            _ => None,
        };
        let mut keys: Vec<&KeyFacts> = Vec::new();
        for name in [of_trail, of_object, of_bucket].into_iter().flatten() {
            match bucket.key(name) {
                Some(key) if keys.iter().any(|known| known.name() == key.name()) => {}
                Some(key) => keys.push(key),
                None => return Sealed::Unseen,
            }
        }
        keys.retain(|key| !key.is_managed_by_aws());
        let by_kms = [
            object,
            bucket
                .encryption
                .as_ref()
                .and_then(|found| found.as_ref().ok()),
        ]
        .into_iter()
        .flatten()
        .any(|encryption| matches!(encryption, Encryption::Kms(_)));
        match (keys.is_empty(), by_kms) {
            (false, _) => Sealed::ByKeys(keys),
            (true, true) => Sealed::ByAws,
            (true, false) => Sealed::ByS3,
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
            .or(self.account.trails.as_ref().err())
            .or(self.account.caller.as_ref().err())
            .cloned()
    }

    /// Whether the trail says that it has delivered to the bucket.
    #[must_use]
    pub fn is_delivering(&self) -> bool {
        matches!(&self.status, Some(Ok(status)) if status.logging && status.to_bucket.at.is_some())
    }

    /// A command of our own, with the global options of this run.
    #[must_use]
    pub fn own_command(&self, verb: &str) -> String {
        format!("heeler-ec {verb}{}", self.hints.own_options)
    }

    /// Every call that was refused or failed.
    #[must_use]
    pub fn refusals(&self) -> Vec<&Error> {
        fn of<T>(asked: Option<&Result<T>>) -> Option<&Error> {
            asked.and_then(|asked| asked.as_ref().err())
        }
        let account = &self.account;
        let mut all = vec![
            of(Some(&account.caller)),
            of(Some(&account.organization)),
            of(Some(&account.trusted)),
            of(Some(&account.delegated)),
            of(Some(&account.opted_in)),
            of(Some(&account.trails)),
            of(account.elsewhere.as_ref()),
            of(self.status.as_ref()),
            of(self.selectors.as_ref()),
        ];
        if let Some(bucket) = &self.bucket {
            all.extend([
                of(Some(&bucket.owned)),
                of(bucket.encryption.as_ref()),
                of(bucket.newest.as_ref()),
                of(bucket.notifications.as_ref()),
                of(bucket.topic.as_ref()),
                of(bucket.policy.as_ref()),
                of(bucket.ownership.as_ref()),
                of(bucket.lifecycle.as_ref()),
                of(bucket.requester_pays.as_ref()),
            ]);
            if let Some(Ok(Some(topic))) = &bucket.topic {
                all.push(of(topic.key_policy.as_ref()));
            }
            all.extend(bucket.keys.iter().flat_map(|key| {
                [
                    of(Some(&key.key)),
                    of(key.policy.as_ref()),
                    of(key.grants.as_ref()),
                ]
            }));
        }
        if let Some(group) = &self.log_group {
            all.extend([
                of(Some(&group.group)),
                of(Some(&group.streams)),
                of(Some(&group.filters)),
                of(Some(&group.account_filters)),
                of(Some(&group.concurrency)),
                of(group.transformer.as_ref()),
                group.key.as_ref().and_then(|key| of(Some(&key.key))),
            ]);
        }
        all.extend(self.shadows.iter().map(|shadow| of(Some(&shadow.seen))));
        all.push(self.deep.as_ref().and_then(|deep| of(Some(&deep.iam))));
        all.push(of(self.simulated.as_ref()));
        all.extend(self.taken.by_check.values().map(|taken| of(Some(taken))));
        all.into_iter().flatten().collect()
    }

    /// The prefix under which log objects are delivered.
    #[must_use]
    pub fn log_prefix(&self) -> String {
        log_prefix(self.trail())
    }

    /// The entry that setup would make.
    #[must_use]
    pub fn wanted_entry(&self) -> Entry {
        wanted_entry(&self.hints, self.trail())
    }

    /// Whether an entry of the bucket announces every log object of the trail.
    #[must_use]
    pub fn is_announced_by(&self, entry: &Entry) -> bool {
        let organization = match &self.account.organization {
            Ok(Some(found)) if self.trail().is_some_and(|trail| trail.organization) => {
                Some(found.id.as_str())
            }
            _ => None,
        };
        announces(entry, &self.log_prefix(), organization)
    }
}

fn harvest_role(hints: &Hints, caller: &Caller) -> String {
    let role = format!("role/{}", hints.names.role());
    arn::build(&caller.partition, "iam", "", &caller.account, &role)
}

fn log_prefix(trail: Option<&Trail>) -> String {
    match trail.map(|trail| trail.prefix.as_str()) {
        None | Some("") => "AWSLogs/".to_owned(),
        Some(prefix) => format!("{prefix}/AWSLogs/"),
    }
}

fn wanted_entry(hints: &Hints, trail: Option<&Trail>) -> Entry {
    Entry {
        id: hints.names.notification(),
        target: Target::Topic,
        destination: String::new(),
        events: vec![CREATED.to_owned()],
        prefix: log_prefix(trail),
        suffix: String::new(),
    }
}

/// Whether an entry announces every log object. CloudTrail puts whole objects that end in `.json.gz`, those of an
/// organization trail under the organization's id.
#[must_use]
pub fn announces(entry: &Entry, log_prefix: &str, organization: Option<&str>) -> bool {
    const ENDING: &str = ".json.gz";
    let events = entry
        .events
        .iter()
        .any(|event| matches!(event.as_str(), CREATED | "s3:ObjectCreated:Put"));
    let deeper = organization.map(|id| format!("{log_prefix}{id}/"));
    let prefix = log_prefix.starts_with(&entry.prefix)
        || deeper.is_some_and(|deeper| deeper.starts_with(&entry.prefix));
    events && prefix && ENDING.ends_with(&entry.suffix)
}

/// Whether a refusal of the survey means that there are no credentials to ask anything with.
#[must_use]
pub fn without_credentials(error: &Error) -> bool {
    error.needed_action() == Some("sts:GetCallerIdentity")
}
