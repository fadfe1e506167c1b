//! Evaluation of the statements of one layer of policies, and of the grants of a key.

use super::AccessRequest;
use super::condition::evaluate_condition;
use super::context::ContextValue;
use super::decision::{MissingFacts, PolicyLayer, StatementSummary};
use super::document::{NameList, PolicyStatement, PrincipalElement, PrincipalList};
use super::pattern::{Expansion, expand, matches_name};
use super::policy_set::{KeyGrant, PolicyInput};
use super::principal::{PrincipalMatch, is_excluded, match_principals};
use super::truth::Truth;

/// The result of all statements of one layer.
#[derive(Clone, Debug)]
pub(super) struct LayerResult {
    pub layer: PolicyLayer,
    pub deny: Truth,
    /// The first statement that certainly denies.
    pub denying: Option<StatementSummary>,
    /// A statement allows it to everyone, the service, the user, or the role.
    pub direct: Truth,
    /// A statement allows it to the session of the role.
    pub session: Truth,
    /// A statement allows it to the account.
    pub account: Truth,
}

impl LayerResult {
    /// The result of no policies.
    pub const NEUTRAL: Self = Self {
        layer: PolicyLayer::Identity,
        deny: Truth::False,
        denying: None,
        direct: Truth::False,
        session: Truth::False,
        account: Truth::False,
    };

    /// Returns true if an identity-based policy or a limit allows. Its statements name no principal.
    pub fn allow(&self) -> Truth {
        self.direct.clone()
    }
}

/// Evaluates all statements of a layer.
pub(super) fn evaluate_layer(
    request: &AccessRequest<'_>,
    layer: PolicyLayer,
    input: &PolicyInput,
) -> LayerResult {
    let mut result = LayerResult {
        layer,
        ..LayerResult::NEUTRAL
    };
    let policies = match input {
        PolicyInput::Documents(policies) => policies,
        PolicyInput::AssumedToAllow => {
            result.direct = Truth::True;
            return result;
        }
        PolicyInput::Unreadable => {
            let unknown = Truth::Unknown(MissingFacts::unreadable(layer));
            result.deny = unknown.clone();
            result.direct = unknown;
            return result;
        }
    };
    for policy in policies {
        for (index, statement) in policy.statements.iter().enumerate() {
            let evaluation = StatementEvaluation {
                request,
                layer,
                statement,
                number: index + 1,
                has_variables: policy.has_variables,
            };
            evaluation.add_to(&mut result);
        }
    }
    result
}

struct StatementEvaluation<'a> {
    request: &'a AccessRequest<'a>,
    layer: PolicyLayer,
    statement: &'a PolicyStatement,
    number: usize,
    has_variables: bool,
}

impl StatementEvaluation<'_> {
    fn add_to(&self, result: &mut LayerResult) {
        let named = self.principal_match();
        let anyone = named.any();
        if anyone == Truth::False || !self.applies_to_action() {
            return;
        }
        let conditions = self.statement.conditions.iter().map(|condition| {
            evaluate_condition(condition, self.request.context, self.has_variables)
        });
        let applies = self.applies_to_resource().and(Truth::all(conditions));
        let add = |sum: &mut Truth, named: Truth| {
            let applies = self.explain(named.and(applies.clone()));
            *sum = std::mem::replace(sum, Truth::False).or(applies);
        };
        if !self.statement.denies {
            add(&mut result.direct, named.direct);
            add(&mut result.session, named.session);
            add(&mut result.account, named.account);
            return;
        }
        if anyone.clone().and(applies.clone()) == Truth::True && result.denying.is_none() {
            result.denying = Some(self.summary());
        }
        add(&mut result.deny, anyone);
    }

    fn principal_match(&self) -> PrincipalMatch {
        let direct = |direct: Truth| PrincipalMatch {
            direct,
            session: Truth::False,
            account: Truth::False,
        };
        match (&self.statement.principals, self.layer) {
            (PrincipalElement::Principal(list), _) => {
                match_principals(list, self.request.principal)
            }
            (PrincipalElement::NotPrincipal(list), _) => {
                direct(is_excluded(list, self.request.principal))
            }
            // A resource policy must name principals; the other policies apply to the identity they are attached to.
            (PrincipalElement::Absent, PolicyLayer::Resource) => direct(Truth::False),
            (PrincipalElement::Absent, _) => direct(Truth::True),
        }
    }

    /// Actions ignore case and have no variables.
    fn applies_to_action(&self) -> bool {
        let NameList { negated, patterns } = &self.statement.actions;
        let action = self.request.action.to_ascii_lowercase();
        let is_named = patterns
            .iter()
            .any(|pattern| matches_name(&pattern.to_ascii_lowercase(), &action));
        is_named != *negated
    }

    fn applies_to_resource(&self) -> Truth {
        // A trust policy has no resource: it applies to its role.
        let Some(NameList { negated, patterns }) = &self.statement.resources else {
            return Truth::True;
        };
        let is_named = Truth::any(patterns.iter().map(|pattern| {
            match expand(pattern, self.request.context, self.has_variables) {
                Expansion::Text(text) => text.matches(self.request.resource).into(),
                Expansion::NoValue => Truth::False,
                Expansion::Unknown(key) => Truth::Unknown(MissingFacts::condition_key(&key)),
            }
        }));
        if *negated {
            is_named.negate()
        } else {
            is_named
        }
    }

    /// Adds the statement to an unknown result.
    fn explain(&self, result: Truth) -> Truth {
        match result {
            Truth::Unknown(missing) => Truth::Unknown(missing.in_statement(self.summary())),
            known => known,
        }
    }

    fn summary(&self) -> StatementSummary {
        let conditions = self.statement.conditions.iter();
        StatementSummary {
            layer: self.layer,
            sid: self.statement.sid.clone(),
            denies: self.statement.denies,
            number: self.number,
            conditions: conditions.map(ToString::to_string).collect(),
        }
    }
}

/// Returns true if a grant allows the request.
pub(super) fn match_grants(request: &AccessRequest<'_>, grants: &[KeyGrant]) -> Truth {
    let operation = request.action.strip_prefix("kms:").unwrap_or_default();
    let matching = grants.iter().filter(|grant| {
        let mut operations = grant.operations.iter();
        operations.any(|allowed| allowed.eq_ignore_ascii_case(operation))
    });
    Truth::any(matching.map(|grant| {
        let grantee = PrincipalList {
            everyone: false,
            aws: vec![grant.grantee.clone()],
            services: vec![grant.grantee.clone()],
        };
        let named = match_principals(&grantee, request.principal);
        let context = grant.encryption_context_subset.iter().map(|(name, value)| {
            let key = format!("kms:EncryptionContext:{name}");
            match request.context.value(&key) {
                Some(ContextValue::Value(found)) => (found == value).into(),
                Some(ContextValue::OneOf(found)) if !found.contains(value) => Truth::False,
                Some(ContextValue::Absent | ContextValue::List(_)) => Truth::False,
                Some(ContextValue::OneOf(_)) | None => {
                    Truth::Unknown(MissingFacts::condition_key(&key))
                }
            }
        });
        named.direct.or(named.session).and(Truth::all(context))
    }))
}
