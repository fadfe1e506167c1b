//! A permission to invoke a Lambda function: one statement of its resource policy.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::document_kind::DocumentKind;
use super::kind::ResourceKind;
use super::{PROPAGATION_TIMEOUT, observed};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::{Error, Result};
use crate::iam;
use crate::ownership::Ownership;
use crate::reconcile::graph::{Output, ResourceId};
use crate::reconcile::state::State;
use crate::reconcile::{Actual, KnownOutputs, Outputs, Parent, Resource, ResourceSpec};

pub struct FunctionPermission {
    /// ARN of the function.
    pub function: Output,
    pub sid: &'static str,
    /// The service that may invoke the function, for this source of this account.
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
        (busy
            || not_found::FUNCTION
                .iter()
                .any(|code| refusal.has_code(code)))
        .then_some(PROPAGATION_TIMEOUT)
    }
}

#[async_trait]
impl Resource<Aws> for FunctionPermission {
    async fn read(&self, aws: &Aws, known: &KnownOutputs) -> Result<Option<Actual>> {
        let function = known.require(&self.function)?;
        let found = aws
            .lambda
            .get_policy()
            .function_name(arn::resource_name(&function))
            .send()
            .await
            .optional_for("lambda:GetPolicy", not_found::FUNCTION, || {
                format!("read {}", self.id())
            })?;
        let document: Value = found
            .and_then(|found| found.policy)
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let statements = document["Statement"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        // A temporary statement is left over from an update that failed halfway, so the permission is out of date.
        let of_id = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid);
        let found = of_id(&self.temporary_sid()).or_else(|| of_id(self.sid));
        Ok(found.map(|statement| Actual {
            state: statement_state(statement.clone()).with(observed::NAME, sid(statement)),
            outputs: Outputs::new(),
            ownership: Ownership::Managed,
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &KnownOutputs) -> Result<Outputs> {
        self.add(aws, want, self.sid).await?;
        Ok(Outputs::new())
    }

    /// Replaces the statement, because Lambda cannot change one. A temporary statement grants the same permission
    /// temporary, so that no event is lost.
    async fn update(&self, aws: &Aws, _: &Actual, want: &State, _: &KnownOutputs) -> Result<()> {
        let (temporary, function) = (self.temporary_sid(), &self.function.resource.name);
        match self.add(aws, want, &temporary).await {
            Err(refusal) if is_already_added(&refusal) => {}
            added => added?,
        }
        remove_statement(aws, function, self.sid).await?;
        self.add(aws, want, self.sid).await?;
        remove_statement(aws, function, &temporary).await
    }

    async fn delete(&self, aws: &Aws, _: &Actual) -> Result<()> {
        remove_statement(aws, &self.function.resource.name, self.sid).await
    }
}

/// Returns true if a statement with this ID already exists.
fn is_already_added(refusal: &Error) -> bool {
    refusal.matches("ResourceConflictException", "already exist")
}

/// A state with the statement as a document of its own, because states compare documents.
fn statement_state(statement: Value) -> State {
    let compared = iam::canonical(&iam::document(vec![statement.clone()]));
    State::default().with_document("statement", compared, statement)
}

/// A string, or the first of a list.
fn single_text(value: &Value) -> Option<String> {
    let value = value.get(0).unwrap_or(value);
    value.as_str().map(str::to_owned)
}

/// The principal of a statement: a service, an account or `*`.
fn single_principal(value: &Value) -> Option<String> {
    let kinds = value.as_object().and_then(|kinds| kinds.values().next());
    single_text(kinds.unwrap_or(value))
}

/// The value of a condition key under any operator. AWS ignores the case of the key.
fn condition_value(statement: &Value, key: &str) -> Option<String> {
    let operators = statement["Condition"].as_object()?.values();
    let mut keys = operators.filter_map(Value::as_object).flatten();
    let (_, value) = keys.find(|(name, _)| name.eq_ignore_ascii_case(key))?;
    single_text(value)
}

impl FunctionPermission {
    /// The ID of the temporary statement of an update.
    fn temporary_sid(&self) -> String {
        format!("{}Meanwhile", self.sid)
    }

    async fn add(&self, aws: &Aws, want: &State, sid: &str) -> Result<()> {
        let statement = want.write_form("statement").cloned().unwrap_or_default();
        add_statement(aws, &self.function.resource.name, sid, &statement).await
    }
}

/// Adds a statement under this ID. Lambda takes its fields, not its JSON.
async fn add_statement(aws: &Aws, function: &str, sid: &str, statement: &Value) -> Result<()> {
    aws.lambda
        .add_permission()
        .function_name(function)
        .statement_id(sid)
        .set_action(single_text(&statement["Action"]))
        .set_principal(single_principal(&statement["Principal"]))
        .set_source_arn(condition_value(statement, "aws:SourceArn"))
        .set_source_account(condition_value(statement, "aws:SourceAccount"))
        .set_principal_org_id(condition_value(statement, "aws:PrincipalOrgID"))
        .send()
        .await
        .context_for("lambda:AddPermission", || {
            format!("add a permission to lambda function {function}")
        })?;
    Ok(())
}

async fn remove_statement(aws: &Aws, function: &str, sid: &str) -> Result<()> {
    aws.lambda
        .remove_permission()
        .function_name(function)
        .statement_id(sid)
        .send()
        .await
        .optional_for("lambda:RemovePermission", not_found::FUNCTION, || {
            format!("remove {sid} from the policy of lambda function {function}")
        })?;
    Ok(())
}

async fn read_statements(aws: &Aws, function: &str) -> Result<Vec<Value>> {
    let found = aws.lambda.get_policy().function_name(function).send().await;
    let found = found.optional_for("lambda:GetPolicy", not_found::FUNCTION, || {
        format!("read the policy of lambda function {function}")
    })?;
    let found = found.and_then(|found| found.policy).unwrap_or_default();
    Ok(statements(&iam::parse_document(&found)))
}

fn statements(document: &Value) -> Vec<Value> {
    document["Statement"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// The source ARN of each statement that allows `service` to invoke the function; `None` for any source.
pub(super) async fn allowed_sources(
    aws: &Aws,
    function: &str,
    service: &str,
) -> Result<Vec<Option<String>>> {
    let statements = read_statements(aws, function).await?;
    let of_service = statements
        .iter()
        .filter(|statement| single_principal(&statement["Principal"]).as_deref() == Some(service));
    Ok(of_service
        .map(|statement| condition_value(statement, "aws:SourceArn"))
        .collect())
}

fn sid(statement: &Value) -> &str {
    statement["Sid"].as_str().unwrap_or_default()
}

/// Replaces the statements of a function's policy with those of a document. Statements that are in both stay unchanged.
pub(super) async fn replace_statements(aws: &Aws, function: &str, document: &Value) -> Result<()> {
    let (has, wants) = (read_statements(aws, function).await?, statements(document));
    let same = |left: &Value, right: &Value| {
        let meant = |one: &Value| statement_state(one.clone()).get("statement").cloned();
        meant(left) == meant(right)
    };
    for statement in has
        .iter()
        .filter(|one| !wants.iter().any(|other| same(one, other)))
    {
        remove_statement(aws, function, sid(statement)).await?;
    }
    for statement in wants
        .iter()
        .filter(|one| !has.iter().any(|other| same(one, other)))
    {
        add_statement(aws, function, sid(statement), statement).await?;
    }
    Ok(())
}
