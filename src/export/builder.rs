//! The text of the Terraform file: expressions, blocks and comments.

use hcl::expr::{Traversal, Variable};
use hcl::format::{Format, Formatter};
use hcl::{Block, Body, Expression};
use hcl_edit::Decorate;
use hcl_edit::structure::BlockLabel;
use serde_json::{Value, json};

use super::json_layout::format_block;
use super::resources::{CODE_FILE, References, resource_block};
use super::{ExportContext, ExportedResource, ImportTarget};
use crate::error::{Error, Result};

/// The variable for the external ID, which keeps the ID out of the file.
const EXTERNAL_ID_VARIABLE: &str = "external_id";

/// Builds the whole file.
///
/// # Errors
/// When the written text does not parse.
pub fn terraform_text(
    place: &ExportContext<'_>,
    exported: &[(ExportedResource<'_>, ImportTarget)],
) -> Result<String> {
    let failed = |why: String| Error::failed("write the Terraform file", why);
    let known = References::new(exported);
    let blocks = exported
        .iter()
        .flat_map(|(item, import)| [import_block(import), resource_block(item, import, &known)]);
    let body = Body::builder()
        .add_blocks([terraform_block(), provider_block(place), variable_block()])
        .add_blocks(blocks)
        .build();
    let mut formatter = Formatter::builder().prefer_ident_keys(true).build_vec();
    let plain = body
        .format_string(&mut formatter)
        .map_err(|why| failed(why.to_string()))?;
    add_comments(place, &plain).map_err(failed)
}

fn terraform_block() -> Block {
    let aws = to_expression(&json!({ "source": "hashicorp/aws", "version": "~> 5.0" }));
    let providers = Block::builder("required_providers").add_attribute(("aws", aws));
    Block::builder("terraform")
        // The first version with `import` blocks.
        .add_attribute(("required_version", ">= 1.5"))
        .add_block(providers.build())
        .build()
}

fn provider_block(place: &ExportContext<'_>) -> Block {
    Block::builder("provider")
        .add_label("aws")
        .add_attribute(("region", place.region))
        .add_attribute((
            "allowed_account_ids",
            to_expression(&json!([place.account])),
        ))
        .build()
}

fn variable_block() -> Block {
    Block::builder("variable")
        .add_label(EXTERNAL_ID_VARIABLE)
        .add_attribute(("type", Variable::sanitized("string")))
        .add_attribute(("sensitive", true))
        .build()
}

fn import_block(import: &ImportTarget) -> Block {
    let to =
        Traversal::builder(Variable::sanitized(import.resource_type)).attr(import.label.as_str());
    Block::builder("import")
        .add_attribute(("to", to.build()))
        .add_attribute(("id", import.id.as_str()))
        .build()
}

/// Builds the block of a resource. Arguments without a value are left out.
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

/// Adds comments to the text, because values cannot carry them.
fn add_comments(place: &ExportContext<'_>, plain: &str) -> std::result::Result<String, String> {
    let mut body: hcl_edit::structure::Body = plain
        .parse()
        .map_err(|why: hcl_edit::parser::Error| why.to_string())?;
    for block in body.blocks_mut() {
        format_block(block);
        let labels: Vec<&str> = block.labels.iter().map(BlockLabel::as_str).collect();
        let lines = match (block.ident.as_str(), labels.first().copied()) {
            ("terraform", _) => header_comment(place),
            ("variable", _) => to_lines(&[
                "The external ID in the role's trust policy. heeler-ec outputs shows it.",
            ]),
            ("resource", Some("aws_s3_bucket_notification")) => to_lines(&[
                "Terraform owns the whole notification configuration of the bucket: the next apply removes",
                "every entry that is not listed here.",
            ]),
            ("resource", Some("aws_lambda_function")) => vec![
                "Terraform does not change the code. To change it from here, put it into"
                    .to_owned(),
                format!("{CODE_FILE}, and remove the arguments from ignore_changes."),
            ],
            ("resource", Some("aws_sns_topic_subscription")) => to_lines(&[
                "AWS does not return the ignored arguments; only other protocols use them.",
            ]),
            _ => continue,
        };
        let decor = block.decor_mut();
        let mut prefix = decor
            .prefix()
            .map(|before| before.to_string())
            .unwrap_or_default();
        for line in lines {
            prefix.push_str("# ");
            prefix.push_str(&line);
            prefix.push('\n');
        }
        decor.set_prefix(prefix);
    }
    Ok(body.to_string())
}

fn to_lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn header_comment(place: &ExportContext<'_>) -> Vec<String> {
    let ExportContext {
        option,
        account,
        region,
        ..
    } = place;
    vec![
        format!("Resources of heeler-ec: option {option}, account {account}, region {region}."),
        "terraform plan imports all of them, and adds and destroys nothing. It shows one change, of the".to_owned(),
        "role: Terraform marks its trust policy as sensitive. Nothing changes in AWS.".to_owned(),
    ]
}
