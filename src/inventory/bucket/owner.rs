//! Finds the owner and the region of a bucket.

use tokio::join;

use crate::aws::CallerIdentity;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::inventory::facts::BucketOwner;
use crate::inventory::limiter::LimitedClients;

/// The owner and region of a bucket, which are needed for all other calls.
#[derive(Clone)]
pub struct LocatedBucket {
    pub name: String,
    pub owner: Result<BucketOwner>,
    /// The bucket's region, if the endpoint of another region returned only the region. The owner must then be read in
    /// the bucket's region.
    pub redirect_region: Option<String>,
}

impl LocatedBucket {
    /// Returns the region for all other calls.
    pub fn region(&self) -> Option<&str> {
        match (&self.redirect_region, &self.owner) {
            (Some(region), _) | (None, Ok(BucketOwner::ThisAccount { region })) => Some(region),
            _ => None,
        }
    }
}

/// Finds the bucket. `HeadBucket` returns the region in every response.
pub async fn find(clients: &LimitedClients, name: &str, caller: &CallerIdentity) -> LocatedBucket {
    let (owned, redirected) = find_owner(clients, name, &caller.account).await;
    LocatedBucket {
        name: name.to_owned(),
        owner: owned,
        redirect_region: redirected,
    }
}

/// Returns the owner of the bucket, or its region if it is in another region.
pub async fn find_owner(
    clients: &LimitedClients,
    name: &str,
    account: &str,
) -> (Result<BucketOwner>, Option<String>) {
    let refusal = {
        let aws = clients.acquire().await;
        let head = aws.s3.head_bucket().bucket(name);
        match head.expected_bucket_owner(account).send().await {
            Ok(found) => {
                let region = found.bucket_region().unwrap_or(aws.region()).to_owned();
                return (Ok(BucketOwner::ThisAccount { region }), None);
            }
            Err(refusal) => refusal,
        }
    };
    let response = refusal.raw_response();
    let region = response
        .and_then(|response| response.headers().get("x-amz-bucket-region"))
        .map(str::to_owned);
    let status = response.map(|response| response.status().as_u16());
    let own_result = Err(refusal).context_for("s3:ListBucket", || format!("find bucket {name}"));
    match (status, region) {
        (Some(301 | 307 | 400 | 403), Some(region)) if region != clients.region() => {
            (own_result, Some(region))
        }
        (Some(404), _) => (Ok(BucketOwner::Missing), None),
        (Some(403), region) => (identify_other_owner(clients, name, region).await, None),
        _ => (own_result, None),
    }
}

/// Identifies the owner after a refusal. If `HeadBucket` succeeds without an expected owner, the bucket belongs to
/// another account. If it is refused again, the list of the account's buckets shows whether the account owns the
/// bucket.
async fn identify_other_owner(
    clients: &LimitedClients,
    name: &str,
    region: Option<String>,
) -> Result<BucketOwner> {
    let (head, own) = join!(
        async {
            let aws = clients.acquire().await;
            aws.s3
                .head_bucket()
                .bucket(name)
                .send()
                .await
                .context_for("s3:ListBucket", || format!("find bucket {name}"))
        },
        is_listed_bucket(clients, name),
    );
    let refusal = match head {
        Ok(found) => {
            let region = found.bucket_region().map(str::to_owned).or(region);
            return Ok(BucketOwner::OtherAccount { region });
        }
        Err(refusal) => refusal,
    };
    match own {
        Ok(true) => Err(refusal.with_hint("grant s3:ListBucket on the bucket to the caller")),
        Ok(false) => Ok(BucketOwner::OtherAccount { region }),
        Err(_) => Err(refusal.with_hint(format!(
            "either the bucket belongs to another account, or the caller lacks s3:ListBucket on it: \
             aws s3api list-buckets --query \"Buckets[?Name=='{name}']\" shows whether it is yours"
        ))),
    }
}

async fn is_listed_bucket(clients: &LimitedClients, name: &str) -> Result<bool> {
    let aws = clients.acquire().await;
    let mut pages = aws.s3.list_buckets().prefix(name).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.context_for("s3:ListAllMyBuckets", || {
            "list the buckets of this account".into()
        })?;
        if page.buckets().iter().any(|own| own.name() == Some(name)) {
            return Ok(true);
        }
    }
    Ok(false)
}
