//! Strict validation: the rules of AWS that a request can violate and an emulator does not check.
//!
//! `model` has the input shapes of AWS's own service models, `input` decodes a request, `constraints` compares both, and
//! `documents` has the rules for policy documents, attributes, tags and notification configurations. `eventual` plays the
//! delays of AWS, and `variation` the forms in which AWS may write a response.

mod constraints;
mod documents;
pub mod eventual;
mod input;
pub mod model;
pub(crate) mod repeated_creation;
pub mod variation;

use std::sync::OnceLock;

use serde_json::Value;

use crate::Call;

pub use model::Models;

/// The models of all services that the program calls.
pub fn models() -> &'static Models {
    static MODELS: OnceLock<Models> = OnceLock::new();
    MODELS.get_or_init(Models::read)
}

/// Finds the rules of AWS that a request violates, each with the operation, the member and the rule.
pub fn violations(call: &Call) -> Vec<String> {
    let Some((service, operation)) = models().operation(&call.service, &call.operation) else {
        return vec![format!(
            "{} is not in the models: add it to tests/testkit/models/generate.py and run `make generate`",
            call.name()
        )];
    };
    let mut found = Vec::new();
    match input::decode(service, operation, call) {
        Ok(input) => {
            constraints::check(service, operation, &input, &mut found);
            documents::check(call, &input, &mut found);
        }
        Err(error) => found.push(error),
    }
    for violation in &mut found {
        violation.insert_str(0, &format!("{}: ", call.name()));
    }
    found
}

/// The input of a call as JSON with the member names of the model; null if it cannot be decoded.
pub(crate) fn input(call: &Call) -> Value {
    let known = models().operation(&call.service, &call.operation);
    let input = known.and_then(|(service, operation)| input::decode(service, operation, call).ok());
    input.unwrap_or_default()
}

#[cfg(test)]
mod tests;
