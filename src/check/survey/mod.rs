//! Collects the facts that checks judge and that setup builds on: each a result, so that a refused call costs only
//! what hangs from it. Here and in its rooms are the only calls to AWS that checks stand on.

mod ask;
mod bucket;
mod deep;
pub mod facts;
mod key;
mod logs;
mod names;
mod once;
mod prospect;
mod topic;
mod trail;
mod view;

use std::time::SystemTime;

use tokio::join;

use super::{Verdict, checks};
use crate::aws::arn::{self};
use crate::aws::notification::{CREATED, Entry, Target};
use crate::aws::{Aws, Caller};
use crate::error::{Error, Result};
use crate::names::Names;
use crate::route::Route;
use ask::Ask;
use facts::{Account, Bucket, Choice, Found, Prospect, Simulated, Taken, Trail};
use futures_util::future::join_all;

use prospect::{for_s3, look_into, prospects};
pub use view::{Sealed, Survey};

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
    /// Whether what bears nobody's mark is taken over.
    pub adopt: bool,
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
        let (prospects, named, elsewhere, deep) = join!(
            look_into(&ask, prospects, &account, &hints, routes),
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
        facts.look_further(&ask, routes).await;
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

    /// The same; of several trails that pass, the preferred one is taken. One that nobody looked into never is.
    #[must_use]
    pub fn view_preferring(&self, route: Route, prefers: impl Fn(&Trail) -> bool) -> Survey {
        if self.prospects.is_empty() {
            return self.without(route);
        }
        let seen: Vec<(&Prospect, &Found)> = self
            .prospects
            .iter()
            .filter_map(|prospect| Some((prospect, prospect.found.as_ref()?)))
            .collect();
        if let ([(prospect, found)], 1) = (seen.as_slice(), self.prospects.len()) {
            return self.with(route, prospect, found);
        }
        let judged: Vec<(&Prospect, &Found, Flaws)> = seen
            .into_iter()
            .map(|(prospect, found)| (prospect, found, self.flaws(route, prospect)))
            .collect();
        let passing = |test: fn(&Flaws) -> bool| {
            let fitting: Vec<(&Prospect, &Found)> = judged
                .iter()
                .filter(|(_, _, flaws)| test(flaws))
                .map(|(prospect, found, _)| (*prospect, *found))
                .collect();
            let preferred = fitting.iter().find(|(one, _)| prefers(&one.trail));
            match (fitting.as_slice(), preferred) {
                ([one], _) => Some(*one),
                (_, preferred) => preferred.copied(),
            }
        };
        // What could not be asked is no failure, but what passes everything is better.
        let any_sure = judged.iter().any(|(_, _, flaws)| flaws.is_sure());
        let test = if any_sure {
            Flaws::is_sure
        } else {
            Flaws::is_likely
        };
        if let Some((prospect, found)) = passing(test) {
            return self.with(route, prospect, found);
        }
        Survey {
            choice: self.undecided(route),
            ..self.without(route)
        }
    }

    /// What there is to choose from: those that pass, else all with what they lack; and those that nobody looked into.
    fn undecided(&self, route: Route) -> Choice {
        let mut judged: Vec<(&Prospect, Flaws)> = self
            .prospects
            .iter()
            .map(|prospect| (prospect, self.flaws(route, prospect)))
            .collect();
        let name = |prospect: &Prospect| prospect.trail.name.clone();
        let unseen = judged
            .extract_if(.., |(prospect, flaws)| {
                prospect.found.is_none() && flaws.is_likely()
            })
            .map(|(prospect, _)| name(prospect))
            .collect();
        judged.sort_by_key(|(_, flaws)| flaws.failed.len());
        let best = judged.first().is_some_and(|(_, flaws)| flaws.is_likely());
        let judged = judged
            .into_iter()
            .filter(|(_, flaws)| !best || flaws.is_likely())
            .map(|(prospect, flaws)| (name(prospect), flaws.failed))
            .collect();
        Choice::Several { judged, unseen }
    }

    /// What speaks against a trail; of one that was not looked into, by what it records alone.
    fn flaws(&self, route: Route, prospect: &Prospect) -> Flaws {
        if let Some(found) = &prospect.found {
            return Flaws::of(&self.with(route, prospect, found));
        }
        let mut flaws = Flaws::of(&self.recorded(route, prospect));
        flaws.unsure = true;
        let named = self.hints.bucket.as_ref();
        if route == Route::S3 && named.is_some_and(|named| *named != prospect.trail.bucket) {
            flaws.failed.push("bucket.named");
        }
        flaws
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

    /// A trail with nothing that hangs from it: to be judged, and not to be taken.
    fn recorded(&self, route: Route, prospect: &Prospect) -> Survey {
        Survey {
            choice: Choice::One(prospect.trail.clone()),
            status: Some(prospect.status.clone()),
            selectors: Some(prospect.selectors.clone()),
            ..self.without(route)
        }
    }

    fn with(&self, route: Route, prospect: &Prospect, found: &Found) -> Survey {
        let taken = match route {
            Route::S3 => &found.for_s3.1,
            Route::CloudWatch => &found.for_cloudwatch.1,
        };
        Survey {
            shadows: found.shadows.clone(),
            bucket: found.for_s3.0.clone(),
            log_group: found.for_cloudwatch.0.clone(),
            taken: taken.clone(),
            ..self.recorded(route, prospect)
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
    fn is_likely(&self) -> bool {
        self.failed.is_empty()
    }

    fn is_sure(&self) -> bool {
        self.is_likely() && !self.unsure
    }

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
                Verdict::Unknown(_) => flaws.unsure |= !check.weight.is_advisory(),
                _ => {}
            }
        }
        flaws
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
