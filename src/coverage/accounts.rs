//! The accounts of the organization, and which of them can have events.

use std::time::SystemTime;

use aws_sdk_organizations::types::{AccountState, AccountStatus};

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// An account of the organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OrganizationAccount {
    pub id: String,
    pub name: String,
    /// The state in the words of AWS, such as `ACTIVE`.
    pub state: String,
    pub joined: Option<SystemTime>,
}

impl OrganizationAccount {
    /// Returns true if the account can have events. A closed account can be used until it is suspended (AWS Organizations
    /// User Guide, "Account states").
    pub fn is_usable(&self) -> bool {
        matches!(self.state.as_str(), "ACTIVE" | "PENDING_CLOSURE")
    }
}

/// Reads all accounts, in the order of their IDs. An empty page may have a successor.
pub(super) async fn list_accounts(aws: &Aws) -> Result<Vec<OrganizationAccount>> {
    let call = aws.management().organizations.list_accounts();
    let mut pages = call.into_paginator().send();
    let mut accounts = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("organizations:ListAccounts", || {
            "list the accounts of the organization".into()
        })?;
        for account in page.accounts() {
            let state = account.state().map(AccountState::as_str);
            // `Status` is the older field, which AWS retires.
            let status = account.status().map(AccountStatus::as_str);
            accounts.push(OrganizationAccount {
                id: account.id().unwrap_or_default().to_owned(),
                name: account.name().unwrap_or_default().to_owned(),
                state: state.or(status).unwrap_or("UNKNOWN").to_owned(),
                joined: account
                    .joined_timestamp()
                    .and_then(|time| SystemTime::try_from(*time).ok()),
            });
        }
    }
    accounts.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::CannedResponse;

    #[tokio::test]
    async fn state_takes_precedence_over_status() {
        let first = r#"{"Accounts": [], "NextToken": "next"}"#;
        let second = r#"{"Accounts": [
            {"Id": "222222222222", "Name": "b", "Status": "SUSPENDED", "State": "CLOSED"},
            {"Id": "111111111111", "Name": "a", "Status": "ACTIVE"},
            {"Id": "333333333333", "State": "PENDING_CLOSURE"},
            {"Id": "444444444444", "State": "PENDING_ACTIVATION"}
        ]}"#;
        let (aws, _) = Aws::canned(vec![
            ("ListAccounts", CannedResponse::ok(first)),
            ("ListAccounts", CannedResponse::ok(second)),
        ]);
        let accounts = list_accounts(&aws).await.unwrap();
        let states: Vec<(&str, bool)> = accounts
            .iter()
            .map(|account| (account.state.as_str(), account.is_usable()))
            .collect();
        assert_eq!(
            states,
            [
                ("ACTIVE", true),
                ("CLOSED", false),
                ("PENDING_CLOSURE", true),
                ("PENDING_ACTIVATION", false)
            ]
        );
    }
}
