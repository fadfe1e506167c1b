//! The rules D8 and D9: SNS refuses to create a topic or a subscription again with other tags or attributes.
//!
//! SQS has the same rule for queues (D6), which both emulators enforce.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::input;
use crate::proxy::{Call, FaultAction};

/// The settings with which topics and subscriptions were created.
#[derive(Debug, Default)]
pub(crate) struct RepeatedCreation {
    created: HashMap<String, Value>,
}

/// The identity of what a call creates, and its settings.
fn creation(call: &Call) -> Option<(String, Value, &'static str)> {
    let read = || input(call);
    match call.name().as_str() {
        "sns:CreateTopic" => {
            let input = read();
            let mut tags = input["Tags"].as_array().cloned().unwrap_or_default();
            tags.sort_by_key(ToString::to_string);
            let id = format!("{} {} {}", call.region, call.access_key, input["Name"]);
            let message =
                "Invalid parameter: Tags Reason: Topic already exists with different tags";
            Some((id, json!(tags), message))
        }
        "sns:Subscribe" => {
            let input = read();
            let parts = [&input["TopicArn"], &input["Protocol"], &input["Endpoint"]];
            let message = "Invalid parameter: Attributes Reason: Subscription already exists with different \
                           attributes";
            Some((
                json!(parts).to_string(),
                input["Attributes"].clone(),
                message,
            ))
        }
        _ => None,
    }
}

impl RepeatedCreation {
    /// The refusal of AWS, if the call creates again with other settings.
    pub(crate) fn refusal(&self, call: &Call) -> Option<FaultAction> {
        let (id, settings, message) = creation(call)?;
        let earlier = self.created.get(&id)?;
        let is_empty = settings.is_null() || settings == json!([]) || settings == json!({});
        (!is_empty && *earlier != settings)
            .then(|| FaultAction::refuse(400, "InvalidParameter", message))
    }

    /// Records a call that succeeded. A later change of tags or attributes makes the settings unknown.
    pub(crate) fn record(&mut self, call: &Call) {
        if call.service != "sns" {
            return;
        }
        if let Some((id, settings, _)) = creation(call) {
            self.created.insert(id, settings);
        } else if call.writes() {
            self.created.clear();
        }
    }
}
