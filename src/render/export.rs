//! The import blocks of an export as JSON.

use serde_json::json;

use super::{Ui, json_document};
use crate::export::{ExportContext, ImportTarget};

/// Prints the imports as one JSON document.
pub fn print_imports(ui: &Ui, place: &ExportContext<'_>, imports: &[&ImportTarget]) {
    let each = |import: &&ImportTarget| json!({ "to": import.address(), "id": import.id });
    ui.stdout(&json_document(&json!({
        "option": place.option,
        "account": place.account,
        "region": place.region,
        "imports": imports.iter().map(each).collect::<Vec<_>>(),
    })));
}
