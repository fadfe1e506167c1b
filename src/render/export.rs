//! Exports: the import blocks of Terraform as JSON, and the statements of Athena.

use std::fmt::Write;

use serde_json::json;

use super::document::Document;
use super::{OutputFormat, Ui};
use crate::coverage::TrailBucket;
use crate::export::ExportContext;
use crate::export::athena::AthenaStatement;
use crate::export::terraform::ImportTarget;

/// Returns the imports as the result.
#[must_use]
pub fn imports_document(place: &ExportContext<'_>, imports: &[&ImportTarget]) -> Document {
    let each = |import: &&ImportTarget| json!({ "to": import.address(), "id": import.id });
    Document::Json(json!({
        "option": place.option,
        "account": place.account,
        "region": place.region,
        "imports": imports.iter().map(each).collect::<Vec<_>>(),
    }))
}

/// Returns the statements as the result: SQL with comments, or JSON.
#[must_use]
pub fn athena_document(ui: &Ui, target: &TrailBucket, statements: &[AthenaStatement]) -> Document {
    if ui.format() == OutputFormat::Json {
        let each = |statement: &AthenaStatement| {
            json!({
                "name": statement.name,
                "kind": statement.kind.name(),
                "purpose": statement.purpose,
                "sql": statement.sql,
            })
        };
        return Document::Json(json!({
            "trail": target.trail_arn,
            "bucket": target.bucket,
            "log_prefix": target.log_prefix,
            "statements": statements.iter().map(each).collect::<Vec<_>>(),
        }));
    }
    let mut text = format!(
        "-- CloudTrail log files of trail {} for Amazon Athena, engine version 3.\n\
         -- Athena runs one statement at a time. Run the tables and views once, in this order, and the queries as needed.\n",
        target.trail
    );
    for statement in statements {
        let AthenaStatement {
            name, purpose, sql, ..
        } = statement;
        let kind = statement.kind.name();
        let _ = write!(text, "\n-- {kind} {name}: {purpose}\n{sql};\n");
    }
    Document::Text(text)
}
