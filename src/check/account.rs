//! Checks of the credentials and of the organization they belong to.

use super::survey::Survey;
use super::{Check, Finding, Verdict, Weight};
use crate::aws::arn::Arn;

pub const CHECKS: &[Check] = &[
    Check {
        id: "account.credentials",
        says: "the credentials are valid",
        weight: Weight::Hard,
        permissions: &["sts:GetCallerIdentity"],
        judge: credentials,
    },
    Check {
        id: "account.match",
        says: "the credentials are of the account that was named",
        weight: Weight::Hard,
        permissions: &["sts:GetCallerIdentity"],
        judge: account_match,
    },
    Check {
        id: "account.partition",
        says: "account and Heeler are in the same partition",
        weight: Weight::Hard,
        permissions: &["sts:GetCallerIdentity"],
        judge: partition,
    },
    Check {
        id: "account.region",
        says: "everything is made in the bucket's region",
        weight: Weight::Hard,
        permissions: &["s3:ListBucket"],
        judge: region,
    },
    Check {
        id: "account.endpoint",
        says: "requests go to AWS",
        weight: Weight::Advisory,
        permissions: &[],
        judge: endpoint,
    },
    Check {
        id: "org.exists",
        says: "the account is in an organization",
        weight: Weight::Hard,
        permissions: &["organizations:DescribeOrganization"],
        judge: organization,
    },
    Check {
        id: "org.management_account",
        says: "the account is the organization's management account",
        weight: Weight::Hard,
        permissions: &["organizations:DescribeOrganization"],
        judge: management_account,
    },
    Check {
        id: "org.all_features",
        says: "the organization has all features enabled",
        weight: Weight::Hard,
        permissions: &["organizations:DescribeOrganization"],
        judge: all_features,
    },
];

fn credentials(survey: &Survey) -> Verdict {
    match &survey.caller {
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

fn account_match(survey: &Survey) -> Verdict {
    let Some(wanted) = &survey.hints.account else {
        return Verdict::Skip("no --account-id was given".into());
    };
    match &survey.caller {
        Err(_) => hangs_on("account.credentials"),
        Ok(caller) if caller.account == *wanted => Verdict::Pass(format!("account {wanted}")),
        Ok(caller) => Verdict::Fail(
            Finding::new(
                format!("credentials are for {}", caller.account),
                format!("account {wanted}"),
            )
            .because("--account-id protects from setting up in the wrong account")
            .cli("export AWS_PROFILE=PROFILE_OF_THAT_ACCOUNT"),
        ),
    }
}

fn partition(survey: &Survey) -> Verdict {
    let Ok(caller) = &survey.caller else {
        return hangs_on("account.credentials");
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
            ),
        );
    }
    let foreign = survey
        .hints
        .heeler_roles
        .iter()
        .find(|role| Arn::parse(role).is_some_and(|arn| arn.partition != partition));
    match foreign {
        Some(role) => Verdict::Fail(
            Finding::new(
                format!("{role} is of another partition"),
                format!("a role of partition {partition}"),
            )
            .because("a role cannot be trusted across partitions"),
        ),
        None => Verdict::Pass(format!("partition {partition}")),
    }
}

fn region(survey: &Survey) -> Verdict {
    let Some(region) = survey.region() else {
        return hangs_on("bucket.owner");
    };
    match &survey.hints.region {
        Some(given) if given != region => Verdict::Fail(
            Finding::new(
                format!("--region {given}"),
                format!("{region}, the bucket's region"),
            )
            .because("S3 publishes only to a topic in the bucket's own region")
            .advice("leave --region out"),
        ),
        _ => Verdict::Pass(region.to_owned()),
    }
}

fn endpoint(survey: &Survey) -> Verdict {
    match &survey.endpoint {
        None => Verdict::Pass("no other endpoint is configured".into()),
        Some(endpoint) => Verdict::Warn(
            Finding::new(format!("requests go to {endpoint}"), "AWS's own endpoints")
                .because("what is set up there is not set up in AWS")
                .cli("unset AWS_ENDPOINT_URL"),
        ),
    }
}

fn organization(survey: &Survey) -> Verdict {
    match &survey.organization {
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

fn management_account(survey: &Survey) -> Verdict {
    let Ok(Some(organization)) = &survey.organization else {
        return hangs_on("org.exists");
    };
    let Ok(caller) = &survey.caller else {
        return hangs_on("account.credentials");
    };
    let payer = &organization.management_account;
    if caller.account == *payer {
        return Verdict::Pass(format!("{payer} of {}", organization.id));
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

fn all_features(survey: &Survey) -> Verdict {
    match &survey.organization {
        Ok(Some(organization)) if organization.all_features => Verdict::Pass("ALL".into()),
        Ok(Some(_)) => Verdict::Fail(
            Finding::new("feature set CONSOLIDATED_BILLING", "feature set ALL")
                .because("without all features there can be no organization trail")
                .console("AWS Organizations > Settings > Begin process to enable all features")
                .cli("aws organizations enable-all-features"),
        ),
        _ => hangs_on("org.exists"),
    }
}

pub(super) fn hangs_on(check: &str) -> Verdict {
    Verdict::Skip(format!("stands on {check}"))
}
