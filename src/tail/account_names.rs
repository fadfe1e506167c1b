//! What the accounts of the organization are called.

use std::collections::HashMap;
use std::time::Duration;

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// Names by account id.
pub type AccountNames = HashMap<String, String>;

/// Names are a nicety; nobody waits for them for long.
const LIST_ACCOUNTS_TIMEOUT: Duration = Duration::from_secs(10);

/// # Errors
/// When Organizations does not tell.
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
