//! The text of the Terraform file: expressions, blocks and comments.

use hcl::expr::{Traversal, Variable};
use hcl::format::{Format, Formatter};
use hcl::{Block, Body};
use hcl_edit::Decorate;
use hcl_edit::structure::BlockLabel;
use serde_json::json;

use super::block::{EXTERNAL_ID_VARIABLE, to_expression};
use super::json_layout::format_block;
use super::resources::{CODE_FILE, References, resource_block};
use super::{ExportContext, ExportedResource, ImportTarget};
use crate::error::{Error, Result};

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
