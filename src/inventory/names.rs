//! Looks up the resources that already have the names that setup would use.

use futures_util::future::join_all;

use super::InventoryRequest;
use super::fact::Fact;
use super::facts::{NameOwner, NameOwners};
use super::key;
use super::limiter::LimitedClients;
use super::named_resource::NamedResource;
use crate::aws::CallerIdentity;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;

/// Descriptions and tags that Heeler's Terraform module gives to its resources.
mod vendor {
    pub const ROLE: &str = "Role for Heeler to assume to harvest SQS queue.";
    pub const FUNCTION: (&str, &str) = ("Name", "HeelerEventCollection");
    pub const KEY: &str = "KMS key for encrypting SQS messages";
}

type NameLookup = Result<Option<NameOwner>>;

/// Looks up the names that are unique in the account.
pub(super) async fn global_names(
    clients: &LimitedClients,
    names: &[NamedResource],
    caller: &CallerIdentity,
    request: &InventoryRequest,
) -> NameOwners {
    let global = names.iter().copied().filter(|name| name.is_global());
    look_up_all(clients, global, "", caller, request).await
}

/// Looks up the names that are unique in the region of `clients`.
pub(super) async fn regional_names(
    clients: &LimitedClients,
    names: &[NamedResource],
    caller: &CallerIdentity,
    request: &InventoryRequest,
) -> NameOwners {
    let regional = names.iter().copied().filter(|name| !name.is_global());
    look_up_all(clients, regional, clients.region(), caller, request).await
}

/// Looks up each name once per place, however many trails and options need it.
async fn look_up_all(
    clients: &LimitedClients,
    names: impl Iterator<Item = NamedResource>,
    place: &str,
    caller: &CallerIdentity,
    request: &InventoryRequest,
) -> NameOwners {
    let found = names.map(|resource| async move {
        let lookup = Box::pin(look_up(clients, resource, caller, request));
        let owner = clients
            .name_owners
            .get_or_fetch(format!("{resource:?} {place}"), lookup)
            .await;
        (resource, owner)
    });
    let mut owners = NameOwners::default();
    for (resource, owner) in join_all(found).await {
        owners.insert(resource, owner);
    }
    owners
}

async fn look_up(
    clients: &LimitedClients,
    resource: NamedResource,
    caller: &CallerIdentity,
    request: &InventoryRequest,
) -> Fact<NameOwner> {
    let name = resource.name(&request.names);
    Fact::from_optional(match resource {
        NamedResource::Role | NamedResource::FunctionRole => role_owner(clients, name).await,
        NamedResource::Policy | NamedResource::FunctionPolicy => {
            policy_owner(clients, name, caller).await
        }
        NamedResource::Queue
        | NamedResource::DeadLetterQueue
        | NamedResource::FifoQueue
        | NamedResource::DeadLetterFifoQueue => queue_owner(clients, name).await,
        NamedResource::KeyAlias => alias_owner(clients, name).await,
        NamedResource::Topic => topic_owner(clients, name, caller).await,
        NamedResource::Function => function_owner(clients, name).await,
    })
}

fn owner_from_tags<'t>(name: String, tags: impl Iterator<Item = (&'t str, &'t str)>) -> NameOwner {
    let tags: Vec<(String, String)> = tags
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    NameOwner {
        name,
        from_vendor_terraform: tags
            .iter()
            .any(|(key, value)| (key.as_str(), value.as_str()) == vendor::FUNCTION),
        tags,
        key_state: None,
    }
}

async fn role_owner(clients: &LimitedClients, name: String) -> NameLookup {
    let aws = clients.acquire().await;
    let found = aws
        .iam
        .get_role()
        .role_name(&name)
        .send()
        .await
        .optional_for("iam:GetRole", not_found::IAM_ENTITY, || {
            format!("find role {name}")
        })?
        .and_then(|found| found.role);
    Ok(found.map(|role| {
        let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
        let mut owner = owner_from_tags(format!("role {name}"), tags);
        owner.from_vendor_terraform |= role.description() == Some(vendor::ROLE);
        owner
    }))
}

async fn policy_owner(
    clients: &LimitedClients,
    name: String,
    caller: &CallerIdentity,
) -> NameLookup {
    let resource = format!("policy/{name}");
    let arn = arn::build(&caller.partition, "iam", "", &caller.account, &resource);
    let aws = clients.acquire().await;
    let found = aws
        .iam
        .get_policy()
        .policy_arn(&arn)
        .send()
        .await
        .optional_for("iam:GetPolicy", not_found::IAM_ENTITY, || {
            format!("find policy {name}")
        })?
        .and_then(|found| found.policy);
    Ok(found.map(|policy| {
        let tags = policy.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner_from_tags(format!("policy {name}"), tags)
    }))
}

async fn queue_owner(clients: &LimitedClients, name: String) -> NameLookup {
    let url = {
        let aws = clients.acquire().await;
        aws.sqs
            .get_queue_url()
            .queue_name(&name)
            .send()
            .await
            .optional_for("sqs:GetQueueUrl", not_found::QUEUE, || {
                format!("find queue {name}")
            })?
            .and_then(|found| found.queue_url)
    };
    let Some(url) = url else { return Ok(None) };
    let aws = clients.acquire().await;
    let found = aws
        .sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .optional_for("sqs:ListQueueTags", not_found::QUEUE, || {
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

async fn topic_owner(
    clients: &LimitedClients,
    name: String,
    caller: &CallerIdentity,
) -> NameLookup {
    let arn = arn::build(
        &caller.partition,
        "sns",
        clients.region(),
        &caller.account,
        &name,
    );
    let aws = clients.acquire().await;
    let found = aws
        .sns
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .optional_for("sns:ListTagsForResource", not_found::TOPIC, || {
            format!("find topic {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner_from_tags(format!("topic {name}"), tags)
    }))
}

/// Finds the owner of an alias by the tags of its key, because aliases have no tags.
async fn alias_owner(clients: &LimitedClients, name: String) -> NameLookup {
    let Some(target) = key::describe(clients, &name).await? else {
        return Ok(None);
    };
    let aws = clients.acquire().await;
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
    let pairs = tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let mut owner = owner_from_tags(name, pairs);
    owner.from_vendor_terraform |= target.description == vendor::KEY;
    owner.key_state = Some(target.state);
    Ok(Some(owner))
}

async fn function_owner(clients: &LimitedClients, name: String) -> NameLookup {
    let aws = clients.acquire().await;
    let found = aws
        .lambda
        .get_function()
        .function_name(&name)
        .send()
        .await
        .optional_for("lambda:GetFunction", not_found::FUNCTION, || {
            format!("find function {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags.unwrap_or_default();
        let tags = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        owner_from_tags(format!("function {name}"), tags)
    }))
}
