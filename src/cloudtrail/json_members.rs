//! Iterates over the members of a JSON object. Values are returned as raw text.

use crate::cloudtrail::json_scan;

/// An iterator over the members of an object that does not parse their values.
pub struct JsonMembers<'a> {
    text: &'a str,
    position: usize,
    past_first: bool,
}

/// The text is not a JSON object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedJson;

type JsonMember<'a> = (&'a str, &'a str);

impl<'a> JsonMembers<'a> {
    /// Starts at the first member; `None` if the text does not begin with an object.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        text.starts_with('{').then_some(Self {
            text,
            position: 1,
            past_first: false,
        })
    }

    /// The next name and value, or `None` at the end. The name is raw text without its quotes.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid object.
    #[inline]
    pub fn next(&mut self) -> Result<Option<JsonMember<'a>>, MalformedJson> {
        let byte = self.peek()?;
        if byte == b'}' {
            let last = self.position + 1 == self.text.len();
            return if last { Ok(None) } else { Err(MalformedJson) };
        }
        if self.past_first {
            self.expect(b',')?;
        }
        self.past_first = true;
        self.expect(b'"')?;
        let bytes = self.text.as_bytes();
        let name_end = json_scan::string_end(bytes, self.position).ok_or(MalformedJson)?;
        let name = self
            .text
            .get(self.position..name_end - 1)
            .ok_or(MalformedJson)?;
        self.position = name_end;
        self.expect(b':')?;
        self.peek()?;
        let end = json_scan::value_end(bytes, self.position).ok_or(MalformedJson)?;
        let value = self.text.get(self.position..end).ok_or(MalformedJson)?;
        self.position = end;
        if looks_like_value(value) {
            Ok(Some((name, value)))
        } else {
            Err(MalformedJson)
        }
    }

    /// The next byte that is not whitespace.
    #[inline]
    fn peek(&mut self) -> Result<u8, MalformedJson> {
        loop {
            match self.text.as_bytes().get(self.position) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                Some(byte) => return Ok(*byte),
                None => return Err(MalformedJson),
            }
        }
    }

    #[inline]
    fn expect(&mut self, expected: u8) -> Result<(), MalformedJson> {
        if self.peek()? == expected {
            self.position += 1;
            Ok(())
        } else {
            Err(MalformedJson)
        }
    }
}

/// Returns true if the text begins like a value. Numbers and literals are checked completely.
fn looks_like_value(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(b'"' | b'{' | b'[') => true,
        Some(b'-' | b'0'..=b'9') => text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')),
        _ => matches!(text, "true" | "false" | "null"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(text: &str) -> Result<Vec<JsonMember<'_>>, MalformedJson> {
        let mut members = JsonMembers::parse(text).ok_or(MalformedJson)?;
        let mut found = Vec::new();
        while let Some(member) = members.next()? {
            found.push(member);
        }
        Ok(found)
    }

    #[test]
    fn names_and_values_keep_their_text() {
        assert_eq!(
            collect("{ \"a\" : 1 ,\n\"b\\\"\":{\"c\":[\"}\"]},\"d\":\"e\\\\\",\"f\":null\t}"),
            Ok(vec![
                ("a", "1"),
                ("b\\\"", r#"{"c":["}"]}"#),
                ("d", r#""e\\""#),
                ("f", "null")
            ])
        );
        assert_eq!(collect("{}"), Ok(vec![]));
    }

    #[test]
    fn malformed_objects_are_rejected() {
        for text in [
            "",
            "7",
            "[1]",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":tru}"#,
            r#"{"a":1x}"#,
            r#"{"a":1"b":2}"#,
            r#"{,"a":1}"#,
            r#"{"a":1,}"#,
            "{a:1}",
            r#"{"a":1}}"#,
            r#"{"a":1} "#,
            r#"{"a":1"#,
            r#"{"a":"x}"#,
        ] {
            assert_eq!(collect(text), Err(MalformedJson), "{text}");
        }
    }
}
