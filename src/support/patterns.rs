//! Finds values in text by their form: access keys, tokens, e-mail addresses, user names in ARNs, account IDs.

use std::sync::LazyLock;

use regex_lite::{Captures, Regex};

/// The regular expressions of all forms.
struct Patterns {
    /// The ARN of a user or of a session: before the name, the name.
    user_arn: Regex,
    /// The unique ID of a role, and the name of a session: `AROA…:name`.
    session_id: Regex,
    access_key: Regex,
    email: Regex,
    token: Regex,
    /// A UUID, which may end with 12 digits, an account ID with hyphens, or a number of 12 or more digits.
    number: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let new = |text: &str| Regex::new(text).ok();
    Some(Patterns {
        user_arn: new(
            r"(arn:[a-z-]+:(?:iam|sts)::[0-9]*:(?:(?:user|federated-user|mfa)/|assumed-role/[\w+=,.@-]+/))([\w+=,.@/-]*[\w+=@-])",
        )?,
        session_id: new(r"\b(AROA[A-Z0-9]{12,}:)([\w+=,.@-]*[\w+=@-])")?,
        // Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>.
        access_key: new(r"\b(?:ABIA|ACCA|AKIA|ASIA)[A-Z0-9]{12,}\b")?,
        email: new(r"[\w.%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")?,
        token: new(r"[A-Za-z0-9+/=]{128,}")?,
        number: new(
            r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9]{12,}|\b[0-9]{4}-[0-9]{4}-[0-9]{4}\b",
        )?,
    })
});

/// The text that replaces an access key ID.
pub(super) const ACCESS_KEY: &str = "(access key)";
pub(super) const EMAIL: &str = "(e-mail address)";
pub(super) const TOKEN: &str = "(token)";
/// The text that replaces everything, if a pattern is invalid.
const REDACTED: &str = "(redacted)";

/// Replaces access keys, session tokens and e-mail addresses, and the names of users and sessions by their pseudonyms.
pub(super) fn replace_identities(text: &str, mut pseudonym: impl FnMut(&str) -> String) -> String {
    let Some(patterns) = &*PATTERNS else {
        return REDACTED.to_owned();
    };
    let text = replace_names(&patterns.user_arn, text, &mut pseudonym);
    let text = replace_names(&patterns.session_id, &text, &mut pseudonym);
    let text = patterns.access_key.replace_all(&text, ACCESS_KEY);
    let text = patterns.email.replace_all(&text, EMAIL);
    patterns.token.replace_all(&text, TOKEN).into_owned()
}

/// Replaces the second group of each match. A name may contain a comma, and a comma may separate two ARNs.
fn replace_names(regex: &Regex, text: &str, pseudonym: &mut dyn FnMut(&str) -> String) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(name) = regex.captures(rest).and_then(|found| found.get(2)) {
        let is_followed_by_arn = rest[name.end()..].starts_with(':');
        let next_arn = name
            .as_str()
            .strip_suffix(",arn")
            .filter(|_| is_followed_by_arn);
        let length = next_arn.map_or(name.len(), str::len);
        let (before, found) = rest.split_at(name.start());
        let (name, after) = found.split_at(length);
        replaced.push_str(before);
        replaced.push_str(&pseudonym(name));
        rest = after;
    }
    replaced + rest
}

/// Replaces each number of 12 digits by a pseudonym, except at the end of a UUID.
pub(super) fn replace_accounts(text: &str, mut pseudonym: impl FnMut(&str) -> String) -> String {
    const ACCOUNT_DIGITS: usize = 12;
    const ACCOUNT_DIGITS_AND_HYPHENS: usize = 14;
    let Some(patterns) = &*PATTERNS else {
        return REDACTED.to_owned();
    };
    let replace = |found: &Captures<'_>| {
        let number = &found[0];
        match number.len() {
            ACCOUNT_DIGITS => pseudonym(number),
            ACCOUNT_DIGITS_AND_HYPHENS if number.contains('-') => {
                pseudonym(&number.replace('-', ""))
            }
            _ => number.to_owned(),
        }
    };
    patterns.number.replace_all(text, replace).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_patterns_are_valid() {
        assert!(PATTERNS.is_some());
    }

    #[test]
    fn identities_are_replaced_by_form() {
        for (text, expected) in [
            (
                "User: arn:aws:iam::111122223333:user/dev/jane.doe is not authorized",
                "User: arn:aws:iam::111122223333:user/<dev/jane.doe> is not authorized",
            ),
            (
                "arn:aws-us-gov:sts::111122223333:assumed-role/Admin/jane@example.com, or another",
                "arn:aws-us-gov:sts::111122223333:assumed-role/Admin/<(e-mail address)>, or another",
            ),
            (
                "arn:aws:iam::111122223333:user/jane,arn:aws:iam::111122223333:user/doe,bob",
                "arn:aws:iam::111122223333:user/<jane>,arn:aws:iam::111122223333:user/<doe,bob>",
            ),
            (
                "arn:aws:iam::111122223333:mfa/jane",
                "arn:aws:iam::111122223333:mfa/<jane>",
            ),
            (
                "AROAEXAMPLEEXAMPLE123:jane.",
                "AROAEXAMPLEEXAMPLE123:<jane>.",
            ),
            (
                "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0",
                "arn:aws:iam::111122223333:role/AWSReservedSSO_Admin_0",
            ),
            (
                "key ASIAEXAMPLEEXAMPLE12 expired",
                "key (access key) expired",
            ),
            (
                "ask security-team@aws.example.co.uk.",
                "ask (e-mail address).",
            ),
            ("no@address, AKIA, a@b", "no@address, AKIA, a@b"),
        ] {
            let replaced = replace_identities(text, |name| format!("<{name}>"));
            assert_eq!(replaced, expected);
        }
        let token = "IQoJb3JpZ2lu+/".repeat(20);
        let replaced = replace_identities(&format!("token {token}=="), str::to_owned);
        assert_eq!(replaced, "token (token)");
    }

    #[test]
    fn only_numbers_of_twelve_digits_are_accounts() {
        for (text, expected) in [
            (
                "arn:aws:sqs:us-east-1:111122223333:q",
                "arn:aws:sqs:us-east-1:<111122223333>:q",
            ),
            ("logs-111122223333-us", "logs-<111122223333>-us"),
            ("logs111122223333us", "logs<111122223333>us"),
            ("account 1111-2222-3333.", "account <111122223333>."),
            ("12345678901234", "12345678901234"),
            (
                "20260131T120000Z 1769860800123 1234567890123",
                "20260131T120000Z 1769860800123 1234567890123",
            ),
            (
                "0a1b2c3d-0000-4000-8000-111122223333",
                "0a1b2c3d-0000-4000-8000-111122223333",
            ),
        ] {
            let replaced = replace_accounts(text, |id| format!("<{id}>"));
            assert_eq!(replaced, expected);
        }
    }
}
