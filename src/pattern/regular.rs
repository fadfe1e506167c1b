//! Regular expressions between percent signs, in the syntax that `CloudWatch` Logs takes.

use std::iter::Peekable;
use std::str::CharIndices;

use regex_lite::{Regex, RegexBuilder};

const ALLOWED: &str = "a regular expression has letters and digits of ASCII, spaces, `:_#=@/;,-` and the operators \
                       `^$?[]{}|\\*+.` only; `\\x21` is any other character of ASCII";
const ESCAPED: &str = "a backslash stands before an operator, before one of `dDsSwW`, or before `x` and two \
                       hexadecimal digits";

#[derive(Clone, Debug)]
pub(super) struct Regular(Regex);

impl PartialEq for Regular {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Regular {
    /// Or why not, and after how many bytes.
    pub(super) fn read(text: &str) -> Result<Self, (usize, &'static str)> {
        if text.is_empty() {
            return Err((0, "a regular expression is not empty"));
        }
        let text = Reader::new(text).read()?;
        RegexBuilder::new(&text)
            .dot_matches_new_line(true)
            .build()
            .map(Self)
            .map_err(|_| (0, "this is no regular expression"))
    }

    /// Whether any part of the text does.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Lets pass what `CloudWatch` Logs documents, in the words of the library, which knows far more.
struct Reader<'p> {
    rest: Peekable<CharIndices<'p>>,
    read: String,
    in_class: bool,
}

impl<'p> Reader<'p> {
    fn new(text: &'p str) -> Self {
        Self {
            rest: text.char_indices().peekable(),
            read: String::new(),
            in_class: false,
        }
    }

    fn read(mut self) -> Result<String, (usize, &'static str)> {
        while let Some((at, c)) = self.rest.next() {
            match c {
                '\\' => self.escaped().ok_or((at, ESCAPED))?,
                '[' if self.in_class => {
                    return Err((at, "a `[` between brackets comes after a backslash"));
                }
                '[' => self
                    .class()
                    .ok_or((at, "there is nothing between brackets"))?,
                // The minimum may be left out, which the library does not know.
                '{' if !self.in_class && self.takes(',').is_some() => self.read.push_str("{0,"),
                _ if is_allowed(c) => {
                    self.in_class &= c != ']';
                    self.read.push(c);
                }
                _ => return Err((at, ALLOWED)),
            }
        }
        Ok(self.read)
    }

    fn escaped(&mut self) -> Option<()> {
        let (_, c) = self.rest.next()?;
        self.read.extend(['\\', c]);
        match c {
            'x' => {
                for _ in 0..2 {
                    let (_, digit) = self.rest.next().filter(|(_, c)| c.is_ascii_hexdigit())?;
                    self.read.push(digit);
                }
                Some(())
            }
            'd' | 'D' | 's' | 'S' | 'w' | 'W' => Some(()),
            _ => (is_allowed(c) && c.is_ascii_punctuation()).then_some(()),
        }
    }

    /// The beginning of one. What closes it at once would be a character of it elsewhere.
    fn class(&mut self) -> Option<()> {
        self.in_class = true;
        let negated = self.takes('^');
        self.read.push('[');
        self.read.extend(negated);
        self.rest
            .peek()
            .is_none_or(|(_, c)| *c != ']')
            .then_some(())
    }

    fn takes(&mut self, wanted: char) -> Option<char> {
        self.rest.next_if(|(_, c)| *c == wanted).map(|(_, c)| c)
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || " :_#=@/;,-^$?[]{}|\\*+.".contains(c)
}
