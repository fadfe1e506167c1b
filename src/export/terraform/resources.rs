//! The Terraform arguments of each resource kind, with the values that AWS has.

use hcl::expr::{FuncCall, Traversal, Variable};
use hcl::{Block, Expression};
use serde_json::{Value, json};

use super::block::{ResourceBlockBuilder, mask_external_id, to_expression};
use super::{ExportedResource, ImportTarget, addresses};
use crate::resource::kind::ResourceKind;
use crate::resource::observed;

/// References to exported resources, by the ARN, URL or name that each replaces.
pub(super) struct References(Vec<(String, Expression)>);

impl References {
    pub fn new(exported: &[(ExportedResource<'_>, ImportTarget)]) -> Self {
        let mut known = Vec::new();
        for (item, import) in exported {
            let mut add = |literal: Option<&String>, attribute: &str| {
                if let Some(literal) = literal {
                    known.push((literal.clone(), reference(import, attribute)));
                }
            };
            match ResourceKind::of(item.id) {
                Some(ResourceKind::KmsKey) => {
                    add(item.outputs.get("arn"), "arn");
                    add(Some(&import.id), "key_id");
                }
                Some(ResourceKind::SnsTopic | ResourceKind::IamPolicy) => {
                    add(item.outputs.get("arn"), "arn");
                }
                Some(ResourceKind::SqsQueue) => {
                    add(item.outputs.get("arn"), "arn");
                    add(item.outputs.get("url"), "url");
                }
                Some(ResourceKind::IamRole) => {
                    add(item.outputs.get("arn"), "arn");
                    add(Some(&item.id.name), "name");
                }
                Some(ResourceKind::LambdaFunction) => {
                    add(item.outputs.get("arn"), "arn");
                    add(Some(&item.id.name), "function_name");
                }
                _ => {}
            }
        }
        Self(known)
    }

    fn resolve(&self, literal: &str) -> Expression {
        let mut known = self.0.iter();
        known
            .find(|(text, _)| text == literal)
            .map_or_else(|| literal.into(), |(_, reference)| reference.clone())
    }
}

fn reference(import: &ImportTarget, attribute: &str) -> Expression {
    Traversal::builder(Variable::sanitized(import.resource_type))
        .attr(import.label.as_str())
        .attr(attribute)
        .build()
        .into()
}

/// The IAM path of a role, unless it is the default.
fn role_path(item: &ExportedResource<'_>) -> Option<Expression> {
    let path = item.state.text(observed::PATH)?;
    (path != "/").then(|| path.into())
}

/// Builds the block of one resource.
pub(super) fn resource_block(
    item: &ExportedResource<'_>,
    import: &ImportTarget,
    known: &References,
) -> Block {
    let to = ResourceBlockBuilder::new(import);
    let text = |field: &str| item.state.text(field).map(|text| known.resolve(text));
    let plain = |field: &str| item.state.get(field).map(to_expression);
    let output = |of: &str| item.outputs.get(of).map(|literal| known.resolve(literal));
    let document = |field: &str| item.state.write_form(field).map(json_expression);
    let name = Some(Expression::from(item.id.name.as_str()));
    let filter = item
        .state
        .text("filter")
        .filter(|filter| !filter.is_empty());
    let Some(kind) = ResourceKind::of(item.id) else {
        return to.build();
    };
    match kind {
        ResourceKind::KmsKey => to
            .argument("description", plain("description"))
            .argument("enable_key_rotation", plain("rotation"))
            .argument("is_enabled", plain("enabled"))
            .argument("policy", document("policy"))
            .argument("tags", plain(observed::TAGS)),
        ResourceKind::KmsAlias => {
            let arn = item.state.text("key");
            let id = arn.and_then(|arn| arn.rsplit('/').next());
            to.argument("name", name)
                .argument("target_key_id", id.map(|id| known.resolve(id)))
        }
        ResourceKind::SnsTopic => to
            .argument("name", name)
            .argument("tags", plain(observed::TAGS)),
        ResourceKind::SnsTopicPolicy => to
            .argument("arn", output("topic"))
            .argument("policy", document("policy")),
        ResourceKind::SqsQueue => queue(to, item, import, known),
        ResourceKind::SqsQueuePolicy => to
            .argument("queue_url", output("url"))
            .argument("policy", document("policy")),
        ResourceKind::SnsSubscription => to
            .argument("topic_arn", text(observed::TOPIC))
            .argument("protocol", Some("sqs".into()))
            .argument("endpoint", text(observed::QUEUE))
            .argument("raw_message_delivery", plain("raw_delivery"))
            .argument(
                "filter_policy",
                filter.map(|filter| json_expression(&filter.into())),
            )
            .argument(
                "filter_policy_scope",
                filter.and_then(|_| plain("filter_scope")),
            )
            .ignore_changes(&["confirmation_timeout_in_minutes", "endpoint_auto_confirms"]),
        ResourceKind::IamRole => to
            .argument("name", name)
            .argument("description", plain("description"))
            .argument("path", role_path(item))
            .argument("permissions_boundary", plain("permissions_boundary"))
            .argument("assume_role_policy", document("trust"))
            .argument("tags", plain(observed::TAGS)),
        ResourceKind::IamPolicy => to
            .argument("name", name)
            .argument("description", plain(observed::DESCRIPTION))
            .argument("policy", document("document"))
            .argument("tags", plain(observed::TAGS)),
        ResourceKind::IamAttachment => to
            .argument("role", text(observed::ROLE))
            .argument("policy_arn", output("policy")),
        ResourceKind::KmsGrant => to
            .argument("name", plain(observed::NAME))
            .argument("key_id", plain("key"))
            .argument("grantee_principal", text("grantee"))
            .argument("operations", plain("operations")),
        ResourceKind::S3Notification => notification(to, item, known),
        ResourceKind::LambdaFunction => function(to, item, known),
        ResourceKind::LambdaPermission => permission(to, item, known),
        ResourceKind::SubscriptionFilter => to
            .argument("name", name)
            .argument("log_group_name", plain("log_group"))
            .argument("filter_pattern", plain("pattern"))
            .argument("destination_arn", text("destination"))
            .argument("distribution", plain("distribution")),
    }
    .build()
}

fn queue(
    to: ResourceBlockBuilder,
    item: &ExportedResource<'_>,
    import: &ImportTarget,
    known: &References,
) -> ResourceBlockBuilder {
    let plain = |field: &str| item.state.get(field).map(to_expression);
    let redrive = item.state.get("redrive").map(|redrive| {
        let target = known.resolve(redrive["target"].as_str().unwrap_or_default());
        jsonencode(Expression::from_iter([
            ("deadLetterTargetArn", target),
            (
                "maxReceiveCount",
                to_expression(&redrive["max_receive_count"]),
            ),
        ]))
    });
    // The policy of the other queue is a resource of its own.
    let policy = item.state.write_form("policy");
    let policy = policy.filter(|_| import.label == addresses::DEAD_LETTER_QUEUE_LABEL);
    // The two queues refer to each other, so this reference is a plain ARN.
    let allow = item.state.get("redrive_allowed_from").map(|sources| {
        jsonencode(to_expression(
            &json!({ "redrivePermission": "byQueue", "sourceQueueArns": sources }),
        ))
    });
    let key = item.state.text("kms_key").filter(|key| !key.is_empty());
    to.argument("name", Some(item.id.name.as_str().into()))
        .argument("fifo_queue", plain("fifo"))
        .argument(
            "content_based_deduplication",
            plain("content_based_deduplication"),
        )
        .argument("message_retention_seconds", plain("retention_seconds"))
        .argument("receive_wait_time_seconds", plain("receive_wait_seconds"))
        .argument(
            "visibility_timeout_seconds",
            plain("visibility_timeout_seconds"),
        )
        .argument("max_message_size", plain("max_message_bytes"))
        .argument("kms_master_key_id", key.map(|key| known.resolve(key)))
        .argument(
            "sqs_managed_sse_enabled",
            plain("sqs_managed_sse").filter(|_| key.is_none()),
        )
        .argument(
            "kms_data_key_reuse_period_seconds",
            key.and_then(|_| plain("data_key_reuse_seconds")),
        )
        .argument("redrive_policy", redrive)
        .argument("redrive_allow_policy", allow)
        .argument("policy", policy.map(json_expression))
        .argument("tags", plain(observed::TAGS))
}

/// Writes all entries, because Terraform removes the entries that a configuration does not list.
fn notification(
    to: ResourceBlockBuilder,
    item: &ExportedResource<'_>,
    known: &References,
) -> ResourceBlockBuilder {
    let document = item
        .state
        .get(observed::DOCUMENT)
        .cloned()
        .unwrap_or_default();
    let bridge = document["bridge"].as_bool() == Some(true);
    let mut to = to
        .argument("bucket", Some(addresses::bucket_name(item).into()))
        .argument("eventbridge", bridge.then(|| true.into()));
    for entry in document["entries"].as_array().into_iter().flatten() {
        let (block, argument) = match entry["target"].as_str() {
            Some("topic") => ("topic", "topic_arn"),
            Some("queue") => ("queue", "queue_arn"),
            _ => ("lambda_function", "lambda_function_arn"),
        };
        let text = |field: &str| entry[field].as_str().filter(|text| !text.is_empty());
        to = to.nested_block(
            block,
            [
                ("id", text("id").map(Expression::from)),
                (argument, text("destination").map(|arn| known.resolve(arn))),
                ("events", Some(to_expression(&entry["events"]))),
                ("filter_prefix", text("prefix").map(Expression::from)),
                ("filter_suffix", text("suffix").map(Expression::from)),
            ],
        );
    }
    to
}

fn function(
    to: ResourceBlockBuilder,
    item: &ExportedResource<'_>,
    known: &References,
) -> ResourceBlockBuilder {
    let plain = |field: &str| item.state.get(field).map(to_expression);
    let variables = item
        .state
        .get("variables")
        .and_then(Value::as_object)
        .map(|variables| {
            let each = variables.iter();
            each.map(|(name, text)| {
                (
                    name.clone(),
                    known.resolve(text.as_str().unwrap_or_default()),
                )
            })
            .collect::<Expression>()
        });
    let layers = item
        .state
        .get("layers")
        .filter(|layers| **layers != json!([]));
    let reserved = item.state.get("reserved_concurrency");
    let reserved = reserved.filter(|calls| calls.is_number());
    to.argument("function_name", Some(item.id.name.as_str().into()))
        .argument("description", plain("description"))
        .argument(
            "role",
            item.state.text("role").map(|role| known.resolve(role)),
        )
        .argument("runtime", plain("runtime"))
        .argument("handler", plain("handler"))
        .argument("memory_size", plain("memory_mb"))
        .argument("timeout", plain("timeout_seconds"))
        .argument("layers", layers.map(to_expression))
        .argument(
            "reserved_concurrent_executions",
            reserved.map(to_expression),
        )
        .argument("filename", Some(CODE_FILE.into()))
        .argument("tags", plain(observed::TAGS))
        .nested_block("environment", [("variables", variables)])
        .nested_block(
            "ephemeral_storage",
            [("size", plain("ephemeral_storage_mb"))],
        )
        .nested_block(
            "logging_config",
            [
                ("log_format", plain("log_format")),
                ("log_group", plain("log_group")),
            ],
        )
        .nested_block("tracing_config", [("mode", plain("tracing"))])
        .ignore_changes(&["filename", "source_code_hash"])
}

/// The ZIP file for the code, if Terraform ever changes it.
pub(super) const CODE_FILE: &str = "heeler_event_collection_lambda.zip";

fn permission(
    to: ResourceBlockBuilder,
    item: &ExportedResource<'_>,
    known: &References,
) -> ResourceBlockBuilder {
    let statement = addresses::statement(item).cloned().unwrap_or_default();
    let first = |value: &Value| value.get(0).and_then(Value::as_str).map(Expression::from);
    let condition = |key: &str| {
        let operators = statement["Condition"].as_object().into_iter().flatten();
        operators
            .filter_map(|(_, keys)| keys.get(key))
            .find_map(first)
    };
    to.argument(
        "statement_id",
        item.state.get(observed::NAME).map(to_expression),
    )
    .argument("action", first(&statement["Action"]))
    .argument(
        "function_name",
        addresses::function_name(item).map(|name| known.resolve(&name)),
    )
    .argument("principal", first(&statement["Principal"]["Service"]))
    .argument("source_arn", condition("aws:sourcearn"))
    .argument("source_account", condition("aws:sourceaccount"))
}

/// Writes a policy document as an object, so that it is readable. A text that is no JSON is written as a string.
fn json_expression(document: &Value) -> Expression {
    let parsed = match document {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    };
    match parsed {
        Some(parsed) => jsonencode(mask_external_id(&parsed)),
        None => to_expression(document),
    }
}

fn jsonencode(object: Expression) -> Expression {
    FuncCall::builder("jsonencode").arg(object).build().into()
}
