//! A Lambda function: its code, its settings, and the log group that Lambda makes for it. Long, since the same settings
//! are wanted, written, changed and read back, and stand next to each other so that none is forgotten.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Concurrency, Environment, EphemeralStorage, FunctionCode, FunctionConfiguration,
    LastUpdateStatus, LastUpdateStatusReasonCode, LogFormat, LoggingConfig, Runtime,
    State as Stage, StateReasonCode, TracingConfig, TracingMode,
};
use serde_json::Value;
use tokio::time::sleep;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::OwnershipTags;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Properties, Resource, ResourceSpec};

pub struct Function {
    pub arn: String,
    pub description: &'static str,
    pub handler: &'static str,
    pub runtime: &'static str,
    /// Megabytes.
    pub memory_mb: i32,
    /// Seconds that a call may take.
    pub timeout_seconds: i32,
    pub role: Output,
    /// The zip, and its hash as Lambda tells it.
    pub code: Vec<u8>,
    pub code_sha256: String,
    /// Variables of its environment.
    pub variables: Vec<(&'static str, Output)>,
    pub ownership: OwnershipTags,
    /// Tags besides those that make it ours.
    pub extra_tags: Vec<(&'static str, &'static str)>,
    /// What has to be there before the function is of any use.
    pub depends_on: Vec<Output>,
}

impl Handle<Function> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

/// What Lambda calls a function that can be called, and one that never will be.
pub(super) const ACTIVE: &str = "Active";
const FAILED: &str = "Failed";
/// Megabytes of the disk that every function has.
const EPHEMERAL_STORAGE_MB: i32 = 512;
/// The calls that are set apart for the function, and what stands for none, which is also the most it can have.
const RESERVED_CONCURRENCY: &str = "reserved_concurrency";
const UNRESERVED: &str = "none";
/// How often, and how long, a change that is under way is waited for.
const FIRST_POLL_DELAY: Duration = Duration::from_millis(50);
const MAX_POLL_DELAY: Duration = Duration::from_secs(1);
const UPDATE_TIMEOUT: Duration = Duration::from_secs(60);

impl ResourceSpec for Function {
    fn id(&self) -> ResourceId {
        ResourceKind::LambdaFunction.id(self.name())
    }

    fn dependencies(&self) -> Vec<Output> {
        let variables = self.variables.iter().map(|(_, output)| output.clone());
        [self.role.clone()]
            .into_iter()
            .chain(variables)
            .chain(self.depends_on.clone())
            .collect()
    }

    fn static_outputs(&self) -> Outputs {
        Outputs::from([("arn", self.arn.clone())])
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        State::default()
            .with("description", self.description)
            .with("runtime", self.runtime)
            .with("handler", self.handler)
            .with("memory", self.memory_mb)
            .with("timeout", self.timeout_seconds)
            .with("disk", EPHEMERAL_STORAGE_MB)
            .with("layers", Vec::<Value>::new())
            .with("tracing", "PassThrough")
            .with("log_format", "Text")
            .with("log_group", self.log_group())
            .with_optional("role", known.get(&self.role))
            .with_optional("variables", self.environment(known).map(variables_value))
            .with("code_sha256", self.code_sha256.as_str())
            .with(RESERVED_CONCURRENCY, UNRESERVED)
            .with("stage", ACTIVE)
    }

    fn properties(&self) -> Properties {
        Properties {
            // Lambda gives the code of a function out as an address elsewhere, and says how far it is by itself.
            irreversible_fields: &["code_sha256", "stage"],
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(&'static str, String)> {
        self.ownership.to_vec()
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let is_off = change.field == RESERVED_CONCURRENCY
            && change.before.as_ref().is_some_and(|it| it == 0);
        is_off.then(|| "the function is switched off: nothing is delivered".to_owned())
    }

    /// A role takes some seconds until Lambda may assume it.
    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let spreading = [
            "cannot be assumed by Lambda",
            "does not have permissions",
            "because the KMS key is invalid for CreateGrant",
        ]
        .iter()
        .any(|words| refusal.matches("InvalidParameterValueException", words));
        let busy = refusal.has_code("ResourceConflictException")
            && !refusal.reason().contains("already exist");
        (spreading || busy || refusal.has_code("OperationAbortedException"))
            .then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for Function {
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let found = aws
            .lambda
            .get_function()
            .function_name(self.name())
            .send()
            .await
            .optional_for("lambda:GetFunction", not_found::FUNCTION, || {
                format!("read {}", self.id())
            })?;
        let Some(found) = found else { return Ok(None) };
        let Some(configuration) = found.configuration() else {
            return Ok(None);
        };
        if let Some(refusal) = found.tags_error() {
            return Err(Error::failed(
                format!("read the tags of {}", self.id()),
                refusal.message(),
            )
            .with_permission("lambda:ListTags")
            .with_code(Some(refusal.error_code().to_owned()), None));
        }
        Ok(Some(Actual {
            state: parse_configuration(configuration)
                .with(RESERVED_CONCURRENCY, reserved_concurrency(&found))
                .with(observed::TAGS, observed::tags(tags(&found))),
            outputs: Outputs::new(),
            ownership: self.ownership.ownership(tags(&found)),
        }))
    }

    /// Whether it comes up, Lambda says after the call.
    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let settings = FunctionSettings(want);
        aws.lambda
            .create_function()
            .function_name(self.name())
            .description(settings.text("description"))
            .runtime(Runtime::from(settings.text("runtime")))
            .handler(settings.text("handler"))
            .memory_size(settings.number("memory"))
            .timeout(settings.number("timeout"))
            .role(settings.text("role"))
            .environment(settings.environment())
            .ephemeral_storage(settings.ephemeral_storage()?)
            .logging_config(settings.logging_config())
            .tracing_config(settings.tracing_config())
            .code(
                FunctionCode::builder()
                    .zip_file(Blob::new(self.code.clone()))
                    .build(),
            )
            .set_tags(Some(self.all_tags()))
            .send()
            .await
            .context_for("lambda:CreateFunction", || format!("create {}", self.id()))?;
        self.wait_until_active(aws).await?;
        // Nothing that setup makes has a limit; what a rollback makes again may have had one.
        if want.get(RESERVED_CONCURRENCY).is_some_and(Value::is_number) {
            self.set_reserved_concurrency(aws, want.get(RESERVED_CONCURRENCY))
                .await?;
        }
        Ok(Outputs::new())
    }

    /// Settings first, then the code; Lambda takes one change at a time.
    async fn update(&self, aws: &Aws, live: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        let differs = |field: &str| live.state.get(field) != want.get(field);
        let settings = [
            "description",
            "runtime",
            "handler",
            "memory",
            "timeout",
            "disk",
            "layers",
            "tracing",
            "log_format",
            "log_group",
            "role",
            "variables",
        ];
        let failed = live.state.get("stage").is_some_and(|stage| stage == FAILED);
        if failed || settings.iter().any(|field| differs(field)) {
            let settings = FunctionSettings(want);
            aws.lambda
                .update_function_configuration()
                .function_name(self.name())
                .description(settings.text("description"))
                .runtime(Runtime::from(settings.text("runtime")))
                .handler(settings.text("handler"))
                .memory_size(settings.number("memory"))
                .timeout(settings.number("timeout"))
                .role(settings.text("role"))
                .environment(settings.environment())
                .ephemeral_storage(settings.ephemeral_storage()?)
                .logging_config(settings.logging_config())
                .tracing_config(settings.tracing_config())
                .set_layers(Some(settings.list("layers")))
                .send()
                .await
                .context_for("lambda:UpdateFunctionConfiguration", || {
                    format!("change {}", self.id())
                })?;
            self.wait_until_active(aws).await?;
        }
        // There is no other code than ours to be written.
        if want.text("code_sha256") == Some(&self.code_sha256) && differs("code_sha256") {
            aws.lambda
                .update_function_code()
                .function_name(self.name())
                .zip_file(Blob::new(self.code.clone()))
                .send()
                .await
                .context_for("lambda:UpdateFunctionCode", || {
                    format!("change the code of {}", self.id())
                })?;
            self.wait_until_active(aws).await?;
        }
        if differs(RESERVED_CONCURRENCY) {
            self.set_reserved_concurrency(aws, want.get(RESERVED_CONCURRENCY))
                .await?;
        }
        Ok(())
    }

    async fn take_ownership(&self, aws: &Aws, _: &Actual) -> Result<()> {
        aws.lambda
            .tag_resource()
            .resource(&self.arn)
            .set_tags(Some(self.all_tags()))
            .send()
            .await
            .context_for("lambda:TagResource", || format!("tag {}", self.id()))?;
        Ok(())
    }

    /// And the log group that Lambda made for it at its first call: before, since a run that ends in between finds
    /// only the function again; and after, since its last call may have made another.
    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        // One that is protected does not protect the function.
        if let Err(refusal) = self.delete_log_group(aws).await
            && refusal.error_code().is_none()
        {
            return Err(refusal);
        }
        self.delete_function(aws).await?;
        self.delete_log_group(aws).await
    }

    /// The log group may be older than the function.
    async fn undo_create(&self, aws: &Aws, _: &Actual) -> Result<()> {
        self.delete_function(aws).await
    }
}

impl Function {
    fn name(&self) -> &str {
        arn::resource_name(&self.arn)
    }

    fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.name())
    }

    /// Sets so many calls apart for the function, or none.
    async fn set_reserved_concurrency(&self, aws: &Aws, wanted: Option<&Value>) -> Result<()> {
        let wanted = wanted.and_then(Value::as_i64).map(i32::try_from);
        let Some(Ok(calls)) = wanted else {
            let call = aws.lambda.delete_function_concurrency();
            let done = call.function_name(self.name()).send().await;
            return done
                .context_for("lambda:DeleteFunctionConcurrency", || {
                    format!("lift the limit on {}", self.id())
                })
                .map(drop);
        };
        let call = aws.lambda.put_function_concurrency();
        let call = call.reserved_concurrent_executions(calls);
        call.function_name(self.name())
            .send()
            .await
            .context_for("lambda:PutFunctionConcurrency", || {
                format!("put the limit back on {}", self.id())
            })
            .map(drop)
    }

    async fn delete_function(&self, aws: &Aws) -> Result<()> {
        aws.lambda
            .delete_function()
            .function_name(self.name())
            .send()
            .await
            .optional_for("lambda:DeleteFunction", not_found::FUNCTION, || {
                format!("delete {}", self.id())
            })
            .map(|_| ())
    }

    async fn delete_log_group(&self, aws: &Aws) -> Result<()> {
        aws.logs
            .delete_log_group()
            .log_group_name(self.log_group())
            .send()
            .await
            .optional_for("logs:DeleteLogGroup", not_found::LOG_GROUP, || {
                format!("delete the log group of {}", self.id())
            })
            .map_err(|refusal| {
                refusal.with_hint(format!(
                    "it is the only thing of the function that is left: aws logs delete-log-group --log-group-name {}",
                    self.log_group()
                ))
            })?;
        Ok(())
    }

    fn environment(&self, known: &KnownOutputs) -> Option<HashMap<String, String>> {
        self.variables
            .iter()
            .map(|(name, output)| Some(((*name).to_owned(), known.get(output)?)))
            .collect()
    }

    fn all_tags(&self) -> HashMap<String, String> {
        self.ownership
            .iter()
            .chain(self.extra_tags.iter().copied())
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn startup_error(&self, found: &FunctionConfiguration) -> Error {
        let code = found
            .state_reason_code()
            .map(StateReasonCode::as_str)
            .or(found
                .last_update_status_reason_code()
                .map(LastUpdateStatusReasonCode::as_str));
        let reason = found
            .state_reason()
            .or(found.last_update_status_reason())
            .unwrap_or("Lambda gives no reason");
        Error::failed(format!("bring up {}", self.id()), reason)
            .with_code(code.map(str::to_owned), None)
            .with_hint("heeler-ec destroy removes it; then run setup again")
    }

    /// Until Lambda has taken a change in.
    async fn wait_until_active(&self, aws: &Aws) -> Result<()> {
        let (mut pause, mut waited) = (FIRST_POLL_DELAY, Duration::ZERO);
        while waited < UPDATE_TIMEOUT {
            let found = aws
                .lambda
                .get_function()
                .function_name(self.name())
                .send()
                .await
                .optional_for("lambda:GetFunction", not_found::FUNCTION, || {
                    format!("read {}", self.id())
                })?;
            // One that was made a moment ago may not show yet.
            match found.as_ref().and_then(|found| found.configuration()) {
                Some(found) if effective_state(found) == ACTIVE => return Ok(()),
                Some(found) if effective_state(found) == FAILED => {
                    return Err(self.startup_error(found));
                }
                _ => sleep(pause).await,
            }
            waited += pause;
            pause = (pause * 2).min(MAX_POLL_DELAY);
        }
        Err(Error::failed(
            format!("bring up {}", self.id()),
            "Lambda has not taken the change in within a minute",
        )
        .with_hint("run the same command again"))
    }
}

/// A state in the words of Lambda's calls.
struct FunctionSettings<'a>(&'a State);

impl FunctionSettings<'_> {
    fn text(&self, field: &str) -> &str {
        self.0.text(field).unwrap_or_default()
    }

    fn number(&self, field: &str) -> i32 {
        let number = self.0.get(field).and_then(Value::as_i64);
        number
            .and_then(|number| number.try_into().ok())
            .unwrap_or_default()
    }

    fn list(&self, field: &str) -> Vec<String> {
        let items = self.0.get(field).and_then(Value::as_array);
        let items = items.into_iter().flatten().filter_map(Value::as_str);
        items.map(str::to_owned).collect()
    }

    fn environment(&self) -> Environment {
        let variables = self.0.get("variables").and_then(Value::as_object);
        let variables = variables.into_iter().flatten();
        let texts =
            variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
        Environment::builder()
            .set_variables(Some(texts.collect()))
            .build()
    }

    fn ephemeral_storage(&self) -> Result<EphemeralStorage> {
        let disk = EphemeralStorage::builder().size(self.number("disk"));
        disk.build()
            .map_err(|why| Error::failed("describe the disk of a function", why.to_string()))
    }

    fn logging_config(&self) -> LoggingConfig {
        LoggingConfig::builder()
            .log_format(LogFormat::from(self.text("log_format")))
            .log_group(self.text("log_group"))
            .build()
    }

    fn tracing_config(&self) -> TracingConfig {
        TracingConfig::builder()
            .mode(TracingMode::from(self.text("tracing")))
            .build()
    }
}

fn variables_value(variables: HashMap<String, String>) -> Value {
    let mut sorted: Vec<(String, String)> = variables.into_iter().collect();
    sorted.sort();
    let fields = sorted
        .into_iter()
        .map(|(name, value)| (name, Value::from(value)));
    Value::Object(fields.collect())
}

fn tags(found: &GetFunctionOutput) -> impl Iterator<Item = (&str, &str)> {
    let tags = found.tags().into_iter().flatten();
    tags.map(|(key, value)| (key.as_str(), value.as_str()))
}

fn reserved_concurrency(found: &GetFunctionOutput) -> Value {
    let calls = found
        .concurrency()
        .and_then(Concurrency::reserved_concurrent_executions);
    calls.map_or_else(|| UNRESERVED.into(), Value::from)
}

/// How far Lambda is with a function; nothing when there is none.
pub(super) async fn get_state(aws: &Aws, name: &str) -> Result<Option<String>> {
    let found = aws.lambda.get_function().function_name(name).send().await;
    let found = found.optional_for("lambda:GetFunction", not_found::FUNCTION, || {
        format!("read lambda function {name}")
    })?;
    let configuration = found.and_then(|found| found.configuration);
    Ok(configuration.map(|found| effective_state(&found).to_owned()))
}

/// How far Lambda is with the last change. An idle function sleeps, and wakes by itself.
fn effective_state(found: &FunctionConfiguration) -> &str {
    match (found.state(), found.last_update_status()) {
        (Some(Stage::Failed), _) | (_, Some(LastUpdateStatus::Failed)) => FAILED,
        (_, Some(LastUpdateStatus::InProgress)) => "Updating",
        (None | Some(Stage::Active | Stage::Inactive | Stage::ActiveNonInvocable), _) => ACTIVE,
        (Some(stage), _) => stage.as_str(),
    }
}

fn parse_configuration(found: &FunctionConfiguration) -> State {
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
        .with("memory", found.memory_size().unwrap_or_default())
        .with("timeout", found.timeout().unwrap_or_default())
        .with(
            "disk",
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
        .with("stage", effective_state(found))
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
            ("disk", Value::from(512)),
            ("tracing", "PassThrough".into()),
            ("log_format", "Text".into()),
            ("log_group", "/aws/lambda/collector".into()),
            ("layers", Vec::<Value>::new().into()),
            ("stage", "Active".into()),
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
            (Some(Stage::Pending), None, "Pending"),
            (
                Some(Stage::Active),
                Some(LastUpdateStatus::InProgress),
                "Updating",
            ),
            (Some(Stage::Active), Some(LastUpdateStatus::Failed), FAILED),
            (
                Some(Stage::Failed),
                Some(LastUpdateStatus::Successful),
                FAILED,
            ),
            (
                Some(Stage::Inactive),
                Some(LastUpdateStatus::Successful),
                ACTIVE,
            ),
            (
                Some(Stage::Active),
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
