//! The verdict of every check for every state of the facts, without AWS.

#![expect(
    clippy::too_many_lines,
    clippy::semicolon_if_nothing_returned,
    reason = "tables of states, each with one difference"
)]

mod acceptance;
mod account;
mod bucket;
mod fixture;
mod key;
mod lint;
mod logs;
mod names;
mod trail;

use std::collections::BTreeSet;

use heeler_ec::check::{Check, Finding, Verdict, run};
use heeler_ec::error::Error;
use heeler_ec::inventory::Snapshot;
use heeler_ec::inventory::trail_destination::TrailDestination;
use heeler_ec::inventory::trail_destination::TrailDestination::{Bucket, LogGroup};
use heeler_ec::option::{DeliveryOption, OPTIONS};

use fixture::ready;
use testkit::awscli::parse;

/// A working organization with one difference, and the expected verdict of one check.
pub struct VerdictCase {
    check: &'static str,
    situation: &'static str,
    route: TrailDestination,
    differs: fn(&mut Snapshot),
    verdict: &'static str,
    expected_text: &'static str,
}

/// A case for option s3.
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

/// A case for option cloudwatch.
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

/// The error of a call without this permission.
fn refused(action: &'static str) -> Error {
    Error::failed("ask", "not authorized")
        .with_permission(action)
        .with_code(Some("AccessDenied".into()), None)
}

/// The option that reads from this destination.
fn option(destination: TrailDestination) -> &'static dyn DeliveryOption {
    let mut options = OPTIONS.iter().copied();
    let option = options.find(|option| option.destination() == destination);
    option.expect("an option")
}

fn checks(destination: TrailDestination) -> &'static [&'static [Check]] {
    option(destination).profile().checks
}

fn check(route: TrailDestination, id: &str) -> &'static Check {
    checks(route)
        .iter()
        .copied()
        .flatten()
        .find(|check| check.id.as_str() == id)
        .unwrap_or_else(|| panic!("option {} has no check {id}", option(route).name()))
}

fn status(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Pass(_) => "pass",
        Verdict::Warn(_) => "warn",
        Verdict::Fail(_) => "fail",
        Verdict::Skip(_) => "skip",
        Verdict::Unknown(_) | Verdict::Undetermined(_) => "unknown",
    }
}

/// The whole text of a verdict.
fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass(text) | Verdict::Skip(text) => text.clone(),
        Verdict::Warn(finding) | Verdict::Fail(finding) | Verdict::Undetermined(finding) => {
            let Finding {
                observed,
                expected,
                reason,
                fix,
                ..
            } = finding;
            format!(
                "observed {observed}\nexpected {expected}\nreason {reason}\nconsole {}\nadvice {}\n{}",
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
        let mut snapshot = ready(self.route);
        (self.differs)(&mut snapshot);
        (check(self.route, self.check).evaluate)(&snapshot)
    }
}

/// Asserts the verdict and text of each case.
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
        lint::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn ready_organization_has_no_findings() {
    for route in [Bucket, LogGroup] {
        let snapshot = ready(route);
        for check in checks(route).iter().copied().flatten() {
            let verdict = (check.evaluate)(&snapshot);
            assert!(
                matches!(verdict, Verdict::Pass(_) | Verdict::Skip(_)),
                "{}: {verdict:?}",
                check.id
            );
        }
    }
}

#[test]
fn resource_arn_matches_check_group() {
    for route in [Bucket, LogGroup] {
        for row in run(&ready(route), checks(route), false).results {
            let about_many = ["names", "lint", "quota"].contains(&row.check.id.group());
            let is_known = row.resource.is_some_and(|arn| arn.starts_with("arn:aws:"));
            // The bucket of a working organization uses SSE-S3.
            let no_key = row.check.id.group() == "key";
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
    // These checks only report, or are unknown if they do not pass.
    let only_tell = [
        "account.credentials",
        "bucket.region",
        "org.delegated_admin",
        "trail.validation",
    ];
    for route in [Bucket, LogGroup] {
        for check in checks(route).iter().copied().flatten() {
            assert!(
                bad.contains(check.id.as_str()) || only_tell.contains(&check.id.as_str()),
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
        assert!(!helpless, "{name} has no fix: {finding:?}");
    }
}

/// An operator must find the resource among many in the console.
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

/// Findings that no AWS command can fix, each with the reason.
const NO_COMMAND: &[(&str, &str)] = &[
    (
        "account.endpoint",
        "an option or a variable must be removed",
    ),
    ("account.expected", "an option must be changed"),
    ("account.partition", "only Heeler can answer"),
    ("account.region", "an option must be removed"),
    ("account.root", "the operator must use another identity"),
    (
        "bucket.encryption",
        "the next delivery confirms it, or an option must be removed",
    ),
    ("bucket.matches_trail", "an option must be removed"),
    (
        "bucket.notifications",
        "other names are needed, or setup fixes it",
    ),
    (
        "bucket.topic",
        "the owner of the topic or key must act, or an option must be removed",
    ),
    ("lint.external_id", "only the owner of the policy knows it"),
    (
        "lint.unknown_account",
        "only the owner of the policy knows it",
    ),
    ("lint.root_trust", "only the owner of the policy knows it"),
    (
        "lint.wildcard_action",
        "only the owner of the policy knows it",
    ),
    (
        "lint.wildcard_principal",
        "only the owner of the policy knows it",
    ),
    (
        "lint.wildcard_resource",
        "only the owner of the policy knows it",
    ),
    ("logs.account", "other credentials are needed"),
    ("logs.enabled", "an option must be removed"),
    (
        "logs.retention",
        "an account policy or Control Tower sets it",
    ),
    ("names.alias_key", "setup fixes it"),
    ("names.role", "other names are needed"),
    (
        "org.control_policies",
        "the administrator of the organization's policies must act",
    ),
    (
        "org.management_account",
        "setup may work with these credentials",
    ),
    ("trail.control_tower", "Control Tower manages it"),
    ("trail.delivery", "waiting is enough"),
    ("trail.events.management", "a full list must be rewritten"),
    ("trail.sns_topic", "an option must be removed"),
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
    assert_eq!(excused, listed, "unused exemption");
}

/// An operator must be able to paste every command.
/// Removes the profile from a command of the AWS CLI, which would look for it.
pub fn without_profile(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let is_kept = |place: &usize| {
        let is_value = *place > 0 && words[*place - 1] == "--profile";
        words[*place] != "--profile" && !is_value
    };
    let kept = (0..words.len()).filter(is_kept).map(|place| words[place]);
    kept.collect::<Vec<_>>().join(" ")
}

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
        .map(|(name, line)| (name, without_profile(&line)))
        .collect();
    let lines: Vec<&str> = commands.iter().map(|(_, line)| line.as_str()).collect();
    assert!(lines.len() > 50, "too few commands: {lines:?}");
    for ((name, line), parsed) in commands.iter().zip(parse(&lines)) {
        let parsed = parsed.unwrap_or_else(|why| panic!("{name}: {line}\n{why}"));
        assert_eq!(parsed.calls.len(), 1, "{name}: {line}");
    }
}

/// Without `--region` a command would use the default region.
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
