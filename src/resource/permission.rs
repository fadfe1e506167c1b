//! Who may invoke a Lambda function: one statement of its own policy.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::function::NO_FUNCTION;
use super::{PROPAGATION, document, seen};
use crate::aws::Aws;
use crate::aws::arn;
use crate::aws::fault::Doing;
use crate::converge::graph::{Id, Output};
use crate::converge::state::State;
use crate::converge::{Known, Live, Outputs, Owner, Part, Resource};
use crate::error::{Error, Result};
use crate::policy;

pub struct Permission {
    /// ARN of the function.
    pub function: Output,
    pub sid: &'static str,
    /// Which service may, on behalf of what, and of whose.
    pub principal: &'static str,
    pub source: String,
    pub account: String,
}

const ACTION: &str = "lambda:InvokeFunction";

#[async_trait]
impl Resource<Aws> for Permission {
    fn id(&self) -> Id {
        Id {
            kind: "lambda permission",
            name: format!("{} of {}", self.sid, self.function.of.name),
        }
    }

    fn needs(&self) -> Vec<Output> {
        vec![self.function.clone()]
    }

    fn desired(&self, known: &Known) -> State {
        let statement = known.get(&self.function).map(|function| {
            json!({
                "Sid": self.sid,
                "Effect": "Allow",
                "Principal": { "Service": self.principal },
                "Action": ACTION,
                "Resource": function,
                "Condition": {
                    "StringEquals": { "AWS:SourceAccount": self.account },
                    "ArnLike": { "AWS:SourceArn": self.source },
                },
            })
        });
        match statement {
            Some(statement) => with_statement(statement),
            None => State::default().with_known("statement", None::<Value>),
        }
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.function.of.clone(),
            goes_with_it: true,
        })
    }

    fn documents(&self, _: &Known) -> Vec<Id> {
        vec![document::id(
            document::FUNCTION_POLICY,
            &self.function.of.name,
        )]
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        let busy = refusal.is("ResourceConflictException") && !is_there(refusal);
        (busy || NO_FUNCTION.iter().any(|code| refusal.is(code))).then_some(PROPAGATION)
    }

    async fn read(&self, aws: &Aws, known: &Known) -> Result<Option<Live>> {
        let function = known.need(&self.function)?;
        let found = aws
            .lambda
            .get_policy()
            .function_name(arn::last(&function))
            .send()
            .await
            .finding("lambda:GetPolicy", NO_FUNCTION, || {
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
        // One that stands in was left by a run that failed in between, so that nothing is as it should be.
        let of_id = |sid: &str| statements.iter().find(|statement| statement["Sid"] == sid);
        let found = of_id(&self.meanwhile()).or_else(|| of_id(self.sid));
        Ok(found.map(|statement| Live {
            state: with_statement(statement.clone()).with(seen::NAME, sid(statement)),
            outputs: Outputs::new(),
            owner: Owner::Us,
        }))
    }

    async fn create(&self, aws: &Aws, want: &State, _: &Known) -> Result<Outputs> {
        self.add(aws, want, self.sid).await?;
        Ok(Outputs::new())
    }

    /// A statement cannot be changed: it is taken out and put in again. What the log group delivers meanwhile would be
    /// lost, so another one lets it in as long.
    async fn update(&self, aws: &Aws, _: &Live, want: &State, _: &Known) -> Result<()> {
        let (meanwhile, function) = (self.meanwhile(), &self.function.of.name);
        match self.add(aws, want, &meanwhile).await {
            Err(refusal) if is_there(&refusal) => {}
            added => added?,
        }
        remove(aws, function, self.sid).await?;
        self.add(aws, want, self.sid).await?;
        remove(aws, function, &meanwhile).await
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        remove(aws, &self.function.of.name, self.sid).await
    }
}

/// Whether a statement of this id is there already.
fn is_there(refusal: &Error) -> bool {
    refusal.says("ResourceConflictException", "already exist")
}

/// The statement as a document of its own, since documents are what is compared.
fn with_statement(statement: Value) -> State {
    let compared = policy::canonical(&policy::document(vec![statement.clone()]));
    State::default().with_document("statement", compared, statement)
}

/// A text, or the only one of a list.
fn text(value: &Value) -> Option<String> {
    let value = value.get(0).unwrap_or(value);
    value.as_str().map(str::to_owned)
}

/// Of any kind: a service, an account, everybody.
fn principal(value: &Value) -> Option<String> {
    let kinds = value.as_object().and_then(|kinds| kinds.values().next());
    text(kinds.unwrap_or(value))
}

/// What a condition asks of this key, whichever the operator; AWS ignores the case of the key.
fn condition(statement: &Value, key: &str) -> Option<String> {
    let operators = statement["Condition"].as_object()?.values();
    let mut keys = operators.filter_map(Value::as_object).flatten();
    let (_, value) = keys.find(|(name, _)| name.eq_ignore_ascii_case(key))?;
    text(value)
}

impl Permission {
    /// The id of a statement that stands in while ours is put in again.
    fn meanwhile(&self) -> String {
        format!("{}Meanwhile", self.sid)
    }

    async fn add(&self, aws: &Aws, want: &State, sid: &str) -> Result<()> {
        let statement = want.written("statement").cloned().unwrap_or_default();
        add(aws, &self.function.of.name, sid, &statement).await
    }
}

/// Adds a statement under this id, in the fields that Lambda asks for.
async fn add(aws: &Aws, function: &str, sid: &str, statement: &Value) -> Result<()> {
    aws.lambda
        .add_permission()
        .function_name(function)
        .statement_id(sid)
        .set_action(text(&statement["Action"]))
        .set_principal(principal(&statement["Principal"]))
        .set_source_arn(condition(statement, "aws:SourceArn"))
        .set_source_account(condition(statement, "aws:SourceAccount"))
        .set_principal_org_id(condition(statement, "aws:PrincipalOrgID"))
        .send()
        .await
        .doing("lambda:AddPermission", || {
            format!("permit others to invoke lambda function {function}")
        })?;
    Ok(())
}

async fn remove(aws: &Aws, function: &str, sid: &str) -> Result<()> {
    aws.lambda
        .remove_permission()
        .function_name(function)
        .statement_id(sid)
        .send()
        .await
        .finding("lambda:RemovePermission", NO_FUNCTION, || {
            format!("take {sid} out of the policy of lambda function {function}")
        })?;
    Ok(())
}

async fn statements_of(aws: &Aws, function: &str) -> Result<Vec<Value>> {
    let found = aws.lambda.get_policy().function_name(function).send().await;
    let found = found.finding("lambda:GetPolicy", NO_FUNCTION, || {
        format!("read the policy of lambda function {function}")
    })?;
    let found = found.and_then(|found| found.policy).unwrap_or_default();
    Ok(statements(&policy::parsed(&found)))
}

fn statements(document: &Value) -> Vec<Value> {
    document["Statement"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

/// On whose behalf a service may invoke the function: what each statement names, or nothing where it is anybody's.
pub(super) async fn sources(
    aws: &Aws,
    function: &str,
    service: &str,
) -> Result<Vec<Option<String>>> {
    let statements = statements_of(aws, function).await?;
    let of_service = statements
        .iter()
        .filter(|statement| principal(&statement["Principal"]).as_deref() == Some(service));
    Ok(of_service
        .map(|statement| condition(statement, "aws:SourceArn"))
        .collect())
}

fn sid(statement: &Value) -> &str {
    statement["Sid"].as_str().unwrap_or_default()
}

/// Makes the statements of a function's policy those of this document; those that are in both stay untouched.
pub(super) async fn replace(aws: &Aws, function: &str, document: &Value) -> Result<()> {
    let (has, wants) = (statements_of(aws, function).await?, statements(document));
    let same = |left: &Value, right: &Value| {
        let meant = |one: &Value| with_statement(one.clone()).get("statement").cloned();
        meant(left) == meant(right)
    };
    for statement in has
        .iter()
        .filter(|one| !wants.iter().any(|other| same(one, other)))
    {
        remove(aws, function, sid(statement)).await?;
    }
    for statement in wants
        .iter()
        .filter(|one| !has.iter().any(|other| same(one, other)))
    {
        add(aws, function, sid(statement), statement).await?;
    }
    Ok(())
}
