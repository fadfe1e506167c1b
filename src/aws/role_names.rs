//! Lists the names of the IAM roles of an account.

use super::Aws;
use super::error::AwsResultExt;
use crate::error::Result;

/// The maximum of `ListRoles` in one page.
const PAGE_SIZE: i32 = 1000;

/// Lists the names of all roles for which the condition is true.
///
/// # Errors
/// When IAM refuses the call.
pub async fn role_names(aws: &Aws, condition: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let mut pages = aws.iam.list_roles().into_paginator();
    pages = pages.page_size(PAGE_SIZE);
    let mut pages = pages.send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("iam:ListRoles", || "list the iam roles".to_owned())?;
        let roles = page.roles.into_iter().map(|role| role.role_name);
        names.extend(roles.filter(|name| condition(name)));
    }
    Ok(names)
}
