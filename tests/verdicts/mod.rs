//! Every state that a check can find, and what it says about it: facts to verdict, without any AWS.

#![expect(
    clippy::too_many_lines,
    clippy::semicolon_if_nothing_returned,
    reason = "tables: one state after the other, each with the one thing that is different"
)]

mod acceptance;
mod account;
mod bucket;
mod fixture;
mod key;
mod logs;
mod names;
mod trail;

use std::collections::BTreeSet;

use heeler_ec::check::{Check, Finding, Verdict, checks, run};
use heeler_ec::error::Error;
use heeler_ec::inventory::Snapshot;
use heeler_ec::inventory::trail_destination::TrailDestination;
use heeler_ec::inventory::trail_destination::TrailDestination::{Bucket, LogGroup};

use fixture::ready;
use testkit::awscli::parse;

/// A working organization in which one thing is different, and what its check makes of it.
pub struct VerdictCase {
    check: &'static str,
    situation: &'static str,
    route: TrailDestination,
    differs: fn(&mut Snapshot),
    verdict: &'static str,
    expected_text: &'static str,
}

/// A state in the eyes of option s3.
fn s3(
    check: &'static str,
    when: &'static str,
    differs: fn(&mut Snapshot),
    verdict: &'static str,
    says: &'static str,
) -> VerdictCase {
    VerdictCase {
        check,
        situation: when,
        route: Bucket,
        differs,
        verdict,
        expected_text: says,
    }
}

/// A state in the eyes of option cloudwatch.
fn cloudwatch(
    check: &'static str,
    when: &'static str,
    differs: fn(&mut Snapshot),
    verdict: &'static str,
    says: &'static str,
) -> VerdictCase {
    VerdictCase {
        route: LogGroup,
        ..s3(check, when, differs, verdict, says)
    }
}

/// A call that was refused for want of this permission.
fn refused(action: &'static str) -> Error {
    Error::failed("ask", "not authorized")
        .with_permission(action)
        .with_code(Some("AccessDenied".into()), None)
}

fn check(route: TrailDestination, id: &str) -> &'static Check {
    checks(route)
        .iter()
        .copied()
        .flatten()
        .find(|check| check.id == id)
        .unwrap_or_else(|| panic!("option {} has no check {id}", route.name()))
}

fn status(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass(_) => "pass",
        Verdict::Warn(_) => "warn",
        Verdict::Fail(_) => "fail",
        Verdict::Skip(_) => "skip",
        Verdict::Unknown(_) => "unknown",
    }
}

/// Everything that a verdict says.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass(text) | Verdict::Skip(text) => text.clone(),
        Verdict::Warn(finding) | Verdict::Fail(finding) => {
            let Finding {
                observed,
                expected: wanted,
                reason,
                fix,
                ..
            } = finding;
            format!(
                "observed {observed}\nwanted {wanted}\nreason {reason}\nconsole {}\nadvice {}\n{}",
                fix.console.as_deref().unwrap_or_default(),
                fix.advice.as_deref().unwrap_or_default(),
                fix.cli.join("\n")
            )
        }
        Verdict::Unknown(error) => format!(
            "{error} {}",
            error.required_permission().unwrap_or_default()
        ),
    }
}

impl VerdictCase {
    fn evaluate(&self) -> Verdict {
        let mut survey = ready(self.route);
        (self.differs)(&mut survey);
        (check(self.route, self.check).evaluate)(&survey)
    }
}

/// Holds each state to its verdict and to its words.
fn assert_verdicts(states: &[VerdictCase]) {
    let mut wrong = Vec::new();
    for state in states {
        let verdict = state.evaluate();
        let (found, words) = (status(&verdict), words(&verdict));
        if found != state.verdict || !words.contains(state.expected_text) {
            wrong.push(format!(
                "{} when {}: wanted {} with {:?}, found {found}:\n{words}",
                state.check, state.situation, state.verdict, state.expected_text
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn all_cases() -> Vec<VerdictCase> {
    [
        account::cases(),
        trail::cases(),
        bucket::cases(),
        key::cases(),
        logs::cases(),
        names::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn ready_organization_has_no_findings() {
    for route in TrailDestination::ALL {
        let survey = ready(route);
        for check in checks(route).iter().copied().flatten() {
            let verdict = (check.evaluate)(&survey);
            assert!(
                matches!(verdict, Verdict::Pass(_) | Verdict::Skip(_)),
                "{}: {verdict:?}",
                check.id
            );
        }
    }
}

/// A check that nothing here makes fail or warn could be one that never does.
#[test]
fn resource_arn_matches_check_group() {
    for route in [Bucket, LogGroup] {
        for row in run(&ready(route), false).results {
            let about_many = ["names", "quota"].contains(&row.check.group());
            let is_known = row.resource.is_some_and(|arn| arn.starts_with("arn:aws:"));
            // The bucket of a working organization is sealed by S3 itself.
            let no_key = row.check.group() == "key";
            assert_eq!(is_known, !about_many && !no_key, "{}", row.check.id);
        }
    }
}

#[test]
fn every_check_has_a_failing_case() {
    let bad: BTreeSet<&str> = all_cases()
        .iter()
        .filter(|state| matches!(state.verdict, "fail" | "warn"))
        .map(|state| state.check)
        .collect();
    // They only tell; nothing that they can find is in the way.
    let only_tell = ["bucket.region", "org.delegated_admin", "trail.validation"];
    for route in TrailDestination::ALL {
        for check in checks(route).iter().copied().flatten() {
            assert!(
                bad.contains(check.id) || only_tell.contains(&check.id),
                "no state makes {} fail or warn",
                check.id
            );
        }
    }
}

#[test]
fn findings_have_expectation_reason_and_fix() {
    for state in all_cases() {
        let verdict = state.evaluate();
        let (Verdict::Fail(finding) | Verdict::Warn(finding)) = &verdict else {
            continue;
        };
        let name = format!("{} when {}", state.check, state.situation);
        for text in [&finding.observed, &finding.expected, &finding.reason] {
            assert!(!text.is_empty(), "{name}: {finding:?}");
        }
        let fix = &finding.fix;
        let helpless = fix.console.is_none() && fix.advice.is_none() && fix.cli.is_empty();
        assert!(!helpless, "{name} leaves the operator alone: {finding:?}");
    }
}

/// The operator has the console open and a hundred keys in it.
#[test]
fn console_paths_have_no_placeholders() {
    for state in all_cases() {
        let (Verdict::Fail(finding) | Verdict::Warn(finding)) = state.evaluate() else {
            continue;
        };
        let path = finding.fix.console.unwrap_or_default();
        assert!(
            !path.contains(" > the "),
            "{} when {}: {path}",
            state.check,
            state.situation
        );
    }
}

/// Where the way out is none that a command of AWS could go.
const NO_COMMAND: &[(&str, &str)] = &[
    (
        "account.credentials",
        "whoever works as root has to be somebody else",
    ),
    ("account.partition", "it is Heeler that has to answer"),
    ("account.region", "an option of ours is to be left out"),
    (
        "bucket.encryption",
        "what is next delivered tells, or an option of ours is to be left out",
    ),
    ("bucket.named", "an option of ours is to be left out"),
    (
        "bucket.notifications",
        "other names are to be chosen, or setup mends it",
    ),
    (
        "bucket.topic",
        "the owner of topic or key has to act, or an option of ours is to be left out",
    ),
    ("key.account", "the owner of the key has to act"),
    ("logs.account", "other credentials are needed"),
    ("logs.enabled", "an option of ours is to be left out"),
    (
        "logs.retention",
        "what is set by the account or by Control Tower rules",
    ),
    ("names.alias_key", "setup mends it"),
    ("names.queue", "other names are to be chosen"),
    ("names.role", "other names are to be chosen"),
    (
        "org.guardrails",
        "whoever owns the policies of the organization has to act",
    ),
    (
        "org.management_account",
        "it works, with the credentials that there are",
    ),
    (
        "trail.control_tower",
        "it belongs to Control Tower, and is to be left alone",
    ),
    ("trail.delivery", "it is enough to wait"),
    (
        "trail.events.management",
        "a list that is full has to be put together anew",
    ),
    ("trail.sns", "an option of ours is to be left out"),
];

#[test]
fn findings_have_a_command_or_exemption() {
    let mut without = BTreeSet::new();
    let mut excused = BTreeSet::new();
    for state in all_cases() {
        let (Verdict::Fail(finding) | Verdict::Warn(finding)) = state.evaluate() else {
            continue;
        };
        if !finding.fix.cli.is_empty() {
            continue;
        }
        match NO_COMMAND.iter().find(|(id, _)| *id == state.check) {
            Some((id, _)) => excused.insert((*id).to_owned()),
            None => without.insert(format!("{} when {}", state.check, state.situation)),
        };
    }
    assert!(without.is_empty(), "{without:#?}");
    let listed: BTreeSet<String> = NO_COMMAND.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(excused, listed, "an excuse that nobody needs");
}

/// What the AWS CLI would refuse, an operator would have to guess.
#[test]
fn printed_commands_parse_in_aws_cli() {
    let commands: Vec<(String, String)> = all_cases()
        .iter()
        .flat_map(|state| {
            let name = format!("{} when {}", state.check, state.situation);
            let printed = match state.evaluate() {
                Verdict::Fail(finding) | Verdict::Warn(finding) => finding.fix.cli,
                _ => Vec::new(),
            };
            printed.into_iter().map(move |line| (name.clone(), line))
        })
        .filter(|(_, line)| line.starts_with("aws "))
        .collect();
    let lines: Vec<&str> = commands.iter().map(|(_, line)| line.as_str()).collect();
    assert!(lines.len() > 50, "the commands have moved: {lines:?}");
    for ((name, line), parsed) in commands.iter().zip(parse(&lines)) {
        let parsed = parsed.unwrap_or_else(|why| panic!("{name}: {line}\n{why}"));
        assert_eq!(parsed.calls.len(), 1, "{name}: {line}");
    }
}

/// Else it would work on the trail or key of another region, or on none.
#[test]
fn regional_commands_name_the_region() {
    let places = ["cloudtrail", "kms", "logs", "sns"];
    for state in all_cases() {
        let (Verdict::Fail(finding) | Verdict::Warn(finding)) = state.evaluate() else {
            continue;
        };
        for line in &finding.fix.cli {
            let regional = places
                .iter()
                .any(|service| line.starts_with(&format!("aws {service} ")));
            let of_all_regions = line.starts_with("aws cloudtrail list-trails")
                || line.starts_with("aws cloudtrail create-trail");
            assert!(
                !regional || of_all_regions || line.contains("--region "),
                "{} when {}: {line}",
                state.check,
                state.situation
            );
        }
    }
}
