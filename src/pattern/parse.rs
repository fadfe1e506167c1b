//! From the text of a pattern to its expression: `()` before `&&` before `||`.

use serde_json::Value;

use super::malformed::Malformed;
use super::operand::{Number, Operand, is_number};
use super::regular::Regular;
use super::selector::{Selector, Step};
use super::{Expression, Test, ValueTest};

/// Characters, as the API counts them.
const LONGEST: usize = 1024;
/// Parentheses in parentheses. AWS names no limit; this one keeps the stack small.
const DEEPEST: usize = 32;
const WILDCARDS_IN_PATTERN: usize = 3;
const REGULARS_IN_PATTERN: usize = 2;

const NOT_BARE: &str =
    "a value with anything but letters, digits, `_`, `.` and `*` is put in double quotation marks";

const NO_TEST: &str = "expected `=`, `!=`, `<`, `<=`, `>`, `>=`, `IS` or `NOT EXISTS`";

type Read<T> = Result<T, Malformed>;

pub(super) fn pattern(text: &str) -> Read<Expression> {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        let rest = text.split_at(end).1;
        return Err(Malformed::before(
            rest,
            text,
            "a pattern has 1024 characters at most",
        ));
    }
    let mut reader = Reader {
        text,
        rest: text,
        wildcards: 0,
        regulars: 0,
    };
    reader.space();
    reader.expect("{", "a pattern for JSON begins with `{`")?;
    let root = reader.any(0)?;
    reader.expect("}", "expected `&&`, `||` or the closing `}`")?;
    reader.space();
    if reader.rest.is_empty() {
        Ok(root)
    } else {
        Err(reader.wrong("nothing comes after the closing `}`"))
    }
}

struct Reader<'p> {
    text: &'p str,
    rest: &'p str,
    wildcards: usize,
    regulars: usize,
}

impl<'p> Reader<'p> {
    fn any(&mut self, depth: usize) -> Read<Expression> {
        let mut parts = vec![self.all(depth)?];
        while self.takes("||") {
            parts.push(self.all(depth)?);
        }
        Ok(joined(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Read<Expression> {
        let mut parts = vec![self.part(depth)?];
        while self.takes("&&") {
            parts.push(self.part(depth)?);
        }
        Ok(joined(parts, Expression::All))
    }

    fn part(&mut self, depth: usize) -> Read<Expression> {
        self.space();
        let part = if self.rest.starts_with('(') {
            if depth == DEEPEST {
                return Err(self.wrong("parentheses are nested 32 deep at most"));
            }
            self.takes("(");
            let inner = self.any(depth + 1)?;
            self.expect(")", "expected `&&`, `||` or the closing `)`")?;
            inner
        } else {
            self.expect("$", "expected a selector, as in `$.name`, or `(`")?;
            Expression::Term(self.selector()?, self.test()?)
        };
        self.space();
        Ok(part)
    }

    fn selector(&mut self) -> Read<Selector> {
        let mut steps: Vec<Step> = Vec::new();
        loop {
            let start = self.rest;
            let Some(step) = self.step()? else { break };
            if steps.is_empty() && matches!(step, Step::Element(_) | Step::AnyElement) {
                return Err(self.wrong_at(start, "an array element comes after a field"));
            }
            if step.is_wildcard() {
                if steps.iter().any(Step::is_wildcard) {
                    return Err(self.wrong_at(start, "a selector has one wildcard at most"));
                }
                if self.wildcards == WILDCARDS_IN_PATTERN {
                    return Err(
                        self.wrong_at(start, "a pattern selects by wildcard 3 times at most")
                    );
                }
                self.wildcards += 1;
            }
            steps.push(step);
        }
        if steps.is_empty() {
            return Err(self.wrong("a selector names a field, as in `$.name`"));
        }
        Ok(Selector(steps))
    }

    fn step(&mut self) -> Read<Option<Step>> {
        if self.takes(".[") {
            return self.named_in_brackets().map(Some);
        }
        if self.takes(".") {
            if self.takes("*") {
                return Ok(Some(Step::AnyField));
            }
            let name = self.take_while(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if name.is_empty() {
                return Err(self.wrong("expected a name of letters, digits, `-` and `_`; others are put in `['` and `']`"));
            }
            return Ok(Some(Step::Field(name.to_owned())));
        }
        if !self.takes("[") {
            return Ok(None);
        }
        if self.rest.starts_with(['\'', '"']) {
            return self.named_in_brackets().map(Some);
        }
        let start = self.rest;
        let step = if self.takes("*") {
            Step::AnyElement
        } else {
            let digits = self.take_while(|c| c.is_ascii_digit());
            if digits.is_empty() {
                return Err(
                    self.wrong("expected a number, `*` or a name in single quotation marks")
                );
            }
            let index = digits.parse();
            Step::Element(index.map_err(|_| self.wrong_at(start, "no array is that long"))?)
        };
        self.expect("]", "expected `]`")?;
        Ok(Some(step))
    }

    fn named_in_brackets(&mut self) -> Read<Step> {
        let start = self.rest;
        self.expect("'", "a name in brackets is put in single quotation marks")?;
        let name = self.take_while(|c| c != '\'');
        if !self.takes("'") {
            return Err(self.wrong_at(start, "this quotation mark is never closed"));
        }
        if name.is_empty() {
            return Err(self.wrong_at(start, "a name is not empty"));
        }
        self.expect("]", "expected `]`")?;
        Ok(Step::Field(name.to_owned()))
    }

    fn test(&mut self) -> Read<Test> {
        self.space();
        let start = self.rest;
        let test = match self.take_while(|c| "=!<>".contains(c)) {
            "=" => ValueTest::Equals(self.operand()?),
            "!=" => ValueTest::Differs(self.operand()?),
            "<" => ValueTest::Less(self.number()?),
            "<=" => ValueTest::LessOrEqual(self.number()?),
            ">" => ValueTest::Greater(self.number()?),
            ">=" => ValueTest::GreaterOrEqual(self.number()?),
            "" => return self.test_in_words(),
            _ => return Err(self.wrong_at(start, NO_TEST)),
        };
        Ok(Test::OfValue(test))
    }

    fn test_in_words(&mut self) -> Read<Test> {
        let start = self.rest;
        match self.keyword() {
            "IS" => self.literal().map(ValueTest::Is).map(Test::OfValue),
            "NOT" => {
                self.space();
                self.expect("EXISTS", "expected `EXISTS`")?;
                Ok(Test::NotExists)
            }
            "EXISTS" => Err(self.wrong_at(
                start,
                "CloudWatch Logs knows `NOT EXISTS` only; `= *` asks for a field that is there",
            )),
            _ => Err(self.wrong_at(start, NO_TEST)),
        }
    }

    fn literal(&mut self) -> Read<Value> {
        self.space();
        let start = self.rest;
        match self.keyword() {
            "TRUE" => Ok(Value::Bool(true)),
            "FALSE" => Ok(Value::Bool(false)),
            "NULL" => Ok(Value::Null),
            "NOT" => Err(self.wrong_at(start, "CloudWatch Logs does not know `IS NOT`")),
            _ => Err(self.wrong_at(start, "expected `TRUE`, `FALSE` or `NULL`")),
        }
    }

    fn number(&mut self) -> Read<Number> {
        self.space();
        let start = self.rest;
        let number = self.operand()?.number();
        number.ok_or_else(|| self.wrong_at(start, "only `=` and `!=` take anything but a number"))
    }

    fn operand(&mut self) -> Read<Operand> {
        self.space();
        let start = self.rest;
        match start.chars().next() {
            Some('"') => return self.quoted(),
            Some('%') => return self.regular(),
            _ => {}
        }
        let word = self.take_while(|c| c.is_ascii_alphanumeric() || "_.*+-".contains(c));
        if !self.rest.is_empty() && !self.rest.starts_with(ends_a_word) {
            return Err(self.wrong(NOT_BARE));
        }
        if word.is_empty() {
            return Err(self.wrong("expected a value"));
        }
        let operand = Operand::bare(word);
        if operand.number().is_none() {
            if is_number(word) {
                return Err(self.wrong_at(start, "the number is too large"));
            }
            // A sign is part of a number, and of no word.
            if word.contains(['+', '-']) {
                return Err(self.wrong_at(start, NOT_BARE));
            }
        }
        Ok(operand)
    }

    fn regular(&mut self) -> Read<Operand> {
        let start = self.rest;
        if self.regulars == REGULARS_IN_PATTERN {
            return Err(self.wrong("a pattern has 2 regular expressions at most"));
        }
        self.regulars += 1;
        self.takes("%");
        let inside = self.rest;
        let text = self.take_while(|c| c != '%');
        if !self.takes("%") {
            return Err(self.wrong_at(start, "this percent sign has no second one"));
        }
        let expression = Regular::read(text);
        expression
            .map(Operand::regular)
            .map_err(|(at, why)| self.wrong_at(inside.split_at(at).1, why))
    }

    fn quoted(&mut self) -> Read<Operand> {
        let start = self.rest;
        self.takes("\"");
        let mut text = String::new();
        loop {
            text.push_str(self.take_while(|c| c != '"' && c != '\\'));
            if self.takes("\"") {
                return Ok(Operand::quoted(&text));
            } else if self.takes("\\\"") {
                text.push('"');
            } else if self.takes("\\\\") {
                text.push('\\');
            } else if self.rest.is_empty() {
                return Err(self.wrong_at(start, "this quotation mark is never closed"));
            } else {
                return Err(self.wrong("a backslash stands before `\"` or `\\`"));
            }
        }
    }

    fn keyword(&mut self) -> &'p str {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn space(&mut self) {
        self.take_while(|c| c.is_ascii_whitespace());
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let after = self.rest.strip_prefix(wanted);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn expect(&mut self, wanted: &str, otherwise: &'static str) -> Read<()> {
        if self.takes(wanted) {
            Ok(())
        } else {
            Err(self.wrong(otherwise))
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'p str {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn wrong(&self, why: &'static str) -> Malformed {
        self.wrong_at(self.rest, why)
    }

    fn wrong_at(&self, rest: &str, why: &'static str) -> Malformed {
        Malformed::before(rest, self.text, why)
    }
}

fn ends_a_word(c: char) -> bool {
    c.is_ascii_whitespace() || matches!(c, ')' | '}' | '&' | '|')
}

/// A list of one is that one.
fn joined(mut parts: Vec<Expression>, list: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        popped => {
            parts.extend(popped);
            list(parts)
        }
    }
}
