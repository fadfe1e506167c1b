//! Snapshots of the exported text, which must also parse.

use std::collections::BTreeMap;

use serde_json::json;
use snapbox::{assert_data_eq, str};

use super::*;
use crate::naming::ResourceNames;
use crate::reconcile::graph::ResourceId;
use crate::reconcile::state::State;
use crate::resource::kind::ResourceKind;
use crate::resource::observed;

fn context(names: &ResourceNames) -> ExportContext<'_> {
    ExportContext {
        option: "s3",
        account: "111122223333",
        region: "us-east-1",
        names,
    }
}

fn id(kind: ResourceKind, name: &str) -> ResourceId {
    kind.id(name)
}

/// A resource to export: its identity, its state and its outputs.
type ResourceFixture<'t> = (&'t ResourceId, &'t State, &'t [(&'static str, &'t str)]);

fn export_resources(items: Vec<ResourceFixture<'_>>) -> String {
    let items = items
        .into_iter()
        .map(|(id, state, outputs)| ExportedResource {
            id,
            state,
            outputs: outputs
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect::<BTreeMap<_, _>>(),
        });
    let names = ResourceNames::new("heeler");
    let place = context(&names);
    let text = terraform_text(&place, &imports(&place, items.collect())).unwrap();
    assert!(::hcl::parse(&text).is_ok(), "{text}");
    // Only one snapshot includes the header.
    let start = text.find("import {").unwrap_or(text.len());
    text[start..].to_owned()
}

#[test]
fn exported_file_has_header_and_provider() {
    let names = ResourceNames::new("heeler");
    let place = context(&names);
    assert_data_eq!(
        terraform_text(&place, &[]).unwrap(),
        str![[r#"
# Resources of heeler-ec: option s3, account 111122223333, region us-east-1.
# terraform plan imports all of them, and adds and destroys nothing. It shows one change, of the
# role: Terraform marks its trust policy as sensitive. Nothing changes in AWS.
terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
  allowed_account_ids = [
    "111122223333"
  ]
}

# The external ID in the role's trust policy. heeler-ec outputs shows it.
variable "external_id" {
  type = string
  sensitive = true
}

"#]]
    );
}

#[test]
fn queue_refers_to_key_and_dead_letter_queue() {
    let (key, dead, queue) = (
        id(ResourceKind::KmsKey, "key"),
        id(ResourceKind::SqsQueue, "heeler_event_collection_queue_dlq"),
        id(ResourceKind::SqsQueue, "queue"),
    );
    let of_key = State::default().with("rotation", true);
    let of_dead = State::default().with("retention_seconds", 345_600);
    let of_queue = State::default()
        .with("retention_seconds", 7200)
        .with("kms_key", "arn:aws:kms:us-east-1:111122223333:key/k")
        .with(
            "redrive",
            json!({ "target": "arn:dlq", "max_receive_count": 4 }),
        )
        .with_document("policy", json!("compared"), json!({ "Statement": [] }))
        .with(
            observed::TAGS,
            json!({ "managed-by": "heeler-ec", "odd key": "${x}" }),
        );
    let text = export_resources(vec![
        (
            &key,
            &of_key,
            &[("arn", "arn:aws:kms:us-east-1:111122223333:key/k")],
        ),
        (
            &dead,
            &of_dead,
            &[("arn", "arn:dlq"), ("url", "https://dlq")],
        ),
        (
            &queue,
            &of_queue,
            &[("arn", "arn:queue"), ("url", "https://queue")],
        ),
    ]);
    let start = text.rfind("import {").unwrap();
    assert_data_eq!(
        &text[start..],
        str![[r#"
import {
  to = aws_sqs_queue.heeler_sqs_queue
  id = "https://queue"
}

resource "aws_sqs_queue" "heeler_sqs_queue" {
  name = "queue"
  message_retention_seconds = 7200
  kms_master_key_id = aws_kms_key.heeler_kms_key_sqs.arn
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.heeler_sqs_queue_dlq.arn
    maxReceiveCount = 4
  })
  tags = {
    managed-by = "heeler-ec"
    "odd key" = "$${x}"
  }
}

"#]]
    );
}

#[test]
fn external_id_is_a_variable() {
    let role = id(ResourceKind::IamRole, "role");
    let trust = json!({ "Statement": [{
        "Principal": { "AWS": ["arn:aws:iam::999988887777:role/heeler"] },
        "Condition": { "StringEquals": { "sts:ExternalId": "very-secret-id" } },
    }] });
    let state = State::default().with_document("trust", json!("compared"), trust);
    let text = export_resources(vec![(&role, &state, &[])]);
    assert!(!text.contains("very-secret-id"), "{text}");
    assert!(
        text.contains("\"sts:ExternalId\" = var.external_id"),
        "{text}"
    );
}

#[test]
fn all_bucket_notification_entries_are_exported() {
    let notification = id(ResourceKind::S3Notification, "logs#heeler-ec");
    let entry = |target: &str, id: &str, prefix: &str| {
        json!({ "target": target, "id": id, "destination": format!("arn:{id}"),
            "events": ["s3:ObjectCreated:*"], "prefix": prefix, "suffix": "" })
    };
    let state = State::default().with(
        observed::DOCUMENT,
        json!({ "bridge": true, "entries": [
            entry("topic", "heeler-ec", "AWSLogs/"),
            entry("queue", "exports", ""),
            entry("function", "thumbnails", "images/"),
        ] }),
    );
    assert_data_eq!(
        export_resources(vec![(&notification, &state, &[])]),
        str![[r#"
import {
  to = aws_s3_bucket_notification.heeler_s3_bucket_notification
  id = "logs"
}

# Terraform owns the whole notification configuration of the bucket: the next apply removes
# every entry that is not listed here.
resource "aws_s3_bucket_notification" "heeler_s3_bucket_notification" {
  bucket = "logs"
  eventbridge = true

  topic {
    id = "heeler-ec"
    topic_arn = "arn:heeler-ec"
    events = [
      "s3:ObjectCreated:*"
    ]
    filter_prefix = "AWSLogs/"
  }

  queue {
    id = "exports"
    queue_arn = "arn:exports"
    events = [
      "s3:ObjectCreated:*"
    ]
  }

  lambda_function {
    id = "thumbnails"
    lambda_function_arn = "arn:thumbnails"
    events = [
      "s3:ObjectCreated:*"
    ]
    filter_prefix = "images/"
  }
}

"#]]
    );
}

#[test]
fn each_grant_has_its_own_label() {
    let (one, two) = (
        id(ResourceKind::KmsGrant, "grant on 1"),
        id(ResourceKind::KmsGrant, "grant on 2"),
    );
    let grant = |key: &str| {
        State::default()
            .with("key", key)
            .with(observed::NAME, "grant")
    };
    let (of_one, of_two) = (grant("arn:1"), grant("arn:2"));
    let text = export_resources(vec![
        (&one, &of_one, &[("id", "g1")]),
        (&two, &of_two, &[("id", "g2")]),
    ]);
    assert!(
        text.contains("to = aws_kms_grant.heeler_kms_grant\n  id = \"arn:1:g1\""),
        "{text}"
    );
    assert!(
        text.contains("to = aws_kms_grant.heeler_kms_grant_2\n  id = \"arn:2:g2\""),
        "{text}"
    );
}

#[test]
fn filter_policy_is_exported_with_its_scope() {
    let subscription = id(ResourceKind::SnsSubscription, "events → queue");
    let state = |filter: &str| {
        State::default()
            .with("filter", filter)
            .with("filter_scope", "MessageBody")
            .with("raw_delivery", false)
    };
    let outputs = [("arn", "arn:subscription")];
    let filtered = state(r#"{"Records":{"s3":{"object":{"key":[{"prefix":"AWSLogs/"}]}}}}"#);
    let text = export_resources(vec![(&subscription, &filtered, &outputs)]);
    assert!(text.contains("filter_policy = jsonencode({"), "{text}");
    assert!(
        text.contains("filter_policy_scope = \"MessageBody\""),
        "{text}"
    );
    let text = export_resources(vec![(&subscription, &state(""), &outputs)]);
    assert!(!text.contains("filter_policy"), "{text}");
}
