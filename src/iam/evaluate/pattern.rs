//! Text of policies with wildcards and policy variables.

use super::context::{ContextValue, RequestContext};

/// A text of a policy after its variables were replaced. The characters of values are never wildcards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PolicyText(Vec<PolicyChar>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PolicyChar {
    /// A character as the policy has it, which may be a wildcard.
    Written(char),
    /// A character of a value.
    Literal(char),
}

/// The result of replacing variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expansion {
    Text(PolicyText),
    /// A variable has no value in this request, so AWS matches the text with nothing.
    NoValue,
    /// The value of this key is not known.
    Unknown(String),
}

/// Replaces the variables of a text, such as `${aws:PrincipalAccount}` and `${aws:username, 'nobody'}`.
pub(super) fn expand(text: &str, context: &RequestContext, has_variables: bool) -> Expansion {
    let mut chars = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${").filter(|_| has_variables) {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        chars.extend(rest[..start].chars().map(PolicyChar::Written));
        let variable = &rest[start + 2..start + length];
        match variable_value(variable, context) {
            Expansion::Text(value) => chars.extend(value.0),
            other => return other,
        }
        rest = &rest[start + length + 1..];
    }
    chars.extend(rest.chars().map(PolicyChar::Written));
    Expansion::Text(PolicyText(chars))
}

/// Returns the value of the part between the braces.
fn variable_value(variable: &str, context: &RequestContext) -> Expansion {
    let literal =
        |value: &str| Expansion::Text(PolicyText(value.chars().map(PolicyChar::Literal).collect()));
    // These are the escapes of wildcards and of the dollar sign.
    if matches!(variable, "*" | "?" | "$") {
        return literal(variable);
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key.trim(), Some(default.trim().trim_matches('\''))),
        None => (variable.trim(), None),
    };
    match context.value(key) {
        Some(ContextValue::Value(value)) => literal(value),
        Some(ContextValue::Absent) => default.map_or(Expansion::NoValue, literal),
        // Variables do not support multivalued keys.
        Some(ContextValue::List(_)) => Expansion::NoValue,
        Some(ContextValue::OneOf(_)) | None => Expansion::Unknown(key.to_owned()),
    }
}

impl PolicyText {
    /// Returns the text; wildcards are characters like any other.
    pub fn to_text(&self) -> String {
        self.0
            .iter()
            .map(|(PolicyChar::Written(char) | PolicyChar::Literal(char))| *char)
            .collect()
    }

    /// Matches the wildcards `*` (any text) and `?` (one character) with the whole of a text.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        matches_wildcards(&self.0, &text)
    }

    /// Matches each of the six parts of an ARN on its own, so that a wildcard matches no colon except in the last part.
    /// Returns `None` if the pattern does not have six parts.
    pub fn matches_arn(&self, arn: &str) -> Option<bool> {
        let is_colon =
            |char: &PolicyChar| matches!(char, PolicyChar::Written(':') | PolicyChar::Literal(':'));
        let patterns: Vec<&[PolicyChar]> = self.0.splitn(6, is_colon).collect();
        if patterns.len() < 6 {
            return None;
        }
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let matches = |(pattern, part): (&&[PolicyChar], &&str)| {
            matches_wildcards(pattern, &part.chars().collect::<Vec<_>>())
        };
        Some(parts.len() == 6 && patterns.iter().zip(&parts).all(matches))
    }
}

fn matches_wildcards(pattern: &[PolicyChar], text: &[char]) -> bool {
    let (mut at_pattern, mut at_text) = (0, 0);
    // The last `*`, and the end of the text that it matches so far.
    let mut star: Option<(usize, usize)> = None;
    while let Some(char) = text.get(at_text) {
        match pattern.get(at_pattern) {
            Some(PolicyChar::Written('*')) => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(PolicyChar::Written('?')) => {
                at_pattern += 1;
                at_text += 1;
            }
            Some(PolicyChar::Written(same) | PolicyChar::Literal(same)) if same == char => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => {
                let Some((position, end)) = star else {
                    return false;
                };
                star = Some((position, end + 1));
                at_pattern = position + 1;
                at_text = end + 1;
            }
        }
    }
    pattern[at_pattern..]
        .iter()
        .all(|rest| *rest == PolicyChar::Written('*'))
}

/// Matches wildcards in a text without variables, such as the name of an action.
pub(super) fn matches_name(pattern: &str, name: &str) -> bool {
    let written: Vec<PolicyChar> = pattern.chars().map(PolicyChar::Written).collect();
    matches_wildcards(&written, &name.chars().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(pattern: &str) -> PolicyText {
        match expand(pattern, &RequestContext::new(), true) {
            Expansion::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn wildcards_match_like_iam() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("s3:*", "s3:GetObject", true),
            ("s3:Get*", "s3:PutObject", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*d", "abcd", true),
            ("*b*d", "abce", false),
            ("abc", "abcd", false),
            ("", "", true),
            ("ä*", "äö", true),
        ] {
            assert_eq!(matches_name(pattern, name), expected, "{pattern} {name}");
            assert_eq!(text(pattern).matches(name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn arn_wildcards_match_within_a_part() {
        for (pattern, arn, expected) in [
            ("arn:aws:s3:::*", "arn:aws:s3:::bucket", Some(true)),
            ("arn:aws:s3:*:*:b", "arn:aws:s3:::b", Some(true)),
            ("arn:*:b", "arn:aws:s3:::b", None),
            ("*", "arn:aws:s3:::b", None),
            (
                "arn:aws:logs:*:*:*",
                "arn:aws:logs:r:1:log-group:g:*",
                Some(true),
            ),
            ("arn:aws:sqs:*:1:q", "arn:aws:sqs:r:2:1:q", Some(false)),
            ("arn:aws:s3:::b", "no ARN", Some(false)),
        ] {
            assert_eq!(text(pattern).matches_arn(arn), expected, "{pattern} {arn}");
        }
    }

    #[test]
    fn variables_become_literal_values() {
        let context = RequestContext::new()
            .with("aws:username", "a*")
            .without(&["aws:PrincipalOrgID"])
            .with_list("aws:TagKeys", ["k"])
            .with_one_of("aws:userid", ["x", "y"]);
        let expansion = |text: &str| match expand(text, &context, true) {
            Expansion::Text(text) => text.to_text(),
            Expansion::NoValue => "no value".to_owned(),
            Expansion::Unknown(key) => format!("unknown {key}"),
        };
        for (written, expected) in [
            ("home/${AWS:UserName}/x", "home/a*/x"),
            ("${*}${?}${$}", "*?$"),
            ("${aws:PrincipalOrgID}", "no value"),
            ("${aws:PrincipalOrgID, 'o-1'}", "o-1"),
            ("${aws:username, 'o-1'}", "a*"),
            ("${aws:TagKeys}", "no value"),
            ("${aws:userid}", "unknown aws:userid"),
            ("${aws:SourceVpc}", "unknown aws:SourceVpc"),
            ("${unfinished", "${unfinished"),
            ("$x}", "$x}"),
        ] {
            assert_eq!(expansion(written), expected, "{written}");
        }
        let Expansion::Text(text) = expand("${aws:username}", &context, true) else {
            panic!("a text");
        };
        assert!(text.matches("a*") && !text.matches("ab"));
        // Documents of the older version have no variables.
        let Expansion::Text(text) = expand("${aws:username}", &context, false) else {
            panic!("a text");
        };
        assert_eq!(text.to_text(), "${aws:username}");
    }
}
