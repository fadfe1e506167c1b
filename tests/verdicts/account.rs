//! Cases of the checks on credentials, account and organization.

use heeler_ec::error::Error;
use heeler_ec::inventory::facts::Organization;

use super::fixture::{GROUP, MEMBER, PAYER};
use super::{VerdictCase, assert_verdicts, cloudwatch, refused, s3};

#[test]
fn account_and_organization_verdicts() {
    assert_verdicts(&cases());
}

pub fn cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "account.credentials",
            "the caller is a role",
            |_| {},
            "pass",
            "assumed-role/Admin/ann",
        ),
        s3(
            "account.root",
            "the caller is a role",
            |_| {},
            "pass",
            "a role or user",
        ),
        s3(
            "account.root",
            "the caller is unknown",
            |s| s.account.caller = Err(refused("sts:GetCallerIdentity")),
            "skip",
            "depends on account.credentials",
        ),
        s3(
            "account.root",
            "the caller is the root user",
            |s| caller(s).arn = format!("arn:aws:iam::{PAYER}:root"),
            "warn",
            "the root user should not be used",
        ),
        s3(
            "account.credentials",
            "AWS rejects the credentials",
            |s| s.account.caller = Err(refused("sts:GetCallerIdentity")),
            "unknown",
            "sts:GetCallerIdentity",
        ),
        s3(
            "account.expected",
            "--account-id is not given",
            |_| {},
            "skip",
            "--account-id is not set",
        ),
        s3(
            "account.expected",
            "--account-id matches",
            |s| s.request.expected_account = Some(PAYER.into()),
            "pass",
            PAYER,
        ),
        s3(
            "account.expected",
            "--account-id names another account",
            |s| s.request.expected_account = Some(MEMBER.into()),
            "fail",
            "--profile PROFILE",
        ),
        s3(
            "account.expected",
            "the caller is unknown",
            |s| {
                s.request.expected_account = Some(PAYER.into());
                s.account.caller = Err(refused("sts:GetCallerIdentity"));
            },
            "skip",
            "depends on account.credentials",
        ),
        s3(
            "account.partition",
            "the partition is aws",
            |_| {},
            "pass",
            "partition aws",
        ),
        s3(
            "account.partition",
            "the partition is aws-us-gov",
            |s| caller(s).partition = "aws-us-gov".into(),
            "pass",
            "aws-us-gov",
        ),
        s3(
            "account.partition",
            "the partition is aws-cn",
            |s| caller(s).partition = "aws-cn".into(),
            "fail",
            "partition aws-cn",
        ),
        s3(
            "account.partition",
            "the Heeler role is in another partition",
            |s| {
                s.request.heeler_roles = vec!["arn:aws-us-gov:iam::444455556666:role/heeler".into()]
            },
            "fail",
            "does not allow trust across partitions",
        ),
        s3(
            "account.region",
            "--region is not given",
            |_| {},
            "pass",
            "eu-west-1",
        ),
        s3(
            "account.region",
            "--region is the bucket's region",
            |s| s.request.expected_region = Some("eu-west-1".into()),
            "pass",
            "eu-west-1",
        ),
        s3(
            "account.region",
            "--region is not the bucket's region",
            |s| s.request.expected_region = Some("us-east-1".into()),
            "fail",
            "remove --region",
        ),
        s3(
            "account.region",
            "the bucket was not found",
            |s| bucket(s).owner = Err(refused("s3:ListBucket")),
            "skip",
            "depends on bucket.owner",
        ),
        cloudwatch(
            "account.region",
            "--region is the log group's region",
            |_| {},
            "pass",
            "us-east-1",
        ),
        cloudwatch(
            "account.region",
            "--region is not the log group's region",
            |s| s.request.expected_region = Some("eu-west-1".into()),
            "fail",
            "the log group's region",
        ),
        cloudwatch(
            "account.region",
            "does not exist",
            |s| s.log_group = None,
            "skip",
            "depends on logs.enabled",
        ),
        s3(
            "account.endpoint",
            "no custom endpoint is configured",
            |_| {},
            "pass",
            "no custom endpoint",
        ),
        s3(
            "account.endpoint",
            "a custom endpoint is configured",
            |s| s.endpoint = Some("http://127.0.0.1:4566".into()),
            "warn",
            "requests go to http://127.0.0.1:4566",
        ),
        s3("org.exists", "there is one", |_| {}, "pass", "o-example"),
        s3(
            "org.exists",
            "there is none",
            |s| s.account.organization = Fact::Absent,
            "fail",
            "does not belong to an organization",
        ),
        s3(
            "org.exists",
            "the caller may not read it",
            |s| {
                s.account.organization = Fact::Failed(refused("organizations:DescribeOrganization"))
            },
            "unknown",
            "organizations:DescribeOrganization",
        ),
        s3(
            "org.management_account",
            "it is the management account",
            |_| {},
            "pass",
            PAYER,
        ),
        s3(
            "org.management_account",
            "it is a member",
            |s| caller(s).account = MEMBER.into(),
            "fail",
            "444455556666 is a member account",
        ),
        s3(
            "org.management_account",
            "it is a member that owns the bucket",
            |s| caller(s).account = MEMBER.into(),
            "fail",
            "heeler-ec preflight --option s3 --profile PROFILE_OF_111122223333 --bucket-profile PROFILE_OF_444455556666",
        ),
        s3(
            "org.management_account",
            "it is only read",
            with_log_archive,
            "pass",
            "111122223333 of o-example is only read; resources are in 444455556666",
        ),
        s3(
            "org.management_account",
            "--profile is for a member",
            |s| {
                with_log_archive(s);
                let reader = s.account.management.as_mut().expect("an identity");
                reader.account = "777788889999".into();
            },
            "fail",
            "the credentials for the trail are for member account 777788889999",
        ),
        s3(
            "org.management_account",
            "there is no organization",
            |s| s.account.organization = Fact::Absent,
            "skip",
            "depends on org.exists",
        ),
        cloudwatch(
            "org.management_account",
            "it is a member",
            |s| caller(s).account = MEMBER.into(),
            "fail",
            "the management account 111122223333",
        ),
        cloudwatch(
            "org.management_account",
            "it is a delegated administrator with the log group",
            |s| {
                caller(s).account = MEMBER.into();
                s.account.delegated_administrators = Ok(vec![MEMBER.into()]);
                log_group(s).account = MEMBER.into();
            },
            "warn",
            "is a delegated administrator",
        ),
        s3(
            "org.management_account",
            "it is a delegated administrator",
            |s| {
                caller(s).account = MEMBER.into();
                s.account.delegated_administrators = Ok(vec![MEMBER.into()]);
            },
            "fail",
            "is a member account",
        ),
        s3(
            "org.all_features",
            "all features are enabled",
            |_| {},
            "pass",
            "ALL",
        ),
        s3(
            "org.all_features",
            "only consolidated billing is enabled",
            |s| organization(s).all_features = false,
            "fail",
            "CONSOLIDATED_BILLING",
        ),
        s3(
            "org.all_features",
            "there is no organization",
            |s| s.account.organization = Fact::Absent,
            "skip",
            "depends on org.exists",
        ),
        s3(
            "org.trusted_access",
            "trusted access is enabled",
            |_| {},
            "pass",
            "cloudtrail.amazonaws.com",
        ),
        s3(
            "org.trusted_access",
            "trusted access is disabled",
            |s| s.account.trusted_services = Ok(vec!["sso.amazonaws.com".into()]),
            "fail",
            "enable-aws-service-access --service-principal cloudtrail.amazonaws.com",
        ),
        s3(
            "org.trusted_access",
            "trusted access is disabled and there is no organization trail",
            |s| {
                s.account.trusted_services = Ok(Vec::new());
                trail(s).is_organization = false;
            },
            "warn",
            "trusted access for cloudtrail.amazonaws.com is disabled",
        ),
        s3(
            "org.trusted_access",
            "the caller may not read it",
            |s| {
                s.account.trusted_services =
                    Err(refused("organizations:ListAWSServiceAccessForOrganization"))
            },
            "unknown",
            "organizations:ListAWSServiceAccessForOrganization",
        ),
        s3(
            "org.trusted_access",
            "there is no organization",
            |s| s.account.organization = Fact::Absent,
            "skip",
            "depends on org.exists",
        ),
        s3(
            "org.delegated_admin",
            "there is none",
            |_| {},
            "pass",
            "none",
        ),
        s3(
            "org.delegated_admin",
            "there is one",
            |s| s.account.delegated_administrators = Ok(vec![MEMBER.into()]),
            "pass",
            "444455556666, in addition to the management account",
        ),
        s3(
            "org.delegated_admin",
            "there are several",
            |s| s.account.delegated_administrators = Ok(vec![MEMBER.into(), "777788889999".into()]),
            "pass",
            "444455556666, 777788889999, in addition to the management account",
        ),
        s3(
            "org.control_policies",
            "the caller is a delegated administrator, and nothing was denied",
            |s| {
                s.account.delegated_administrators = Ok(vec![MEMBER.into()]);
                caller(s).account = MEMBER.into();
            },
            "pass",
            "no call was denied by a control policy",
        ),
        s3(
            "org.delegated_admin",
            "the caller may not read it",
            |s| {
                s.account.delegated_administrators =
                    Err(refused("organizations:ListDelegatedAdministrators"))
            },
            "unknown",
            "organizations:ListDelegatedAdministrators",
        ),
        s3(
            "org.control_policies",
            "the caller is in the management account",
            |_| {},
            "pass",
            "do not apply to the management account",
        ),
        s3(
            "org.control_policies",
            "a service control policy denies a call",
            |s| s.account.opt_in_regions = Err(denied_by("service")),
            "warn",
            "a service control policy denies account:ListRegions",
        ),
        s3(
            "org.control_policies",
            "a resource control policy denies a call",
            |s| bucket(s).policy = Fact::Failed(denied_by("resource")),
            "warn",
            "a resource control policy denies",
        ),
        s3(
            "org.control_policies",
            "there is no organization",
            |s| s.account.organization = Fact::Absent,
            "skip",
            "depends on org.exists",
        ),
        cloudwatch(
            "logs.account",
            "the log group is a delegated administrator's",
            |s| log_group(s).account = MEMBER.into(),
            "fail",
            GROUP,
        ),
    ]
}

fn denied_by(kind: &str) -> Error {
    let why =
        format!("not authorized to perform this with an explicit deny in a {kind} control policy");
    Error::failed("ask", why)
        .with_permission("account:ListRegions")
        .with_code(Some("AccessDeniedException".into()), None)
}

use heeler_ec::aws::CallerIdentity;
use heeler_ec::inventory::facts::{BucketFacts, LogGroupFacts, Trail, TrailSelection};
use heeler_ec::inventory::{Fact, Snapshot};

pub fn caller(snapshot: &mut Snapshot) -> &mut CallerIdentity {
    snapshot.account.caller.as_mut().expect("a caller")
}

fn organization(snapshot: &mut Snapshot) -> &mut Organization {
    let organization = snapshot.account.organization.present_mut();
    organization.expect("an organization")
}

pub fn trail(snapshot: &mut Snapshot) -> &mut Trail {
    match &mut snapshot.trail_selection {
        TrailSelection::Selected(trail) => trail,
        other => panic!("no trail was chosen: {other:?}"),
    }
}

pub fn bucket(snapshot: &mut Snapshot) -> &mut BucketFacts {
    snapshot.bucket.as_mut().expect("a bucket")
}

pub fn log_group(snapshot: &mut Snapshot) -> &mut LogGroupFacts {
    snapshot.log_group.as_mut().expect("a log group")
}

/// Gives the snapshot credentials for a member account that owns the bucket.
pub fn with_log_archive(snapshot: &mut Snapshot) {
    snapshot.account.management = snapshot.account.caller.as_ref().ok().cloned();
    caller(snapshot).account = MEMBER.into();
}
