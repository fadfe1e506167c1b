//! A Lambda function: its code, its settings, and the log group that Lambda creates for it.

mod settings;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_lambda::operation::get_function::GetFunctionOutput;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    FunctionCode, FunctionConfiguration, LastUpdateStatusReasonCode, Runtime, StateReasonCode,
};
use serde_json::Value;
use tokio::time::sleep;

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, extra_tags, observed};
use crate::aws::error::AwsResultExt;
use crate::aws::{Aws, arn, lookup, not_found};
use crate::error::{Error, Result};
use crate::ownership::OwnershipTags;
use crate::reconcile::diff::Change;
use crate::reconcile::graph::{Handle, Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Properties, Resource, ResourceSpec};
use settings::{
    EPHEMERAL_STORAGE_MB, FAILED, FunctionSettings, UNRESERVED, effective_state,
    parse_configuration, reserved_concurrency, variables_value,
};

pub(super) use settings::ACTIVE;

pub struct Function {
    pub arn: String,
    pub description: &'static str,
    pub handler: &'static str,
    pub runtime: &'static str,
    pub memory_mb: i32,
    pub timeout_seconds: i32,
    pub role: Output,
    /// The ZIP file.
    pub code: Vec<u8>,
    /// The hash of the ZIP file in the format that Lambda returns.
    pub code_sha256: String,
    /// Environment variables.
    pub variables: Vec<(&'static str, Output)>,
    pub ownership: OwnershipTags,
    /// Tags that only this function has. A tag of the operator replaces a tag with the same key.
    pub own_tags: Vec<(&'static str, &'static str)>,
    /// Resources that the function needs before its first invocation.
    pub depends_on: Vec<Output>,
}

impl Handle<Function> {
    #[must_use]
    pub fn arn(&self) -> Output {
        self.output("arn")
    }
}

/// The state field of the reserved concurrency.
const RESERVED_CONCURRENCY: &str = "reserved_concurrency";
/// Delay before the second poll for a change that Lambda applies in the background.
const FIRST_POLL_DELAY: Duration = Duration::from_millis(50);
const MAX_POLL_DELAY: Duration = Duration::from_secs(1);
const UPDATE_TIMEOUT: Duration = Duration::from_secs(60);

/// The fields that one `UpdateFunctionConfiguration` call updates.
const SETTING_FIELDS: &[&str] = &[
    "description",
    "runtime",
    "handler",
    "memory_mb",
    "timeout_seconds",
    "ephemeral_storage_mb",
    "layers",
    "tracing",
    "log_format",
    "log_group",
    "role",
    "variables",
];

/// Sets the settings that the create and update calls have in common. This is a macro because the two builders share no
/// trait.
macro_rules! with_settings {
    ($call:expr, $settings:expr) => {
        $call
            .description($settings.text("description"))
            .runtime(Runtime::from($settings.text("runtime")))
            .handler($settings.text("handler"))
            .memory_size($settings.number("memory_mb"))
            .timeout($settings.number("timeout_seconds"))
            .role($settings.text("role"))
            .environment($settings.environment())
            .ephemeral_storage($settings.ephemeral_storage()?)
            .logging_config($settings.logging_config())
            .tracing_config($settings.tracing_config())
    };
}

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
        let state = State::default()
            .with("description", self.description)
            .with("runtime", self.runtime)
            .with("handler", self.handler)
            .with("memory_mb", self.memory_mb)
            .with("timeout_seconds", self.timeout_seconds)
            .with("ephemeral_storage_mb", EPHEMERAL_STORAGE_MB)
            .with("layers", Vec::<Value>::new())
            .with("tracing", "PassThrough")
            .with("log_format", "Text")
            .with("log_group", self.log_group())
            .with_optional("role", known.get(&self.role))
            .with_optional("variables", self.environment(known).map(variables_value))
            .with("code_sha256", self.code_sha256.as_str())
            .with(RESERVED_CONCURRENCY, UNRESERVED)
            .with("state", ACTIVE);
        extra_tags::with_wanted(state, &self.ownership)
    }

    fn properties(&self) -> Properties {
        Properties {
            // Lambda returns the code only as a download URL. Only Lambda itself can set the state.
            irreversible_fields: &[
                "code_sha256",
                "state",
                extra_tags::FIELD,
                extra_tags::OWNERSHIP_FIELD,
            ],
            ..Properties::default()
        }
    }

    fn ownership_tags(&self) -> Vec<(String, String)> {
        self.ownership.to_vec()
    }

    fn reason(&self, change: &Change) -> Option<String> {
        let is_off = change.field == RESERVED_CONCURRENCY
            && change.before.as_ref().is_some_and(|reserved| reserved == 0);
        is_off.then(|| "the function is disabled: no event is delivered".to_owned())
    }

    /// Allows retries for a new role, because Lambda can assume it only after some seconds.
    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let is_propagating = [
            "cannot be assumed by Lambda",
            "does not have permissions",
            "because the KMS key is invalid for CreateGrant",
        ]
        .iter()
        .any(|text| refusal.matches("InvalidParameterValueException", text));
        let is_busy = refusal.has_code("ResourceConflictException")
            && !refusal.reason().contains("already exist");
        (is_propagating || is_busy || refusal.has_code("OperationAbortedException"))
            .then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for Function {
    async fn read(&self, aws: &Aws, _: &KnownOutputs) -> Result<Option<Actual>> {
        let Some(found) = lookup::function(aws, self.name()).await? else {
            return Ok(None);
        };
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
        let state = parse_configuration(configuration)
            .with(RESERVED_CONCURRENCY, reserved_concurrency(&found))
            .with(observed::TAGS, observed::tags(tags(&found)));
        Ok(Some(Actual {
            state: extra_tags::with_found(state, &self.ownership, tags(&found)),
            outputs: Outputs::new(),
            ownership: self.ownership.ownership(tags(&found)),
        }))
    }

    /// Creates the function, and waits until it is active.
    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        let settings = FunctionSettings(want);
        with_settings!(aws.lambda.create_function(), settings)
            .function_name(self.name())
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
        // Setup reserves no concurrency. A rollback that creates a function again restores its reserved concurrency.
        if want.get(RESERVED_CONCURRENCY).is_some_and(Value::is_number) {
            self.set_reserved_concurrency(aws, want.get(RESERVED_CONCURRENCY))
                .await?;
        }
        Ok(Outputs::new())
    }

    /// Updates the settings and then the code, because Lambda accepts only one change at a time.
    async fn update(
        &self,
        aws: &Aws,
        actual: &Actual,
        want: &State,
        _: &KnownOutputs,
    ) -> Result<()> {
        if extra_tags::must_write(&actual.state, want) {
            self.take_ownership(aws, actual).await?;
        }
        let differs = |field: &str| actual.state.get(field) != want.get(field);
        let failed = actual
            .state
            .get("state")
            .is_some_and(|state| state == FAILED);
        if failed || SETTING_FIELDS.iter().any(|field| differs(field)) {
            let settings = FunctionSettings(want);
            with_settings!(aws.lambda.update_function_configuration(), settings)
                .function_name(self.name())
                .set_layers(Some(settings.list("layers")))
                .send()
                .await
                .context_for("lambda:UpdateFunctionConfiguration", || {
                    format!("update {}", self.id())
                })?;
            self.wait_until_active(aws).await?;
        }
        // A rollback cannot restore the previous code, because Lambda does not return it.
        if want.text("code_sha256") == Some(&self.code_sha256) && differs("code_sha256") {
            aws.lambda
                .update_function_code()
                .function_name(self.name())
                .zip_file(Blob::new(self.code.clone()))
                .send()
                .await
                .context_for("lambda:UpdateFunctionCode", || {
                    format!("update the code of {}", self.id())
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

    /// Deletes the log group before and after the function. After an interruption, the next run finds the log group
    /// only through the function. The last invocation may create the log group again.
    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        // The function is deleted even if its log group has deletion protection.
        if let Err(refusal) = self.delete_log_group(aws).await
            && refusal.error_code().is_none()
        {
            return Err(refusal);
        }
        self.delete_function(aws).await?;
        self.delete_log_group(aws).await
    }

    /// Keeps the log group, because it may be older than the function.
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

    /// Reserves concurrency for the function, or removes the reservation.
    async fn set_reserved_concurrency(&self, aws: &Aws, wanted: Option<&Value>) -> Result<()> {
        let wanted = wanted.and_then(Value::as_i64).map(i32::try_from);
        let Some(Ok(calls)) = wanted else {
            let call = aws.lambda.delete_function_concurrency();
            let done = call.function_name(self.name()).send().await;
            return done
                .context_for("lambda:DeleteFunctionConcurrency", || {
                    format!("remove the reserved concurrency of {}", self.id())
                })
                .map(drop);
        };
        let call = aws.lambda.put_function_concurrency();
        let call = call.reserved_concurrent_executions(calls);
        call.function_name(self.name())
            .send()
            .await
            .context_for("lambda:PutFunctionConcurrency", || {
                format!("set the reserved concurrency of {}", self.id())
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
                    "everything else of the function is deleted; delete the log group with: aws logs delete-log-group --log-group-name {}",
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
        let own_tags = self.own_tags.iter().copied();
        own_tags
            .chain(self.ownership.iter())
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
            .unwrap_or("Lambda returns no reason");
        Error::failed(format!("activate {}", self.id()), reason)
            .with_code(code.map(str::to_owned), None)
            .with_hint("run heeler-ec destroy, then setup again")
    }

    /// Waits until Lambda has applied a change.
    async fn wait_until_active(&self, aws: &Aws) -> Result<()> {
        let (mut pause, mut waited) = (FIRST_POLL_DELAY, Duration::ZERO);
        while waited < UPDATE_TIMEOUT {
            let found = lookup::function(aws, self.name()).await?;
            // A new function may not be visible yet.
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
            format!("activate {}", self.id()),
            "Lambda did not apply the change within a minute",
        )
        .with_hint("run the same command again"))
    }
}

fn tags(found: &GetFunctionOutput) -> impl Iterator<Item = (&str, &str)> + Clone {
    let tags = found.tags().into_iter().flatten();
    tags.map(|(key, value)| (key.as_str(), value.as_str()))
}

/// Reads the state of a function. Returns `None` if it does not exist.
pub(super) async fn get_state(aws: &Aws, name: &str) -> Result<Option<String>> {
    let found = lookup::function(aws, name).await?;
    let configuration = found.and_then(|found| found.configuration);
    Ok(configuration.map(|found| effective_state(&found).to_owned()))
}
