//! The members of a JSON object, one after the other, each value as the text that it was written as.

use crate::cloudtrail::json_scan;

/// Walks over an object without looking into its values.
pub struct JsonMembers<'a> {
    text: &'a str,
    position: usize,
    past_first: bool,
}

/// What stands there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedJson;

type JsonMember<'a> = (&'a str, &'a str);

impl<'a> JsonMembers<'a> {
    /// Of the object that the text has to be, from its first byte to its last.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        text.starts_with('{').then_some(Self {
            text,
            position: 1,
            past_first: false,
        })
    }

    /// The next name and value, or the end. The name is as written, without its quotes.
    ///
    /// # Errors
    /// When the text goes on as no object does.
    #[inline]
    pub fn next(&mut self) -> Result<Option<JsonMember<'a>>, MalformedJson> {
        let sign = self.peek()?;
        if sign == b'}' {
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

    /// What stands behind white space.
    #[inline]
    fn peek(&mut self) -> Result<u8, MalformedJson> {
        loop {
            match self.text.as_bytes().get(self.position) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.position += 1,
                Some(sign) => return Ok(*sign),
                None => return Err(MalformedJson),
            }
        }
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<(), MalformedJson> {
        if self.peek()? == wanted {
            self.position += 1;
            Ok(())
        } else {
            Err(MalformedJson)
        }
    }
}

/// Whether it begins as a value does; what is not in quotes or brackets is looked at to its end.
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
