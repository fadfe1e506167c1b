//! Asks what needs permissions beyond those of preflight: the quotas of IAM, and who the caller is to IAM.

use aws_sdk_iam::types::SummaryKeyType;

use super::Hints;
use super::ask::Ask;
use super::facts::{Deep, IamQuota};
use crate::aws::fault::Doing;
use crate::error::Result;

pub(super) async fn account(ask: &Ask, hints: &Hints) -> Option<Deep> {
    if !hints.deep {
        return None;
    }
    Some(Deep {
        iam: iam(ask).await,
    })
}

async fn iam(ask: &Ask) -> Result<IamQuota> {
    let aws = ask.turn().await;
    let found = aws
        .iam
        .get_account_summary()
        .send()
        .await
        .doing("iam:GetAccountSummary", || "read the quotas of IAM".into())?;
    let count = |key: SummaryKeyType| {
        found
            .summary_map()
            .and_then(|map| map.get(&key))
            .copied()
            .unwrap_or_default()
    };
    Ok(IamQuota {
        roles: count(SummaryKeyType::Roles),
        roles_quota: count(SummaryKeyType::RolesQuota),
        policies: count(SummaryKeyType::Policies),
        policies_quota: count(SummaryKeyType::PoliciesQuota),
    })
}
