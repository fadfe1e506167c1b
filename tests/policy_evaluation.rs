//! Evaluation of policies: the decisions for the test vectors, and the properties of the fuzz target on random policies.
//!
//! The vectors in `tests/fixtures/policy_vectors.json` are requests with their policies and the decision that follows from
//! AWS's documented rules.

use heeler_ec::iam::evaluate::{
    AccessRequest, Caller, Decision, KeyGrant, Policy, PolicyInput, PolicyLayer, PolicySet,
    RequestContext, ResourcePolicy, evaluate,
};
use serde_json::{Value, json};

#[path = "../fuzz/src/policy_properties.rs"]
mod policy_properties;

const VECTORS: &str = include_str!("fixtures/policy_vectors.json");

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

fn input(document: &Value) -> PolicyInput {
    if document.is_null() {
        return PolicyInput::none();
    }
    Policy::from_document(document).expect("a policy").into()
}

/// Adds the keys of an object; a null is a key that is absent.
fn add_keys(mut context: RequestContext, keys: &Value) -> RequestContext {
    for (key, value) in keys.as_object().expect("keys") {
        context = match value {
            Value::Null => context.without(&[key]),
            value => context.with(key, text(value)),
        };
    }
    context
}

fn caller(vector: &Value) -> Caller {
    let principal = &vector["principal"];
    let caller = match principal["service"].as_str() {
        Some(service) => Caller::service(service, "", ""),
        None => Caller::role(
            &text(&principal["arn"]),
            &text(&principal["account"]),
            principal["session"].as_str(),
        ),
    };
    let context = add_keys(caller.context, &principal["context"]);
    Caller {
        context: add_keys(context, &vector["context"]),
        ..caller
    }
}

fn policies(vector: &Value, is_same_account: bool) -> PolicySet {
    let policies = &vector["policies"];
    let grants = policies["grants"].as_array().into_iter().flatten();
    let resource = match vector["kind"].as_str() {
        Some("kms") => ResourcePolicy::Key {
            policy: input(&policies["key"]),
            grants: grants.map(grant).collect(),
            is_enabled: policies
                .get("key_state")
                .is_none_or(|state| state == "Enabled"),
        },
        Some("trust") => ResourcePolicy::Trust(input(&policies["resource"])),
        _ => ResourcePolicy::Resource(input(&policies["resource"])),
    };
    // The policies of a role in another account cannot be read.
    let identity = if vector["kind"] == "trust" && !is_same_account {
        PolicyInput::AssumedToAllow
    } else {
        input(&policies["identity"])
    };
    PolicySet {
        boundary: policies.get("boundary").map(input),
        ..PolicySet::new(identity, resource)
    }
}

fn grant(grant: &Value) -> KeyGrant {
    let operations = grant["operations"].as_array().expect("operations");
    let subset = grant["encryption_context_subset"].as_object();
    KeyGrant {
        grantee: text(&grant["grantee"]),
        operations: operations.iter().map(text).collect(),
        encryption_context_subset: subset
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
    }
}

#[test]
fn decisions_match_all_policy_vectors() {
    let vectors: Vec<Value> = serde_json::from_str(VECTORS).expect("vectors");
    assert_eq!(vectors.len(), 64);
    let mut wrong = Vec::new();
    for vector in &vectors {
        let caller = caller(vector);
        let resource_account = text(&vector["resource_account"]);
        let is_same_account = caller.principal.account() == Some(&resource_account);
        let request = AccessRequest {
            principal: &caller.principal,
            context: &caller.context,
            action: &text(&vector["action"]),
            resource: &text(&vector["resource"]),
            resource_account: &resource_account,
        };
        let decision = evaluate(&request, &policies(vector, is_same_account));
        let found = match &decision {
            Decision::Allow => "allow",
            Decision::ExplicitDeny(_) | Decision::ImplicitDeny(_) => "deny",
            Decision::Unknown(_) => "unknown",
        };
        if vector["expect"] != found {
            wrong.push(format!("{}: {} {decision:?}", vector["id"], vector["why"]));
        }
        if let Decision::Unknown(missing) = &decision {
            assert_eq!(missing.condition_keys.len(), 1, "{decision:?}");
            assert_eq!(missing.statements.len(), 1, "{decision:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A role of account 111122223333 asks to decrypt.
fn decide(role_account: &str, resource_account: &str, policies: &PolicySet) -> Decision {
    let role = format!("arn:aws:iam::{role_account}:role/r");
    let caller = Caller::role(&role, role_account, None);
    let request = AccessRequest {
        principal: &caller.principal,
        context: &caller.context,
        action: "kms:Decrypt",
        resource: "arn:aws:kms:us-east-1:111122223333:key/k",
        resource_account,
    };
    evaluate(&request, policies)
}

fn statement(effect: &str, principal: &Value) -> Policy {
    let document = json!({"Version": "2012-10-17", "Statement": {
        "Effect": effect, "Principal": principal, "Action": "kms:*", "Resource": "*",
    }});
    Policy::from_document(&document).expect("a policy")
}

const OWN: &str = "111122223333";
const OTHER: &str = "444455556666";

#[test]
fn cross_account_requests_need_both_policies() {
    let anyone = || statement("Allow", &json!("*"));
    let account = || statement("Allow", &json!({ "AWS": OTHER }));
    for (identity, resource, expected) in [
        (PolicyInput::none(), anyone(), vec![PolicyLayer::Identity]),
        (
            PolicyInput::AssumedToAllow,
            statement("Allow", &json!({ "AWS": OWN })),
            vec![PolicyLayer::Resource],
        ),
        (
            PolicyInput::none(),
            statement("Allow", &json!({ "AWS": OWN })),
            vec![PolicyLayer::Identity, PolicyLayer::Resource],
        ),
    ] {
        let set = PolicySet::new(identity, ResourcePolicy::Resource(resource.into()));
        assert_eq!(decide(OTHER, OWN, &set), Decision::ImplicitDeny(expected));
    }
    for resource in [anyone(), account()] {
        let set = PolicySet::new(
            PolicyInput::AssumedToAllow,
            ResourcePolicy::Resource(resource.into()),
        );
        assert_eq!(decide(OTHER, OWN, &set), Decision::Allow);
    }
}

#[test]
fn boundary_and_control_policies_limit_permissions() {
    let set = |boundary, control_policies| PolicySet {
        boundary,
        control_policies,
        ..PolicySet::new(
            PolicyInput::AssumedToAllow,
            ResourcePolicy::Resource(PolicyInput::none()),
        )
    };
    let none = PolicyInput::none;
    for (boundary, control_policies, expected) in [
        (Some(none()), vec![], vec![PolicyLayer::Boundary]),
        (
            None,
            vec![PolicyInput::AssumedToAllow, none()],
            vec![PolicyLayer::Organization],
        ),
    ] {
        let decision = decide(OWN, OWN, &set(boundary, control_policies));
        assert_eq!(decision, Decision::ImplicitDeny(expected));
    }
    let allowing = set(
        Some(PolicyInput::AssumedToAllow),
        vec![PolicyInput::AssumedToAllow],
    );
    assert_eq!(decide(OWN, OWN, &allowing), Decision::Allow);
    let denying = set(Some(statement("Deny", &json!("*")).into()), vec![]);
    let Decision::ExplicitDeny(statement) = decide(OWN, OWN, &denying) else {
        panic!("an explicit deny");
    };
    assert_eq!(statement.layer, PolicyLayer::Boundary);
}

#[test]
fn unreadable_policies_make_decisions_unknown() {
    let set =
        |identity, policy: PolicyInput| PolicySet::new(identity, ResourcePolicy::Resource(policy));
    let allowing = || PolicyInput::from(statement("Allow", &json!("*")));
    for (identity, resource) in [
        (PolicyInput::Unreadable, allowing()),
        (PolicyInput::AssumedToAllow, PolicyInput::Unreadable),
    ] {
        let Decision::Unknown(missing) = decide(OWN, OWN, &set(identity, resource)) else {
            panic!("an unknown decision");
        };
        assert_eq!(missing.unreadable.len(), 1);
    }
    // A deny is certain, whatever the other policy says.
    let denying = statement("Deny", &json!("*"));
    let set = set(PolicyInput::Unreadable, denying.into());
    assert!(matches!(decide(OWN, OWN, &set), Decision::ExplicitDeny(_)));
}

#[test]
fn grants_work_across_accounts() {
    let key = |account: &str, is_enabled| {
        PolicySet::new(
            PolicyInput::none(),
            ResourcePolicy::Key {
                policy: PolicyInput::none(),
                grants: vec![KeyGrant {
                    grantee: format!("arn:aws:iam::{account}:role/r"),
                    operations: vec!["Decrypt".to_owned()],
                    ..KeyGrant::default()
                }],
                is_enabled,
            },
        )
    };
    assert_eq!(decide(OTHER, OWN, &key(OTHER, true)), Decision::Allow);
    assert_eq!(
        decide(OTHER, OWN, &key(OTHER, false)),
        Decision::ImplicitDeny(vec![PolicyLayer::KeyState])
    );
    assert!(decide(OTHER, OWN, &key(OWN, true)).is_deny());
}

/// A generator of policies from the words that callers and requests have, and a few others.
struct PolicyGenerator(u64);

impl PolicyGenerator {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    fn choose<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// One or two of these values.
    fn list(&mut self, choices: &[&str]) -> Value {
        let first = self.choose(choices);
        if self.below(2) == 0 {
            return json!(first);
        }
        json!([first, self.choose(choices)])
    }

    fn document(&mut self) -> Value {
        let count = self.below(4);
        let statements: Vec<Value> = (0..=count).map(|_| self.statement()).collect();
        let version = self.choose(&["2012-10-17", "2008-10-17"]);
        json!({ "Version": version, "Statement": statements })
    }

    fn statement(&mut self) -> Value {
        let mut statement = json!({ "Effect": self.choose(&["Allow", "Allow", "Deny"]) });
        let action = self.choose(&["Action", "Action", "NotAction"]);
        statement[action] = self.list(&["kms:Decrypt", "kms:*", "*", "sqs:SendMessage"]);
        let resource = self.choose(&["Resource", "Resource", "NotResource"]);
        statement[resource] = self.list(&[
            "*",
            "arn:aws:sqs:us-east-1:111122223333:q",
            "arn:aws:sqs:*:${aws:PrincipalAccount}:?",
            "arn:aws:s3:::b",
        ]);
        let principal = self.choose(&["Principal", "Principal", "NotPrincipal", ""]);
        if !principal.is_empty() {
            let aws = self.list(&[
                "*",
                "111122223333",
                "arn:aws:iam::111122223333:root",
                "arn:aws:iam::111122223333:role/r",
                "arn:aws:sts::111122223333:assumed-role/r/s",
                "arn:aws:iam::444455556666:root",
                "AROAEXAMPLE",
            ]);
            let service = self.list(&["s3.amazonaws.com", "sns.amazonaws.com"]);
            statement[principal] = self.choose(&[
                json!("*"),
                json!({ "AWS": aws }),
                json!({ "Service": service }),
                json!({ "AWS": aws, "Service": service }),
            ]);
        }
        for _ in 0..self.below(3) {
            let (operator, key, values) = self.condition();
            statement["Condition"][operator] = json!({ key: values });
        }
        statement
    }

    fn condition(&mut self) -> (String, &'static str, Value) {
        let set = self.choose(&["", "", "", "ForAllValues:", "ForAnyValue:"]);
        let operator = self.choose(&[
            "StringEquals",
            "StringNotEquals",
            "StringLike",
            "StringNotLike",
            "StringEqualsIgnoreCase",
            "ArnLike",
            "ArnNotEquals",
            "Bool",
            "Null",
            "IpAddress",
            "NotIpAddress",
            "NumericLessThan",
            "DateGreaterThan",
            "Unheard",
        ]);
        let suffix = self.choose(&["", "", "IfExists"]);
        let key = self.choose(&[
            "aws:SourceArn",
            "aws:sourceaccount",
            "aws:PrincipalArn",
            "aws:PrincipalOrgID",
            "aws:SecureTransport",
            "aws:PrincipalIsAWSService",
            "aws:SourceVpce",
            "aws:SourceIp",
            "s3:TlsVersion",
        ]);
        let values = self.list(&[
            "arn:aws:s3:::b",
            "arn:aws:s3:*:*:*",
            "arn:aws:iam::${aws:PrincipalAccount}:role/*",
            "111122223333",
            "o-example",
            "true",
            "false",
            "10.0.0.0/8",
            "1.2",
            "2026-01-01",
            "*",
        ]);
        (format!("{set}{operator}{suffix}"), key, values)
    }
}

#[test]
fn random_policies_have_consistent_decisions() {
    let mut generator = PolicyGenerator(1);
    for _ in 0..250 {
        let document = generator.document();
        policy_properties::check_policy(document.to_string().as_bytes());
    }
}

/// Every place in a document may have any JSON.
#[test]
fn damaged_policies_do_not_panic() {
    let mut generator = PolicyGenerator(2);
    for _ in 0..60 {
        let text = generator.document().to_string();
        for _ in 0..5 {
            let mut bytes = text.clone().into_bytes();
            let at = generator.below(bytes.len());
            let to = at + generator.below((bytes.len() - at).min(12) + 1);
            let new = generator.choose(&["", "{}", "[]", "null", "\"", "*", "${", ":", "1e400"]);
            bytes.splice(at..to, new.bytes());
            policy_properties::check_policy(&bytes);
        }
    }
}
