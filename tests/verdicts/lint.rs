//! Cases of the checks on the policies of an existing role and queue.

use heeler_ec::inventory::facts::NameOwner;
use heeler_ec::inventory::named_resource::NamedResource;
use heeler_ec::inventory::{Fact, Snapshot};

use super::fixture::{managed_owner, unmanaged_owner};
use super::{VerdictCase, assert_verdicts, cloudwatch, refused, s3};

const HEELER: &str = "arn:aws:iam::999900001111:role/heeler-security";
const ID: &str = r#"{"StringEquals":{"sts:ExternalId":"id"}}"#;

#[test]
fn lint_verdicts() {
    assert_verdicts(&cases());
}

/// Adds an adopted role with a trust policy and another policy.
fn set_role(snapshot: &mut Snapshot, principal: &str, condition: &str, permissions: &str) {
    let trust = format!(
        r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole","Condition":{condition}}}]}}"#
    );
    let owner = NameOwner {
        trust_policy: Some(trust),
        policies: Fact::Present(vec![permissions.to_owned()]),
        ..unmanaged_owner("role r")
    };
    snapshot
        .name_owners
        .insert(NamedResource::Role, Fact::Present(owner));
}

fn set_trust(snapshot: &mut Snapshot, principal: &str, condition: &str) {
    set_role(snapshot, principal, condition, "{}");
}

fn heeler() -> String {
    format!(r#"{{"AWS":"{HEELER}"}}"#)
}

fn set_permissions(snapshot: &mut Snapshot, action: &str, resource: &str) {
    let policy = format!(
        r#"{{"Statement":{{"Effect":"Allow","Action":"{action}","Resource":"{resource}"}}}}"#
    );
    set_role(snapshot, &heeler(), ID, &policy);
}

fn set_queue(snapshot: &mut Snapshot, resource: NamedResource, statement: &str) {
    let owner = NameOwner {
        policies: Fact::Present(vec![format!(r#"{{"Statement":[{statement}]}}"#)]),
        ..managed_owner("queue q", snapshot.option.name)
    };
    snapshot.name_owners.insert(resource, Fact::Present(owner));
}

pub fn cases() -> Vec<VerdictCase> {
    vec![
        s3(
            "lint.root_trust",
            "nothing exists",
            |_| {},
            "skip",
            "neither role nor queue",
        ),
        s3(
            "lint.root_trust",
            "the role trusts the Heeler role",
            |s| set_trust(s, &heeler(), ID),
            "pass",
            "without a weakness",
        ),
        s3(
            "lint.root_trust",
            "the role trusts an account",
            |s| set_trust(s, r#"{"AWS":"arn:aws:iam::999900001111:root"}"#, ID),
            "warn",
            "role r, statement 1: arn:aws:iam::999900001111:root",
        ),
        cloudwatch(
            "lint.root_trust",
            "the role trusts an account ID",
            |s| set_trust(s, r#"{"AWS":["999900001111"]}"#, ID),
            "warn",
            "the ARN of the Heeler role",
        ),
        s3(
            "lint.root_trust",
            "the caller may not read the role",
            |s| {
                let denied = Fact::Failed(refused("iam:GetRole"));
                s.name_owners.insert(NamedResource::Role, denied);
            },
            "unknown",
            "iam:GetRole",
        ),
        s3(
            "lint.external_id",
            "the trust has no condition",
            |s| set_trust(s, &heeler(), "{}"),
            "warn",
            "sts:ExternalId",
        ),
        s3(
            "lint.external_id",
            "the trust requires an external ID",
            |s| set_trust(s, &heeler(), ID),
            "pass",
            "without a weakness",
        ),
        s3(
            "lint.wildcard_principal",
            "everyone may assume the role",
            |s| set_trust(s, r#""*""#, ID),
            "warn",
            "role r, statement 1: *",
        ),
        s3(
            "lint.wildcard_principal",
            "everyone may send to the queue",
            |s| {
                let statement =
                    r#"{"Sid":"All","Effect":"Allow","Principal":"*","Action":"sqs:SendMessage"}"#;
                set_queue(s, NamedResource::Queue, statement);
            },
            "warn",
            "queue q, statement All: *",
        ),
        cloudwatch(
            "lint.wildcard_principal",
            "everyone may send to the FIFO queue",
            |s| {
                let statement =
                    r#"{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sqs:SendMessage"}"#;
                set_queue(s, NamedResource::FifoQueue, statement);
            },
            "warn",
            "queue q, statement 1: *",
        ),
        s3(
            "lint.wildcard_principal",
            "the topic may send to the queue",
            |s| {
                let statement = r#"{"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:111122223333:t"}}}"#;
                set_queue(s, NamedResource::Queue, statement);
            },
            "pass",
            "without a weakness",
        ),
        s3(
            "lint.wildcard_principal",
            "the caller may not read the queue's policy",
            |s| {
                let owner = NameOwner {
                    policies: Fact::Failed(refused("sqs:GetQueueAttributes")),
                    ..managed_owner("queue q", "s3")
                };
                s.name_owners
                    .insert(NamedResource::Queue, Fact::Present(owner));
            },
            "unknown",
            "sqs:GetQueueAttributes",
        ),
        s3(
            "lint.unknown_account",
            "the only other account is that of Heeler",
            |s| set_trust(s, &heeler(), ID),
            "pass",
            "without a weakness",
        ),
        s3(
            "lint.unknown_account",
            "the role trusts two other accounts",
            |s| {
                let both = format!(r#"{{"AWS":["{HEELER}","arn:aws:iam::555566667777:role/x"]}}"#);
                s.request.heeler_roles = vec![HEELER.to_owned()];
                set_trust(s, &both, ID);
            },
            "warn",
            "role r, statement 1: arn:aws:iam::555566667777:role/x",
        ),
        s3(
            "lint.unknown_account",
            "the role trusts only another vendor",
            |s| {
                s.request.heeler_roles = vec![HEELER.to_owned()];
                set_trust(s, r#"{"AWS":"arn:aws:iam::555566667777:role/x"}"#, ID);
            },
            "warn",
            "555566667777",
        ),
        s3(
            "lint.wildcard_action",
            "the role may do everything with a bucket",
            |s| set_permissions(s, "s3:*", "arn:aws:s3:::b/*"),
            "warn",
            "role r, statement 1: s3:*",
        ),
        s3(
            "lint.wildcard_action",
            "the caller may not read the role's policies",
            |s| {
                let owner = NameOwner {
                    policies: Fact::Failed(refused("iam:ListRolePolicies")),
                    ..managed_owner("role r", "s3")
                };
                s.name_owners
                    .insert(NamedResource::Role, Fact::Present(owner));
            },
            "unknown",
            "iam:ListRolePolicies",
        ),
        s3(
            "lint.root_trust",
            "only the role's trust policy could be read",
            |s| {
                set_trust(s, &heeler(), ID);
                if let Fact::Present(owner) = s.name_owners.get(NamedResource::Role) {
                    let owner = NameOwner {
                        policies: Fact::Failed(refused("iam:ListRolePolicies")),
                        ..owner.clone()
                    };
                    s.name_owners
                        .insert(NamedResource::Role, Fact::Present(owner));
                }
            },
            "pass",
            "without a weakness",
        ),
        s3(
            "lint.wildcard_resource",
            "the role may read every object",
            |s| set_permissions(s, "s3:GetObject", "*"),
            "warn",
            "role r, statement 1: *",
        ),
        s3(
            "lint.wildcard_resource",
            "the role may read the objects of a bucket",
            |s| set_permissions(s, "s3:GetObject", "arn:aws:s3:::b/*"),
            "pass",
            "without a weakness",
        ),
    ]
}
