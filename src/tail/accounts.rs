//! What the accounts of the organization are called.

use std::collections::HashMap;
use std::time::Duration;

use crate::aws::Aws;
use crate::aws::fault::Doing;
use crate::error::Result;

/// Names by account id.
pub type Accounts = HashMap<String, String>;

/// Names are a nicety; nobody waits for them for long.
const PATIENCE: Duration = Duration::from_secs(10);

/// # Errors
/// When Organizations does not tell.
pub async fn names(aws: &Aws) -> Result<Accounts> {
    let aws = aws.within(PATIENCE);
    let mut pages = aws.organizations.list_accounts().into_paginator().send();
    let mut names = Accounts::new();
    while let Some(page) = pages.next().await {
        let page = page.doing("organizations:ListAccounts", || {
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
