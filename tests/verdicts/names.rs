//! Cases of the checks on resource names and quotas.

use heeler_ec::inventory::facts::{
    IamQuotas, NameOwner, NameOwners, PermissionSimulation, SimulationResult, TopicFacts,
};
use heeler_ec::inventory::named_resource::NamedResource;
use heeler_ec::inventory::{Fact, Snapshot};

use super::fixture::{managed_owner, unmanaged_owner};
use super::{VerdictCase, assert_verdicts, cloudwatch, refused, s3};

#[test]
fn name_and_quota_verdicts() {
    assert_verdicts(&cases());
}

pub fn cases() -> Vec<VerdictCase> {
    let mut states = vec![
        s3(
            "names.terraform_managed",
            "all names are available",
            |_| {},
            "pass",
            "no resources of Heeler's Terraform module",
        ),
        s3(
            "names.terraform_managed",
            "the role was created by Heeler's module",
            |s| set_owner(s, "names.role", vendor_terraform_owner("role r")),
            "fail",
            "Heeler's Terraform module created them: role r",
        ),
        cloudwatch(
            "names.terraform_managed",
            "the function was created by Heeler's module",
            |s| set_owner(s, "names.function", vendor_terraform_owner("function f")),
            "fail",
            "terraform destroy first",
        ),
        s3(
            "names.terraform_managed",
            "the role has the module's description and the tag of heeler-ec",
            |s| {
                set_owner(
                    s,
                    "names.role",
                    NameOwner {
                        from_vendor_terraform: true,
                        ..managed_owner("role r", "s3")
                    },
                )
            },
            "pass",
            "no resources of Heeler's Terraform module",
        ),
        s3(
            "names.terraform_managed",
            "the role was created by Heeler's module, with --adopt",
            |s| {
                s.request.adopt = true;
                set_owner(s, "names.role", vendor_terraform_owner("role r"));
            },
            "pass",
            "role r will be adopted",
        ),
        s3(
            "names.queue",
            "it is untagged, with --adopt",
            |s| {
                s.request.adopt = true;
                set_owner(s, "names.queue", unmanaged_owner("queue q"));
            },
            "pass",
            "queue q will be adopted",
        ),
        s3(
            "names.queue",
            "it has the tag of another owner, with --adopt",
            |s| {
                s.request.adopt = true;
                let marked = NameOwner {
                    tags: vec![("managed-by".into(), "platform".into())],
                    ..unmanaged_owner("queue q")
                };
                set_owner(s, "names.queue", marked);
            },
            "pass",
            "queue q will be adopted",
        ),
        s3(
            "names.role",
            "it belongs to the other option, with --adopt",
            |s| {
                s.request.adopt = true;
                let other = NameOwner {
                    ..managed_owner("role r", "cloudwatch")
                };
                set_owner(s, "names.role", other);
            },
            "fail",
            "another --name-prefix",
        ),
        s3(
            "names.terraform_managed",
            "the caller may not read the role",
            |s| denied(s, "names.role", "iam:GetRole"),
            "unknown",
            "iam:GetRole",
        ),
        s3(
            "names.terraform_managed",
            "the region is unknown",
            |s| s.name_owners = NameOwners::default(),
            "skip",
            "depends on bucket.owner",
        ),
        s3(
            "names.role",
            "it belongs to the other option",
            |s| set_owner(s, "names.role", managed_owner("role r", "cloudwatch")),
            "fail",
            "another --name-prefix",
        ),
        s3(
            "names.queue",
            "it is untagged, and Heeler's module created the role",
            |s| {
                set_owner(s, "names.role", vendor_terraform_owner("role r"));
                set_owner(s, "names.queue", unmanaged_owner("queue q"));
            },
            "skip",
            "depends on names.terraform_managed",
        ),
        s3(
            "names.alias_key",
            "the alias does not exist",
            |_| {},
            "skip",
            "does not exist yet",
        ),
        s3(
            "names.alias_key",
            "it is enabled",
            |s| alias(s, "Enabled"),
            "pass",
            "Enabled",
        ),
        s3(
            "names.alias_key",
            "it is pending deletion",
            |s| alias(s, "PendingDeletion"),
            "warn",
            "setup creates a new key and moves the alias",
        ),
        s3(
            "names.alias_key",
            "it is disabled",
            |s| alias(s, "Disabled"),
            "warn",
            "setup enables the key",
        ),
        s3(
            "names.alias_key",
            "the alias is not managed",
            |s| set_owner(s, "names.alias", unmanaged_owner("alias a")),
            "skip",
            "depends on names.alias",
        ),
        s3(
            "quota.iam",
            "--deep is not given",
            |_| {},
            "skip",
            "checked only with --deep",
        ),
        s3(
            "quota.iam",
            "the quotas have room",
            |s| quota(s, 999, 1499),
            "pass",
            "999 of 1000 roles",
        ),
        s3(
            "quota.iam",
            "there is no room for a role",
            |s| quota(s, 1000, 0),
            "fail",
            "request-service-quota-increase --region us-east-1 --service-code iam --quota-code L-FE177D64",
        ),
        s3(
            "quota.iam",
            "there is no room for a policy",
            |s| quota(s, 0, 1500),
            "fail",
            "1500 of 1500 policies",
        ),
        s3(
            "quota.iam",
            "there is no room in aws-us-gov",
            |s| {
                quota(s, 1000, 0);
                s.account.caller.as_mut().expect("a caller").partition = "aws-us-gov".into();
            },
            "fail",
            "request-service-quota-increase --region us-gov-west-1 --service-code iam",
        ),
        cloudwatch(
            "quota.iam",
            "there is room for one role only",
            |s| quota(s, 999, 0),
            "fail",
            "room for 2 more of each",
        ),
        s3(
            "quota.iam",
            "the caller may not read them",
            |s| {
                s.account.iam_quotas = Fact::Failed(refused("iam:GetAccountSummary"));
            },
            "unknown",
            "iam:GetAccountSummary",
        ),
        s3(
            "caller.permissions",
            "--deep is not given",
            |_| {},
            "skip",
            "checked only with --deep",
        ),
        s3(
            "caller.permissions",
            "the region is unknown",
            |s| s.request.deep = true,
            "skip",
            "depends on bucket.owner",
        ),
        s3(
            "caller.permissions",
            "every action is allowed",
            |s| simulated(s, &[]),
            "pass",
            "all 60 actions are allowed by the caller's policies",
        ),
        s3(
            "caller.permissions",
            "some actions are denied",
            |s| simulated(s, &["kms:CreateKey", "sqs:CreateQueue"]),
            "fail",
            "role/Admin is denied: kms:CreateKey, sqs:CreateQueue",
        ),
        s3(
            "caller.permissions",
            "everything is denied",
            |s| simulated(s, &["a:b"; 20]),
            "fail",
            "and 8 more",
        ),
        s3(
            "caller.permissions",
            "the caller is the root user",
            |s| s.permission_simulation = Fact::Present(SimulationResult::RootUser),
            "skip",
            "only users and roles",
        ),
        cloudwatch(
            "caller.permissions",
            "iam:PassRole on the function's role is denied",
            |s| simulated(s, &["iam:PassRole"]),
            "fail",
            "iam:PassRole",
        ),
        s3(
            "caller.permissions",
            "the caller may not simulate",
            |s| s.permission_simulation = Fact::Failed(refused("iam:SimulatePrincipalPolicy")),
            "unknown",
            "iam:SimulatePrincipalPolicy",
        ),
        s3(
            "names.topic",
            "an existing topic is used",
            |s| {
                set_owner(s, "names.topic", unmanaged_owner("topic t"));
                let facts = TopicFacts {
                    arn: "arn:aws:sns:eu-west-1:111122223333:events".into(),
                    policy: String::new(),
                    key: None,
                    key_policy: Fact::NotRequested,
                };
                super::account::bucket(s).topic = Fact::Present(facts);
            },
            "skip",
            "an existing topic is used",
        ),
    ];
    // Each name has the same states.
    macro_rules! of_name {
        ($option:ident, $id:literal, $action:literal) => {
            states.extend([
                $option($id, "it is available", |_| {}, "pass", " is available"),
                $option(
                    $id,
                    "it is managed",
                    |s| {
                        let option = s.option.name;
                        set_owner(s, $id, managed_owner("it", option))
                    },
                    "pass",
                    "it is managed by heeler-ec",
                ),
                $option(
                    $id,
                    "it is not managed",
                    |s| set_owner(s, $id, unmanaged_owner("it")),
                    "fail",
                    "choose other names with --name-prefix",
                ),
                $option(
                    $id,
                    "the caller may not read it",
                    |s| denied(s, $id, $action),
                    "unknown",
                    $action,
                ),
                $option(
                    $id,
                    "the region is unknown",
                    |s| s.name_owners = NameOwners::default(),
                    "skip",
                    "depends on",
                ),
            ]);
        };
    }
    of_name!(s3, "names.role", "iam:GetRole");
    of_name!(s3, "names.policy", "iam:GetPolicy");
    of_name!(s3, "names.queue", "sqs:GetQueueUrl");
    of_name!(s3, "names.dead_letter_queue", "sqs:ListQueueTags");
    of_name!(s3, "names.topic", "sns:ListTagsForResource");
    of_name!(s3, "names.alias", "kms:ListResourceTags");
    of_name!(cloudwatch, "names.function", "lambda:GetFunction");
    of_name!(cloudwatch, "names.function_role", "iam:GetRole");
    of_name!(cloudwatch, "names.function_policy", "iam:GetPolicy");
    states
}

fn set_owner(snapshot: &mut Snapshot, check: &'static str, owner: NameOwner) {
    let resource = named_resource(snapshot, check);
    snapshot.name_owners.insert(resource, Fact::Present(owner));
}

fn denied(snapshot: &mut Snapshot, check: &'static str, action: &'static str) {
    let resource = named_resource(snapshot, check);
    let error = Fact::Failed(refused(action));
    snapshot.name_owners.insert(resource, error);
}

/// The name of the snapshot's option that a check is about.
fn named_resource(snapshot: &Snapshot, check: &str) -> NamedResource {
    let candidates: &[NamedResource] = match check {
        "names.role" => &[NamedResource::Role],
        "names.policy" => &[NamedResource::Policy],
        "names.queue" => &[NamedResource::Queue, NamedResource::FifoQueue],
        "names.dead_letter_queue" => &[
            NamedResource::DeadLetterQueue,
            NamedResource::DeadLetterFifoQueue,
        ],
        "names.alias" => &[NamedResource::KeyAlias],
        "names.topic" => &[NamedResource::Topic],
        "names.function" => &[NamedResource::Function],
        "names.function_role" => &[NamedResource::FunctionRole],
        "names.function_policy" => &[NamedResource::FunctionPolicy],
        other => panic!("{other} is about no name"),
    };
    let mut names = snapshot.option.names.iter().copied();
    names
        .find(|name| candidates.contains(name))
        .unwrap_or_else(|| panic!("{check} does not apply to the option"))
}

fn vendor_terraform_owner(name: &str) -> NameOwner {
    NameOwner {
        from_vendor_terraform: true,
        ..unmanaged_owner(name)
    }
}

fn alias(snapshot: &mut Snapshot, state: &str) {
    let owner = NameOwner {
        key_state: Some(state.into()),
        ..managed_owner("alias/heeler_kms_key_sqs", "s3")
    };
    set_owner(snapshot, "names.alias", owner);
}

fn quota(snapshot: &mut Snapshot, roles: i32, policies: i32) {
    snapshot.account.iam_quotas = Fact::Present(IamQuotas {
        roles,
        roles_quota: 1000,
        policies,
        policies_quota: 1500,
    });
}

fn simulated(snapshot: &mut Snapshot, denied: &[&str]) {
    snapshot.permission_simulation =
        Fact::Present(SimulationResult::Simulated(PermissionSimulation {
            principal: "arn:aws:iam::111122223333:role/Admin".into(),
            action_count: 60,
            denied_actions: denied.iter().map(|action| (*action).to_owned()).collect(),
        }));
}
