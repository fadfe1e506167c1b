//! Finds what the program created and did not delete.

use crate::Organization;

/// The tag of every resource that the program manages.
const TAG: (&str, &str) = ("managed-by", "heeler-ec");
/// A part of every resource name that the program makes.
const NAME: &str = "heeler";

impl Organization {
    /// Lists every resource in the management account that the program created and did not delete.
    pub async fn leftovers(&self) -> Vec<String> {
        let mut left = Vec::new();
        self.leftover_queues(&mut left).await;
        self.leftover_topics(&mut left).await;
        self.leftover_roles(&mut left).await;
        self.leftover_keys(&mut left).await;
        self.leftover_notifications(&mut left).await;
        self.leftover_functions(&mut left).await;
        self.leftover_logs(&mut left).await;
        left.sort();
        left
    }

    async fn leftover_queues(&self, left: &mut Vec<String>) {
        let sqs = &self.clients.sqs;
        let queues = sqs.list_queues().send().await.expect("queues");
        for url in queues.queue_urls() {
            let tags = sqs.list_queue_tags().queue_url(url).send().await;
            let tags = tags.expect("a queue's tags");
            let tagged = tags
                .tags()
                .and_then(|tags| tags.get(TAG.0))
                .is_some_and(|value| value == TAG.1);
            let name = url.rsplit('/').next().unwrap_or(url);
            if tagged || name.contains(NAME) {
                left.push(format!("queue {name}"));
            }
        }
    }

    async fn leftover_topics(&self, left: &mut Vec<String>) {
        let sns = &self.clients.sns;
        let topics = sns.list_topics().send().await.expect("topics");
        for arn in topics.topics().iter().filter_map(|topic| topic.topic_arn()) {
            let tags = sns.list_tags_for_resource().resource_arn(arn).send().await;
            let tags = tags.expect("a topic's tags");
            let tagged = is_tagged(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            if tagged || resource_name(arn).contains(NAME) {
                left.push(format!("topic {}", resource_name(arn)));
            }
        }
        let subscriptions = sns.list_subscriptions().send().await;
        for subscription in subscriptions.expect("subscriptions").subscriptions() {
            let topic = subscription.topic_arn().unwrap_or_default();
            let endpoint = subscription.endpoint().unwrap_or_default();
            if resource_name(topic).contains(NAME) || resource_name(endpoint).contains(NAME) {
                left.push(format!(
                    "subscription {} {}",
                    resource_name(topic),
                    resource_name(endpoint)
                ));
            }
        }
    }

    async fn leftover_roles(&self, left: &mut Vec<String>) {
        let iam = &self.clients.iam;
        let roles = iam.list_roles().send().await.expect("roles");
        for role in roles.roles() {
            let name = role.role_name();
            let tags = iam.list_role_tags().role_name(name).send().await;
            let tags = tags.expect("a role's tags");
            let tagged = is_tagged(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            if tagged || name.contains(NAME) {
                left.push(format!("role {name}"));
            }
        }
        let policies = iam
            .list_policies()
            .scope(aws_sdk_iam::types::PolicyScopeType::Local)
            .send()
            .await
            .expect("policies");
        for policy in policies.policies() {
            let (name, arn) = (
                policy.policy_name().unwrap_or_default(),
                policy.arn().unwrap_or_default(),
            );
            let tags = iam.list_policy_tags().policy_arn(arn).send().await;
            let tags = tags.expect("a policy's tags");
            let tagged = is_tagged(tags.tags().iter().map(|tag| (tag.key(), tag.value())));
            if tagged || name.contains(NAME) {
                left.push(format!("policy {name}"));
            }
        }
    }

    async fn leftover_keys(&self, left: &mut Vec<String>) {
        let kms = &self.clients.kms;
        let aliases = kms.list_aliases().send().await.expect("aliases");
        for name in aliases.aliases().iter().filter_map(|a| a.alias_name()) {
            if name.contains(NAME) {
                left.push(name.to_owned());
            }
        }
        let keys = kms.list_keys().send().await.expect("keys");
        for id in keys.keys().iter().filter_map(|key| key.key_id()) {
            let described = kms.describe_key().key_id(id).send().await;
            let described = described.expect("a key's description");
            let is_pending_deletion = described
                .key_metadata()
                .is_some_and(|key| key.deletion_date().is_some());
            let tags = kms.list_resource_tags().key_id(id).send().await;
            let tags = tags.expect("a key's tags");
            let tagged = is_tagged(
                tags.tags()
                    .iter()
                    .map(|tag| (tag.tag_key(), tag.tag_value())),
            );
            if tagged && !is_pending_deletion {
                left.push(format!("key {id}"));
            }
        }
        let Some(key) = &self.bucket_key else { return };
        let owner = self.clients_of_key_owner().await;
        let grants = owner.kms.list_grants().key_id(key).send().await;
        for grant in grants.expect("the bucket key's grants").grants() {
            let name = grant.name().unwrap_or_default();
            if name.contains(NAME) {
                left.push(format!("grant {name}"));
            }
        }
    }

    async fn leftover_functions(&self, left: &mut Vec<String>) {
        let functions = self.clients.lambda.list_functions().send().await;
        for function in functions.expect("functions").functions() {
            let name = function.function_name().unwrap_or_default();
            if name.contains(NAME) {
                left.push(format!("function {name}"));
            }
        }
    }

    /// Finds subscription filters of all log groups, and the log groups of functions.
    async fn leftover_logs(&self, left: &mut Vec<String>) {
        let logs = &self.clients.logs;
        let groups = logs.describe_log_groups().send().await.expect("log groups");
        for group in groups
            .log_groups()
            .iter()
            .filter_map(|g| g.log_group_name())
        {
            if group.contains(NAME) {
                left.push(format!("log group {group}"));
            }
            for filter in self.subscription_filters(group).await {
                let name = filter.filter_name().unwrap_or_default();
                if name.contains(NAME) {
                    left.push(format!("subscription filter {name}"));
                }
            }
        }
    }

    async fn leftover_notifications(&self, left: &mut Vec<String>) {
        let configuration = self.notification().await;
        for kind in ["topics", "queues", "functions"] {
            for entry in configuration[kind].as_array().into_iter().flatten() {
                let id = entry["id"].as_str().unwrap_or_default();
                let destination = entry["destination"].as_str().unwrap_or_default();
                if id.contains(NAME) || resource_name(destination).contains(NAME) {
                    left.push(format!("notification {id} {}", resource_name(destination)));
                }
            }
        }
    }
}

fn is_tagged<'a, K, V>(mut tags: impl Iterator<Item = (K, V)>) -> bool
where
    K: Into<Option<&'a str>>,
    V: Into<Option<&'a str>>,
{
    tags.any(|(key, value)| key.into() == Some(TAG.0) && value.into() == Some(TAG.1))
}

/// The last part of an ARN: the resource name.
fn resource_name(arn: &str) -> &str {
    arn.rsplit([':', '/']).next().unwrap_or(arn)
}
