//! Literals and lists of SQL.

/// Returns a string literal.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns string literals with commas between them, wrapped at about 110 columns.
pub(super) fn literals<'t>(texts: impl IntoIterator<Item = &'t str>, indent: &str) -> String {
    let items: Vec<String> = texts.into_iter().map(literal).collect();
    wrapped(&items, indent)
}

/// Joins items with commas, wrapped at about 110 columns.
pub(super) fn wrapped(items: &[String], indent: &str) -> String {
    const MAX_COLUMNS: usize = 110;
    let mut text = String::new();
    let mut column = indent.len();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
            if column + item.len() > MAX_COLUMNS {
                text.push('\n');
                text.push_str(indent);
                column = indent.len();
            } else {
                text.push(' ');
            }
        }
        text.push_str(item);
        column += item.len() + 2;
    }
    text
}
