//! The blocks and expressions of the Terraform file.

use hcl::expr::{Traversal, Variable};
use hcl::{Block, Expression};
use serde_json::Value;

use super::ImportTarget;

/// The variable for the external ID, which keeps the ID out of the file.
pub(super) const EXTERNAL_ID_VARIABLE: &str = "external_id";

/// Builds the block of a resource. Arguments without a value are omitted.
pub(super) struct ResourceBlockBuilder(hcl::structure::BlockBuilder);

impl ResourceBlockBuilder {
    pub fn new(import: &ImportTarget) -> Self {
        let labels = [import.resource_type, import.label.as_str()];
        Self(Block::builder("resource").add_labels(labels))
    }

    pub fn argument(self, argument: &str, value: Option<Expression>) -> Self {
        match value {
            Some(value) => Self(self.0.add_attribute((argument, value))),
            None => self,
        }
    }

    /// Adds a nested block.
    pub fn nested_block<const N: usize>(
        self,
        block: &str,
        arguments: [(&str, Option<Expression>); N],
    ) -> Self {
        let mut inner = Block::builder(block);
        for (argument, value) in arguments {
            if let Some(value) = value {
                inner = inner.add_attribute((argument, value));
            }
        }
        Self(self.0.add_block(inner.build()))
    }

    /// Ignores changes of arguments that AWS does not return, so that a plan does not write them.
    pub fn ignore_changes(self, arguments: &[&str]) -> Self {
        let names = arguments.iter().map(|name| Variable::sanitized(*name));
        let names: Vec<Expression> = names.map(Expression::from).collect();
        self.nested_block("lifecycle", [("ignore_changes", Some(names.into()))])
    }

    pub fn build(self) -> Block {
        self.0.build()
    }
}

/// Converts a value to an expression.
pub(super) fn to_expression(value: &Value) -> Expression {
    convert(value, &|_| None)
}

/// Converts a trust policy to an expression, with the external ID as a variable.
pub(super) fn mask_external_id(document: &Value) -> Expression {
    convert(document, &|key| {
        let is_external_id = key.eq_ignore_ascii_case("sts:ExternalId");
        is_external_id.then(|| {
            Traversal::builder(Variable::sanitized("var"))
                .attr(EXTERNAL_ID_VARIABLE)
                .build()
                .into()
        })
    })
}

fn convert(value: &Value, instead: &dyn Fn(&str) -> Option<Expression>) -> Expression {
    match value {
        Value::Null => Expression::Null,
        Value::Bool(yes) => (*yes).into(),
        Value::Number(number) => number
            .as_i64()
            .map(Expression::from)
            .or_else(|| number.as_f64().map(Expression::from))
            .unwrap_or(Expression::Null),
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items
            .iter()
            .map(|item| convert(item, instead))
            .collect::<Vec<_>>()
            .into(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| {
                let field = instead(key).unwrap_or_else(|| convert(field, instead));
                (key.clone(), field)
            })
            .collect(),
    }
}
