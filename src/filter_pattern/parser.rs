//! A recursive descent parser for filter patterns. Precedence: `()`, then `&&`, then `||`.

use serde_json::Value;

use super::filter_regex::FilterRegex;
use super::operand::{Number, Operand, is_number};
use super::pattern_error::PatternError;
use super::selector::{PropertySelector, SelectorStep};
use super::{Expression, TermTest, ValueTest};

/// Maximum length of a pattern in characters, as counted by the API.
const MAX_PATTERN_CHARS: usize = 1024;
/// Maximum nesting of parentheses. AWS documents no limit; this one bounds the stack.
const MAX_DEPTH: usize = 32;
const MAX_WILDCARDS: usize = 3;
const MAX_REGEXES: usize = 2;

const NEEDS_QUOTES: &str = "a value with other characters than letters, digits, `_`, `.` and `*` must be in double quotation marks";

const EXPECTED_OPERATOR: &str = "expected `=`, `!=`, `<`, `<=`, `>`, `>=`, `IS` or `NOT EXISTS`";

type ParseResult<T> = Result<T, PatternError>;

pub(super) fn parse_pattern(text: &str) -> ParseResult<Expression> {
    if let Some((end, _)) = text.char_indices().nth(MAX_PATTERN_CHARS) {
        let rest = text.split_at(end).1;
        return Err(PatternError::at_rest(
            rest,
            text,
            "a pattern has at most 1024 characters",
        ));
    }
    let mut parser = PatternParser {
        text,
        rest: text,
        wildcards: 0,
        regexes: 0,
    };
    parser.skip_whitespace();
    parser.expect("{", "a JSON pattern begins with `{`")?;
    let root = parser.parse_or(0)?;
    parser.expect("}", "expected `&&`, `||` or the closing `}`")?;
    parser.skip_whitespace();
    if parser.rest.is_empty() {
        Ok(root)
    } else {
        Err(parser.error("unexpected text after the closing `}`"))
    }
}

struct PatternParser<'p> {
    text: &'p str,
    rest: &'p str,
    wildcards: usize,
    regexes: usize,
}

impl<'p> PatternParser<'p> {
    fn parse_or(&mut self, depth: usize) -> ParseResult<Expression> {
        let mut parts = vec![self.parse_and(depth)?];
        while self.take("||") {
            parts.push(self.parse_and(depth)?);
        }
        Ok(join(parts, Expression::Any))
    }

    fn parse_and(&mut self, depth: usize) -> ParseResult<Expression> {
        let mut parts = vec![self.parse_term(depth)?];
        while self.take("&&") {
            parts.push(self.parse_term(depth)?);
        }
        Ok(join(parts, Expression::All))
    }

    fn parse_term(&mut self, depth: usize) -> ParseResult<Expression> {
        self.skip_whitespace();
        let part = if self.rest.starts_with('(') {
            if depth == MAX_DEPTH {
                return Err(self.error("parentheses can be nested at most 32 levels deep"));
            }
            self.take("(");
            let inner = self.parse_or(depth + 1)?;
            self.expect(")", "expected `&&`, `||` or the closing `)`")?;
            inner
        } else {
            self.expect("$", "expected a selector, as in `$.name`, or `(`")?;
            Expression::Term(self.parse_selector()?, self.parse_test()?)
        };
        self.skip_whitespace();
        Ok(part)
    }

    fn parse_selector(&mut self) -> ParseResult<PropertySelector> {
        let mut steps: Vec<SelectorStep> = Vec::new();
        loop {
            let start = self.rest;
            let Some(step) = self.parse_step()? else {
                break;
            };
            if steps.is_empty()
                && matches!(step, SelectorStep::Element(_) | SelectorStep::AnyElement)
            {
                return Err(self.error_at(start, "an array index must follow a field"));
            }
            if step.is_wildcard() {
                if steps.iter().any(SelectorStep::is_wildcard) {
                    return Err(self.error_at(start, "a selector can have at most one wildcard"));
                }
                if self.wildcards == MAX_WILDCARDS {
                    return Err(
                        self.error_at(start, "a pattern can have at most 3 wildcard selectors")
                    );
                }
                self.wildcards += 1;
            }
            steps.push(step);
        }
        if steps.is_empty() {
            return Err(self.error("expected a field, as in `$.name`"));
        }
        Ok(PropertySelector(steps))
    }

    fn parse_step(&mut self) -> ParseResult<Option<SelectorStep>> {
        if self.take(".[") {
            return self.parse_bracketed_name().map(Some);
        }
        if self.take(".") {
            if self.take("*") {
                return Ok(Some(SelectorStep::AnyField));
            }
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if name.is_empty() {
                return Err(self.error("expected a name of letters, digits, `-` and `_`; put other names in `['` and `']`"));
            }
            return Ok(Some(SelectorStep::Field(name.to_owned())));
        }
        if !self.take("[") {
            return Ok(None);
        }
        if self.rest.starts_with(['\'', '"']) {
            return self.parse_bracketed_name().map(Some);
        }
        let start = self.rest;
        let step = if self.take("*") {
            SelectorStep::AnyElement
        } else {
            let digits = self.take_while(|c| c.is_ascii_digit());
            if digits.is_empty() {
                return Err(
                    self.error("expected a number, `*` or a name in single quotation marks")
                );
            }
            let index = digits.parse();
            SelectorStep::Element(
                index.map_err(|_| self.error_at(start, "the array index is too large"))?,
            )
        };
        self.expect("]", "expected `]`")?;
        Ok(Some(step))
    }

    fn parse_bracketed_name(&mut self) -> ParseResult<SelectorStep> {
        let start = self.rest;
        self.expect("'", "a name in brackets must be in single quotation marks")?;
        let name = self.take_while(|c| c != '\'');
        if !self.take("'") {
            return Err(self.error_at(start, "this quotation mark is not closed"));
        }
        if name.is_empty() {
            return Err(self.error_at(start, "the name is empty"));
        }
        self.expect("]", "expected `]`")?;
        Ok(SelectorStep::Field(name.to_owned()))
    }

    fn parse_test(&mut self) -> ParseResult<TermTest> {
        self.skip_whitespace();
        let start = self.rest;
        let test = match self.take_while(|c| "=!<>".contains(c)) {
            "=" => ValueTest::Equals(self.parse_operand()?),
            "!=" => ValueTest::Differs(self.parse_operand()?),
            "<" => ValueTest::Less(self.parse_number()?),
            "<=" => ValueTest::LessOrEqual(self.parse_number()?),
            ">" => ValueTest::Greater(self.parse_number()?),
            ">=" => ValueTest::GreaterOrEqual(self.parse_number()?),
            "" => return self.parse_keyword_test(),
            _ => return Err(self.error_at(start, EXPECTED_OPERATOR)),
        };
        Ok(TermTest::OnValue(test))
    }

    fn parse_keyword_test(&mut self) -> ParseResult<TermTest> {
        let start = self.rest;
        match self.take_keyword() {
            "IS" => self
                .parse_literal()
                .map(ValueTest::Is)
                .map(TermTest::OnValue),
            "NOT" => {
                self.skip_whitespace();
                self.expect("EXISTS", "expected `EXISTS`")?;
                Ok(TermTest::NotExists)
            }
            "EXISTS" => Err(self.error_at(
                start,
                "CloudWatch Logs supports only `NOT EXISTS`; use `= *` to test that a field exists",
            )),
            _ => Err(self.error_at(start, EXPECTED_OPERATOR)),
        }
    }

    fn parse_literal(&mut self) -> ParseResult<Value> {
        self.skip_whitespace();
        let start = self.rest;
        match self.take_keyword() {
            "TRUE" => Ok(Value::Bool(true)),
            "FALSE" => Ok(Value::Bool(false)),
            "NULL" => Ok(Value::Null),
            "NOT" => Err(self.error_at(start, "CloudWatch Logs does not support `IS NOT`")),
            _ => Err(self.error_at(start, "expected `TRUE`, `FALSE` or `NULL`")),
        }
    }

    fn parse_number(&mut self) -> ParseResult<Number> {
        self.skip_whitespace();
        let start = self.rest;
        let number = self.parse_operand()?.number();
        number.ok_or_else(|| {
            self.error_at(
                start,
                "expected a number; only `=` and `!=` accept other values",
            )
        })
    }

    fn parse_operand(&mut self) -> ParseResult<Operand> {
        self.skip_whitespace();
        let start = self.rest;
        match start.chars().next() {
            Some('"') => return self.parse_quoted(),
            Some('%') => return self.parse_regex(),
            _ => {}
        }
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || "_.*+-".contains(c));
        if !self.rest.is_empty() && !self.rest.starts_with(ends_bare_word) {
            return Err(self.error(NEEDS_QUOTES));
        }
        if word.is_empty() {
            return Err(self.error("expected a value"));
        }
        let operand = Operand::bare(word);
        if operand.number().is_none() {
            if is_number(word) {
                return Err(self.error_at(start, "the number is too large"));
            }
            // A sign is allowed only in numbers.
            if word.contains(['+', '-']) {
                return Err(self.error_at(start, NEEDS_QUOTES));
            }
        }
        Ok(operand)
    }

    fn parse_regex(&mut self) -> ParseResult<Operand> {
        let start = self.rest;
        if self.regexes == MAX_REGEXES {
            return Err(self.error("a pattern can have at most 2 regular expressions"));
        }
        self.regexes += 1;
        self.take("%");
        let inside = self.rest;
        let text = self.take_while(|c| c != '%');
        if !self.take("%") {
            return Err(self.error_at(start, "the closing percent sign is missing"));
        }
        let expression = FilterRegex::parse(text);
        expression
            .map(Operand::regex)
            .map_err(|(at, reason)| self.error_at(inside.split_at(at).1, reason))
    }

    fn parse_quoted(&mut self) -> ParseResult<Operand> {
        let start = self.rest;
        self.take("\"");
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            if self.take("\"") {
                return Ok(Operand::quoted(&text));
            } else if self.take("\\\"") {
                text.push('"');
            } else if self.take("\\\\") {
                text.push('\\');
            } else if self.rest.is_empty() {
                return Err(self.error_at(start, "this quotation mark is not closed"));
            } else {
                return Err(self.error("a backslash may only precede `\"` or `\\`"));
            }
        }
    }

    fn take_keyword(&mut self) -> &'p str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn skip_whitespace(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    fn take(&mut self, expected: &str) -> bool {
        let after = self.rest.strip_prefix(expected);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, expected: &str, reason: &'static str) -> ParseResult<()> {
        if self.take(expected) {
            Ok(())
        } else {
            Err(self.error(reason))
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'p str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn error(&self, reason: &'static str) -> PatternError {
        self.error_at(self.rest, reason)
    }

    fn error_at(&self, rest: &str, reason: &'static str) -> PatternError {
        PatternError::at_rest(rest, self.text, reason)
    }
}

fn ends_bare_word(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, ')' | '}' | '&' | '|')
}

/// Joins expressions; a single expression is returned as it is.
fn join(mut parts: Vec<Expression>, list: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        popped => {
            parts.extend(popped);
            list(parts)
        }
    }
}
