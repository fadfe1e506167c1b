//! The callers of a deployment, each with the condition keys that AWS sends for it.
//!
//! Sources: IAM user guide, "AWS global condition context keys"; the service guides named at each constructor. Keys that
//! are not listed are unknown: for Heeler's requests, among them are `aws:SourceIp`, `aws:SourceVpc` and `aws:SourceVpce`,
//! because Heeler's network is not known.

use super::context::RequestContext;
use super::principal::{Principal, RolePrincipal};

/// An identity with the condition keys of its requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub principal: Principal,
    pub context: RequestContext,
}

/// Keys that describe a caller with an account, which a service principal does not have.
const IDENTITY_KEYS: &[&str] = &[
    "aws:PrincipalArn",
    "aws:PrincipalAccount",
    "aws:PrincipalOrgID",
    "aws:PrincipalOrgPaths",
    "aws:userid",
    "aws:username",
    "sts:ExternalId",
    // A key of topic policies for callers with an account. The console's default policy has it.
    "aws:SourceOwner",
];

/// Keys that only a service principal has.
const SERVICE_KEYS: &[&str] = &[
    "aws:SourceArn",
    "aws:SourceAccount",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
];

impl Caller {
    /// A service that acts for a resource, such as `s3.amazonaws.com` for a bucket that sends notifications, or
    /// `cloudtrail.amazonaws.com` for a trail. `source_account` owns the resource `source_arn`.
    #[must_use]
    pub fn service(name: &str, source_arn: &str, source_account: &str) -> Self {
        let context = RequestContext::new()
            .without(IDENTITY_KEYS)
            .with("aws:SecureTransport", "true")
            .with("aws:PrincipalIsAWSService", "true")
            .with("aws:PrincipalServiceName", name)
            .with("aws:SourceArn", source_arn)
            .with("aws:SourceAccount", source_account);
        Self {
            principal: Principal::Service(name.to_owned()),
            context,
        }
    }

    /// CloudTrail, which writes log files into a bucket. Source: CloudTrail user guide, "Amazon S3 bucket policy for
    /// CloudTrail". The owner of the trail is the management account, also for files of member accounts.
    #[must_use]
    pub fn trail(trail_arn: &str, owner: &str) -> Self {
        Self::service("cloudtrail.amazonaws.com", trail_arn, owner)
            .with("s3:x-amz-acl", "bucket-owner-full-control")
            .with("kms:EncryptionContext:aws:cloudtrail:arn", trail_arn)
    }

    /// A session of a role of this account, which calls a service directly. `session_arn` is `None` if the name of the
    /// session is unknown. `arn` must have the role's path, because `aws:PrincipalArn` has it.
    #[must_use]
    pub fn role(arn: &str, account: &str, session_arn: Option<&str>) -> Self {
        let context = RequestContext::new()
            .without(SERVICE_KEYS)
            .without(&["aws:username", "sts:ExternalId"])
            .with("aws:SecureTransport", "true")
            .with("aws:PrincipalIsAWSService", "false")
            .with("aws:PrincipalType", "AssumedRole")
            .with("aws:PrincipalArn", arn)
            .with("aws:PrincipalAccount", account)
            .with("kms:CallerAccount", account)
            // Current clients use one of these.
            .with_one_of("s3:TlsVersion", ["1.2", "1.3"]);
        Self {
            principal: Principal::Role(RolePrincipal {
                account: account.to_owned(),
                arn: arn.to_owned(),
                session_arn: session_arn.map(str::to_owned),
                unique_id: None,
            }),
            context,
        }
    }

    /// An IAM user, which calls a service directly.
    #[must_use]
    pub fn user(arn: &str, account: &str) -> Self {
        let role = Self::role(arn, account, None);
        Self {
            principal: Principal::User {
                account: account.to_owned(),
                arn: arn.to_owned(),
            },
            context: role
                .context
                .with("aws:PrincipalType", "User")
                .with_unknown("aws:username"),
        }
    }

    /// Sets a condition key of the request.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context = self.context.with(key, value);
        self
    }

    /// Sets the organization of the caller's account.
    #[must_use]
    pub fn in_organization(self, organization: &str) -> Self {
        match self.principal {
            Principal::Service(_) => self.with("aws:SourceOrgID", organization),
            Principal::Role(_) | Principal::User { .. } => {
                self.with("aws:PrincipalOrgID", organization)
            }
        }
    }

    /// Sets the keys of a request that a service makes to KMS for this caller, with the caller's permissions. `service` is
    /// the host name of the service in the region, such as `sqs.us-east-1.amazonaws.com`. Source: KMS developer guide,
    /// "`kms:ViaService`".
    #[must_use]
    pub fn via_service(mut self, service: &str) -> Self {
        self.context = self
            .context
            .with("kms:ViaService", service)
            .with("aws:ViaAWSService", "true");
        self
    }
}
