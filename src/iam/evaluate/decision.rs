//! The result of an evaluation, with its explanation.

use std::fmt;

/// Decision about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// A statement denies the request. No other statement can allow it.
    ExplicitDeny(StatementSummary),
    /// No statement allows the request. The list has the layers that would have to allow it and do not.
    ImplicitDeny(Vec<PolicyLayer>),
    /// The decision depends on facts that the evaluator was not given.
    Unknown(MissingFacts),
}

impl Decision {
    #[must_use]
    pub fn is_allow(&self) -> bool {
        *self == Self::Allow
    }

    #[must_use]
    pub fn is_deny(&self) -> bool {
        matches!(self, Self::ExplicitDeny(_) | Self::ImplicitDeny(_))
    }
}

/// A kind of policy, by the thing it is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyLayer {
    /// Policies of the role or user that makes the request.
    Identity,
    /// The policy of the resource: of a bucket, topic, queue, function or key, or the trust policy of a role.
    Resource,
    /// Grants of a KMS key.
    KeyGrants,
    /// The permissions boundary of the role or user.
    Boundary,
    /// Service control policies and resource control policies of the organization.
    Organization,
    /// The state of a KMS key.
    KeyState,
}

impl fmt::Display for PolicyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity-based policy",
            Self::Resource => "resource-based policy",
            Self::KeyGrants => "grants of the key",
            Self::Boundary => "permissions boundary",
            Self::Organization => "control policy of the organization",
            Self::KeyState => "state of the key",
        })
    }
}

/// A statement of a policy, as far as a message needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementSummary {
    pub layer: PolicyLayer,
    pub sid: Option<String>,
    /// True if the effect is Deny.
    pub denies: bool,
    /// Position in its document, from 1.
    pub number: usize,
    /// Each condition as text, such as `StringNotEquals aws:SourceVpce vpce-1 or vpce-2`.
    pub conditions: Vec<String>,
}

impl fmt::Display for StatementSummary {
    /// Writes `statement` with its Sid, or with its position if it has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sid {
            Some(sid) => write!(f, "statement {sid}"),
            None => write!(f, "statement {}", self.number),
        }
    }
}

/// Facts without which a decision is impossible. Every list is free of duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissingFacts {
    /// Condition keys with unknown values, as the policies write them, such as `aws:SourceVpce`.
    pub condition_keys: Vec<String>,
    /// Elements that cannot be evaluated, such as an unknown operator.
    pub unsupported: Vec<String>,
    /// Layers whose policies were not readable.
    pub unreadable: Vec<PolicyLayer>,
    /// Statements that depend on these facts.
    pub statements: Vec<StatementSummary>,
}

impl MissingFacts {
    pub(super) fn condition_key(key: &str) -> Self {
        Self {
            condition_keys: vec![key.to_owned()],
            ..Self::default()
        }
    }

    pub(super) fn unsupported(element: String) -> Self {
        Self {
            unsupported: vec![element],
            ..Self::default()
        }
    }

    pub(super) fn unreadable(layer: PolicyLayer) -> Self {
        Self {
            unreadable: vec![layer],
            ..Self::default()
        }
    }

    pub(super) fn merge(mut self, other: Self) -> Self {
        for key in other.condition_keys {
            let is_known = |known: &String| known.eq_ignore_ascii_case(&key);
            if !self.condition_keys.iter().any(is_known) {
                self.condition_keys.push(key);
            }
        }
        append_new(&mut self.unsupported, other.unsupported);
        append_new(&mut self.unreadable, other.unreadable);
        append_new(&mut self.statements, other.statements);
        self
    }

    pub(super) fn in_statement(mut self, statement: StatementSummary) -> Self {
        append_new(&mut self.statements, vec![statement]);
        self
    }
}

fn append_new<T: PartialEq>(list: &mut Vec<T>, items: Vec<T>) {
    for item in items {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

impl fmt::Display for MissingFacts {
    /// Lists the condition keys, unsupported elements and unreadable policies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.condition_keys.iter().cloned();
        let elements = self.unsupported.iter().cloned();
        let layers = self.unreadable.iter().map(|layer| format!("the {layer}"));
        let all: Vec<String> = keys.chain(elements).chain(layers).collect();
        f.write_str(&all.join(", "))
    }
}
