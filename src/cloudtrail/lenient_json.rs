//! Lenient deserialization: a field with an unexpected type is treated as missing.
//!
//! By default, serde rejects a whole value if one field has an unexpected type. Types do vary (`readOnly` occurs as a
//! boolean, as null and as text), and one unexpected field must not affect the others.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads a field as `T`; `None` if it has another type.
pub fn value<'de, D, T>(field: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&RawValue>::deserialize(field)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// Reads a field as the object `T`. Without this, serde would also fill a struct from an array.
pub fn object<'de, D, T>(field: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&RawValue>::deserialize(field)?;
    Ok(parse_object(raw.get()))
}

/// Parses a JSON object; `None` for any other JSON.
pub fn parse_object<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let json = json.trim_start();
    json.starts_with('{')
        .then(|| serde_json::from_str(json).ok())
        .flatten()
}

/// Reads a field as text. See [`as_text`].
pub fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    let raw = <&RawValue>::deserialize(field)?.get();
    Ok(as_text(raw).map(Cow::into_owned))
}

/// Reads a value as text. A number keeps its digits, because account IDs are sometimes sent as numbers. Empty text is
/// `None`, because CloudTrail writes `""` for unknown values.
#[must_use]
pub fn as_text(raw: &str) -> Option<Cow<'_, str>> {
    let text = match raw.as_bytes().first() {
        Some(b'"') => unquote(raw),
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(raw),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Removes the quotes and escapes of a JSON string. A string with an unpaired surrogate escape keeps all its escapes, so that
/// its text is not lost.
fn unquote(raw: &str) -> Cow<'_, str> {
    let inside = raw
        .strip_prefix('"')
        .and_then(|raw| raw.strip_suffix('"'))
        .unwrap_or(raw);
    if !inside.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(inside);
    }
    serde_json::from_str(raw).map_or(Cow::Borrowed(inside), Cow::Owned)
}

/// Reads a value as a boolean, also from the texts "true" and "false" in any case. `None` for anything else.
#[must_use]
pub fn as_bool(raw: &str) -> Option<bool> {
    let text = raw.trim_matches('"');
    [("true", true), ("false", false)]
        .into_iter()
        .find_map(|(name, flag)| text.eq_ignore_ascii_case(name).then_some(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default, Debug, PartialEq)]
    #[serde(default)]
    struct Odd {
        #[serde(deserialize_with = "text")]
        text: Option<String>,
        #[serde(deserialize_with = "value")]
        size: Option<u64>,
        #[serde(deserialize_with = "object")]
        inner: Option<Box<Odd>>,
    }

    fn parse(json: &str) -> Odd {
        parse_object(json).expect("every case is an object")
    }

    #[test]
    fn text_is_read_from_strings_and_numbers() {
        for (json, expected) in [
            (r#"{"text":"a\tb"}"#, Some("a\tb")),
            (r#"{"text":123456789012}"#, Some("123456789012")),
            (r#"{"text":"half \ud800 pair"}"#, Some("half \\ud800 pair")),
            (r#"{"text":"\"quoted\""}"#, Some("\"quoted\"")),
            (r#"{"text":""}"#, None),
            (r#"{"text":null}"#, None),
            (r#"{"text":["a"]}"#, None),
            (r#"{"text":{"a":1}}"#, None),
            ("{}", None),
        ] {
            assert_eq!(parse(json).text.as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn bool_is_read_from_bool_or_text() {
        for (raw, expected) in [
            ("true", Some(true)),
            ("false", Some(false)),
            (r#""True""#, Some(true)),
            (r#""FALSE""#, Some(false)),
            (r#""yes""#, None),
            ("1", None),
            ("null", None),
            (r#"["true"]"#, None),
        ] {
            assert_eq!(as_bool(raw), expected, "{raw}");
        }
    }

    #[test]
    fn unexpected_type_does_not_affect_other_fields() {
        let read = parse(r#"{"size":"big","inner":["x"],"text":"kept"}"#);
        assert_eq!(
            read,
            Odd {
                text: Some("kept".into()),
                ..Odd::default()
            }
        );
    }

    #[test]
    fn array_is_not_an_object() {
        assert_eq!(parse_object::<Odd>(r#"["text"]"#), None);
    }
}
