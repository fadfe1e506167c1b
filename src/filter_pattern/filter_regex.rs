//! Regular expressions between percent signs, in the syntax of `CloudWatch` Logs.

use std::iter::Peekable;
use std::str::CharIndices;

use regex_lite::{Regex, RegexBuilder};

const ALLOWED_CHARACTERS: &str = "a regular expression may only contain ASCII letters and digits, spaces, `:_#=@/;,-` and the \
                                  operators `^$?[]{}|\\*+.`; write other ASCII characters as in `\\x21`";
const ALLOWED_ESCAPES: &str =
    "a backslash may only precede an operator, one of `dDsSwW`, or `x` with two hexadecimal digits";

#[derive(Clone, Debug)]
pub(super) struct FilterRegex(Regex);

impl PartialEq for FilterRegex {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl FilterRegex {
    /// Parses a regular expression.
    ///
    /// # Errors
    /// Returns the byte offset and the reason.
    pub(super) fn parse(text: &str) -> Result<Self, (usize, &'static str)> {
        if text.is_empty() {
            return Err((0, "the regular expression is empty"));
        }
        let text = RegexTranslator::new(text).translate()?;
        RegexBuilder::new(&text)
            .dot_matches_new_line(true)
            .build()
            .map(Self)
            .map_err(|_| (0, "this is not a valid regular expression"))
    }

    /// Returns true if any part of the text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Translates the documented syntax into that of the library, and rejects everything else.
struct RegexTranslator<'p> {
    rest: Peekable<CharIndices<'p>>,
    output: String,
    in_class: bool,
}

impl<'p> RegexTranslator<'p> {
    fn new(text: &'p str) -> Self {
        Self {
            rest: text.char_indices().peekable(),
            output: String::new(),
            in_class: false,
        }
    }

    fn translate(mut self) -> Result<String, (usize, &'static str)> {
        while let Some((at, c)) = self.rest.next() {
            match c {
                '\\' => self.translate_escape().ok_or((at, ALLOWED_ESCAPES))?,
                '[' if self.in_class => {
                    return Err((
                        at,
                        "a `[` in a character class must be escaped with a backslash",
                    ));
                }
                '[' => self
                    .start_class()
                    .ok_or((at, "the character class is empty"))?,
                // The minimum may be omitted, which the library does not support.
                '{' if !self.in_class && self.take(',').is_some() => self.output.push_str("{0,"),
                _ if is_allowed(c) => {
                    self.in_class &= c != ']';
                    self.output.push(c);
                }
                _ => return Err((at, ALLOWED_CHARACTERS)),
            }
        }
        Ok(self.output)
    }

    fn translate_escape(&mut self) -> Option<()> {
        let (_, c) = self.rest.next()?;
        self.output.extend(['\\', c]);
        match c {
            'x' => {
                for _ in 0..2 {
                    let (_, digit) = self.rest.next().filter(|(_, c)| c.is_ascii_hexdigit())?;
                    self.output.push(digit);
                }
                Some(())
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Some(()),
            _ => (is_allowed(c) && c.is_ascii_punctuation()).then_some(()),
        }
    }

    /// The start of a character class. An empty class is rejected, because other syntaxes read `]` as a literal there.
    fn start_class(&mut self) -> Option<()> {
        self.in_class = true;
        let negated = self.take('^');
        self.output.push('[');
        self.output.extend(negated);
        self.rest
            .peek()
            .is_none_or(|(_, c)| *c != ']')
            .then_some(())
    }

    fn take(&mut self, expected: char) -> Option<char> {
        self.rest.next_if(|(_, c)| *c == expected).map(|(_, c)| c)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|\\*+.".contains(c)
}
