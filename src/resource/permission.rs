//! Who may invoke a Lambda function: one statement of its own policy.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::function::NO_FUNCTION;
use super::{PROPAGATION, seen};
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
            policy::canonical(&policy::document(vec![json!({
                "Sid": self.sid,
                "Effect": "Allow",
                "Principal": { "Service": self.principal },
                "Action": ACTION,
                "Resource": function,
                "Condition": {
                    "StringEquals": { "AWS:SourceAccount": self.account },
                    "ArnLike": { "AWS:SourceArn": self.source },
                },
            })]))
        });
        State::default().with_known("statement", statement)
    }

    fn part_of(&self) -> Option<Part> {
        Some(Part {
            of: self.function.of.clone(),
            goes_with_it: true,
        })
    }

    fn patience(&self, refusal: &Error) -> Option<Duration> {
        let busy =
            refusal.is("ResourceConflictException") && !refusal.why().contains("already exist");
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
        let ours = statements
            .into_iter()
            .find(|statement| statement["Sid"] == self.sid);
        Ok(ours.map(|statement| Live {
            state: State::default()
                .with(
                    "statement",
                    policy::canonical(&policy::document(vec![statement])),
                )
                .with(seen::NAME, self.sid),
            outputs: Outputs::new(),
            owner: Owner::Us,
        }))
    }

    async fn create(&self, aws: &Aws, _: &State, known: &Known) -> Result<Outputs> {
        self.add(aws, known, self.sid).await?;
        Ok(Outputs::new())
    }

    /// A statement cannot be changed: it is taken out and put in again. What the log group delivers meanwhile would be
    /// lost, so that another one lets it in as long.
    async fn update(&self, aws: &Aws, _: &Live, _: &State, known: &Known) -> Result<()> {
        let (meanwhile, function) = (self.meanwhile(), &self.function.of.name);
        self.remove(aws, function, &meanwhile).await?;
        self.add(aws, known, &meanwhile).await?;
        self.remove(aws, function, self.sid).await?;
        self.add(aws, known, self.sid).await?;
        self.remove(aws, function, &meanwhile).await
    }

    async fn delete(&self, aws: &Aws, _: &Live) -> Result<()> {
        self.remove(aws, &self.function.of.name, self.sid).await
    }
}

impl Permission {
    /// The id of a statement that stands in while ours is put in again.
    fn meanwhile(&self) -> String {
        format!("{}Meanwhile", self.sid)
    }

    async fn add(&self, aws: &Aws, known: &Known, sid: &str) -> Result<()> {
        let function = known.need(&self.function)?;
        aws.lambda
            .add_permission()
            .function_name(arn::last(&function))
            .statement_id(sid)
            .action(ACTION)
            .principal(self.principal)
            .source_arn(&self.source)
            .source_account(&self.account)
            .send()
            .await
            .doing("lambda:AddPermission", || format!("create {}", self.id()))?;
        Ok(())
    }

    async fn remove(&self, aws: &Aws, function: &str, sid: &str) -> Result<()> {
        aws.lambda
            .remove_permission()
            .function_name(function)
            .statement_id(sid)
            .send()
            .await
            .finding("lambda:RemovePermission", NO_FUNCTION, || {
                format!("delete {}", self.id())
            })?;
        Ok(())
    }
}
