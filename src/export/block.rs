//! The arguments of each kind, as AWS has them. Long, since every kind stands here with all that Terraform asks for.

use hcl::expr::{FuncCall, Traversal, Variable};
use hcl::{Block, Expression};
use serde_json::{Value, json};

use super::hcl::{Builder, value, without_external_id};
use super::{Import, Item, resource};
use crate::resource::seen;

/// The references that stand for ARNs, URLs and names of what is exported, too.
pub(super) struct References(Vec<(String, Expression)>);

impl References {
    pub fn new(exported: &[(Item<'_>, Import)]) -> Self {
        let mut known = Vec::new();
        for (item, import) in exported {
            let mut add = |literal: Option<&String>, attribute: &str| {
                if let Some(literal) = literal {
                    known.push((literal.clone(), reference(import, attribute)));
                }
            };
            match item.id.kind {
                "kms key" => {
                    add(item.outputs.get("arn"), "arn");
                    add(Some(&import.id), "key_id");
                }
                "sns topic" | "iam policy" => add(item.outputs.get("arn"), "arn"),
                "sqs queue" => {
                    add(item.outputs.get("arn"), "arn");
                    add(item.outputs.get("url"), "url");
                }
                "iam role" => {
                    add(item.outputs.get("arn"), "arn");
                    add(Some(&item.id.name), "name");
                }
                "lambda function" => {
                    add(item.outputs.get("arn"), "arn");
                    add(Some(&item.id.name), "function_name");
                }
                _ => {}
            }
        }
        Self(known)
    }

    fn to(&self, literal: &str) -> Expression {
        let mut known = self.0.iter();
        known
            .find(|(text, _)| text == literal)
            .map_or_else(|| literal.into(), |(_, reference)| reference.clone())
    }
}

fn reference(import: &Import, attribute: &str) -> Expression {
    Traversal::builder(Variable::sanitized(import.kind))
        .attr(import.label.as_str())
        .attr(attribute)
        .build()
        .into()
}

/// The block of one resource.
pub(super) fn block(item: &Item<'_>, import: &Import, known: &References) -> Block {
    let to = Builder::new(import);
    let text = |field: &str| item.state.text(field).map(|text| known.to(text));
    let plain = |field: &str| item.state.get(field).map(value);
    let output = |of: &str| item.outputs.get(of).map(|literal| known.to(literal));
    let document = |field: &str| item.state.written(field).map(as_json);
    let name = Some(Expression::from(item.id.name.as_str()));
    match item.id.kind {
        "kms key" => to
            .with("description", plain("description"))
            .with("enable_key_rotation", plain("rotation"))
            .with("is_enabled", plain("enabled"))
            .with("policy", document("policy"))
            .with("tags", plain(seen::TAGS)),
        "kms alias" => {
            let arn = item.state.text("key");
            let id = arn.and_then(|arn| arn.rsplit('/').next());
            to.with("name", name)
                .with("target_key_id", id.map(|id| known.to(id)))
        }
        "sns topic" => to.with("name", name).with("tags", plain(seen::TAGS)),
        "sns topic policy" => to
            .with("arn", output("topic"))
            .with("policy", document("policy")),
        "sqs queue" => queue(to, item, import, known),
        "sqs queue policy" => to
            .with("queue_url", output("url"))
            .with("policy", document("policy")),
        "sns subscription" => to
            .with("topic_arn", text(seen::TOPIC))
            .with("protocol", Some("sqs".into()))
            .with("endpoint", text(seen::QUEUE))
            .with("raw_message_delivery", plain("raw_delivery"))
            .ignoring(&["confirmation_timeout_in_minutes", "endpoint_auto_confirms"]),
        "iam role" => to
            .with("name", name)
            .with("description", plain("description"))
            .with("assume_role_policy", document("trust"))
            .with("tags", plain(seen::TAGS)),
        "iam policy" => to
            .with("name", name)
            .with("description", plain(seen::DESCRIPTION))
            .with("policy", document("document"))
            .with("tags", plain(seen::TAGS)),
        "iam attachment" => to
            .with("role", text(seen::ROLE))
            .with("policy_arn", output("policy")),
        "kms grant" => to
            .with("name", plain(seen::NAME))
            .with("key_id", plain("key"))
            .with("grantee_principal", text("grantee"))
            .with("operations", plain("operations")),
        "s3 notification" => notification(to, item, known),
        "lambda function" => function(to, item, known),
        "lambda permission" => permission(to, item, known),
        "subscription filter" => to
            .with("name", name)
            .with("log_group_name", plain("log_group"))
            .with("filter_pattern", plain("pattern"))
            .with("destination_arn", text("destination"))
            .with("distribution", plain("distribution")),
        _ => to,
    }
    .build()
}

fn queue(to: Builder, item: &Item<'_>, import: &Import, known: &References) -> Builder {
    let plain = |field: &str| item.state.get(field).map(value);
    let redrive = item.state.get("redrive").map(|redrive| {
        let target = known.to(redrive["to"].as_str().unwrap_or_default());
        encoded(Expression::from_iter([
            ("deadLetterTargetArn", target),
            ("maxReceiveCount", value(&redrive["after"])),
        ]))
    });
    // That of the other queue is a resource of its own.
    let policy = item.state.written("policy");
    let policy = policy.filter(|_| import.label == resource::DEAD_LETTER_QUEUE);
    // Both queues name each other, so this one goes by the ARN.
    let allow = item.state.get("redrive_allow").map(|sources| {
        encoded(value(
            &json!({ "redrivePermission": "byQueue", "sourceQueueArns": sources }),
        ))
    });
    to.with("name", Some(item.id.name.as_str().into()))
        .with("fifo_queue", plain("fifo"))
        .with("content_based_deduplication", plain("deduplicates"))
        .with("message_retention_seconds", plain("retention"))
        .with("receive_wait_time_seconds", plain("wait"))
        .with("visibility_timeout_seconds", plain("visibility"))
        .with("max_message_size", plain("largest_message"))
        .with(
            "kms_master_key_id",
            item.state.text("kms_key").map(|key| known.to(key)),
        )
        .with("kms_data_key_reuse_period_seconds", plain("kms_key_reuse"))
        .with("redrive_policy", redrive)
        .with("redrive_allow_policy", allow)
        .with("policy", policy.map(as_json))
        .with("tags", plain(seen::TAGS))
}

/// All entries: Terraform owns the whole document, and takes out what is not said.
fn notification(to: Builder, item: &Item<'_>, known: &References) -> Builder {
    let document = item.state.get(seen::DOCUMENT).cloned().unwrap_or_default();
    let bridge = document["bridge"].as_bool() == Some(true);
    let mut to = to
        .with("bucket", Some(resource::bucket(item).into()))
        .with("eventbridge", bridge.then(|| true.into()));
    for entry in document["entries"].as_array().into_iter().flatten() {
        let (block, argument) = match entry["target"].as_str() {
            Some("topic") => ("topic", "topic_arn"),
            Some("queue") => ("queue", "queue_arn"),
            _ => ("lambda_function", "lambda_function_arn"),
        };
        let text = |field: &str| entry[field].as_str().filter(|text| !text.is_empty());
        to = to.within(
            block,
            [
                ("id", text("id").map(Expression::from)),
                (argument, text("destination").map(|arn| known.to(arn))),
                ("events", Some(value(&entry["events"]))),
                ("filter_prefix", text("prefix").map(Expression::from)),
                ("filter_suffix", text("suffix").map(Expression::from)),
            ],
        );
    }
    to
}

fn function(to: Builder, item: &Item<'_>, known: &References) -> Builder {
    let plain = |field: &str| item.state.get(field).map(value);
    let variables = item
        .state
        .get("variables")
        .and_then(Value::as_object)
        .map(|variables| {
            let each = variables.iter();
            each.map(|(name, text)| (name.clone(), known.to(text.as_str().unwrap_or_default())))
                .collect::<Expression>()
        });
    let layers = item
        .state
        .get("layers")
        .filter(|layers| **layers != json!([]));
    let reserved = item.state.get("reserved_concurrency");
    let reserved = reserved.filter(|calls| calls.is_number());
    to.with("function_name", Some(item.id.name.as_str().into()))
        .with("description", plain("description"))
        .with("role", item.state.text("role").map(|role| known.to(role)))
        .with("runtime", plain("runtime"))
        .with("handler", plain("handler"))
        .with("memory_size", plain("memory"))
        .with("timeout", plain("timeout"))
        .with("layers", layers.map(value))
        .with("reserved_concurrent_executions", reserved.map(value))
        .with("filename", Some(ZIP.into()))
        .with("tags", plain(seen::TAGS))
        .within("environment", [("variables", variables)])
        .within("ephemeral_storage", [("size", plain("disk"))])
        .within(
            "logging_config",
            [
                ("log_format", plain("log_format")),
                ("log_group", plain("log_group")),
            ],
        )
        .within("tracing_config", [("mode", plain("tracing"))])
        .ignoring(&["filename", "source_code_hash"])
}

/// What the code is to be in, should it ever be changed by Terraform.
pub(super) const ZIP: &str = "heeler_event_collection_lambda.zip";

fn permission(to: Builder, item: &Item<'_>, known: &References) -> Builder {
    let statement = resource::statement(item).cloned().unwrap_or_default();
    let first = |value: &Value| value.get(0).and_then(Value::as_str).map(Expression::from);
    let condition = |key: &str| {
        let operators = statement["Condition"].as_object().into_iter().flatten();
        operators
            .filter_map(|(_, keys)| keys.get(key))
            .find_map(first)
    };
    to.with("statement_id", item.state.get(seen::NAME).map(value))
        .with("action", first(&statement["Action"]))
        .with(
            "function_name",
            resource::function(item).map(|name| known.to(&name)),
        )
        .with("principal", first(&statement["Principal"]["Service"]))
        .with("source_arn", condition("aws:sourcearn"))
        .with("source_account", condition("aws:sourceaccount"))
}

/// A policy document: what is JSON is written as an object, so that people can read it.
fn as_json(document: &Value) -> Expression {
    let parsed = match document {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    };
    match parsed {
        Some(parsed) => encoded(without_external_id(&parsed)),
        None => value(document),
    }
}

fn encoded(object: Expression) -> Expression {
    FuncCall::builder("jsonencode").arg(object).build().into()
}
