//! Looks up the resources that already have the names that setup would use.

use aws_sdk_sqs::types::QueueAttributeName;
use futures_util::future::join_all;
use tokio::join;

use super::InventoryRequest;
use super::fact::Fact;
use super::facts::{NameOwner, NameOwners};
use super::key;
use super::limiter::LimitedClients;
use super::named_resource::{NamedResource, NamedResourceType};
use super::pipeline::role_policies;
use crate::aws::CallerIdentity;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::kms_keys::list_tags;
use crate::aws::lookup::{self, TagPairs, borrow_pairs};
use crate::aws::not_found;
use crate::aws::queue_url::queue_url;
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

/// Looks up each name once per account or region, even if several trails and options need it.
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
    Fact::from_optional(match resource.resource_type() {
        NamedResourceType::Role => role_owner(clients, name, has_linted_policies(resource)).await,
        NamedResourceType::Policy => policy_owner(clients, name, caller).await,
        NamedResourceType::Queue => queue_owner(clients, name, has_linted_policies(resource)).await,
        NamedResourceType::KeyAlias => alias_owner(clients, name).await,
        NamedResourceType::Topic => topic_owner(clients, name, caller).await,
        NamedResourceType::Function => function_owner(clients, name).await,
    })
}

fn owner_from_tags<'t>(name: String, tags: impl Iterator<Item = (&'t str, &'t str)>) -> NameOwner {
    let tags: TagPairs = tags
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let from_vendor_terraform = borrow_pairs(&tags).any(|tag| tag == vendor::FUNCTION);
    NameOwner {
        name,
        tags,
        from_vendor_terraform,
        ..NameOwner::default()
    }
}

/// Returns true for the role that Heeler assumes and for its queue, whose policies are checked.
fn has_linted_policies(resource: NamedResource) -> bool {
    let linted = [
        NamedResource::Role,
        NamedResource::Queue,
        NamedResource::FifoQueue,
    ];
    linted.contains(&resource)
}

async fn role_owner(clients: &LimitedClients, name: String, reads_policies: bool) -> NameLookup {
    let found = lookup::role(&*clients.acquire().await, &name).await?;
    let Some(role) = found else { return Ok(None) };
    let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
    let mut owner = owner_from_tags(format!("role {name}"), tags);
    owner.from_vendor_terraform |= role.description() == Some(vendor::ROLE);
    owner.trust_policy = role.assume_role_policy_document().map(str::to_owned);
    if reads_policies {
        owner.policies = Fact::from_result(role_policies(clients, &name).await);
    }
    Ok(Some(owner))
}

async fn policy_owner(
    clients: &LimitedClients,
    name: String,
    caller: &CallerIdentity,
) -> NameLookup {
    let resource = format!("policy/{name}");
    let arn = arn::build(&caller.partition, "iam", "", &caller.account, &resource);
    let found = lookup::managed_policy(&*clients.acquire().await, &arn).await?;
    Ok(found.map(|policy| {
        let tags = policy.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner_from_tags(format!("policy {name}"), tags)
    }))
}

async fn queue_owner(clients: &LimitedClients, name: String, reads_policies: bool) -> NameLookup {
    let url = queue_url(&*clients.acquire().await, &name).await?;
    let Some(url) = url else { return Ok(None) };
    let tags = async { lookup::queue_tags(&*clients.acquire().await, &url).await };
    let policies = async {
        if reads_policies {
            Fact::from_result(queue_policy(clients, &url, &name).await)
        } else {
            Fact::NotRequested
        }
    };
    let (tags, policies) = join!(tags, policies);
    Ok(tags?.map(|tags| NameOwner {
        policies,
        ..owner_from_tags(format!("queue {name}"), borrow_pairs(&tags))
    }))
}

/// Reads the policy of a queue, if it has one.
async fn queue_policy(clients: &LimitedClients, url: &str, name: &str) -> Result<Vec<String>> {
    let aws = clients.acquire().await;
    let found = aws
        .sqs
        .get_queue_attributes()
        .queue_url(url)
        .attribute_names(QueueAttributeName::Policy)
        .send()
        .await
        .optional_for("sqs:GetQueueAttributes", not_found::QUEUE, || {
            format!("read sqs queue {name}")
        })?;
    let attributes = found.and_then(|found| found.attributes).unwrap_or_default();
    let policy = attributes.into_values().find(|text| !text.is_empty());
    Ok(policy.into_iter().collect())
}

async fn topic_owner(
    clients: &LimitedClients,
    name: String,
    caller: &CallerIdentity,
) -> NameLookup {
    let (partition, account) = (&caller.partition, &caller.account);
    let arn = arn::build(partition, "sns", clients.region(), account, &name);
    let tags = lookup::topic_tags(&*clients.acquire().await, &arn).await?;
    Ok(tags.map(|tags| owner_from_tags(format!("topic {name}"), borrow_pairs(&tags))))
}

/// Finds the owner of an alias by the tags of its key, because aliases have no tags.
async fn alias_owner(clients: &LimitedClients, name: String) -> NameLookup {
    let Some(target) = key::describe(clients, &name).await? else {
        return Ok(None);
    };
    let tags = list_tags(&*clients.acquire().await, &target.arn).await?;
    let pairs = tags.iter().map(|tag| (tag.tag_key(), tag.tag_value()));
    let mut owner = owner_from_tags(name, pairs);
    owner.from_vendor_terraform |= target.description == vendor::KEY;
    owner.key_state = Some(target.state);
    Ok(Some(owner))
}

async fn function_owner(clients: &LimitedClients, name: String) -> NameLookup {
    let found = lookup::function(&*clients.acquire().await, &name).await?;
    Ok(found.map(|found| {
        let tags: TagPairs = found.tags.unwrap_or_default().into_iter().collect();
        owner_from_tags(format!("function {name}"), borrow_pairs(&tags))
    }))
}
