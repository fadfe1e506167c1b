//! The names of the accounts in the organization.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::{Instant, timeout_at};

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::error::Result;

/// Account names by account ID.
pub type AccountNames = HashMap<String, String>;

/// Account names, which are read after the temporary queue has been subscribed to the topic.
pub type SharedAccountNames = Arc<SetOnce<AccountNames>>;

/// Maximum time to wait for one page. It is short because the names are optional.
const LIST_ACCOUNTS_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum time to wait for all pages. A page has at most 20 accounts.
const ALL_PAGES_TIMEOUT: Duration = Duration::from_secs(20);

/// Reads the names of the accounts. Stops at the time limit and returns the names that were read until then.
///
/// # Errors
/// Returns an error if the accounts cannot be listed.
pub async fn fetch_account_names(aws: &Aws) -> Result<AccountNames> {
    let aws = aws.with_timeout(LIST_ACCOUNTS_TIMEOUT);
    let call = aws.management().organizations.list_accounts();
    let mut pages = call.into_paginator().send();
    let mut names = AccountNames::new();
    let deadline = Instant::now() + ALL_PAGES_TIMEOUT;
    while let Ok(Some(page)) = timeout_at(deadline, pages.next()).await {
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
