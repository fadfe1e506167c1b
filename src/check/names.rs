//! Checks of the names that setup uses.

use super::destination::destination_traits;
use super::{Check, CheckId, Finding, Requirement, Verdict, skipped_because};
use crate::aws::arn::resource_name;
use crate::inventory::facts::NameOwner;
use crate::inventory::named_resource::NamedResource;
use crate::inventory::{Fact, Snapshot};
use crate::ownership::{OtherOwner, Ownership};

/// Checks of every option.
pub const CHECKS: &[Check] = &[
    Check {
        id: CheckId::NamesTerraformManaged,
        description: "no Terraform deployment uses the names",
        requirement: Requirement::BLOCKING,
        permissions: &["iam:GetRole", "kms:DescribeKey"],
        evaluate: terraform_managed,
    },
    Check {
        id: CheckId::NamesRole,
        description: "the name of the role is available",
        requirement: Requirement::BLOCKING,
        permissions: &["iam:GetRole"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesRole),
    },
    Check {
        id: CheckId::NamesPolicy,
        description: "the name of the role's policy is available",
        requirement: Requirement::BLOCKING,
        permissions: &["iam:GetPolicy"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesPolicy),
    },
    Check {
        id: CheckId::NamesQueue,
        description: "the name of the queue is available",
        requirement: Requirement::BLOCKING,
        permissions: &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesQueue),
    },
    Check {
        id: CheckId::NamesDeadLetterQueue,
        description: "the name of the dead-letter queue is available",
        requirement: Requirement::BLOCKING,
        permissions: &["sqs:GetQueueUrl", "sqs:ListQueueTags"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesDeadLetterQueue),
    },
    Check {
        id: CheckId::NamesAlias,
        description: "the alias of the queue's key is available",
        requirement: Requirement::BLOCKING,
        permissions: &["kms:DescribeKey", "kms:ListResourceTags"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesAlias),
    },
    Check {
        id: CheckId::NamesAliasKey,
        description: "the key of the alias is usable",
        requirement: Requirement::ADVISORY,
        permissions: &["kms:DescribeKey"],
        evaluate: alias_key,
    },
];

/// Checks of options with a topic.
pub const TOPIC_CHECKS: &[Check] = &[Check {
    id: CheckId::NamesTopic,
    description: "the name of the topic is available",
    requirement: Requirement::BLOCKING,
    permissions: &["sns:ListTagsForResource"],
    evaluate: topic_name,
}];

/// Checks of options with a Lambda function.
pub const FUNCTION_CHECKS: &[Check] = &[
    Check {
        id: CheckId::NamesFunction,
        description: "the name of the function is available",
        requirement: Requirement::BLOCKING,
        permissions: &["lambda:GetFunction"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesFunction),
    },
    Check {
        id: CheckId::NamesFunctionRole,
        description: "the name of the function's role is available",
        requirement: Requirement::BLOCKING,
        permissions: &["iam:GetRole"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesFunctionRole),
    },
    Check {
        id: CheckId::NamesFunctionPolicy,
        description: "the name of the function's policy is available",
        requirement: Requirement::BLOCKING,
        permissions: &["iam:GetPolicy"],
        evaluate: |snapshot| name_verdict(snapshot, CheckId::NamesFunctionPolicy),
    },
];

fn is_from_vendor_terraform(snapshot: &Snapshot, owner: &NameOwner) -> bool {
    owner.from_vendor_terraform && owner.ownership(snapshot.option.owner) == Ownership::Unmanaged
}

/// Returns true if setup takes the resource over: it has no owner, and the operator requested adoption.
fn will_be_adopted(snapshot: &Snapshot, owner: &NameOwner) -> bool {
    snapshot.request.adopt && owner.ownership(snapshot.option.owner) == Ownership::Unmanaged
}

fn terraform_managed(snapshot: &Snapshot) -> Verdict {
    if snapshot.name_owners.is_empty() {
        return skipped_because(prerequisite_check(snapshot));
    }
    let names = |adopted: bool| -> Vec<&str> {
        snapshot
            .name_owners
            .existing()
            .filter(|owner| is_from_vendor_terraform(snapshot, owner))
            .filter(|owner| will_be_adopted(snapshot, owner) == adopted)
            .map(|owner| owner.name.as_str())
            .collect()
    };
    let (adopted, other) = (names(true), names(false));
    if other.is_empty() && !adopted.is_empty() {
        return Verdict::Pass(format!("{} will be adopted", adopted.join(", ")));
    }
    if other.is_empty() {
        // Without this call such a deployment cannot be recognised.
        return match snapshot.name_owners.get(NamedResource::Role) {
            Fact::Failed(error) => Verdict::Unknown(error.clone()),
            _ => Verdict::Pass("no resources of Heeler's Terraform module were found".into()),
        };
    }
    Verdict::Fail(
        Finding::new(
            format!(
                "these resources look like Heeler's Terraform module created them: {}",
                other.join(", ")
            ),
            "names that no other tool manages",
        )
        .because(
            "two tools would undo each other's changes; setup never changes resources without its tags",
        )
        .cli(adopt_command(snapshot))
        .advice(
            "take them over with --adopt (the plan shows the changes, and Heeler's settings stay valid); or run \
             terraform destroy first and then setup (Heeler needs the new values)",
        ),
    )
}

/// Returns the command that shows what adoption would change.
fn adopt_command(snapshot: &Snapshot) -> String {
    // An existing role already trusts the Heeler role.
    let has_role = snapshot
        .name_owners
        .get(NamedResource::Role)
        .present()
        .is_some();
    let role = if has_role || !snapshot.request.heeler_roles.is_empty() {
        ""
    } else {
        " --heeler-role-arn ARN"
    };
    let option = snapshot.option.owner.arguments;
    snapshot.heeler_ec_command(&format!("plan {option} --adopt{role}"))
}

/// Returns the check that must pass before names are looked up.
pub(super) fn prerequisite_check(snapshot: &Snapshot) -> CheckId {
    destination_traits(snapshot).prerequisite
}

fn topic_name(snapshot: &Snapshot) -> Verdict {
    let own = snapshot.request.names.topic();
    let existing = snapshot
        .bucket
        .as_ref()
        .and_then(|bucket| bucket.topic.present());
    match existing {
        Some(topic) if resource_name(&topic.arn) != own => {
            Verdict::Skip("an existing topic is used".into())
        }
        _ => name_verdict(snapshot, CheckId::NamesTopic),
    }
}

/// Evaluates the name that a check is about, as the option uses it.
fn name_verdict(snapshot: &Snapshot, check: CheckId) -> Verdict {
    let mut names = snapshot.option.names.iter().copied();
    let Some(resource) = names.find(|resource| resource.check() == check) else {
        return Verdict::Skip("the option does not use this name".into());
    };
    let owner = match snapshot.name_owners.get(resource) {
        Fact::NotRequested => return skipped_because(prerequisite_check(snapshot)),
        Fact::Failed(error) => return Verdict::Unknown(error.clone()),
        Fact::Absent => {
            let name = resource.name(&snapshot.request.names);
            return Verdict::Pass(format!("{name} is available"));
        }
        Fact::Present(owner) => owner,
    };
    let ownership = owner.ownership(snapshot.option.owner);
    match &ownership {
        Ownership::Managed => {
            return Verdict::Pass(format!("{} is managed by heeler-ec", owner.name));
        }
        Ownership::ManagedByOther(OtherOwner::Option(option)) => {
            return Verdict::Fail(other_option_finding(snapshot, owner, option));
        }
        Ownership::Unmanaged if snapshot.request.adopt => {
            return Verdict::Pass(format!("{} will be adopted", owner.name));
        }
        Ownership::Unmanaged | Ownership::ManagedByOther(OtherOwner::Tool(_)) => {}
    }
    let has_vendor_resources = snapshot.name_owners.existing().any(|owner| {
        is_from_vendor_terraform(snapshot, owner) && !will_be_adopted(snapshot, owner)
    });
    if has_vendor_resources {
        return skipped_because(CheckId::NamesTerraformManaged);
    }
    Verdict::Fail(not_managed_finding(snapshot, owner))
}

fn not_managed_finding(snapshot: &Snapshot, owner: &NameOwner) -> Finding {
    let other_names = "choose other names with --name-prefix";
    Finding::new(
        format!("{} exists and is not managed by heeler-ec", owner.name),
        "an available name",
    )
    .because("setup never changes resources that it did not create")
    .cli(adopt_command(snapshot))
    .advice(format!(
        "{other_names}, or take it over with --adopt (the plan shows the changes)"
    ))
}

fn other_option_finding(snapshot: &Snapshot, owner: &NameOwner, other: &str) -> Finding {
    let option = snapshot.option.name;
    Finding::new(
        format!("{} belongs to option {other}", owner.name),
        format!("an available name, or one of option {option}"),
    )
    .because_of_option(other)
    .because(
        "the options share the names of the role and alias, so they cannot coexist under one name prefix",
    )
    .advice(format!(
        "set up option {option} with another --name-prefix, give {} its values, and destroy the old deployment when its \
         queue is empty; then no event is lost",
        snapshot.vendor()
    ))
}

fn alias_key(snapshot: &Snapshot) -> Verdict {
    let owner = match snapshot.name_owners.get(NamedResource::KeyAlias) {
        Fact::Present(owner) if owner.is_managed() => owner,
        Fact::Absent => return Verdict::Skip("the alias does not exist yet".into()),
        _ => return skipped_because(CheckId::NamesAlias),
    };
    let state = owner.key_state.as_deref().unwrap_or("Enabled");
    if state == "Enabled" {
        return Verdict::Pass(state.to_owned());
    }
    let finding = Finding::new(
        format!("the key of {} is in state {state}", owner.name),
        "state Enabled",
    );
    Verdict::Warn(if state == "PendingDeletion" {
        finding
            .because("an earlier destroy scheduled it for deletion")
            .advice(
                "setup creates a new key and moves the alias to it; it does not cancel the deletion",
            )
    } else {
        finding
            .because("the queue and topic cannot use it")
            .advice("setup enables the key")
    })
}
