//! Asks who has the names that setup would take: nobody, this program, or somebody else.

use std::collections::BTreeMap;

use tokio::join;

use crate::aws::CallerIdentity;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::error::Result;
use crate::inventory::InventoryRequest;
use crate::inventory::facts::{NameOwner, NameOwners};
use crate::inventory::key;
use crate::inventory::limiter::LimitedClients;
use crate::inventory::trail_destination::TrailDestination;
use crate::ownership::{MANAGED_BY_TAG, OPTION_TAG};

/// What the vendor's Terraform module writes on what it makes.
mod vendor {
    pub const ROLE: &str = "Role for Heeler to assume to harvest SQS queue.";
    pub const FUNCTION: (&str, &str) = ("Name", "HeelerEventCollection");
    pub const KEY: &str = "KMS key for encrypting SQS messages";
}

type NameLookup = Result<Option<NameOwner>>;

/// What has one name in all regions.
pub(crate) async fn global_names(
    ask: &LimitedClients,
    route: TrailDestination,
    caller: &CallerIdentity,
    hints: &InventoryRequest,
) -> NameOwners {
    let asked = Box::pin(fetch_global_names(ask, route, caller, hints));
    ask.name_owners
        .get_or_fetch(route.name().to_owned(), asked)
        .await
}

/// What is made in one region.
pub(crate) async fn regional_names(
    ask: &LimitedClients,
    route: TrailDestination,
    caller: &CallerIdentity,
    hints: &InventoryRequest,
) -> NameOwners {
    let place = format!("{} {}", route.name(), ask.region());
    ask.name_owners
        .get_or_fetch(
            place,
            Box::pin(fetch_regional_names(ask, route, caller, hints)),
        )
        .await
}

async fn fetch_global_names(
    ask: &LimitedClients,
    route: TrailDestination,
    caller: &CallerIdentity,
    hints: &InventoryRequest,
) -> NameOwners {
    let names = &hints.names;
    let mut by_check = BTreeMap::new();
    let (own, policy) = join!(
        role_owner(ask, names.role()),
        policy_owner(ask, names.policy(), caller)
    );
    by_check.insert("names.role", own);
    by_check.insert("names.policy", policy);
    if route == TrailDestination::LogGroup {
        let (own, policy) = join!(
            role_owner(ask, names.function_role()),
            self::policy_owner(ask, names.function_policy(), caller)
        );
        by_check.insert("names.function_role", own);
        by_check.insert("names.function_policy", policy);
    }
    NameOwners { by_check }
}

async fn fetch_regional_names(
    ask: &LimitedClients,
    route: TrailDestination,
    caller: &CallerIdentity,
    hints: &InventoryRequest,
) -> NameOwners {
    let names = &hints.names;
    let (main, dead) = match route {
        TrailDestination::Bucket => (names.queue(), names.dead_letter_queue()),
        TrailDestination::LogGroup => (names.fifo_queue(), names.dead_letter_fifo_queue()),
    };
    let (main, dead, alias, other) = join!(
        queue_owner(ask, main),
        queue_owner(ask, dead),
        alias_owner(ask, names.key_alias()),
        async {
            match route {
                TrailDestination::Bucket => {
                    ("names.topic", topic_owner(ask, names.topic(), caller).await)
                }
                TrailDestination::LogGroup => (
                    "names.function",
                    function_owner(ask, names.function()).await,
                ),
            }
        },
    );
    let by_check = BTreeMap::from([
        ("names.queue", main),
        ("names.dead_letter_queue", dead),
        ("names.alias", alias),
        other,
    ]);
    NameOwners { by_check }
}

fn owner_from_tags<'t>(name: String, tags: impl Iterator<Item = (&'t str, &'t str)>) -> NameOwner {
    let mut owner = NameOwner {
        name,
        ..NameOwner::default()
    };
    for (key, value) in tags {
        owner.has_owner_tag |=
            key.eq_ignore_ascii_case(MANAGED_BY_TAG) || key.eq_ignore_ascii_case(OPTION_TAG);
        owner.managed |= key == MANAGED_BY_TAG && value == env!("CARGO_PKG_NAME");
        if key == OPTION_TAG {
            owner.option = Some(value.to_owned());
        }
        owner.from_vendor_terraform |= (key, value) == vendor::FUNCTION;
    }
    owner
}

async fn role_owner(ask: &LimitedClients, name: String) -> NameLookup {
    let aws = ask.acquire().await;
    let found = aws
        .iam
        .get_role()
        .role_name(&name)
        .send()
        .await
        .optional_for(
            "iam:GetRole",
            &["NoSuchEntity", "NoSuchEntityException"],
            || format!("look for role {name}"),
        )?
        .and_then(|found| found.role);
    Ok(found.map(|role| {
        let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
        let mut owner = owner_from_tags(format!("role {name}"), tags);
        owner.from_vendor_terraform |= role.description() == Some(vendor::ROLE);
        owner
    }))
}

async fn policy_owner(ask: &LimitedClients, name: String, caller: &CallerIdentity) -> NameLookup {
    let resource = format!("policy/{name}");
    let arn = arn::build(&caller.partition, "iam", "", &caller.account, &resource);
    let aws = ask.acquire().await;
    let found = aws
        .iam
        .get_policy()
        .policy_arn(&arn)
        .send()
        .await
        .optional_for(
            "iam:GetPolicy",
            &["NoSuchEntity", "NoSuchEntityException"],
            || format!("look for policy {name}"),
        )?
        .and_then(|found| found.policy);
    Ok(found.map(|policy| {
        let tags = policy.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner_from_tags(format!("policy {name}"), tags)
    }))
}

async fn queue_owner(ask: &LimitedClients, name: String) -> NameLookup {
    const NO_QUEUE: &[&str] = &[
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    ];
    let url = {
        let aws = ask.acquire().await;
        aws.sqs
            .get_queue_url()
            .queue_name(&name)
            .send()
            .await
            .optional_for("sqs:GetQueueUrl", NO_QUEUE, || {
                format!("look for queue {name}")
            })?
            .and_then(|found| found.queue_url)
    };
    let Some(url) = url else { return Ok(None) };
    let aws = ask.acquire().await;
    let found = aws
        .sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .optional_for("sqs:ListQueueTags", NO_QUEUE, || {
            format!("read the tags of queue {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags.unwrap_or_default();
        let tags = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        owner_from_tags(format!("queue {name}"), tags)
    }))
}

async fn topic_owner(ask: &LimitedClients, name: String, caller: &CallerIdentity) -> NameLookup {
    const NO_TOPIC: &[&str] = &[
        "NotFound",
        "NotFoundException",
        "ResourceNotFound",
        "ResourceNotFoundException",
    ];
    let arn = arn::build(
        &caller.partition,
        "sns",
        ask.region(),
        &caller.account,
        &name,
    );
    let aws = ask.acquire().await;
    let found = aws
        .sns
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .optional_for("sns:ListTagsForResource", NO_TOPIC, || {
            format!("look for topic {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner_from_tags(format!("topic {name}"), tags)
    }))
}

/// An alias bears no tags: it goes by those of its key.
async fn alias_owner(ask: &LimitedClients, name: String) -> NameLookup {
    let Some(target) = key::describe(ask, &name).await? else {
        return Ok(None);
    };
    let aws = ask.acquire().await;
    let call = aws.kms.list_resource_tags().key_id(&target.arn);
    let mut pages = call.into_paginator().send();
    let mut tags = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.context_for("kms:ListResourceTags", || {
            format!("read the tags of the key of {name}")
        })?;
        let found = page.tags().iter();
        tags.extend(found.map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())));
    }
    let told = tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let mut owner = owner_from_tags(name, told);
    owner.from_vendor_terraform |= target.description == vendor::KEY;
    owner.key_state = Some(target.state);
    Ok(Some(owner))
}

async fn function_owner(ask: &LimitedClients, name: String) -> NameLookup {
    let aws = ask.acquire().await;
    let found = aws
        .lambda
        .get_function()
        .function_name(&name)
        .send()
        .await
        .optional_for("lambda:GetFunction", &["ResourceNotFoundException"], || {
            format!("look for function {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags.unwrap_or_default();
        let tags = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        owner_from_tags(format!("function {name}"), tags)
    }))
}
