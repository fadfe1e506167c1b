//! Converts the settings of a Lambda function from a state to the types of the Lambda API, and back.

use std::collections::HashMap;

use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::types::{
    Concurrency, Environment, EphemeralStorage, FunctionConfiguration, LastUpdateStatus, LogFormat,
    LoggingConfig, Runtime, State as FunctionState, TracingConfig, TracingMode,
};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::reconcile::state::State;

/// The state of a function that can be invoked.
pub const ACTIVE: &str = "Active";
/// The state of a function that cannot be invoked until it is changed or created again.
pub const FAILED: &str = "Failed";
/// The default size of `/tmp` for a Lambda function.
pub const EPHEMERAL_STORAGE_MB: i32 = 512;
/// The value for a function without reserved concurrency. Only the account limits the concurrency of such a function.
pub const UNRESERVED: &str = "none";

/// The settings of a state in the types of the Lambda API.
pub struct FunctionSettings<'a>(pub &'a State);

impl FunctionSettings<'_> {
    pub fn text(&self, field: &str) -> &str {
        self.0.text(field).unwrap_or_default()
    }

    pub fn number(&self, field: &str) -> i32 {
        let number = self.0.get(field).and_then(Value::as_i64);
        number
            .and_then(|number| number.try_into().ok())
            .unwrap_or_default()
    }

    pub fn list(&self, field: &str) -> Vec<String> {
        let items = self.0.get(field).and_then(Value::as_array);
        let items = items.into_iter().flatten().filter_map(Value::as_str);
        items.map(str::to_owned).collect()
    }

    pub fn environment(&self) -> Environment {
        let variables = self.0.get("variables").and_then(Value::as_object);
        let variables = variables.into_iter().flatten();
        let texts =
            variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Environment::builder()
            .set_variables(Some(texts.collect()))
            .build()
    }

    pub fn ephemeral_storage(&self) -> Result<EphemeralStorage> {
        let disk = EphemeralStorage::builder().size(self.number("ephemeral_storage_mb"));
        disk.build()
            .map_err(|why| Error::failed("build the ephemeral storage setting", why.to_string()))
    }

    pub fn logging_config(&self) -> LoggingConfig {
        LoggingConfig::builder()
            .log_format(LogFormat::from(self.text("log_format")))
            .log_group(self.text("log_group"))
            .build()
    }

    pub fn tracing_config(&self) -> TracingConfig {
        TracingConfig::builder()
            .mode(TracingMode::from(self.text("tracing")))
            .build()
    }
}

/// The environment variables as a value, sorted by name.
pub fn variables_value(variables: HashMap<String, String>) -> Value {
    let mut sorted: Vec<(String, String)> = variables.into_iter().collect();
    sorted.sort();
    let fields = sorted
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    Value::Object(fields.collect())
}

/// The reserved concurrency as a value of a state.
pub fn reserved_concurrency(found: &GetFunctionOutput) -> Value {
    let calls = found
        .concurrency()
        .and_then(Concurrency::reserved_concurrent_executions);
    calls.map_or_else(|| UNRESERVED.into(), Value::from)
}

/// The state of a function, including the status of its last update. An idle function counts as active, because Lambda
/// reactivates it on the next invocation.
pub fn effective_state(found: &FunctionConfiguration) -> &str {
    match (found.state(), found.last_update_status()) {
        (Some(FunctionState::Failed), _) | (_, Some(LastUpdateStatus::Failed)) => FAILED,
        (_, Some(LastUpdateStatus::InProgress)) => "Updating",
        (
            None
            | Some(
                FunctionState::Active | FunctionState::Inactive | FunctionState::ActiveNonInvocable,
            ),
            _,
        ) => ACTIVE,
        (Some(state), _) => state.as_str(),
    }
}

/// Converts a Lambda response to a state. A setting that Lambda omits has its default value.
pub fn parse_configuration(found: &FunctionConfiguration) -> State {
    let variables = found
        .environment()
        .and_then(|environment| environment.variables().cloned())
        .unwrap_or_default();
    let logging = found.logging_config();
    let layers: Vec<Value> = found
        .layers()
        .iter()
        .map(|layer| Value::from(layer.arn().unwrap_or_default()))
        .collect();
    State::default()
        .with("description", found.description().unwrap_or_default())
        .with("runtime", found.runtime().map_or("", Runtime::as_str))
        .with("handler", found.handler().unwrap_or_default())
        .with("memory_mb", found.memory_size().unwrap_or_default())
        .with("timeout_seconds", found.timeout().unwrap_or_default())
        .with(
            "ephemeral_storage_mb",
            found
                .ephemeral_storage()
                .map_or(EPHEMERAL_STORAGE_MB, EphemeralStorage::size),
        )
        .with("layers", layers)
        .with(
            "tracing",
            found
                .tracing_config()
                .and_then(|tracing| tracing.mode())
                .map_or("PassThrough", |mode| mode.as_str()),
        )
        .with(
            "log_format",
            logging
                .and_then(|logging| logging.log_format())
                .map_or("Text", |format| format.as_str()),
        )
        .with(
            "log_group",
            logging.and_then(|logging| logging.log_group()).map_or_else(
                || format!("/aws/lambda/{}", found.function_name().unwrap_or_default()),
                str::to_owned,
            ),
        )
        .with("role", found.role().unwrap_or_default())
        .with("variables", variables_value(variables))
        .with("code_sha256", found.code_sha256().unwrap_or_default())
        .with("state", effective_state(found))
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::EnvironmentResponse;
    use aws_sdk_lambda::types::builders::FunctionConfigurationBuilder;

    use super::*;

    fn configuration() -> FunctionConfigurationBuilder {
        FunctionConfiguration::builder()
            .function_name("collector")
            .description("collects")
            .runtime(Runtime::Python312)
            .handler("file.function")
            .memory_size(128)
            .timeout(10)
            .role("arn:aws:iam::111122223333:role/r")
            .environment(
                EnvironmentResponse::builder()
                    .variables("QUEUE_URL", "https://queue")
                    .build(),
            )
            .code_sha256("abc=")
    }

    #[test]
    fn omitted_settings_are_lambda_defaults() {
        let state = parse_configuration(&configuration().build());
        let default = [
            ("ephemeral_storage_mb", Value::from(512)),
            ("tracing", "PassThrough".into()),
            ("log_format", "Text".into()),
            ("log_group", "/aws/lambda/collector".into()),
            ("layers", Vec::<Value>::new().into()),
            ("state", "Active".into()),
            (
                "variables",
                serde_json::json!({ "QUEUE_URL": "https://queue" }),
            ),
        ];
        for (field, value) in default {
            assert_eq!(state.get(field), Some(&value), "{field}");
        }
    }

    #[test]
    fn unreserved_concurrency_differs_from_zero() {
        let found = |calls: Option<i32>| {
            let set = Concurrency::builder().set_reserved_concurrent_executions(calls);
            reserved_concurrency(
                &GetFunctionOutput::builder()
                    .concurrency(set.build())
                    .build(),
            )
        };
        assert_eq!(
            reserved_concurrency(&GetFunctionOutput::builder().build()),
            UNRESERVED
        );
        assert_eq!(found(None), UNRESERVED);
        assert_eq!(found(Some(0)), 0);
        assert_eq!(found(Some(5)), 5);
    }

    #[test]
    fn update_in_progress_is_not_active() {
        let table = [
            (Some(FunctionState::Pending), None, "Pending"),
            (
                Some(FunctionState::Active),
                Some(LastUpdateStatus::InProgress),
                "Updating",
            ),
            (
                Some(FunctionState::Active),
                Some(LastUpdateStatus::Failed),
                FAILED,
            ),
            (
                Some(FunctionState::Failed),
                Some(LastUpdateStatus::Successful),
                FAILED,
            ),
            (
                Some(FunctionState::Inactive),
                Some(LastUpdateStatus::Successful),
                ACTIVE,
            ),
            (
                Some(FunctionState::Active),
                Some(LastUpdateStatus::Successful),
                ACTIVE,
            ),
        ];
        for (state, update, wanted) in table {
            let found = configuration()
                .set_state(state)
                .set_last_update_status(update);
            assert_eq!(effective_state(&found.build()), wanted);
        }
    }
}
