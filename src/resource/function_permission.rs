//! A permission to invoke a Lambda function: one statement of its resource policy.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::ownership::Ownership;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};
use crate::shared_document::function_policy;
use crate::shared_document::kind::DocumentKind;

pub struct FunctionPermission {
    /// ARN of the function.
    pub function: Output,
    pub sid: &'static str,
    /// The service that may invoke the function for `source_arn` in `source_account`.
    pub principal: &'static str,
    pub source_arn: String,
    pub source_account: String,
}

const INVOKE_FUNCTION: &str = "lambda:InvokeFunction";

impl ResourceSpec for FunctionPermission {
    fn id(&self) -> ResourceId {
        ResourceKind::LambdaPermission
            .id(format!("{} of {}", self.sid, self.function.resource.name))
    }

    fn dependencies(&self) -> Vec<Output> {
        vec![self.function.clone()]
    }

    fn desired(&self, known: &KnownOutputs) -> State {
        let statement = known.get(&self.function).map(|function| {
            json!({
                "Sid": self.sid,
                "Effect": "Allow",
                "Principal": { "Service": self.principal },
                "Action": INVOKE_FUNCTION,
                "Resource": function,
                "Condition": {
                    "StringEquals": { "AWS:SourceAccount": self.source_account },
                    "ArnLike": { "AWS:SourceArn": self.source_arn },
                },
            })
        });
        match statement {
            Some(statement) => statement_state(statement),
            None => State::default().with_optional("statement", None::<Value>),
        }
    }

    fn parent(&self) -> Option<Parent> {
        Some(Parent {
            id: self.function.resource.clone(),
            deletes_children: true,
        })
    }

    fn shared_documents(&self, _: &KnownOutputs) -> Vec<ResourceId> {
        vec![DocumentKind::FunctionPolicy.id(&self.function.resource.name)]
    }

    fn retry_budget(&self, refusal: &Error) -> Option<Duration> {
        let busy = refusal.has_code("ResourceConflictException") && !is_already_added(refusal);
        (busy || refusal.has_any_code(not_found::FUNCTION)).then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for FunctionPermission {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let function = known.require(&self.function)?;
        let function = arn::resource_name(&function);
        let statements = function_policy::read_statements(aws, function).await?;
        // A temporary statement remains if an update failed before its end, so the permission is out of date.
        let of_id = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid);
        let found = of_id(&self.temporary_sid()).or_else(|| of_id(self.sid));
        Ok(found.map(|statement| Actual {
            state: statement_state(statement.clone())
                .with(observed::NAME, function_policy::sid(statement)),
            outputs: Outputs::new(),
            ownership: Ownership::Managed,
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        self.add(aws, want, self.sid).await?;
        Ok(Outputs::new())
    }

    /// Replaces the statement, because Lambda cannot change one. A temporary statement grants the permission during the
    /// replacement, so that no event is lost.
    async fn update(&self, aws: &Aws, _: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        let (temporary, function) = (self.temporary_sid(), &self.function.resource.name);
        match self.add(aws, want, &temporary).await {
            Err(refusal) if is_already_added(&refusal) => {}
            added => added?,
        }
        function_policy::remove_statement(aws, function, self.sid).await?;
        self.add(aws, want, self.sid).await?;
        function_policy::remove_statement(aws, function, &temporary).await
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        function_policy::remove_statement(aws, &self.function.resource.name, self.sid).await
    }
}

/// Returns true if a statement with this ID already exists.
fn is_already_added(refusal: &Error) -> bool {
    refusal.matches("ResourceConflictException", "already exist")
}

/// A state that contains the statement as a document, because states compare documents in canonical form.
fn statement_state(statement: Value) -> State {
    let compared = function_policy::canonical_statement(&statement);
    State::default().with_document("statement", compared, statement)
}

impl FunctionPermission {
    /// The ID of the temporary statement of an update.
    fn temporary_sid(&self) -> String {
        format!("{}Meanwhile", self.sid)
    }

    async fn add(&self, aws: &Aws, want: &State, sid: &str) -> Result<()> {
        let statement = want.write_form("statement").cloned().unwrap_or_default();
        function_policy::add_statement(aws, &self.function.resource.name, sid, &statement).await
    }
}
