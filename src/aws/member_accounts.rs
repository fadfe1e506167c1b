//! Looks for other active accounts of the organization.

use aws_sdk_organizations::types::{Account, AccountState, AccountStatus};

use super::Aws;
use super::error::AwsResultExt;
use crate::error::Result;

/// Returns true if the organization has an active account other than `own`. Stops at the first one.
///
/// # Errors
/// When AWS refuses a call.
pub async fn has_other_active_account(aws: &Aws, own: &str) -> Result<bool> {
    let call = aws.management().organizations.list_accounts();
    let mut pages = call.into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("organizations:ListAccounts", || {
            "look for other accounts of the organization".into()
        })?;
        let mut others = page.accounts().iter();
        if others.any(|account| account.id() != Some(own) && is_active(account)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns true for an active account. AWS replaces the status by the state. Source:
/// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html>.
fn is_active(account: &Account) -> bool {
    match (account.state(), account.status()) {
        (Some(state), _) => *state == AccountState::Active,
        (None, Some(status)) => *status == AccountStatus::Active,
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    #[tokio::test]
    async fn closed_accounts_and_own_account_are_no_members() {
        for (accounts, expected) in [
            (r#"{"Id": "111122223333", "State": "ACTIVE"}"#, false),
            (r#"{"Id": "444455556666", "State": "ACTIVE"}"#, true),
            (
                r#"{"Id": "444455556666", "State": "SUSPENDED", "Status": "ACTIVE"}"#,
                false,
            ),
            (r#"{"Id": "444455556666", "Status": "SUSPENDED"}"#, false),
            (r#"{"Id": "444455556666", "Status": "ACTIVE"}"#, true),
        ] {
            let body = format!(r#"{{"Accounts": [{accounts}]}}"#);
            let (aws, _) = Aws::canned(vec![("ListAccounts", CannedResponse::ok(&body))]);
            let found = has_other_active_account(&aws, "111122223333").await;
            assert_eq!(found.expect("an answer"), expected, "{accounts}");
        }
    }

    #[tokio::test]
    async fn pages_are_read_until_account_is_found() {
        let first = r#"{"Accounts": [{"Id": "111122223333"}], "NextToken": "next"}"#;
        let second = r#"{"Accounts": [{"Id": "444455556666"}], "NextToken": "more"}"#;
        let (aws, sent) = Aws::canned(vec![
            ("ListAccounts", CannedResponse::ok(first)),
            ("ListAccounts", CannedResponse::ok(second)),
        ]);
        let found = has_other_active_account(&aws, "111122223333").await;
        assert!(found.expect("an answer"));
        assert_eq!(sent.operations().len(), 2);
    }
}
