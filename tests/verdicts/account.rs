//! Whose credentials these are, and of what organization.

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
            "they are of a role",
            |_| {},
            "pass",
            "assumed-role/Admin/ann",
        ),
        s3(
            "account.credentials",
            "they are of the root user",
            |s| caller(s).arn = format!("arn:aws:iam::{PAYER}:root"),
            "warn",
            "the root user should not be used",
        ),
        s3(
            "account.credentials",
            "they are refused",
            |s| s.account.caller = Err(refused("sts:GetCallerIdentity")),
            "unknown",
            "sts:GetCallerIdentity",
        ),
        s3(
            "account.match",
            "no account was named",
            |_| {},
            "skip",
            "no --account-id",
        ),
        s3(
            "account.match",
            "it is the named one",
            |s| s.request.expected_account = Some(PAYER.into()),
            "pass",
            PAYER,
        ),
        s3(
            "account.match",
            "another was named",
            |s| s.request.expected_account = Some(MEMBER.into()),
            "fail",
            "export AWS_PROFILE",
        ),
        s3(
            "account.match",
            "the caller is not known",
            |s| {
                s.request.expected_account = Some(PAYER.into());
                s.account.caller = Err(refused("sts:GetCallerIdentity"));
            },
            "skip",
            "stands on account.credentials",
        ),
        s3(
            "account.partition",
            "it is AWS",
            |_| {},
            "pass",
            "partition aws",
        ),
        s3(
            "account.partition",
            "it is GovCloud",
            |s| caller(s).partition = "aws-us-gov".into(),
            "pass",
            "aws-us-gov",
        ),
        s3(
            "account.partition",
            "it is China",
            |s| caller(s).partition = "aws-cn".into(),
            "fail",
            "partition aws-cn",
        ),
        s3(
            "account.partition",
            "Heeler is in another one",
            |s| {
                s.request.heeler_roles = vec!["arn:aws-us-gov:iam::444455556666:role/heeler".into()]
            },
            "fail",
            "cannot be trusted across partitions",
        ),
        s3(
            "account.region",
            "none was named",
            |_| {},
            "pass",
            "eu-west-1",
        ),
        s3(
            "account.region",
            "it is the bucket's",
            |s| s.request.expected_region = Some("eu-west-1".into()),
            "pass",
            "eu-west-1",
        ),
        s3(
            "account.region",
            "it is not the bucket's",
            |s| s.request.expected_region = Some("us-east-1".into()),
            "fail",
            "leave --region out",
        ),
        s3(
            "account.region",
            "the bucket was not found",
            |s| bucket(s).owner = Err(refused("s3:ListBucket")),
            "skip",
            "stands on bucket.owner",
        ),
        cloudwatch(
            "account.region",
            "it is the log group's",
            |_| {},
            "pass",
            "us-east-1",
        ),
        cloudwatch(
            "account.region",
            "it is not the log group's",
            |s| s.request.expected_region = Some("eu-west-1".into()),
            "fail",
            "the log group's region",
        ),
        cloudwatch(
            "account.region",
            "there is no log group",
            |s| s.log_group = None,
            "skip",
            "stands on logs.enabled",
        ),
        s3(
            "account.endpoint",
            "it is AWS's own",
            |_| {},
            "pass",
            "no other endpoint",
        ),
        s3(
            "account.endpoint",
            "it is another",
            |s| s.endpoint = Some("http://127.0.0.1:4566".into()),
            "warn",
            "requests go to http://127.0.0.1:4566",
        ),
        s3("org.exists", "there is one", |_| {}, "pass", "o-example"),
        s3(
            "org.exists",
            "there is none",
            |s| s.account.organization = Ok(None),
            "fail",
            "in no organization",
        ),
        s3(
            "org.exists",
            "it may not be asked for",
            |s| s.account.organization = Err(refused("organizations:DescribeOrganization")),
            "unknown",
            "organizations:DescribeOrganization",
        ),
        s3("org.management_account", "it is", |_| {}, "pass", PAYER),
        s3(
            "org.management_account",
            "it is a member",
            |s| caller(s).account = MEMBER.into(),
            "fail",
            "444455556666 is a member account",
        ),
        s3(
            "org.management_account",
            "there is no organization",
            |s| s.account.organization = Ok(None),
            "skip",
            "stands on org.exists",
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
        s3("org.all_features", "they are on", |_| {}, "pass", "ALL"),
        s3(
            "org.all_features",
            "it is for billing only",
            |s| organization(s).all_features = false,
            "fail",
            "CONSOLIDATED_BILLING",
        ),
        s3(
            "org.all_features",
            "there is no organization",
            |s| s.account.organization = Ok(None),
            "skip",
            "stands on org.exists",
        ),
        s3(
            "org.trusted_access",
            "it is on",
            |_| {},
            "pass",
            "cloudtrail.amazonaws.com",
        ),
        s3(
            "org.trusted_access",
            "it is off",
            |s| s.account.trusted_services = Ok(vec!["sso.amazonaws.com".into()]),
            "fail",
            "enable-aws-service-access --service-principal cloudtrail.amazonaws.com",
        ),
        s3(
            "org.trusted_access",
            "it is off and there is no organization trail",
            |s| {
                s.account.trusted_services = Ok(Vec::new());
                trail(s).is_organization = false;
            },
            "warn",
            "does not trust cloudtrail.amazonaws.com",
        ),
        s3(
            "org.trusted_access",
            "it may not be asked for",
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
            |s| s.account.organization = Ok(None),
            "skip",
            "stands on org.exists",
        ),
        s3(
            "org.delegated_admin",
            "there is none",
            |_| {},
            "pass",
            "the management account alone",
        ),
        s3(
            "org.delegated_admin",
            "there is one",
            |s| s.account.delegated_administrators = Ok(vec![MEMBER.into()]),
            "pass",
            "444455556666 may, besides the management account",
        ),
        s3(
            "org.delegated_admin",
            "there are several",
            |s| s.account.delegated_administrators = Ok(vec![MEMBER.into(), "777788889999".into()]),
            "pass",
            "444455556666, 777788889999 may, besides the management account",
        ),
        s3(
            "org.guardrails",
            "the caller is a delegated administrator, and nothing was denied",
            |s| {
                s.account.delegated_administrators = Ok(vec![MEMBER.into()]);
                caller(s).account = MEMBER.into();
            },
            "pass",
            "none of the calls was denied by one",
        ),
        s3(
            "org.delegated_admin",
            "it may not be asked for",
            |s| {
                s.account.delegated_administrators =
                    Err(refused("organizations:ListDelegatedAdministrators"))
            },
            "unknown",
            "organizations:ListDelegatedAdministrators",
        ),
        s3(
            "org.guardrails",
            "the caller is the payer",
            |_| {},
            "pass",
            "do not bind the management account",
        ),
        s3(
            "org.guardrails",
            "a service control policy denies a call",
            |s| s.account.opt_in_regions = Err(denied_by("service")),
            "warn",
            "a service control policy of the organization denies account:ListRegions",
        ),
        s3(
            "org.guardrails",
            "a resource control policy denies a call",
            |s| bucket(s).policy = Some(Err(denied_by("resource"))),
            "warn",
            "a resource control policy of the organization denies",
        ),
        s3(
            "org.guardrails",
            "there is no organization",
            |s| s.account.organization = Ok(None),
            "skip",
            "stands on org.exists",
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
use heeler_ec::inventory::Snapshot;
use heeler_ec::inventory::facts::{BucketFacts, LogGroupFacts, Trail, TrailSelection};

pub fn caller(survey: &mut Snapshot) -> &mut CallerIdentity {
    survey.account.caller.as_mut().expect("a caller")
}

fn organization(survey: &mut Snapshot) -> &mut Organization {
    let organization = survey.account.organization.as_mut().expect("an answer");
    organization.as_mut().expect("an organization")
}

pub fn trail(survey: &mut Snapshot) -> &mut Trail {
    match &mut survey.trail_selection {
        TrailSelection::Selected(trail) => trail,
        other => panic!("no trail was chosen: {other:?}"),
    }
}

pub fn bucket(survey: &mut Snapshot) -> &mut BucketFacts {
    survey.bucket.as_mut().expect("a bucket")
}

pub fn log_group(survey: &mut Snapshot) -> &mut LogGroupFacts {
    survey.log_group.as_mut().expect("a log group")
}
