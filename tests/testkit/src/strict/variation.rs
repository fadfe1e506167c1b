//! Variations of responses that AWS may send: another order, unknown attributes, other forms of policy documents.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

use crate::wire::WireResponse;
use crate::xml::Element;

/// The form in which policy documents write lists of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListForm {
    /// As a list.
    List,
    /// As the value itself.
    Value,
}

/// Reverses the order of members and attributes, adds unknown ones, and rewrites policy documents.
pub(crate) fn vary(response: &mut WireResponse, form: ListForm) {
    if response.status >= 300 {
        return;
    }
    if let Ok(text) = std::str::from_utf8(&response.body)
        && let Some(document) = vary_document(text, form)
    {
        // The whole response is a policy.
        response.body = document.into();
        return;
    }
    if let Ok(mut value) = serde_json::from_slice::<Value>(&response.body) {
        vary_json(&mut value, form);
        if let Some(members) = value.as_object_mut() {
            members.insert("FutureMember".to_owned(), json!("unknown"));
        }
        response.body = value.to_string().into();
        return;
    }
    let text = String::from_utf8_lossy(&response.body);
    if !text.trim_start().starts_with('<') {
        return;
    }
    if let Ok(mut root) = Element::parse(&text) {
        let is_result = |child: &Element| child.name.ends_with("Result");
        if let Some(result) = root.children.iter_mut().find(|child| is_result(child)) {
            // The query protocol: the result comes first in its response.
            vary_members(result, form);
        } else {
            vary_members(&mut root, form);
        }
        response.body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}",
            root.to_text()
        )
        .into();
    }
}

fn vary_json(value: &mut Value, form: ListForm) {
    match value {
        Value::Object(members) => {
            let reversed: Map<String, Value> = std::mem::take(members)
                .into_iter()
                .rev()
                .map(|(name, mut value)| {
                    vary_json(&mut value, form);
                    if name == "Attributes" && value.is_object() {
                        value["FutureAttribute"] = json!("unknown");
                    }
                    (name, value)
                })
                .collect();
            *members = reversed;
        }
        Value::Array(items) => items.iter_mut().for_each(|item| vary_json(item, form)),
        Value::String(text) => {
            if let Some(varied) = vary_document(text, form) {
                *text = varied;
            }
        }
        _ => {}
    }
}

/// Varies the members of an output, and adds an unknown one.
fn vary_members(output: &mut Element, form: ListForm) {
    vary_xml(output, form);
    // S3 writes some outputs as the text of the root.
    if !output.children.is_empty() {
        output.children.push(Element {
            name: "FutureMember".to_owned(),
            text: "unknown".to_owned(),
            ..Element::default()
        });
    }
}

fn vary_xml(element: &mut Element, form: ListForm) {
    for child in &mut element.children {
        vary_xml(child, form);
    }
    if let Some(varied) = vary_document(&element.text, form) {
        element.text = varied;
    } else if element.text.starts_with("%7B") {
        // IAM encodes documents.
        let decoded = percent_decode_str(&element.text)
            .decode_utf8_lossy()
            .into_owned();
        if let Some(varied) = vary_document(&decoded, form) {
            element.text = utf8_percent_encode(&varied, NON_ALPHANUMERIC).to_string();
        }
    }
    let names: Vec<&str> = element
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect();
    let is_map = names.iter().all(|name| *name == "entry");
    let is_structure = names
        .iter()
        .enumerate()
        .all(|(index, name)| !names[index + 1..].contains(name));
    if is_map || is_structure {
        element.children.reverse();
    }
    if is_map && element.name == "Attributes" {
        let part = |name: &str, text: &str| Element {
            name: name.to_owned(),
            text: text.to_owned(),
            ..Element::default()
        };
        element.children.push(Element {
            name: "entry".to_owned(),
            children: vec![part("key", "FutureAttribute"), part("value", "unknown")],
            ..Element::default()
        });
    }
}

/// Rewrites a policy document, and returns `None` for other texts.
fn vary_document(text: &str, form: ListForm) -> Option<String> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    let statements = document.get_mut("Statement")?;
    if form == ListForm::List && statements.is_object() {
        *statements = json!([statements.take()]);
    }
    for statement in statements.as_array_mut().into_iter().flatten() {
        for (name, value) in statement.as_object_mut()? {
            match name.as_str() {
                "Action" | "NotAction" | "Resource" | "NotResource" => vary_list(value, form),
                "Principal" | "NotPrincipal" => {
                    for (_, value) in value.as_object_mut().into_iter().flatten() {
                        vary_list(value, form);
                    }
                }
                "Condition" => {
                    for (_, keys) in value.as_object_mut().into_iter().flatten() {
                        for (_, value) in keys.as_object_mut().into_iter().flatten() {
                            vary_list(value, form);
                        }
                    }
                }
                _ => {}
            }
        }
        let reversed: Map<String, Value> =
            statement.as_object()?.clone().into_iter().rev().collect();
        *statement = Value::Object(reversed);
    }
    if form == ListForm::Value
        && let Some([_]) = statements.as_array().map(Vec::as_slice)
    {
        *statements = statements[0].take();
    }
    Some(document.to_string())
}

fn vary_list(value: &mut Value, form: ListForm) {
    match (form, &mut *value) {
        (ListForm::List, single) if !single.is_array() => *value = json!([single.take()]),
        (ListForm::Value, Value::Array(items)) if items.len() == 1 => *value = items.remove(0),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varied(body: &str, form: ListForm) -> String {
        let mut response = WireResponse {
            status: 200,
            headers: hyper::HeaderMap::new(),
            body: body.to_owned().into(),
        };
        vary(&mut response, form);
        String::from_utf8(response.body.to_vec()).expect("text")
    }

    #[test]
    fn result_of_query_protocol_stays_first() {
        let body = "<XResponse><XResult><A>1</A><B>2</B></XResult><ResponseMetadata/></XResponse>";
        let varied = varied(body, ListForm::List);
        let expected =
            "<XResponse><XResult><B>2</B><A>1</A><FutureMember>unknown</FutureMember></XResult>";
        assert!(varied.contains(expected), "{varied}");
    }

    #[test]
    fn single_values_change_their_form() {
        let list = r#"{"Statement":[{"Action":["a"]}]}"#;
        let value = r#"{"Statement":{"Action":"a"}}"#;
        assert_eq!(varied(list, ListForm::Value), value);
        assert_eq!(varied(value, ListForm::List), list);
    }
}
