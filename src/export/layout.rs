//! The layout of what `jsonencode` is given: the library that writes values puts it on one line.

use hcl_edit::Decorate;
use hcl_edit::expr::{Array, Expression, Object, ObjectValueTerminator};
use hcl_edit::structure::Block;

const STEP: &str = "  ";

/// Puts every field of a document on a line of its own.
pub(super) fn lay_out(block: &mut Block) {
    for mut attribute in block.body.attributes_mut() {
        if let Expression::FuncCall(call) = attribute.value_mut() {
            call.args
                .iter_mut()
                .for_each(|argument| expression(argument, 1));
        }
    }
}

fn expression(value: &mut Expression, depth: usize) {
    match value {
        Expression::Object(fields) => object(fields, depth),
        Expression::Array(items) => array(items, depth),
        _ => {}
    }
}

fn object(fields: &mut Object, depth: usize) {
    let within = STEP.repeat(depth + 1);
    for (number, (mut key, value)) in fields.iter_mut().enumerate() {
        let before = if number == 0 { "\n" } else { "" };
        key.decor_mut().set_prefix(format!("{before}{within}"));
        value.set_terminator(ObjectValueTerminator::Newline);
        value.expr_mut().decor_mut().set_suffix("");
        expression(value.expr_mut(), depth + 1);
    }
    fields.set_trailing(STEP.repeat(depth));
}

/// A list of texts stays on its line.
fn array(items: &mut Array, depth: usize) {
    if items.iter().all(|item| !item.is_object()) {
        return;
    }
    for item in items.iter_mut() {
        item.decor_mut()
            .set_prefix(format!("\n{}", STEP.repeat(depth + 1)));
        item.decor_mut().set_suffix("");
        expression(item, depth + 1);
    }
    items.set_trailing_comma(true);
    items.set_trailing(format!("\n{}", STEP.repeat(depth)));
}
