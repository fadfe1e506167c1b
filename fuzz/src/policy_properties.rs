//! Properties that hold for every policy, whatever its place in a policy set.

use heeler_ec::iam::evaluate::{
    AccessRequest, Caller, Decision, KeyGrant, Policy, PolicyInput, PolicySet, Principal,
    RequestContext, ResourcePolicy, evaluate,
};
use serde_json::{Value, json};

/// The largest policy of any service: that of a key.
const MAX_POLICY_BYTES: usize = 32_768;

const ACCOUNT: &str = "111122223333";
const ROLE: &str = "arn:aws:iam::111122223333:role/r";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:q";

/// A document is refused or evaluated, and its decisions are consistent.
pub fn check_policy(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if text.len() > MAX_POLICY_BYTES {
        return;
    }
    let Ok(document) = serde_json::from_str::<Value>(text) else {
        assert!(Policy::parse(text).is_err(), "{text}");
        return;
    };
    if Policy::from_document(&document).is_err() {
        return;
    }
    for caller in callers() {
        let is_service = matches!(caller.principal, Principal::Service(_));
        // A service has no identity-based policies.
        let places = PLACES.iter().skip(usize::from(is_service));
        for place in places {
            for resource_account in [ACCOUNT, "444455556666"] {
                PolicyProperties {
                    document: &document,
                    caller: &caller,
                    place: *place,
                    resource_account,
                }
                .check();
            }
        }
    }
}

fn callers() -> [Caller; 3] {
    [
        Caller::service("s3.amazonaws.com", "arn:aws:s3:::b", ACCOUNT),
        Caller::role(ROLE, ACCOUNT, Some(SESSION)).in_organization("o-example"),
        Caller::role(ROLE, ACCOUNT, None),
    ]
}

/// Places the policy in a set. The first place is that of an identity-based policy.
const PLACES: &[fn(Policy) -> PolicySet] = &[
    |policy| PolicySet::new(policy.into(), ResourcePolicy::Resource(PolicyInput::none())),
    |policy| PolicySet::new(PolicyInput::none(), ResourcePolicy::Resource(policy.into())),
    |policy| {
        PolicySet::new(
            PolicyInput::AssumedToAllow,
            ResourcePolicy::Trust(policy.into()),
        )
    },
    |policy| {
        PolicySet::new(
            PolicyInput::Unreadable,
            ResourcePolicy::Resource(policy.into()),
        )
    },
    |policy| {
        let key = ResourcePolicy::Key {
            policy: policy.into(),
            grants: vec![KeyGrant {
                grantee: ROLE.to_owned(),
                operations: vec!["Decrypt".to_owned()],
                ..KeyGrant::default()
            }],
            is_enabled: true,
        };
        PolicySet::new(PolicyInput::none(), key)
    },
    |policy| PolicySet {
        boundary: Some(policy.clone().into()),
        control_policies: vec![PolicyInput::AssumedToAllow, policy.into()],
        ..PolicySet::new(
            PolicyInput::AssumedToAllow,
            ResourcePolicy::Resource(PolicyInput::AssumedToAllow),
        )
    },
];

struct PolicyProperties<'a> {
    document: &'a Value,
    caller: &'a Caller,
    place: fn(Policy) -> PolicySet,
    resource_account: &'a str,
}

impl PolicyProperties<'_> {
    fn check(&self) {
        let decision = self.decide(self.document, &self.caller.context);
        let denied = self.with_statement(json!({
            "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*",
        }));
        assert!(
            matches!(denied, Decision::ExplicitDeny(_)),
            "an explicit deny wins: {denied:?} {}",
            self.document
        );
        let unrelated = self.with_statement(json!({
            "Effect": "Allow", "Principal": "*", "Action": "unrelated:Action", "Resource": "*",
        }));
        assert_eq!(
            unrelated, decision,
            "an unrelated Allow changes {}",
            self.document
        );
        let allowed = self.with_statement(json!({
            "Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*",
        }));
        assert!(
            rank(&allowed) >= rank(&decision),
            "an Allow turns {decision:?} into {allowed:?}: {}",
            self.document
        );
        if let Decision::ExplicitDeny(_) = decision {
            assert_eq!(
                allowed, decision,
                "an Allow lifts a deny of {}",
                self.document
            );
        }
        let reversed = self.decide(&reversed(self.document), &self.caller.context);
        assert_eq!(
            rank(&reversed),
            rank(&decision),
            "the order of statements matters in {}",
            self.document
        );
        let uninformed = self.decide(self.document, &RequestContext::new());
        assert!(
            matches!(uninformed, Decision::Unknown(_)) || rank(&uninformed) == rank(&decision),
            "more facts turn {uninformed:?} into {decision:?}: {}",
            self.document
        );
        if let Decision::Unknown(missing) = &decision {
            assert!(!missing.to_string().is_empty(), "{}", self.document);
        }
    }

    fn decide(&self, document: &Value, context: &RequestContext) -> Decision {
        let policy = Policy::from_document(document).expect("a policy");
        let request = AccessRequest {
            principal: &self.caller.principal,
            context,
            action: "kms:Decrypt",
            resource: QUEUE,
            resource_account: self.resource_account,
        };
        evaluate(&request, &(self.place)(policy))
    }

    /// Decides with one more statement.
    fn with_statement(&self, statement: Value) -> Decision {
        let mut statements = statements(self.document);
        statements.push(statement);
        self.decide(
            &with_statements(self.document, statements),
            &self.caller.context,
        )
    }
}

/// Orders decisions: deny, unknown, allow.
fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::ExplicitDeny(_) | Decision::ImplicitDeny(_) => 0,
        Decision::Unknown(_) => 1,
        Decision::Allow => 2,
    }
}

fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        single => vec![single.clone()],
    }
}

fn with_statements(document: &Value, statements: Vec<Value>) -> Value {
    let mut changed = document.clone();
    changed["Statement"] = statements.into();
    changed
}

fn reversed(document: &Value) -> Value {
    let mut statements = statements(document);
    statements.reverse();
    with_statements(document, statements)
}
