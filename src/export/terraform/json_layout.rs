//! Layout of `jsonencode` arguments. The library that writes them puts each on one line.

use hcl_edit::Decorate;
use hcl_edit::expr::{Array, Expression, Object, ObjectValueTerminator};
use hcl_edit::structure::Block;

const INDENT: &str = "  ";

/// Puts every field of a document on a separate line.
pub(super) fn format_block(block: &mut Block) {
    for mut attribute in block.body.attributes_mut() {
        if let Expression::FuncCall(call) = attribute.value_mut() {
            call.args
                .iter_mut()
                .for_each(|argument| format_expression(argument, 1));
        }
    }
}

fn format_expression(value: &mut Expression, depth: usize) {
    match value {
        Expression::Object(fields) => format_object(fields, depth),
        Expression::Array(items) => format_array(items, depth),
        _ => {}
    }
}

fn format_object(fields: &mut Object, depth: usize) {
    let within = INDENT.repeat(depth + 1);
    for (number, (mut key, value)) in fields.iter_mut().enumerate() {
        let before = if number == 0 { "\n" } else { "" };
        key.decor_mut().set_prefix(format!("{before}{within}"));
        value.set_terminator(ObjectValueTerminator::Newline);
        value.expr_mut().decor_mut().set_suffix("");
        format_expression(value.expr_mut(), depth + 1);
    }
    fields.set_trailing(INDENT.repeat(depth));
}

/// Keeps a list of strings on one line.
fn format_array(items: &mut Array, depth: usize) {
    if items.iter().all(|item| !item.is_object()) {
        return;
    }
    for item in items.iter_mut() {
        item.decor_mut()
            .set_prefix(format!("\n{}", INDENT.repeat(depth + 1)));
        item.decor_mut().set_suffix("");
        format_expression(item, depth + 1);
    }
    items.set_trailing_comma(true);
    items.set_trailing(format!("\n{}", INDENT.repeat(depth)));
}
