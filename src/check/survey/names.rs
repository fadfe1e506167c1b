//! Asks who has the names that setup would take: nobody, this program, or somebody else.

use std::collections::BTreeMap;

use tokio::join;

use super::Hints;
use super::ask::Ask;
use super::facts::{Owner, Taken};
use super::key;
use crate::aws::Caller;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::error::Result;
use crate::names::{MANAGED_BY, OPTION};
use crate::route::Route;

/// What the vendor's Terraform module writes on what it makes.
mod vendor {
    pub const ROLE: &str = "Role for Heeler to assume to harvest SQS queue.";
    pub const FUNCTION: (&str, &str) = ("Name", "HeelerEventCollection");
    pub const KEY: &str = "KMS key for encrypting SQS messages";
}

type Found = Result<Option<Owner>>;

/// What has one name in all regions.
pub(super) async fn global(ask: &Ask, route: Route, caller: &Caller, hints: &Hints) -> Taken {
    let asked = Box::pin(everywhere(ask, route, caller, hints));
    ask.taken.of(route.name().to_owned(), asked).await
}

/// What is made in one region.
pub(super) async fn regional(ask: &Ask, route: Route, caller: &Caller, hints: &Hints) -> Taken {
    let place = format!("{} {}", route.name(), ask.region());
    ask.taken
        .of(place, Box::pin(here(ask, route, caller, hints)))
        .await
}

async fn everywhere(ask: &Ask, route: Route, caller: &Caller, hints: &Hints) -> Taken {
    let names = &hints.names;
    let mut by_check = BTreeMap::new();
    let (own, policy) = join!(role(ask, names.role()), policy(ask, names.policy(), caller));
    by_check.insert("names.role", own);
    by_check.insert("names.policy", policy);
    if route == Route::CloudWatch {
        let (own, policy) = join!(
            role(ask, names.function_role()),
            self::policy(ask, names.function_policy(), caller)
        );
        by_check.insert("names.function_role", own);
        by_check.insert("names.function_policy", policy);
    }
    Taken { by_check }
}

async fn here(ask: &Ask, route: Route, caller: &Caller, hints: &Hints) -> Taken {
    let names = &hints.names;
    let (main, dead) = match route {
        Route::S3 => (names.queue(), names.dead_letter_queue()),
        Route::CloudWatch => (names.fifo_queue(), names.dead_letter_fifo_queue()),
    };
    let (main, dead, alias, other) = join!(
        queue(ask, main),
        queue(ask, dead),
        alias(ask, names.alias()),
        async {
            match route {
                Route::S3 => ("names.topic", topic(ask, names.topic(), caller).await),
                Route::CloudWatch => ("names.function", function(ask, names.function()).await),
            }
        },
    );
    let by_check = BTreeMap::from([
        ("names.queue", main),
        ("names.dead_letter_queue", dead),
        ("names.alias", alias),
        other,
    ]);
    Taken { by_check }
}

fn owner<'t>(name: String, tags: impl Iterator<Item = (&'t str, &'t str)>) -> Owner {
    let mut owner = Owner {
        name,
        ..Owner::default()
    };
    for (key, value) in tags {
        owner.marked |= key.eq_ignore_ascii_case(MANAGED_BY) || key.eq_ignore_ascii_case(OPTION);
        owner.managed |= key == MANAGED_BY && value == env!("CARGO_PKG_NAME");
        if key == OPTION {
            owner.option = Some(value.to_owned());
        }
        owner.terraform |= (key, value) == vendor::FUNCTION;
    }
    owner
}

async fn role(ask: &Ask, name: String) -> Found {
    let aws = ask.turn().await;
    let found = aws
        .iam
        .get_role()
        .role_name(&name)
        .send()
        .await
        .finding(
            "iam:GetRole",
            &["NoSuchEntity", "NoSuchEntityException"],
            || format!("look for role {name}"),
        )?
        .and_then(|found| found.role);
    Ok(found.map(|role| {
        let tags = role.tags().iter().map(|tag| (tag.key(), tag.value()));
        let mut owner = owner(format!("role {name}"), tags);
        owner.terraform |= role.description() == Some(vendor::ROLE);
        owner
    }))
}

async fn policy(ask: &Ask, name: String, caller: &Caller) -> Found {
    let resource = format!("policy/{name}");
    let arn = arn::build(&caller.partition, "iam", "", &caller.account, &resource);
    let aws = ask.turn().await;
    let found = aws
        .iam
        .get_policy()
        .policy_arn(&arn)
        .send()
        .await
        .finding(
            "iam:GetPolicy",
            &["NoSuchEntity", "NoSuchEntityException"],
            || format!("look for policy {name}"),
        )?
        .and_then(|found| found.policy);
    Ok(found.map(|policy| {
        let tags = policy.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner(format!("policy {name}"), tags)
    }))
}

async fn queue(ask: &Ask, name: String) -> Found {
    const NO_QUEUE: &[&str] = &[
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
    ];
    let url = {
        let aws = ask.turn().await;
        aws.sqs
            .get_queue_url()
            .queue_name(&name)
            .send()
            .await
            .finding("sqs:GetQueueUrl", NO_QUEUE, || {
                format!("look for queue {name}")
            })?
            .and_then(|found| found.queue_url)
    };
    let Some(url) = url else { return Ok(None) };
    let aws = ask.turn().await;
    let found = aws
        .sqs
        .list_queue_tags()
        .queue_url(url)
        .send()
        .await
        .finding("sqs:ListQueueTags", NO_QUEUE, || {
            format!("read the tags of queue {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags.unwrap_or_default();
        let tags = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        owner(format!("queue {name}"), tags)
    }))
}

async fn topic(ask: &Ask, name: String, caller: &Caller) -> Found {
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
    let aws = ask.turn().await;
    let found = aws
        .sns
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .finding("sns:ListTagsForResource", NO_TOPIC, || {
            format!("look for topic {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags().iter().map(|tag| (tag.key(), tag.value()));
        owner(format!("topic {name}"), tags)
    }))
}

/// An alias bears no tags: it goes by those of its key.
async fn alias(ask: &Ask, name: String) -> Found {
    let Some(target) = key::describe(ask, &name).await? else {
        return Ok(None);
    };
    let aws = ask.turn().await;
    let call = aws.kms.list_resource_tags().key_id(&target.arn);
    let mut pages = call.into_paginator().send();
    let mut tags = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.doing("kms:ListResourceTags", || {
            format!("read the tags of the key of {name}")
        })?;
        let found = page.tags().iter();
        tags.extend(found.map(|tag| (tag.tag_key().to_owned(), tag.tag_value().to_owned())));
    }
    let told = tags
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let mut owner = owner(name, told);
    owner.terraform |= target.description == vendor::KEY;
    owner.key_state = Some(target.state);
    Ok(Some(owner))
}

async fn function(ask: &Ask, name: String) -> Found {
    let aws = ask.turn().await;
    let found = aws
        .lambda
        .get_function()
        .function_name(&name)
        .send()
        .await
        .finding("lambda:GetFunction", &["ResourceNotFoundException"], || {
            format!("look for function {name}")
        })?;
    Ok(found.map(|found| {
        let tags = found.tags.unwrap_or_default();
        let tags = tags
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()));
        owner(format!("function {name}"), tags)
    }))
}
