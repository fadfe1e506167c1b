//! The texts around the questions of a first setup.

use crate::render::message::{Message, Notice};

/// A text around a question of a first setup.
#[derive(Clone, Debug)]
pub enum GuideNotice {
    /// Deployments exist under other name prefixes.
    OtherDeployments {
        /// The option and the name prefix of each.
        deployments: Vec<(String, String)>,
    },
    /// The options, in the order of recommendation.
    Options(Vec<OptionChoice>),
    HeelerRole,
    ExternalId,
    /// The answer is not valid.
    Invalid {
        reason: String,
    },
    /// The command that makes the same setup without questions.
    Command {
        command: String,
        /// The external ID was supplied, and the command does not contain it.
        needs_external_id: bool,
    },
}

/// An option to choose.
#[derive(Clone, Debug)]
pub struct OptionChoice {
    pub name: &'static str,
    pub description: &'static str,
    /// True if this option is the answer to Enter.
    pub is_recommended: bool,
    /// The checks that prevent a setup; `None` if the option is ready.
    pub obstacle: Option<String>,
}

impl Notice for GuideNotice {
    fn message(&self) -> Message {
        match self {
            Self::OtherDeployments { deployments } => {
                let listed = deployments.iter();
                let listed = listed
                    .map(|(option, prefix)| format!("option {option} with --name-prefix {prefix}"));
                let listed = listed.collect::<Vec<_>>().join(", ");
                Message::warning(
                    "other_deployments",
                    format!(
                        "Already deployed in this account: {listed}. This setup creates a further deployment; to repair \
                         an existing one, press Ctrl-C and use its prefix.\n"
                    ),
                )
            }
            Self::Options(choices) => {
                let first = Message::status("options", "How should events reach Heeler?");
                let width = choices.iter().map(|choice| choice.name.len()).max();
                let width = width.unwrap_or_default();
                choices
                    .iter()
                    .enumerate()
                    .fold(first, |message, (index, choice)| {
                        let name = format!("  {}. {:width$}", index + 1, choice.name);
                        message.and_text(match &choice.obstacle {
                            Some(obstacle) => format!("{name}  not ready: {obstacle}"),
                            None if choice.is_recommended => {
                                format!("{name}  (recommended) {}", choice.description)
                            }
                            None => format!("{name}  {}", choice.description),
                        })
                    })
            }
            Self::HeelerRole => Message::status(
                "heeler_role",
                "\nThe role in Heeler's account that may read the events. Heeler provides its ARN: it is the value of \
                 heeler_security_role_arns in var.auto.tfvars of its Terraform module.",
            ),
            Self::ExternalId => Message::status(
                "external_id",
                "\nThe external ID is a secret between you and Heeler, without which nobody can assume the role.",
            ),
            Self::Invalid { reason } => {
                Message::warning("invalid_answer", format!("Invalid: {reason}."))
            }
            Self::Command {
                command,
                needs_external_id,
            } => {
                let text = if *needs_external_id {
                    "\nThe same setup without questions, with the external ID in HEELER_EC_EXTERNAL_ID:"
                } else {
                    "\nThe same setup without questions:"
                };
                Message::status("command", text)
                    .and_command(command)
                    .and_text("")
            }
        }
    }
}
