//! The names of the accounts in the organization.

use std::collections::HashMap;
use std::time::Duration;

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// Account names by account ID.
pub type AccountNames = HashMap<String, String>;

/// Maximum time to wait for the names, which are optional.
const LIST_ACCOUNTS_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the names of all accounts.
///
/// # Errors
/// Returns an error if the accounts cannot be listed.
pub async fn fetch_account_names(aws: &Aws) -> Result<AccountNames> {
    let aws = aws.with_timeout(LIST_ACCOUNTS_TIMEOUT);
    let mut pages = aws.organizations.list_accounts().into_paginator().send();
    let mut names = AccountNames::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("organizations:ListAccounts", || {
            "read the names of the accounts".into()
        })?;
        for account in page.accounts.unwrap_or_default() {
            if let (Some(id), Some(name)) = (account.id, account.name) {
                names.insert(id, name);
            }
        }
    }
    Ok(names)
}
