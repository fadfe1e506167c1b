//! Decodes the input of a request in each AWS protocol, as JSON with the member names of the model.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::model::{Kind, Operation, Protocol, Service, Shape};
use crate::Call;
use crate::xml::Element;

/// Decodes the input of a call. The error says why the body cannot be read.
pub(super) fn decode(
    service: &Service,
    operation: &Operation,
    call: &Call,
) -> Result<Value, String> {
    let Some(shape) = operation.input.as_ref().map(|name| service.shape(name)) else {
        return Ok(json!({}));
    };
    match service.protocol {
        Protocol::Json => decode_json(call),
        Protocol::RpcV2Cbor => decode_cbor(call),
        Protocol::Query => decode_form(service, shape, call),
        Protocol::RestJson => {
            let body = decode_json(call)?;
            decode_rest(service, operation, shape, call, body)
        }
        Protocol::RestXml => {
            let mut body = json!({});
            if let Some(payload) = &shape.payload {
                let member = &shape.members[payload];
                let text = call.text();
                let root = Element::parse(&text)
                    .map_err(|error| format!("the body is not XML: {error}"))?;
                body[payload.as_str()] = from_xml(service, service.shape(member.shape()), &root);
            }
            decode_rest(service, operation, shape, call, body)
        }
    }
}

fn decode_json(call: &Call) -> Result<Value, String> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(&call.body).map_err(|error| format!("the body is not JSON: {error}"))
}

/// Reads CBOR as JSON. A timestamp is its number of seconds.
fn decode_cbor(call: &Call) -> Result<Value, String> {
    let body: ciborium::Value = ciborium::from_reader(&*call.body)
        .map_err(|error| format!("the body is not CBOR: {error}"))?;
    json_from_cbor(body)
}

fn json_from_cbor(value: ciborium::Value) -> Result<Value, String> {
    Ok(match value {
        ciborium::Value::Tag(_, inner) => json_from_cbor(*inner)?,
        ciborium::Value::Array(items) => {
            let items = items.into_iter().map(json_from_cbor);
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        ciborium::Value::Map(entries) => {
            let mut object = Map::new();
            for (key, value) in entries {
                let key = key.into_text().map_err(|_| "a key is not a text")?;
                object.insert(key, json_from_cbor(value)?);
            }
            Value::Object(object)
        }
        scalar => scalar
            .deserialized()
            .map_err(|error| format!("a value has no form in JSON: {error}"))?,
    })
}

/// Adds the members in path, query and headers to those in the body.
fn decode_rest(
    service: &Service,
    operation: &Operation,
    shape: &Shape,
    call: &Call,
    mut body: Value,
) -> Result<Value, String> {
    let input = body.as_object_mut().ok_or("the body is not an object")?;
    let (path, query) = call.target.split_once('?').unwrap_or((&call.target, ""));
    let labels = labels(&operation.http.1, path);
    let query = form(query);
    for (name, member) in &shape.members {
        let wire_name = member.wire_name();
        let text = match member.place() {
            Some("uri") => labels.get(wire_name).cloned(),
            Some("querystring") => query.get(wire_name).cloned(),
            Some("header") => {
                let value = call.headers.get(wire_name);
                value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            }
            _ => continue,
        };
        if let Some(text) = text {
            input.insert(name.clone(), scalar(service.shape(member.shape()), &text));
        }
    }
    Ok(body)
}

/// The members in a path. `{Name+}` stands for the rest of the path.
fn labels(template: &str, path: &str) -> BTreeMap<String, String> {
    let template = template.split('?').next().unwrap_or(template);
    let mut parts = path.trim_start_matches('/').split('/');
    let mut found = BTreeMap::new();
    for part in template.trim_start_matches('/').split('/') {
        let name = part
            .strip_prefix('{')
            .and_then(|part| part.strip_suffix('}'));
        match name {
            Some(name) if name.ends_with('+') => {
                let rest: Vec<&str> = parts.by_ref().collect();
                found.insert(
                    name.trim_end_matches('+').to_owned(),
                    decoded(&rest.join("/")),
                );
            }
            Some(name) => {
                if let Some(part) = parts.next().filter(|part| !part.is_empty()) {
                    found.insert(name.to_owned(), decoded(part));
                }
            }
            None => drop(parts.next()),
        }
    }
    found
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The fields of a form.
pub(super) fn form(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(key, value)| (decoded(key), decoded(&value.replace('+', " "))))
        .collect()
}

fn decode_form(service: &Service, shape: &Shape, call: &Call) -> Result<Value, String> {
    let text = std::str::from_utf8(&call.body).map_err(|_| "the body is not UTF-8")?;
    let mut fields = form(text);
    fields.remove("Action");
    fields.remove("Version");
    let mut input = take(service, shape, "", &mut fields).unwrap_or_else(|| json!({}));
    // Fields that no member has taken are unknown members.
    for (name, value) in fields {
        input[name.as_str()] = value.into();
    }
    Ok(input)
}

/// Takes the fields of a shape.
fn take(
    service: &Service,
    shape: &Shape,
    prefix: &str,
    fields: &mut BTreeMap<String, String>,
) -> Option<Value> {
    let joined = |part: &str| match prefix {
        "" => part.to_owned(),
        prefix => format!("{prefix}.{part}"),
    };
    match shape.kind {
        Kind::Structure => {
            let mut found = Map::new();
            for (name, member) in &shape.members {
                let path = joined(member.wire_name());
                if let Some(value) = take(service, service.shape(member.shape()), &path, fields) {
                    found.insert(name.clone(), value);
                }
            }
            (!found.is_empty()).then_some(Value::Object(found))
        }
        Kind::List => {
            let member = shape.member.as_ref().expect("the items of a list");
            let base = if shape.flattened {
                prefix.to_owned()
            } else {
                joined(member.wire_name())
            };
            let items = (1..).map_while(|number| {
                take(
                    service,
                    service.shape(member.shape()),
                    &format!("{base}.{number}"),
                    fields,
                )
            });
            let items: Vec<Value> = items.collect();
            // An empty list is an empty field.
            let is_present = fields.remove(prefix).is_some() || !items.is_empty();
            is_present.then_some(Value::Array(items))
        }
        Kind::Map => {
            let base = if shape.flattened {
                prefix.to_owned()
            } else {
                joined("entry")
            };
            let value_shape = service.shape(shape.value.as_ref().expect("the values of a map"));
            let mut found = Map::new();
            for number in 1.. {
                let Some(key) = fields.remove(&format!("{base}.{number}.key")) else {
                    break;
                };
                let value = take(
                    service,
                    value_shape,
                    &format!("{base}.{number}.value"),
                    fields,
                );
                found.insert(key, value.unwrap_or(Value::Null));
            }
            (!found.is_empty()).then_some(Value::Object(found))
        }
        _ => fields.remove(prefix).map(|text| scalar(shape, &text)),
    }
}

/// The value of a text, or the text if it is not of the shape's kind.
fn scalar(shape: &Shape, text: &str) -> Value {
    let number = match shape.kind {
        Kind::Integer | Kind::Long => text.parse::<i64>().ok().map(Value::from),
        Kind::Double | Kind::Float => text.parse::<f64>().ok().map(Value::from),
        Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    };
    number.unwrap_or_else(|| text.into())
}

fn from_xml(service: &Service, shape: &Shape, element: &Element) -> Value {
    if shape.kind != Kind::Structure {
        return scalar(shape, &element.text);
    }
    let mut found = Map::new();
    let mut known = Vec::new();
    for (name, member) in &shape.members {
        known.push(member.wire_name());
        let part = service.shape(member.shape());
        let elements: Vec<&Element> = element.children_named(member.wire_name()).collect();
        let Some(first) = elements.first() else {
            continue;
        };
        let value = if part.kind == Kind::List {
            let item = part.member.as_ref().expect("the items of a list");
            let items = if part.flattened {
                elements
            } else {
                first.children_named(item.wire_name()).collect()
            };
            let item = service.shape(item.shape());
            items
                .into_iter()
                .map(|element| from_xml(service, item, element))
                .collect()
        } else {
            from_xml(service, part, first)
        };
        found.insert(name.clone(), value);
    }
    for child in element
        .children
        .iter()
        .filter(|child| !known.contains(&&*child.name))
    {
        found.insert(child.name.clone(), Value::Null);
    }
    Value::Object(found)
}
