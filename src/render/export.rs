//! The import blocks of an export as JSON.

use serde_json::json;

use super::document::Document;
use crate::export::ExportContext;
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
