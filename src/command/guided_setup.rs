//! Completes the arguments of a setup: from the existing deployment, or by asking for what a first setup lacks.

use tokio::join;

use super::bucket_credentials::usable_options;
use super::existing_deployment::{check_account, find_all_deployments, find_role};
use super::prepare::{collect_inventory, existing_trust, not_ready_error, setup_request};
use super::prompt::answer;
use super::{Context, requested_option};
use crate::aws::Aws;
use crate::check::{self, OptionProfile, Report};
use crate::cli::{self, OnFailure, TrustArgs, value_parsers};
use crate::error::{Error, Result};
use crate::hint::Hint;
use crate::option::{self, DeliveryOption};
use crate::render::notices::guide::{GuideNotice, OptionChoice};
use crate::render::status_line::StatusLine;
use crate::render::{self, Ui};
use crate::secret::ExternalId;

/// Returns the option of a setup, and adds the answers of the user to `args`. Asks only on a terminal without `--yes`,
/// and only for a first setup. Returns `None` if the input ends before all questions are answered.
///
/// # Errors
/// A usage error if the first setup lacks `--option` and cannot ask for it.
pub(super) async fn complete_arguments(
    context: &Context,
    aws: &Aws,
    args: &mut cli::SetupArgs,
) -> Result<Option<&'static dyn DeliveryOption>> {
    let option = requested_option(args.option.as_deref(), &args.direct)?;
    let can_ask = context.ui.can_prompt() && !args.yes && !args.dry_run;
    if let Some(option) = option
        && (!can_ask || is_complete(&args.trust))
    {
        return Ok(Some(option));
    }
    let (caller, role) = join!(aws.caller_identity(), find_role(context, aws));
    check_account(context, &caller?.account)?;
    let role = role?;
    let (deployment, trust) = existing_trust(role.as_ref(), args.adoption.adopt);
    if let Some(deployment) = &deployment {
        let deployed = || option::of_deployment(deployment);
        return option.map_or_else(deployed, Ok).map(Some);
    }
    if !can_ask {
        return option.map_or_else(|| Err(missing_option_error()), |option| Ok(Some(option)));
    }
    report_other_deployments(context, aws).await;
    let option = match option {
        Some(option) => Some(option),
        None => ask_option(context, aws, args).await?,
    };
    let Some(option) = option else {
        return Ok(None);
    };
    if trust.is_none() && !is_complete(&args.trust) {
        let asked = ask_trust(context, &mut args.trust).await?;
        if asked.is_none() {
            return Ok(None);
        }
    }
    if !option.takes_bucket_events() {
        args.option = Some(option.name().to_owned());
    }
    context.ui.notify(&GuideNotice::Command {
        command: command_without_questions(option, args, trust.is_some()),
        needs_external_id: args.trust.external_id.is_some(),
    });
    Ok(Some(option))
}

/// Reports the deployments under other name prefixes, if there are any and the caller may list them.
async fn report_other_deployments(context: &Context, aws: &Aws) {
    let deployments = find_all_deployments(aws).await.unwrap_or_default();
    let deployments: Vec<(String, String)> = deployments
        .into_iter()
        .map(|(names, deployment)| (deployment.option, names.prefix().to_owned()))
        .collect();
    if !deployments.is_empty() {
        context
            .ui
            .notify(&GuideNotice::OtherDeployments { deployments });
    }
}

fn is_complete(trust: &TrustArgs) -> bool {
    !trust.heeler_role_arn.is_empty() && has_external_id(trust)
}

fn has_external_id(trust: &TrustArgs) -> bool {
    trust.external_id.is_some() || trust.generate_external_id
}

fn missing_option_error() -> Error {
    let command = format!(
        "heeler-ec setup {} --heeler-role-arn ARN --generate-external-id",
        option::recommended().arguments()
    );
    let hint = Hint::from("on a terminal, `heeler-ec setup` asks for all values; without one: ");
    Error::usage("--option is required for the first setup").with_hint(hint.and_command(command))
}

/// Runs the checks of all options, and asks for the option. The first one that is ready is recommended.
///
/// # Errors
/// If no option is ready, except with `--fix-retention`, which may make one ready.
async fn ask_option(
    context: &Context,
    aws: &Aws,
    args: &cli::SetupArgs,
) -> Result<Option<&'static dyn DeliveryOption>> {
    let reports = check_options(context, aws, args).await?;
    let ready = reports.iter().find(|report| report.is_ready());
    let recommended = ready.and_then(|report| option::find(report.option));
    let recommended = match (recommended, reports.first()) {
        (Some(recommended), _) => recommended,
        (None, Some(first)) if !args.fix_retention => {
            render::report::blocking_results(&context.ui, first);
            let subject = "the prerequisites of no option are met";
            return Err(not_ready_error(
                context,
                first,
                subject,
                "heeler-ec preflight",
            ));
        }
        (None, _) => option::recommended(),
    };
    let usable = usable_options(context);
    let choices = usable.iter().map(|option| {
        let report = reports.iter().find(|report| report.option == option.name());
        OptionChoice {
            name: option.name(),
            description: option.recommendation(),
            is_recommended: option.name() == recommended.name(),
            obstacle: report.and_then(render::report::obstacle),
        }
    });
    context.ui.notify(&GuideNotice::Options(choices.collect()));
    let question = format!("Option [{}]:", recommended.name());
    ask(context, &question, move |text| match text {
        "" => Ok(recommended),
        text => parse_option(text, &usable),
    })
    .await
}

/// Runs the checks of all options with the arguments of the setup, in the order of recommendation.
async fn check_options(context: &Context, aws: &Aws, args: &cli::SetupArgs) -> Result<Vec<Report>> {
    let request = setup_request(
        context,
        option::recommended(),
        &args.discovery,
        &args.direct,
        &args.accept,
        &args.trust,
        &args.adoption,
        &args.role,
        &args.tag,
    );
    let usable = usable_options(context);
    let profiles: Vec<OptionProfile> = usable.iter().map(|option| option.profile()).collect();
    let _line = StatusLine::start_delayed(context.ui, "Checking which options are ready");
    let inventory = Box::pin(collect_inventory(aws, request.inventory, &profiles)).await?;
    let reports = profiles.iter().map(|profile| {
        let snapshot = check::snapshot(&inventory, profile);
        check::run(&snapshot, profile.checks, false)
    });
    Ok(reports.collect())
}

/// Returns the option with this name, or with this number in the list.
fn parse_option(
    text: &str,
    options: &[&'static dyn DeliveryOption],
) -> std::result::Result<&'static dyn DeliveryOption, String> {
    let number = text.parse::<usize>().ok();
    let numbered = number.and_then(|number| options.get(number.checked_sub(1)?).copied());
    let mut all = options.iter().copied();
    let named = all.find(|option| option.name().eq_ignore_ascii_case(text));
    named.or(numbered).ok_or_else(|| {
        let choices: Vec<&str> = options.iter().map(|option| option.name()).collect();
        format!("answer {} or a number", choices.join(", "))
    })
}

/// Asks for the Heeler roles and the external ID, unless they are given. Returns `None` at the end of the input.
async fn ask_trust(context: &Context, trust: &mut TrustArgs) -> Result<Option<()>> {
    if trust.heeler_role_arn.is_empty() {
        context.ui.notify(&GuideNotice::HeelerRole);
        let Some(roles) = ask(context, "Heeler role ARN:", parse_role_arns).await? else {
            return Ok(None);
        };
        trust.heeler_role_arn = roles;
    }
    if !has_external_id(trust) {
        context.ui.notify(&GuideNotice::ExternalId);
        let Some(id) = ask(context, "External ID [generate one]:", parse_external_id).await? else {
            return Ok(None);
        };
        trust.generate_external_id = id.is_none();
        trust.external_id = id;
    }
    Ok(Some(()))
}

/// Parses one or several ARNs, also as Terraform writes a list: `["arn:...", "arn:..."]`.
fn parse_role_arns(text: &str) -> std::result::Result<Vec<String>, String> {
    let is_separator = |c: char| c.is_whitespace() || matches!(c, ',' | '"' | '[' | ']');
    let arns: Vec<&str> = text
        .split(is_separator)
        .filter(|arn| !arn.is_empty())
        .collect();
    if arns.is_empty() {
        return Err(
            "enter the ARN of a role, such as arn:aws:iam::999999999999:role/NAME".to_owned(),
        );
    }
    arns.into_iter().map(value_parsers::role_arn).collect()
}

/// Returns `None` for an empty answer.
fn parse_external_id(text: &str) -> std::result::Result<Option<ExternalId>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    value_parsers::external_id(text).map(|id| Some(ExternalId::new(id)))
}

/// Asks until the answer is valid. Returns `None` at the end of the input.
async fn ask<T>(
    context: &Context,
    question: &str,
    parse: impl Fn(&str) -> std::result::Result<T, String>,
) -> Result<Option<T>> {
    loop {
        let question = question.to_owned();
        let text = answer(context, move |ui: Ui| ui.ask_value(&question)).await?;
        let Some(text) = text.flatten() else {
            return Ok(None);
        };
        match parse(&text) {
            Ok(value) => return Ok(Some(value)),
            Err(reason) => context.ui.notify(&GuideNotice::Invalid { reason }),
        }
    }
}

/// Returns the command that makes the same setup without a question. It does not contain an external ID.
fn command_without_questions(
    option: &dyn DeliveryOption,
    args: &cli::SetupArgs,
    keeps_trust: bool,
) -> String {
    let mut command = format!("heeler-ec setup {}", option.arguments());
    for role in &args.trust.heeler_role_arn {
        command.push_str(" --heeler-role-arn ");
        command.push_str(role);
    }
    if args.trust.external_id.is_none() && !keeps_trust {
        command.push_str(" --generate-external-id");
    }
    if args.adoption.adopt {
        command.push_str(" --adopt");
    }
    if args.on_failure == OnFailure::Rollback {
        command.push_str(" --on-failure rollback");
    }
    command.push_str(" --yes");
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_is_chosen_by_name_or_number() {
        for (index, option) in option::OPTIONS.iter().enumerate() {
            for text in [(index + 1).to_string(), option.name().to_uppercase()] {
                let chosen = parse_option(&text, option::OPTIONS).expect("an option");
                assert_eq!(chosen.name(), option.name());
            }
        }
        for text in ["0", "99", "both", "-1"] {
            assert!(parse_option(text, option::OPTIONS).is_err(), "{text}");
        }
    }

    #[test]
    fn role_arns_are_pasted_in_any_form() {
        let (one, two) = (
            "arn:aws:iam::999900001111:role/one",
            "arn:aws:iam::999900001111:role/path/two",
        );
        for text in [
            format!("{one} {two}"),
            format!("{one},{two}"),
            format!("[\"{one}\", \"{two}\"]"),
        ] {
            assert_eq!(parse_role_arns(&text).expect("two ARNs"), [one, two]);
        }
        for text in ["", "\"\"", "heeler", "arn:aws:iam::999900001111:user/ann"] {
            assert!(parse_role_arns(text).is_err(), "{text}");
        }
    }

    #[test]
    fn empty_external_id_is_generated() {
        assert_eq!(parse_external_id(""), Ok(None));
        assert!(parse_external_id("x y").is_err());
        assert_eq!(
            parse_external_id("an-id-of-ours"),
            Ok(Some(ExternalId::new("an-id-of-ours")))
        );
    }
}
