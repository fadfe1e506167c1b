//! What another tool needs to find the resources again.

use serde_json::json;

use super::{Ui, document};
use crate::export::{Import, Place};

/// As one document.
pub fn imports(ui: &Ui, place: &Place<'_>, imports: &[&Import]) {
    let each = |import: &&Import| json!({ "to": import.address(), "id": import.id });
    ui.answer(&document(&json!({
        "option": place.option,
        "account": place.account,
        "region": place.region,
        "imports": imports.iter().map(each).collect::<Vec<_>>(),
    })));
}
