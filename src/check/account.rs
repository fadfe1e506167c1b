//! Checks of the credentials and of the organization they belong to.

use super::destination::destination_traits;
use super::{Check, CheckId, Finding, Requirement, Verdict, skipped_because};
use crate::aws::arn::Arn;
use crate::error::Error;
use crate::inventory::facts::BucketOwner;
use crate::inventory::{Fact, Snapshot};

pub const CHECKS: &[Check] = &[
    CREDENTIALS,
    ROOT,
    EXPECTED,
    PARTITION,
    REGION,
    ENDPOINT,
    ORG_EXISTS,
    ORG_MANAGEMENT_ACCOUNT,
    ORG_ALL_FEATURES,
    ORG_TRUSTED_ACCESS,
    ORG_DELEGATED_ADMIN,
    ORG_CONTROL_POLICIES,
];

/// Checks of options that need no organization.
pub const CREDENTIAL_CHECKS: &[Check] = &[CREDENTIALS, ROOT, EXPECTED, PARTITION, REGION, ENDPOINT];

const CREDENTIALS: Check = Check {
    id: CheckId::AccountCredentials,
    description: "credentials are valid",
    requirement: Requirement::BLOCKING,
    permissions: &["sts:GetCallerIdentity"],
    evaluate: credentials,
};
const ROOT: Check = Check {
    id: CheckId::AccountRoot,
    description: "the caller is not the root user",
    requirement: Requirement::ADVISORY,
    permissions: &["sts:GetCallerIdentity"],
    evaluate: root_user,
};
const EXPECTED: Check = Check {
    id: CheckId::AccountExpected,
    description: "credentials belong to the expected account",
    requirement: Requirement::BLOCKING,
    permissions: &["sts:GetCallerIdentity"],
    evaluate: expected_account,
};
const PARTITION: Check = Check {
    id: CheckId::AccountPartition,
    description: "the account and the trusted roles are in the same partition",
    requirement: Requirement::BLOCKING,
    permissions: &["sts:GetCallerIdentity"],
    evaluate: partition,
};
const REGION: Check = Check {
    id: CheckId::AccountRegion,
    description: "resources are created in the region of the bucket or log group",
    requirement: Requirement::BLOCKING,
    permissions: &["cloudtrail:DescribeTrails", "s3:ListBucket"],
    evaluate: region,
};
const ENDPOINT: Check = Check {
    id: CheckId::AccountEndpoint,
    description: "requests go to AWS endpoints",
    requirement: Requirement::ADVISORY,
    permissions: &[],
    evaluate: endpoint,
};
const ORG_EXISTS: Check = Check {
    id: CheckId::OrgExists,
    description: "the account belongs to an organization",
    requirement: Requirement::BLOCKING,
    permissions: &["organizations:DescribeOrganization"],
    evaluate: organization,
};
const ORG_MANAGEMENT_ACCOUNT: Check = Check {
    id: CheckId::OrgManagementAccount,
    description: "the account is the organization's management account",
    requirement: Requirement::BLOCKING,
    permissions: &["organizations:DescribeOrganization"],
    evaluate: management_account,
};
const ORG_ALL_FEATURES: Check = Check {
    id: CheckId::OrgAllFeatures,
    description: "the organization has all features enabled",
    requirement: Requirement::BLOCKING,
    permissions: &["organizations:DescribeOrganization"],
    evaluate: all_features,
};
const ORG_TRUSTED_ACCESS: Check = Check {
    id: CheckId::OrgTrustedAccess,
    description: "the organization has trusted access for CloudTrail enabled",
    requirement: Requirement::ADVISORY,
    permissions: &["organizations:ListAWSServiceAccessForOrganization"],
    evaluate: trusted_access,
};
const ORG_DELEGATED_ADMIN: Check = Check {
    id: CheckId::OrgDelegatedAdmin,
    description: "CloudTrail's delegated administrators are listed",
    requirement: Requirement::ADVISORY,
    permissions: &["organizations:ListDelegatedAdministrators"],
    evaluate: delegated_admin,
};
const ORG_CONTROL_POLICIES: Check = Check {
    id: CheckId::OrgControlPolicies,
    description: "no service or resource control policy blocked a check",
    requirement: Requirement::ADVISORY,
    permissions: &[],
    evaluate: control_policies,
};

fn credentials(snapshot: &Snapshot) -> Verdict {
    match &snapshot.account.caller {
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(caller) => Verdict::Pass(match &snapshot.account.management {
            Some(reader) => format!("{}; the trail is read as {}", caller.arn, reader.arn),
            None => caller.arn.clone(),
        }),
    }
}

fn root_user(snapshot: &Snapshot) -> Verdict {
    match &snapshot.account.caller {
        Err(_) => skipped_because(CheckId::AccountCredentials),
        Ok(caller) if caller.arn.ends_with(":root") => Verdict::Warn(
            Finding::new(
                format!("caller is {}", caller.arn),
                "a role or user with administrator permissions",
            )
            .because("the root user should not be used for daily work")
            .console("IAM Identity Center > Users, or IAM > Roles"),
        ),
        Ok(_) => Verdict::Pass("a role or user".into()),
    }
}

fn expected_account(snapshot: &Snapshot) -> Verdict {
    let Some(wanted) = &snapshot.request.expected_account else {
        return Verdict::Skip("--account-id is not set".into());
    };
    match &snapshot.account.caller {
        Err(_) => skipped_because(CheckId::AccountCredentials),
        Ok(caller) if caller.account == *wanted => Verdict::Pass(format!("account {wanted}")),
        Ok(caller) => Verdict::Fail(
            Finding::new(
                format!("credentials are for {}", caller.account),
                format!("account {wanted}"),
            )
            .because("--account-id protects against setup in the wrong account")
            .advice(
                "select credentials of that account with --profile PROFILE, which overrides the environment",
            ),
        ),
    }
}

fn partition(snapshot: &Snapshot) -> Verdict {
    let Ok(caller) = &snapshot.account.caller else {
        return skipped_because(CheckId::AccountCredentials);
    };
    let (partition, vendor) = (&caller.partition, snapshot.vendor());
    if !matches!(partition.as_str(), "aws" | "aws-us-gov") {
        return Verdict::Fail(
            Finding::new(
                format!("partition {partition}"),
                "partition aws or aws-us-gov",
            )
            .because(format!(
                "{vendor} is not known to support other partitions; their endpoints and services differ"
            ))
            .advice(format!("ask {vendor} whether it supports this partition")),
        );
    }
    let mismatched_role = snapshot
        .request
        .heeler_roles
        .iter()
        .find(|role| Arn::parse(role).is_some_and(|arn| arn.partition != partition));
    match mismatched_role {
        Some(role) => Verdict::Fail(
            Finding::new(
                format!("{role} is in another partition"),
                format!("a role in partition {partition}"),
            )
            .because("IAM does not allow trust across partitions")
            .advice(format!("ask {vendor} for its role in this partition")),
        ),
        None => Verdict::Pass(format!("partition {partition}")),
    }
}

fn region(snapshot: &Snapshot) -> Verdict {
    let destination = destination_traits(snapshot);
    let Some(region) = snapshot.region() else {
        return skipped_because(destination.prerequisite);
    };
    match &snapshot.request.expected_region {
        Some(given) if given != region => Verdict::Fail(
            Finding::new(
                format!("--region {given}"),
                format!("{region}, the {}'s region", destination.noun),
            )
            .because(destination.region_reason)
            .advice("remove --region"),
        ),
        _ => Verdict::Pass(region.to_owned()),
    }
}

fn endpoint(snapshot: &Snapshot) -> Verdict {
    match &snapshot.endpoint {
        None => Verdict::Pass("no custom endpoint is configured".into()),
        Some(endpoint) => Verdict::Warn(
            Finding::new(format!("requests go to {endpoint}"), "AWS's own endpoints")
                .because("resources created at this endpoint do not exist in AWS")
                .advice(
                    "leave --endpoint-url out, unset AWS_ENDPOINT_URL, or remove endpoint_url from the AWS configuration",
                ),
        ),
    }
}

fn organization(snapshot: &Snapshot) -> Verdict {
    match &snapshot.account.organization {
        Fact::Failed(error) => Verdict::Unknown(error.clone()),
        Fact::Present(organization) => Verdict::Pass(organization.id.clone()),
        Fact::NotRequested | Fact::Absent => Verdict::Fail(
            Finding::new(
                "the account does not belong to an organization",
                "an AWS organization",
            )
            .because("Heeler collects events from a whole organization")
            .console("AWS Organizations > Create an organization")
            .cli("aws organizations create-organization --feature-set ALL"),
        ),
    }
}

/// Returns true if the credentials that read the trail are known to be for another account than the management account.
pub(super) fn is_member_account(snapshot: &Snapshot) -> bool {
    let organization = snapshot.account.organization.present();
    let reader = snapshot.account.trail_reader();
    organization
        .zip(reader)
        .is_some_and(|(organization, reader)| reader.account != organization.management_account)
}

fn management_account(snapshot: &Snapshot) -> Verdict {
    let Fact::Present(organization) = &snapshot.account.organization else {
        return skipped_because(CheckId::OrgExists);
    };
    let Ok(caller) = &snapshot.account.caller else {
        return skipped_because(CheckId::AccountCredentials);
    };
    let payer = &organization.management_account;
    if let Some(reader) = &snapshot.account.management {
        if reader.account == *payer {
            return Verdict::Pass(format!(
                "{payer} of {} is only read; resources are in {}",
                organization.id, caller.account
            ));
        }
        return Verdict::Fail(
            Finding::new(
                format!("the credentials for the trail are for member account {}", reader.account),
                format!("credentials for the management account {payer}"),
            )
            .because("only the management account may read everything about the organization and its trail")
            .advice("select them with --profile; --bucket-profile is for the account of the log bucket"),
        );
    }
    if caller.account == *payer {
        return Verdict::Pass(format!("{payer} of {}", organization.id));
    }
    let holds_the_log_group = snapshot
        .log_group
        .as_ref()
        .is_some_and(|group| group.account == caller.account);
    let delegated = matches!(&snapshot.account.delegated_administrators, Ok(ids) if ids.contains(&caller.account));
    if destination_traits(snapshot).may_be_delegated && delegated && holds_the_log_group {
        return Verdict::Warn(
            Finding::new(
                format!("{} is a delegated administrator", caller.account),
                format!("the management account {payer}"),
            )
            .because(
                "it owns the log group, so setup may work, but the organization's control policies apply to it",
            )
            .advice("if in doubt, run setup in the management account"),
        );
    }
    let finding = Finding::new(
        format!("{} is a member account", caller.account),
        format!("the management account {payer}"),
    );
    let owns_bucket = snapshot
        .bucket
        .as_ref()
        .is_some_and(|bucket| matches!(bucket.owner, Ok(BucketOwner::ThisAccount { .. })));
    if owns_bucket {
        return Verdict::Fail(
            finding
                .because("this account owns the log bucket, but only the management account may read the organization and its trail")
                .cli(snapshot.heeler_ec_command(&format!(
                    "preflight --option {} --profile PROFILE_OF_{payer} --bucket-profile PROFILE_OF_{}",
                    snapshot.option.name, caller.account
                ))),
        );
    }
    Verdict::Fail(
        finding
        .because("the trail and bucket are in the management account; the queue and role must be there too")
        .cli("export AWS_PROFILE=PROFILE_OF_THE_MANAGEMENT_ACCOUNT"),
    )
}

fn all_features(snapshot: &Snapshot) -> Verdict {
    match &snapshot.account.organization {
        Fact::Present(organization) if organization.all_features => Verdict::Pass("ALL".into()),
        Fact::Present(_) => Verdict::Fail(
            Finding::new("feature set CONSOLIDATED_BILLING", "feature set ALL")
                .because("organization trails require all features")
                .console("AWS Organizations > Settings > Begin process to enable all features")
                .cli("aws organizations enable-all-features"),
        ),
        _ => skipped_because(CheckId::OrgExists),
    }
}

fn trusted_access(snapshot: &Snapshot) -> Verdict {
    let trusted = match &snapshot.account.trusted_services {
        _ if snapshot.account.organization.present().is_none() => {
            return skipped_because(CheckId::OrgExists);
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
        "trusted access for cloudtrail.amazonaws.com is disabled",
        "trusted access for CloudTrail",
    )
    .because("the trail does not record member accounts, and new accounts do not join it")
    .console("CloudTrail > Settings > Organization > Enable trusted access")
    .cli(
        "aws organizations enable-aws-service-access --service-principal cloudtrail.amazonaws.com",
    );
    // Without an organization trail nothing is lost yet. The console enables trusted access when it creates the trail.
    match snapshot.trail() {
        Some(trail) if trail.is_organization => Verdict::Fail(finding),
        _ => Verdict::Warn(finding),
    }
}

fn delegated_admin(snapshot: &Snapshot) -> Verdict {
    match &snapshot.account.delegated_administrators {
        _ if snapshot.account.organization.present().is_none() => {
            skipped_because(CheckId::OrgExists)
        }
        Err(error) => Verdict::Unknown(error.clone()),
        Ok(accounts) if accounts.is_empty() => Verdict::Pass("none".into()),
        Ok(accounts) => Verdict::Pass(format!(
            "{}, in addition to the management account, which owns the trails",
            accounts.join(", ")
        )),
    }
}

fn control_policies(snapshot: &Snapshot) -> Verdict {
    let bound = |error: &&Error| {
        ["service control policy", "resource control policy"]
            .iter()
            .any(|policy| error.reason().contains(policy))
    };
    if let Some(error) = snapshot.failed_calls().find(bound) {
        let action = error.required_permission().unwrap_or("a call");
        let kind = if error.reason().contains("resource control policy") {
            "a resource control policy"
        } else {
            "a service control policy"
        };
        return Verdict::Warn(
            Finding::new(format!("{kind} denies {action}"), "no explicit deny")
                .because("control policies override IAM policies: changing your role will not help")
                .advice("ask the administrator of the organization's policies to exempt this role"),
        );
    }
    match (&snapshot.account.organization, snapshot.account_id()) {
        (Fact::Present(organization), Some(account))
            if organization.management_account == account =>
        {
            Verdict::Pass("control policies do not apply to the management account".into())
        }
        (Fact::Present(_), Some(_)) => {
            Verdict::Pass("no call was denied by a control policy".into())
        }
        _ => skipped_because(CheckId::OrgExists),
    }
}
