//! Checks of the credentials and of the organization they belong to.

use super::{Check, Finding, Requirement, Verdict, skipped_because};
use crate::aws::arn::Arn;
use crate::error::Error;
use crate::inventory::Snapshot;
use crate::inventory::trail_destination::TrailDestination;

pub const CHECKS: &[Check] = &[
    Check {
        id: "account.credentials",
        description: "the credentials are valid",
        requirement: Requirement::Hard,
        permissions: &["sts:GetCallerIdentity"],
        evaluate: credentials,
    },
    Check {
        id: "account.match",
        description: "the credentials are of the account that was named",
        requirement: Requirement::Hard,
        permissions: &["sts:GetCallerIdentity"],
        evaluate: expected_account,
    },
    Check {
        id: "account.partition",
        description: "account and Heeler are in the same partition",
        requirement: Requirement::Hard,
        permissions: &["sts:GetCallerIdentity"],
        evaluate: partition,
    },
    Check {
        id: "account.region",
        description: "everything is made where the events arrive",
        requirement: Requirement::Hard,
        permissions: &["cloudtrail:DescribeTrails", "s3:ListBucket"],
        evaluate: region,
    },
    Check {
        id: "account.endpoint",
        description: "requests go to AWS",
        requirement: Requirement::Firm,
        permissions: &[],
        evaluate: endpoint,
    },
    Check {
        id: "org.exists",
        description: "the account is in an organization",
        requirement: Requirement::Hard,
        permissions: &["organizations:DescribeOrganization"],
        evaluate: organization,
    },
    Check {
        id: "org.management_account",
        description: "the account is the organization's management account",
        requirement: Requirement::Hard,
        permissions: &["organizations:DescribeOrganization"],
        evaluate: management_account,
    },
    Check {
        id: "org.all_features",
        description: "the organization has all features enabled",
        requirement: Requirement::Hard,
        permissions: &["organizations:DescribeOrganization"],
        evaluate: all_features,
    },
    Check {
        id: "org.trusted_access",
        description: "the organization lets CloudTrail into its accounts",
        requirement: Requirement::Firm,
        permissions: &["organizations:ListAWSServiceAccessForOrganization"],
        evaluate: trusted_access,
    },
    Check {
        id: "org.delegated_admin",
        description: "it is known who administers CloudTrail",
        requirement: Requirement::Firm,
        permissions: &["organizations:ListDelegatedAdministrators"],
        evaluate: delegated_admin,
    },
    Check {
        id: "org.guardrails",
        description: "no policy of the organization is in the way",
        requirement: Requirement::Firm,
        permissions: &[],
        evaluate: control_policies,
    },
];

fn credentials(survey: &Snapshot) -> Verdict {
    match &survey.account.caller {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(caller) if caller.arn.ends_with(":root") => Verdict::Warn(
            Finding::new(
                format!("caller is {}", caller.arn),
                "a role or user with admin rights",
            )
            .because("the root user should not be used for daily work")
            .console("IAM Identity Center > Users, or IAM > Roles"),
        ),
        Ok(caller) => Verdict::Pass(caller.arn.clone()),
    }
}

fn expected_account(survey: &Snapshot) -> Verdict {
    let Some(wanted) = &survey.request.expected_account else {
        return Verdict::Skip("no --account-id was given".into());
    };
    match &survey.account.caller {
        Err(_) => skipped_because("account.credentials"),
        Ok(caller) if caller.account == *wanted => Verdict::Pass(format!("account {wanted}")),
        Ok(caller) => Verdict::Fail(
            Finding::new(
                format!("credentials are for {}", caller.account),
                format!("account {wanted}"),
            )
            .because("--account-id protects from setting up in the wrong account")
            .cli("export AWS_PROFILE=PROFILE_OF_THAT_ACCOUNT")
            .advice("--profile PROFILE goes before credentials in the environment, which AWS_PROFILE does not"),
        ),
    }
}

fn partition(survey: &Snapshot) -> Verdict {
    let Ok(caller) = &survey.account.caller else {
        return skipped_because("account.credentials");
    };
    let partition = &caller.partition;
    if !matches!(partition.as_str(), "aws" | "aws-us-gov") {
        return Verdict::Fail(
            Finding::new(
                format!("partition {partition}"),
                "partition aws or aws-us-gov",
            )
            .because(
                "Heeler says nothing of other partitions, and their endpoints and services differ",
            )
            .advice("ask Heeler whether it collects from there"),
        );
    }
    let foreign = survey
        .request
        .heeler_roles
        .iter()
        .find(|role| Arn::parse(role).is_some_and(|arn| arn.partition != partition));
    match foreign {
        Some(role) => Verdict::Fail(
            Finding::new(
                format!("{role} is of another partition"),
                format!("a role of partition {partition}"),
            )
            .because("a role cannot be trusted across partitions")
            .advice("ask Heeler for its role in this partition"),
        ),
        None => Verdict::Pass(format!("partition {partition}")),
    }
}

fn region(survey: &Snapshot) -> Verdict {
    let (hangs, whose, reason) = match survey.route {
        TrailDestination::Bucket => (
            "bucket.owner",
            "bucket",
            "S3 publishes only to a topic in the bucket's own region",
        ),
        TrailDestination::LogGroup => (
            "logs.enabled",
            "log group",
            "CloudWatch Logs invokes only functions in the log group's own region",
        ),
    };
    let Some(region) = survey.region() else {
        return skipped_because(hangs);
    };
    match &survey.request.expected_region {
        Some(given) if given != region => Verdict::Fail(
            Finding::new(
                format!("--region {given}"),
                format!("{region}, the {whose}'s region"),
            )
            .because(reason)
            .advice("leave --region out"),
        ),
        _ => Verdict::Pass(region.to_owned()),
    }
}

fn endpoint(survey: &Snapshot) -> Verdict {
    match &survey.endpoint {
        None => Verdict::Pass("no other endpoint is configured".into()),
        Some(endpoint) => Verdict::Warn(
            Finding::new(format!("requests go to {endpoint}"), "AWS's own endpoints")
                .because("what is set up there is not set up in AWS")
                .cli("unset AWS_ENDPOINT_URL"),
        ),
    }
}

fn organization(survey: &Snapshot) -> Verdict {
    match &survey.account.organization {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(Some(organization)) => Verdict::Pass(organization.id.clone()),
        Ok(None) => Verdict::Fail(
            Finding::new("the account is in no organization", "an AWS organization")
                .because("Heeler collects the events of a whole organization")
                .console("AWS Organizations > Create an organization")
                .cli("aws organizations create-organization --feature-set ALL"),
        ),
    }
}

fn management_account(survey: &Snapshot) -> Verdict {
    let Ok(Some(organization)) = &survey.account.organization else {
        return skipped_because("org.exists");
    };
    let Ok(caller) = &survey.account.caller else {
        return skipped_because("account.credentials");
    };
    let payer = &organization.management_account;
    if caller.account == *payer {
        return Verdict::Pass(format!("{payer} of {}", organization.id));
    }
    let holds_the_log_group = survey
        .log_group
        .as_ref()
        .is_some_and(|group| group.account == caller.account);
    let delegated = matches!(&survey.account.delegated_administrators, Ok(ids) if ids.contains(&caller.account));
    if survey.route == TrailDestination::LogGroup && delegated && holds_the_log_group {
        return Verdict::Warn(
            Finding::new(
                format!("{} is a delegated administrator", caller.account),
                format!("the management account {payer}"),
            )
            .because(
                "it holds the log group and may work, but policies of the organization bind it",
            )
            .advice("in doubt, run it in the management account"),
        );
    }
    Verdict::Fail(
        Finding::new(
            format!("{} is a member account", caller.account),
            format!("the management account {payer}"),
        )
        .because("trail and bucket are in the management account, and so must queue and role be")
        .cli("export AWS_PROFILE=PROFILE_OF_THE_MANAGEMENT_ACCOUNT"),
    )
}

fn all_features(survey: &Snapshot) -> Verdict {
    match &survey.account.organization {
        Ok(Some(organization)) if organization.all_features => Verdict::Pass("ALL".into()),
        Ok(Some(_)) => Verdict::Fail(
            Finding::new("feature set CONSOLIDATED_BILLING", "feature set ALL")
                .because("without all features there can be no organization trail")
                .console("AWS Organizations > Settings > Begin process to enable all features")
                .cli("aws organizations enable-all-features"),
        ),
        _ => skipped_because("org.exists"),
    }
}

fn trusted_access(survey: &Snapshot) -> Verdict {
    let trusted = match &survey.account.trusted_services {
        _ if !matches!(survey.account.organization, Ok(Some(_))) => {
            return skipped_because("org.exists");
        }
        Err(error) => return Verdict::Unknown(error.clone()),
        Ok(trusted) => trusted,
    };
    if trusted
        .iter()
        .any(|name| name == "cloudtrail.amazonaws.com")
    {
        return Verdict::Pass("cloudtrail.amazonaws.com".into());
    }
    let finding = Finding::new(
        "the organization does not trust cloudtrail.amazonaws.com",
        "trusted access for CloudTrail",
    )
    .because("member accounts are not recorded, and new ones do not join the trail")
    .console("CloudTrail > Settings > Organization > Enable trusted access")
    .cli(
        "aws organizations enable-aws-service-access --service-principal cloudtrail.amazonaws.com",
    );
    // Without an organization trail nothing is lost yet; making one in the console switches it on.
    match survey.trail() {
        Some(trail) if trail.is_organization => Verdict::Fail(finding),
        _ => Verdict::Warn(finding),
    }
}

fn delegated_admin(survey: &Snapshot) -> Verdict {
    match &survey.account.delegated_administrators {
        _ if !matches!(survey.account.organization, Ok(Some(_))) => skipped_because("org.exists"),
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(accounts) if accounts.is_empty() => Verdict::Pass("the management account alone".into()),
        Ok(accounts) => Verdict::Pass(format!(
            "{} may, besides the management account, which owns the trails",
            accounts.join(", ")
        )),
    }
}

fn control_policies(survey: &Snapshot) -> Verdict {
    let bound = |error: &&Error| {
        ["service control policy", "resource control policy"]
            .iter()
            .any(|policy| error.reason().contains(policy))
    };
    if let Some(error) = survey.failed_calls().into_iter().find(bound) {
        let action = error.required_permission().unwrap_or("a call");
        let kind = if error.reason().contains("resource control policy") {
            "a resource control policy"
        } else {
            "a service control policy"
        };
        return Verdict::Warn(
            Finding::new(
                format!("{kind} of the organization denies {action}"),
                "no explicit deny",
            )
            .because("such a deny is above every role: changing yours does not help")
            .advice("ask whoever owns the organization's policies to exempt this role"),
        );
    }
    match (&survey.account.organization, survey.account_id()) {
        (Ok(Some(organization)), Some(account)) if organization.management_account == account => {
            Verdict::Pass("they do not bind the management account".into())
        }
        (Ok(Some(_)), Some(_)) => Verdict::Pass("none of the calls was denied by one".into()),
        _ => skipped_because("org.exists"),
    }
}
