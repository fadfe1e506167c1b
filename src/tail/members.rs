//! The members of a JSON object, one after the other, each value as the text that it was written as.

use super::scan;

/// Walks over an object without looking into its values.
pub struct Members<'a> {
    text: &'a str,
    at: usize,
    begun: bool,
}

/// What stands there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

type Member<'a> = (&'a str, &'a str);

impl<'a> Members<'a> {
    /// Of the object that the text has to be, from its first byte to its last.
    #[must_use]
    pub fn of(text: &'a str) -> Option<Self> {
        text.starts_with('{').then_some(Self {
            text,
            at: 1,
            begun: false,
        })
    }

    /// The next name and value, or the end. The name is as written, without its quotes.
    ///
    /// # Errors
    /// When the text goes on as no object does.
    #[inline]
    pub fn next(&mut self) -> Result<Option<Member<'a>>, Malformed> {
        let sign = self.sign()?;
        if sign == b'}' {
            let last = self.at + 1 == self.text.len();
            return if last { Ok(None) } else { Err(Malformed) };
        }
        if self.begun {
            self.take(b',')?;
        }
        self.begun = true;
        self.take(b'"')?;
        let bytes = self.text.as_bytes();
        let name_end = scan::string_end(bytes, self.at).ok_or(Malformed)?;
        let name = self.text.get(self.at..name_end - 1).ok_or(Malformed)?;
        self.at = name_end;
        self.take(b':')?;
        self.sign()?;
        let end = scan::value_end(bytes, self.at).ok_or(Malformed)?;
        let value = self.text.get(self.at..end).ok_or(Malformed)?;
        self.at = end;
        if is_value(value) {
            Ok(Some((name, value)))
        } else {
            Err(Malformed)
        }
    }

    /// What stands behind white space.
    #[inline]
    fn sign(&mut self) -> Result<u8, Malformed> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(sign) => return Ok(*sign),
                None => return Err(Malformed),
            }
        }
    }

    #[inline]
    fn take(&mut self, wanted: u8) -> Result<(), Malformed> {
        if self.sign()? == wanted {
            self.at += 1;
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// Whether it begins as a value does; what is not in quotes or brackets is looked at to its end.
fn is_value(text: &str) -> bool {
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

    fn all(text: &str) -> Result<Vec<Member<'_>>, Malformed> {
        let mut members = Members::of(text).ok_or(Malformed)?;
        let mut found = Vec::new();
        while let Some(member) = members.next()? {
            found.push(member);
        }
        Ok(found)
    }

    #[test]
    fn names_and_values_are_given_as_written() {
        assert_eq!(
            all("{ \"a\" : 1 ,\n\"b\\\"\":{\"c\":[\"}\"]},\"d\":\"e\\\\\",\"f\":null\t}"),
            Ok(vec![
                ("a", "1"),
                ("b\\\"", r#"{"c":["}"]}"#),
                ("d", r#""e\\""#),
                ("f", "null")
            ])
        );
        assert_eq!(all("{}"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_object_is_refused() {
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
            assert_eq!(all(text), Err(Malformed), "{text}");
        }
    }
}
