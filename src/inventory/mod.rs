//! Collects the facts that checks judge and that setup builds on: each a result, so that a refused call costs only
//! what hangs from it. Here and in its rooms are the only calls to AWS that checks stand on.

mod bucket;
mod caller_permissions;
pub mod facts;
mod key;
mod limiter;
mod logs;
mod memo;
mod names;
mod snapshot;
mod topic;
mod trail;
mod trail_candidates;
pub mod trail_destination;

use std::time::SystemTime;

use tokio::join;

use crate::aws::arn::{self};
use crate::aws::bucket_notification::{NotificationEntry, NotificationTarget, OBJECT_CREATED};
use crate::aws::{Aws, CallerIdentity};
use crate::check::{Verdict, checks};
use crate::error::{Error, Result};
use crate::inventory::trail_destination::TrailDestination;
use crate::naming::ResourceNames;
use facts::{
    AccountFacts, BucketFacts, CandidateDetails, NameOwners, SimulationResult, Trail,
    TrailCandidate, TrailSelection,
};
use futures_util::future::join_all;
use limiter::LimitedClients;

pub use snapshot::{LogEncryption, Snapshot};
use trail_candidates::{candidates, inspect_bucket, inspect_candidates};

/// What the operator said; all else is discovered.
#[derive(Clone, Debug)]
pub struct InventoryRequest {
    pub expected_account: Option<String>,
    pub expected_region: Option<String>,
    pub trail: Option<String>,
    pub bucket: Option<String>,
    pub bucket_key: Option<String>,
    pub topic: Option<String>,
    pub log_group: Option<String>,
    pub heeler_roles: Vec<String>,
    /// What setup would call its resources.
    pub names: ResourceNames,
    /// The global options of this run, to be said again in commands that are printed.
    pub global_options: String,
    /// Checks that the operator takes as they are.
    pub accepted_checks: Vec<String>,
    /// Whether what bears nobody's mark is taken over.
    pub adopt: bool,
    /// Whether to ask also what needs permissions beyond those of preflight.
    pub deep: bool,
}

/// Everything that was found, for any option and with every trail that could do.
#[derive(Clone, Debug)]
pub struct Inventory {
    request: InventoryRequest,
    now: SystemTime,
    endpoint: Option<String>,
    account: AccountFacts,
    candidates: Vec<TrailCandidate>,
    /// A bucket that was named, where no trail leads to it.
    bucket_override: (Option<BucketFacts>, NameOwners),
    permission_simulations: Vec<(TrailDestination, Option<Result<SimulationResult>>)>,
}

impl Inventory {
    /// Asks everything, side by side where nothing hangs from another answer: five round trips deep.
    pub async fn collect(aws: &Aws, hints: InventoryRequest, routes: &[TrailDestination]) -> Self {
        let ask = LimitedClients::new(aws);
        let account = trail::account_facts(&ask, &hints).await;
        let who = account.caller.as_ref().ok();
        let trails = account.trails.as_deref().unwrap_or_default();
        let prospects = candidates(trails, hints.trail.as_deref(), who);
        // Destroy may ask for a bucket that no trail delivers to any more.
        let astray = hints
            .bucket
            .as_ref()
            .is_some_and(|named| prospects.iter().all(|trail| trail.bucket != *named));
        let (prospects, named, elsewhere, deep) = join!(
            inspect_candidates(&ask, prospects, &account, &hints, routes),
            async {
                match who.filter(|_| astray && routes.contains(&TrailDestination::Bucket)) {
                    Some(who) => {
                        inspect_bucket(&ask, &Trail::default(), who, Ok(&None), &hints).await
                    }
                    None => (None, NameOwners::default()),
                }
            },
            trail::trails_in_other_regions(&ask, trails, &hints),
            caller_permissions::iam_quota_facts(&ask, &hints),
        );
        let mut facts = Self {
            request: hints,
            now: SystemTime::now(),
            endpoint: aws.endpoint(),
            account,
            candidates: prospects,
            bucket_override: named,
            permission_simulations: Vec::new(),
        };
        facts.account.trails_in_other_regions = elsewhere;
        facts.account.iam_quotas = deep;
        facts.inspect_further(&ask, routes).await;
        if facts.request.deep {
            let asked = routes.iter().map(|route| {
                let (ask, survey) = (&ask, facts.snapshot(*route));
                async move {
                    (
                        survey.route,
                        caller_permissions::simulate(ask, &survey).await,
                    )
                }
            });
            facts.permission_simulations = join_all(asked).await;
        }
        facts
    }

    /// Who asks.
    ///
    /// # Errors
    /// The refusal, when that is not known.
    pub fn caller(&self) -> std::result::Result<&CallerIdentity, &Error> {
        self.account.caller.as_ref()
    }

    /// What one option has to go by.
    #[must_use]
    pub fn snapshot(&self, route: TrailDestination) -> Snapshot {
        self.snapshot_preferring(route, |_| false)
    }

    /// The same; of several trails that pass, the preferred one is taken. One that nobody looked into never is.
    #[must_use]
    pub fn snapshot_preferring(
        &self,
        route: TrailDestination,
        prefers: impl Fn(&Trail) -> bool,
    ) -> Snapshot {
        if self.candidates.is_empty() {
            return self.snapshot_without_trail(route);
        }
        let seen: Vec<(&TrailCandidate, &CandidateDetails)> = self
            .candidates
            .iter()
            .filter_map(|prospect| Some((prospect, prospect.details.as_ref()?)))
            .collect();
        if let ([(prospect, found)], 1) = (seen.as_slice(), self.candidates.len()) {
            return self.snapshot_with(route, prospect, found);
        }
        let judged: Vec<(&TrailCandidate, &CandidateDetails, CandidateScore)> = seen
            .into_iter()
            .map(|(prospect, found)| (prospect, found, self.score(route, prospect)))
            .collect();
        let passing = |test: fn(&CandidateScore) -> bool| {
            let fitting: Vec<(&TrailCandidate, &CandidateDetails)> = judged
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
        let any_sure = judged.iter().any(|(_, _, flaws)| flaws.passes_all());
        let test = if any_sure {
            CandidateScore::passes_all
        } else {
            CandidateScore::has_no_failures
        };
        if let Some((prospect, found)) = passing(test) {
            return self.snapshot_with(route, prospect, found);
        }
        Snapshot {
            trail_selection: self.ambiguous_selection(route),
            ..self.snapshot_without_trail(route)
        }
    }

    /// What there is to choose from: those that pass, else all with what they lack; and those that nobody looked into.
    fn ambiguous_selection(&self, route: TrailDestination) -> TrailSelection {
        let mut judged: Vec<(&TrailCandidate, CandidateScore)> = self
            .candidates
            .iter()
            .map(|prospect| (prospect, self.score(route, prospect)))
            .collect();
        let name = |prospect: &TrailCandidate| prospect.trail.name.clone();
        let unseen = judged
            .extract_if(.., |(prospect, flaws)| {
                prospect.details.is_none() && flaws.has_no_failures()
            })
            .map(|(prospect, _)| name(prospect))
            .collect();
        judged.sort_by_key(|(_, flaws)| flaws.failed_checks.len());
        let best = judged
            .first()
            .is_some_and(|(_, flaws)| flaws.has_no_failures());
        let judged = judged
            .into_iter()
            .filter(|(_, flaws)| !best || flaws.has_no_failures())
            .map(|(prospect, flaws)| (name(prospect), flaws.failed_checks))
            .collect();
        TrailSelection::Several {
            candidates: judged,
            not_inspected: unseen,
        }
    }

    /// What speaks against a trail; of one that was not looked into, by what it records alone.
    fn score(&self, route: TrailDestination, prospect: &TrailCandidate) -> CandidateScore {
        if let Some(found) = &prospect.details {
            return CandidateScore::evaluate(&self.snapshot_with(route, prospect, found));
        }
        let mut flaws = CandidateScore::evaluate(&self.snapshot_of_recording(route, prospect));
        flaws.has_unknown_checks = true;
        let named = self.request.bucket.as_ref();
        if route == TrailDestination::Bucket
            && named.is_some_and(|named| *named != prospect.trail.bucket)
        {
            flaws.failed_checks.push("bucket.named");
        }
        flaws
    }

    fn snapshot_without_trail(&self, route: TrailDestination) -> Snapshot {
        let (bucket, taken) = match route {
            TrailDestination::Bucket => self.bucket_override.clone(),
            TrailDestination::LogGroup => (None, NameOwners::default()),
        };
        let choice = match (&self.request.trail, &self.account.trails) {
            (Some(named), Ok(_)) => TrailSelection::NotFound(named.clone()),
            _ => TrailSelection::None,
        };
        Snapshot {
            route,
            request: self.request.clone(),
            now: self.now,
            endpoint: self.endpoint.clone(),
            account: self.account.clone(),
            trail_selection: choice,
            trail_status: None,
            event_selectors: None,
            shadow_trails: Vec::new(),
            bucket,
            log_group: None,
            name_owners: taken,
            iam_quotas: self.account.iam_quotas.clone(),
            permission_simulation: self
                .permission_simulations
                .iter()
                .find(|(of, _)| *of == route)
                .and_then(|(_, simulated)| simulated.clone()),
        }
    }

    /// A trail with nothing that hangs from it: to be judged, and not to be taken.
    fn snapshot_of_recording(
        &self,
        route: TrailDestination,
        prospect: &TrailCandidate,
    ) -> Snapshot {
        Snapshot {
            trail_selection: TrailSelection::Selected(prospect.trail.clone()),
            trail_status: Some(prospect.status.clone()),
            event_selectors: Some(prospect.selectors.clone()),
            ..self.snapshot_without_trail(route)
        }
    }

    fn snapshot_with(
        &self,
        route: TrailDestination,
        prospect: &TrailCandidate,
        found: &CandidateDetails,
    ) -> Snapshot {
        let taken = match route {
            TrailDestination::Bucket => &found.bucket.1,
            TrailDestination::LogGroup => &found.log_group.1,
        };
        Snapshot {
            shadow_trails: found.shadow_trails.clone(),
            bucket: found.bucket.0.clone(),
            log_group: found.log_group.0.clone(),
            name_owners: taken.clone(),
            ..self.snapshot_of_recording(route, prospect)
        }
    }
}

/// What speaks against a trail.
struct CandidateScore {
    failed_checks: Vec<&'static str>,
    /// Whether something that setup cannot do without could not be asked.
    has_unknown_checks: bool,
}

impl CandidateScore {
    fn has_no_failures(&self) -> bool {
        self.failed_checks.is_empty()
    }

    fn passes_all(&self) -> bool {
        self.has_no_failures() && !self.has_unknown_checks
    }

    /// By the checks of the trail and of what it delivers to.
    fn evaluate(survey: &Snapshot) -> Self {
        const OF_A_TRAIL: [&str; 4] = ["trail.", "bucket.", "key.", "logs."];
        let mut flaws = Self {
            failed_checks: Vec::new(),
            has_unknown_checks: false,
        };
        let of_a_trail = checks(survey.route)
            .iter()
            .copied()
            .flatten()
            .filter(|check| OF_A_TRAIL.iter().any(|group| check.id.starts_with(group)))
            .filter(|check| {
                !survey
                    .request
                    .accepted_checks
                    .iter()
                    .any(|id| id == check.id)
            });
        for check in of_a_trail {
            match (check.evaluate)(survey) {
                Verdict::Fail(_) => flaws.failed_checks.push(check.id),
                Verdict::Unknown(_) => flaws.has_unknown_checks |= !check.requirement.is_advisory(),
                _ => {}
            }
        }
        flaws
    }
}

fn access_role_arn(hints: &InventoryRequest, caller: &CallerIdentity) -> String {
    let role = format!("role/{}", hints.names.role());
    arn::build(&caller.partition, "iam", "", &caller.account, &role)
}

fn log_prefix(trail: Option<&Trail>) -> String {
    match trail.map(|trail| trail.prefix.as_str()) {
        None | Some("") => "AWSLogs/".to_owned(),
        Some(prefix) => format!("{prefix}/AWSLogs/"),
    }
}

fn planned_notification(hints: &InventoryRequest, trail: Option<&Trail>) -> NotificationEntry {
    NotificationEntry {
        id: hints.names.notification_id(),
        target: NotificationTarget::Topic,
        destination: String::new(),
        events: vec![OBJECT_CREATED.to_owned()],
        prefix: log_prefix(trail),
        suffix: String::new(),
    }
}

/// Whether an entry announces every log object. CloudTrail puts whole objects that end in `.json.gz`, those of an
/// organization trail under the organization's id.
#[must_use]
pub fn covers_log_objects(
    entry: &NotificationEntry,
    log_prefix: &str,
    organization: Option<&str>,
) -> bool {
    const ENDING: &str = ".json.gz";
    let events = entry
        .events
        .iter()
        .any(|event| matches!(event.as_str(), OBJECT_CREATED | "s3:ObjectCreated:Put"));
    let deeper = organization.map(|id| format!("{log_prefix}{id}/"));
    let prefix = log_prefix.starts_with(&entry.prefix)
        || deeper.is_some_and(|deeper| deeper.starts_with(&entry.prefix));
    events && prefix && ENDING.ends_with(&entry.suffix)
}

/// Whether a refusal of the survey means that there are no credentials to ask anything with.
#[must_use]
pub fn is_missing_credentials(error: &Error) -> bool {
    error.required_permission() == Some("sts:GetCallerIdentity")
}
