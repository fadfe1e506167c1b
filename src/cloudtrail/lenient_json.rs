//! A JSON field of any shape: what fits is read, what does not is absent.
//!
//! Serde gives up a whole value when one field has an unexpected type. Senders do vary the types (`readOnly` is seen
//! as a bool, as null and as text), and one odd field must not cost the others.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Reads a field as `T`, or as absent when it is anything else.
pub fn value<'de, D, T>(field: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&RawValue>::deserialize(field)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// Reads a field as the object `T`. Serde would also fill a struct from an array, by position.
pub fn object<'de, D, T>(field: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let raw = <&RawValue>::deserialize(field)?;
    Ok(parse_object(raw.get()))
}

/// Parses text that has to be a JSON object.
pub fn parse_object<'de, T: Deserialize<'de>>(json: &'de str) -> Option<T> {
    let json = json.trim_start();
    json.starts_with('{')
        .then(|| serde_json::from_str(json).ok())
        .flatten()
}

/// Reads a field as text.
pub fn text<'de, D: Deserializer<'de>>(field: D) -> Result<Option<String>, D::Error> {
    let raw = <&RawValue>::deserialize(field)?.get();
    Ok(as_text(raw).map(Cow::into_owned))
}

/// Reads a value as text. A number is taken as it is written, because account ids are sometimes sent as numbers; empty
/// text is absent, because CloudTrail writes `""` for what it does not know.
#[must_use]
pub fn as_text(raw: &str) -> Option<Cow<'_, str>> {
    let text = match raw.as_bytes().first() {
        Some(b'"') => unquote(raw),
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(raw),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Takes the quotes and escapes off a JSON string. An escape that is no character (half of a surrogate pair) stays
/// as it is written, which is better than losing the text around it.
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

/// Reads a value as a yes or no, also when it is spelled out. Absent must not read as no.
#[must_use]
pub fn as_bool(raw: &str) -> Option<bool> {
    let word = raw.trim_matches('"');
    [("true", true), ("false", false)]
        .into_iter()
        .find_map(|(name, flag)| word.eq_ignore_ascii_case(name).then_some(flag))
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
