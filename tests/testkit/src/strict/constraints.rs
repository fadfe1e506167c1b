//! Rules M1 and M2: required and unknown members, types, lengths, patterns, enumerations and ranges.

use serde_json::Value;

use super::model::{Kind, Operation, Service, Shape, matches_pattern};

/// Adds the violations of an input.
pub(super) fn check(
    service: &Service,
    operation: &Operation,
    input: &Value,
    found: &mut Vec<String>,
) {
    match &operation.input {
        Some(name) => check_value(service, service.shape(name), input, "", found),
        None if input.as_object().is_some_and(serde_json::Map::is_empty) => {}
        None => found.push("the operation has no members (M1)".to_owned()),
    }
}

fn check_value(
    service: &Service,
    shape: &Shape,
    value: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    match shape.kind {
        Kind::Structure => check_structure(service, shape, value, path, found),
        Kind::List => {
            let Some(items) = value.as_array() else {
                found.push(format!("{path} is not a list (M1)"));
                return;
            };
            check_range(
                shape,
                items.len(),
                &format!("number of items of {path}"),
                found,
            );
            let item = shape.member.as_ref().expect("the items of a list");
            for (index, value) in items.iter().enumerate() {
                check_value(
                    service,
                    service.shape(item.shape()),
                    value,
                    &format!("{path}[{index}]"),
                    found,
                );
            }
        }
        Kind::Map => {
            let Some(entries) = value.as_object() else {
                found.push(format!("{path} is not a map (M1)"));
                return;
            };
            check_range(
                shape,
                entries.len(),
                &format!("number of entries of {path}"),
                found,
            );
            let key_shape = service.shape(shape.key.as_ref().expect("the keys of a map"));
            let value_shape = service.shape(shape.value.as_ref().expect("the values of a map"));
            for (key, value) in entries {
                check_text(key_shape, key, &format!("key {key:?} of {path}"), found);
                check_value(service, value_shape, value, &format!("{path}.{key}"), found);
            }
        }
        Kind::String => match value.as_str() {
            Some(text) => check_text(shape, text, path, found),
            None => found.push(format!("{path} is not a string: {value} (M1)")),
        },
        Kind::Integer | Kind::Long | Kind::Double | Kind::Float => match value.as_f64() {
            Some(number) => check_number(shape, number, path, found),
            None => found.push(format!("{path} is not a number: {value} (M1)")),
        },
        Kind::Boolean if !value.is_boolean() => {
            found.push(format!("{path} is not a boolean: {value} (M1)"));
        }
        Kind::Blob if !value.is_string() => found.push(format!("{path} is not a blob (M1)")),
        Kind::Boolean | Kind::Blob | Kind::Timestamp => {}
    }
}

fn check_structure(
    service: &Service,
    shape: &Shape,
    value: &Value,
    path: &str,
    found: &mut Vec<String>,
) {
    let joined = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    let Some(members) = value.as_object() else {
        found.push(format!("{path} is not a structure (M1)"));
        return;
    };
    for name in &shape.required {
        if members.get(name).is_none_or(Value::is_null) {
            found.push(format!("required member {} is missing (M1)", joined(name)));
        }
    }
    for (name, value) in members {
        match shape.members.get(name) {
            None => found.push(format!("unknown member {} (M1)", joined(name))),
            Some(_) if value.is_null() => {}
            Some(member) => check_value(
                service,
                service.shape(member.shape()),
                value,
                &joined(name),
                found,
            ),
        }
    }
}

fn check_text(shape: &Shape, text: &str, path: &str, found: &mut Vec<String>) {
    check_range(
        shape,
        text.chars().count(),
        &format!("length of {path}"),
        found,
    );
    if !shape.values.is_empty() && !shape.values.iter().any(|value| value == text) {
        found.push(format!(
            "{path} is {text:?}, which is not one of {:?} (M2)",
            shape.values
        ));
    }
    if let Some(pattern) = &shape.pattern
        && !matches_pattern(pattern, text)
    {
        found.push(format!(
            "{path} is {text:?}, which does not match {pattern} (M2)"
        ));
    }
}

#[expect(clippy::cast_precision_loss, reason = "lengths are small")]
fn check_range(shape: &Shape, length: usize, name: &str, found: &mut Vec<String>) {
    check_number(shape, length as f64, name, found);
}

fn check_number(shape: &Shape, number: f64, name: &str, found: &mut Vec<String>) {
    if let Some(min) = shape.min.filter(|min| number < *min) {
        found.push(format!(
            "{name} is {number}, below the minimum of {min} (M2)"
        ));
    }
    if let Some(max) = shape.max.filter(|max| number > *max) {
        found.push(format!(
            "{name} is {number}, above the maximum of {max} (M2)"
        ));
    }
}
