//! The functions that queue policies and topic policies share. Each of these policies is one document.

use serde_json::Value;

use super::{policy_text, with_policy};
use crate::iam;
use crate::ownership::Ownership;
use crate::reconcile::graph::Output;
use crate::reconcile::state::State;
use crate::reconcile::{Actual, Outputs, Parent};

/// The field of the policy in a state.
const POLICY: &str = "policy";

/// The state of a resource with this policy.
pub(super) fn policy_state(document: &Value) -> State {
    with_policy(State::default(), POLICY, document)
}

/// The actual state of a policy that AWS returned. `output` identifies its resource.
pub(super) fn actual_policy(text: &str, output: (&'static str, String)) -> Actual {
    Actual {
        state: policy_state(&iam::parse_document(text)),
        outputs: Outputs::from([output]),
        ownership: Ownership::Managed,
    }
}

/// The text to write for a desired state.
pub(super) fn written_policy(want: &State) -> String {
    policy_text(want, POLICY)
}

/// The resource that the policy belongs to. AWS deletes the policy together with the resource.
pub(super) fn policy_parent(resource: &Output) -> Parent {
    Parent {
        id: resource.resource.clone(),
        deletes_children: true,
    }
}
