//! Whether the names that setup would take are free, and whether there is room.

use heeler_ec::inventory::Snapshot;
use heeler_ec::inventory::facts::{
    IamQuotaFacts, IamQuotas, NameOwner, NameOwners, PermissionSimulation, SimulationResult,
    TopicFacts,
};

use super::fixture::{managed_owner, unmanaged_owner};
use super::{VerdictCase, assert_verdicts, cloudwatch, refused, s3};

#[test]
fn name_and_quota_verdicts() {
    assert_verdicts(&cases());
}

pub fn cases() -> Vec<VerdictCase> {
    let mut states = vec![
        s3(
            "names.terraform",
            "all is free",
            |_| {},
            "pass",
            "nothing looks like one",
        ),
        s3(
            "names.terraform",
            "the role is the module's",
            |s| set_owner(s, "names.role", vendor_terraform_owner("role r")),
            "fail",
            "made by the vendor's Terraform module, as it seems: role r",
        ),
        cloudwatch(
            "names.terraform",
            "the function is the module's",
            |s| set_owner(s, "names.function", vendor_terraform_owner("function f")),
            "fail",
            "run terraform destroy there first",
        ),
        s3(
            "names.terraform",
            "the role has its description and our tag",
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
            "nothing looks like one",
        ),
        s3(
            "names.terraform",
            "the role is the module's, and is to be adopted",
            |s| {
                s.request.adopt = true;
                set_owner(s, "names.role", vendor_terraform_owner("role r"));
            },
            "pass",
            "role r will be adopted",
        ),
        s3(
            "names.queue",
            "it is untagged, and is to be adopted",
            |s| {
                s.request.adopt = true;
                set_owner(s, "names.queue", unmanaged_owner("queue q"));
            },
            "pass",
            "queue q will be adopted",
        ),
        s3(
            "names.queue",
            "it bears the mark of others, and was to be adopted",
            |s| {
                s.request.adopt = true;
                let marked = NameOwner {
                    has_owner_tag: true,
                    ..unmanaged_owner("queue q")
                };
                set_owner(s, "names.queue", marked);
            },
            "fail",
            "bears the tag of another owner",
        ),
        s3(
            "names.role",
            "it belongs to the other option, and was to be adopted",
            |s| {
                s.request.adopt = true;
                let other = NameOwner {
                    has_owner_tag: true,
                    ..managed_owner("role r", "cloudwatch")
                };
                set_owner(s, "names.role", other);
            },
            "fail",
            "docs/switching.md",
        ),
        s3(
            "names.terraform",
            "the role may not be read",
            |s| denied(s, "names.role", "iam:GetRole"),
            "unknown",
            "iam:GetRole",
        ),
        s3(
            "names.terraform",
            "there is no place to look",
            |s| s.name_owners = NameOwners::default(),
            "skip",
            "stands on bucket.owner",
        ),
        s3(
            "names.role",
            "it belongs to the other option",
            |s| set_owner(s, "names.role", managed_owner("role r", "cloudwatch")),
            "fail",
            "docs/switching.md",
        ),
        s3(
            "names.queue",
            "it is untagged beside a Terraform deployment",
            |s| {
                set_owner(s, "names.role", vendor_terraform_owner("role r"));
                set_owner(s, "names.queue", unmanaged_owner("queue q"));
            },
            "skip",
            "stands on names.terraform",
        ),
        s3(
            "names.alias_key",
            "there is no alias",
            |_| {},
            "skip",
            "there is no alias yet",
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
            "it is being deleted",
            |s| alias(s, "PendingDeletion"),
            "warn",
            "setup makes a new key and moves the alias",
        ),
        s3(
            "names.alias_key",
            "it is disabled",
            |s| alias(s, "Disabled"),
            "warn",
            "setup enables it again",
        ),
        s3(
            "names.alias_key",
            "the alias is another's",
            |s| set_owner(s, "names.alias", unmanaged_owner("alias a")),
            "skip",
            "stands on names.alias",
        ),
        s3(
            "quota.iam",
            "it was not asked",
            |_| {},
            "skip",
            "asked with --deep only",
        ),
        s3(
            "quota.iam",
            "there is room",
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
            "there is no room in the cloud of the government",
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
            "it may not be asked",
            |s| {
                s.iam_quotas = Some(IamQuotaFacts {
                    quotas: Err(refused("iam:GetAccountSummary")),
                });
            },
            "unknown",
            "iam:GetAccountSummary",
        ),
        s3(
            "caller.permissions",
            "it was not asked",
            |_| {},
            "skip",
            "asked with --deep only",
        ),
        s3(
            "caller.permissions",
            "there is no place to ask about",
            |s| s.request.deep = true,
            "skip",
            "stands on bucket.owner",
        ),
        s3(
            "caller.permissions",
            "all is allowed",
            |s| simulated(s, &[]),
            "pass",
            "all 60 actions, by the caller's own policies",
        ),
        s3(
            "caller.permissions",
            "something is denied",
            |s| simulated(s, &["kms:CreateKey", "sqs:CreateQueue"]),
            "fail",
            "role/Admin may not: kms:CreateKey, sqs:CreateQueue",
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
            |s| s.permission_simulation = Some(Ok(SimulationResult::RootUser)),
            "skip",
            "only users and roles are simulated",
        ),
        cloudwatch(
            "caller.permissions",
            "passing the function its role is denied",
            |s| simulated(s, &["iam:PassRole"]),
            "fail",
            "iam:PassRole",
        ),
        s3(
            "caller.permissions",
            "it may not be simulated",
            |s| s.permission_simulation = Some(Err(refused("iam:SimulatePrincipalPolicy"))),
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
                    key_policy: None,
                };
                super::account::bucket(s).topic = Some(Ok(Some(facts)));
            },
            "skip",
            "an existing topic is used",
        ),
    ];
    // Each name has the same states.
    macro_rules! of_name {
        ($option:ident, $id:literal, $action:literal) => {
            states.extend([
                $option($id, "it is free", |_| {}, "pass", " is free"),
                $option(
                    $id,
                    "it is ours",
                    |s| {
                        let option = s.route.name();
                        set_owner(s, $id, managed_owner("it", option))
                    },
                    "pass",
                    "it is ours",
                ),
                $option(
                    $id,
                    "it is a stranger's",
                    |s| set_owner(s, $id, unmanaged_owner("it")),
                    "fail",
                    "choose other names with --name-prefix",
                ),
                $option(
                    $id,
                    "it may not be read",
                    |s| denied(s, $id, $action),
                    "unknown",
                    $action,
                ),
                $option(
                    $id,
                    "there is no place to look",
                    |s| s.name_owners = NameOwners::default(),
                    "skip",
                    "stands on",
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

fn set_owner(survey: &mut Snapshot, check: &'static str, owner: NameOwner) {
    survey.name_owners.by_check.insert(check, Ok(Some(owner)));
}

fn denied(survey: &mut Snapshot, check: &'static str, action: &'static str) {
    survey
        .name_owners
        .by_check
        .insert(check, Err(refused(action)));
}

fn vendor_terraform_owner(name: &str) -> NameOwner {
    NameOwner {
        from_vendor_terraform: true,
        ..unmanaged_owner(name)
    }
}

fn alias(survey: &mut Snapshot, state: &str) {
    let owner = NameOwner {
        key_state: Some(state.into()),
        ..managed_owner("alias/heeler_kms_key_sqs", "s3")
    };
    set_owner(survey, "names.alias", owner);
}

fn quota(survey: &mut Snapshot, roles: i32, policies: i32) {
    survey.iam_quotas = Some(IamQuotaFacts {
        quotas: Ok(IamQuotas {
            roles,
            roles_quota: 1000,
            policies,
            policies_quota: 1500,
        }),
    });
}

fn simulated(survey: &mut Snapshot, denied: &[&str]) {
    survey.permission_simulation = Some(Ok(SimulationResult::Simulated(PermissionSimulation {
        principal: "arn:aws:iam::111122223333:role/Admin".into(),
        action_count: 60,
        denied_actions: denied.iter().map(|action| (*action).to_owned()).collect(),
    })));
}
