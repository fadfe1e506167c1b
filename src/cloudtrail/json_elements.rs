//! Iterates over the elements of a JSON array. Elements are returned as raw text.

use crate::cloudtrail::json_members::MalformedJson;
use crate::cloudtrail::json_scan;

/// An iterator over the elements of an array that does not parse them.
pub struct JsonElements<'a> {
    text: &'a str,
    position: usize,
    past_first: bool,
}

impl<'a> JsonElements<'a> {
    /// Starts at the first element; `None` if the text does not begin with an array.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        text.starts_with('[').then_some(Self {
            text,
            position: 1,
            past_first: false,
        })
    }

    /// The next element, or `None` at the end.
    ///
    /// # Errors
    /// Returns an error if the text is not a valid array.
    pub fn next(&mut self) -> Result<Option<&'a str>, MalformedJson> {
        let mut byte = self.peek()?;
        if byte == b']' {
            let last = self.position + 1 == self.text.len();
            return if last { Ok(None) } else { Err(MalformedJson) };
        }
        if self.past_first {
            if byte != b',' {
                return Err(MalformedJson);
            }
            self.position += 1;
            byte = self.peek()?;
        }
        self.past_first = true;
        if matches!(byte, b',' | b':' | b']' | b'}') {
            return Err(MalformedJson);
        }
        let bytes = self.text.as_bytes();
        let end = json_scan::value_end(bytes, self.position).ok_or(MalformedJson)?;
        let element = self.text.get(self.position..end).ok_or(MalformedJson)?;
        self.position = end;
        Ok(Some(element))
    }

    /// The next byte that is not whitespace.
    fn peek(&mut self) -> Result<u8, MalformedJson> {
        let rest = self.text.as_bytes().get(self.position..);
        let rest = rest.unwrap_or_default();
        let space = rest
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .ok_or(MalformedJson)?;
        self.position += space;
        rest.get(space).copied().ok_or(MalformedJson)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(text: &str) -> Result<Vec<&str>, MalformedJson> {
        let mut elements = JsonElements::parse(text).ok_or(MalformedJson)?;
        let mut found = Vec::new();
        while let Some(element) = elements.next()? {
            found.push(element);
        }
        Ok(found)
    }

    #[test]
    fn elements_keep_their_text() {
        assert_eq!(
            collect("[ {\"a\": [1, 2]} ,\n\"]\",7 , null]"),
            Ok(vec!["{\"a\": [1, 2]}", "\"]\"", "7", "null"])
        );
        assert_eq!(collect("[]"), Ok(vec![]));
    }

    #[test]
    fn malformed_arrays_are_rejected() {
        for text in [
            "", "{}", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1]]", "[1}", "[\"]",
        ] {
            assert_eq!(collect(text), Err(MalformedJson), "{text}");
        }
    }
}
