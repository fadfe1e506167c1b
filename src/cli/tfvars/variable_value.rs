//! Values of variables, from HCL and JSON expressions.

use hcl_edit::expr::Expression;
use hcl_edit::template::{Element, HeredocTemplate};
use serde_json::Value;

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum VariableValue {
    Null,
    String(String),
    /// The digits of a number. Terraform converts numbers to strings, too.
    Number(String),
    List(Vec<VariableValue>),
    /// A value of another type, such as "an object".
    Other(&'static str),
}

impl VariableValue {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::String(_) => "a string",
            Self::Number(_) => "a number",
            Self::List(_) => "a list",
            Self::Other(name) => name,
        }
    }
}

pub(super) fn from_expression(value: &Expression) -> VariableValue {
    match value {
        Expression::Null(_) => VariableValue::Null,
        Expression::String(text) => VariableValue::String(text.as_str().to_owned()),
        Expression::Number(number) => VariableValue::Number(number.value().to_string()),
        Expression::Array(items) => {
            VariableValue::List(items.iter().map(from_expression).collect())
        }
        Expression::HeredocTemplate(heredoc) => from_heredoc(heredoc),
        Expression::Bool(_) => VariableValue::Other("true or false"),
        Expression::Object(_) => VariableValue::Other("an object"),
        Expression::FuncCall(_) => VariableValue::Other("a function call"),
        _ => VariableValue::Other("an expression"),
    }
}

/// The text of a heredoc without its last line break, which is never part of a name.
fn from_heredoc(heredoc: &HeredocTemplate) -> VariableValue {
    let mut heredoc = heredoc.clone();
    heredoc.dedent();
    let mut text = String::new();
    for element in &heredoc.template {
        match element {
            Element::Literal(literal) => text.push_str(literal.as_str()),
            Element::Interpolation(_) | Element::Directive(_) => {
                return VariableValue::Other("an expression");
            }
        }
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    VariableValue::String(text.to_owned())
}

pub(super) fn from_json(value: &Value) -> VariableValue {
    match value {
        Value::Null => VariableValue::Null,
        Value::String(text) => VariableValue::String(text.clone()),
        Value::Number(number) => VariableValue::Number(number.to_string()),
        Value::Array(items) => VariableValue::List(items.iter().map(from_json).collect()),
        Value::Bool(_) => VariableValue::Other("true or false"),
        Value::Object(_) => VariableValue::Other("an object"),
    }
}
