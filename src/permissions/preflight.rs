//! Statements of preflight that every option needs: the account, the organization, the trail, and the Heeler roles.

use super::scope::PolicyScope;
use super::shared::{role_policy_reads, role_reads};
use super::statement::Statement;

/// Reads that precede those of each option.
pub(super) fn common_reads(scope: &PolicyScope) -> Vec<Statement> {
    let mut all = vec![
        Statement::for_all_resources(
            "ReadWithoutResource",
            &[
                "account:ListRegions",
                "cloudtrail:DescribeTrails",
                "cloudtrail:ListTrails",
                "organizations:DescribeOrganization",
                "organizations:ListAWSServiceAccessForOrganization",
                "organizations:ListDelegatedAdministrators",
            ],
        ),
        Statement::new(
            "ReadTrail",
            &["cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"],
            [scope.trail_arns()],
        ),
    ];
    all.extend(role_reads(scope));
    all.extend(role_policy_reads(scope, "ReadRole", &scope.names.role()));
    all
}

/// Additional reads of `--deep`.
pub(super) fn deep_reads(scope: &PolicyScope) -> Vec<Statement> {
    vec![
        Statement::for_all_resources("ReadWithoutResource", &["iam:GetAccountSummary"]),
        Statement::new(
            "SimulateCaller",
            &["iam:SimulatePrincipalPolicy"],
            scope.caller_arns(),
        ),
        // The name of a session does not contain the path of its role.
        Statement::new("ReadCaller", &["iam:GetRole"], [scope.role_arn("*")]),
    ]
}

/// Additional writes of `--fix`.
pub(super) fn fix_writes(scope: &PolicyScope) -> Statement {
    Statement::new(
        "StartTrail",
        &["cloudtrail:StartLogging"],
        [scope.trail_arns()],
    )
}
