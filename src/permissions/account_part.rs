//! The part of a policy for one account, if the log bucket is in another account than the trail.

use super::statement::Statement;

/// An account in which a command needs permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountPart {
    /// The management account, which is only read.
    Management,
    /// The account of the log bucket and of all resources.
    Bucket,
}

/// Actions with which the resources of a deployment are read, although their services are those of the management
/// account.
const EVENT_HISTORY: &str = "cloudtrail:LookupEvents";
/// Read in both accounts by `verify`.
const REGIONS: &str = "account:ListRegions";
/// Reads of a key of the management account that encrypts the log files.
const KEY_READS: [&str; 3] = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListGrants"];

impl AccountPart {
    /// Keeps the actions that are called with the credentials for the account. `account` is its ID.
    #[must_use]
    pub fn restrict(self, statements: Vec<Statement>, account: &str) -> Vec<Statement> {
        let restricted = statements
            .into_iter()
            .filter_map(|statement| self.restrict_statement(statement, account));
        restricted.collect()
    }

    fn restrict_statement(self, mut statement: Statement, account: &str) -> Option<Statement> {
        let owner = format!(":kms:{}:{account}:key/", region_of(&statement));
        let is_own_key = |arn: &String| arn.contains(&owner) && !arn.ends_with('*');
        let names_own_key = statement.resources.iter().any(is_own_key);
        statement.actions.retain(|action| match self {
            Self::Bucket => !is_read_of_organization(action) || *action == REGIONS,
            Self::Management => {
                is_read_of_organization(action) || (names_own_key && KEY_READS.contains(action))
            }
        });
        if self == Self::Management && names_own_key {
            statement.resources.retain(is_own_key);
        }
        (!statement.actions.is_empty()).then_some(statement)
    }
}

/// Returns true for the reads of the organization, its trails and the regions of the management account.
fn is_read_of_organization(action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    let name = action.split(':').nth(1).unwrap_or_default();
    let is_read = ["Describe", "Get", "List"]
        .iter()
        .any(|verb| name.starts_with(verb));
    matches!(service, "account" | "cloudtrail" | "organizations")
        && is_read
        && action != EVENT_HISTORY
}

/// Returns the region in the first ARN of a statement.
fn region_of(statement: &Statement) -> &str {
    let first = statement.resources.first();
    first
        .and_then(|arn| arn.split(':').nth(3))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANAGEMENT: &str = "111122223333";
    const ARCHIVE_KEY: &str = "arn:aws:kms:eu-west-1:222233334444:key/two";
    const MANAGEMENT_KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/one";

    fn statements() -> Vec<Statement> {
        let keys = [MANAGEMENT_KEY, ARCHIVE_KEY].map(str::to_owned);
        vec![
            Statement::for_all_resources(
                "ReadWithoutResource",
                &[
                    "account:ListRegions",
                    "organizations:ListAccounts",
                    "s3:ListAllMyBuckets",
                ],
            ),
            Statement::new("ReadKeys", &KEY_READS, keys.clone()),
            Statement::new("Grant", &["kms:CreateGrant"], keys),
            Statement::for_all_resources("History", &["cloudtrail:LookupEvents"]),
            Statement::for_all_resources("Fix", &["cloudtrail:StartLogging"]),
        ]
    }

    fn actions(part: AccountPart) -> Vec<&'static str> {
        let restricted = part.restrict(statements(), MANAGEMENT);
        restricted
            .iter()
            .flat_map(|statement| statement.actions.clone())
            .collect()
    }

    #[test]
    fn management_account_is_only_read() {
        let restricted = AccountPart::Management.restrict(statements(), MANAGEMENT);
        assert_eq!(
            actions(AccountPart::Management),
            [
                "account:ListRegions",
                "organizations:ListAccounts",
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:ListGrants",
            ]
        );
        assert_eq!(restricted[1].resources, [MANAGEMENT_KEY]);
    }

    #[test]
    fn organization_is_not_read_in_bucket_account() {
        let found = actions(AccountPart::Bucket);
        assert!(!found.contains(&"organizations:ListAccounts"), "{found:?}");
        for action in [
            "s3:ListAllMyBuckets",
            "kms:CreateGrant",
            "cloudtrail:LookupEvents",
        ] {
            assert!(found.contains(&action), "{action}");
        }
    }
}
