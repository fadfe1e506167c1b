//! Removes secrets and personal data from what an archive contains.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::patterns::{replace_accounts, replace_identities};
use crate::iam;

/// The text that replaces an external ID.
const EXTERNAL_ID: &str = "(external ID)";
/// The condition key of an external ID in a policy document. AWS ignores its case.
const EXTERNAL_ID_KEY: &str = "sts:externalid";
/// The length below which a value is replaced only as a whole word, because it may be a part of other words.
const MIN_UNBOUNDED_LENGTH: usize = 8;

/// Replaces values in text and JSON. The same value has the same pseudonym in all files of an archive.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// Known values and what replaces them, the longest values first.
    known: Vec<KnownValue>,
    users: Pseudonyms,
    /// Names of users that are replaced outside of ARNs, too.
    user_words: Vec<KnownValue>,
    /// `None` if account IDs are kept.
    accounts: Option<Pseudonyms>,
}

/// The place of a text in JSON. The fields of a document keep their names, so that a profile named `role` does not rename
/// them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextUse {
    Key,
    Value,
}

#[derive(Clone)]
struct KnownValue {
    value: String,
    replacement: String,
}

/// Omits the value, because it may be secret.
impl std::fmt::Debug for KnownValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.replacement)
    }
}

/// Values and their pseudonyms, which are numbered in the order of the first use.
#[derive(Clone, Debug)]
struct Pseudonyms {
    word: &'static str,
    names: BTreeMap<String, String>,
}

impl Pseudonyms {
    const fn new(word: &'static str) -> Self {
        Self {
            word,
            names: BTreeMap::new(),
        }
    }

    fn get(&mut self, value: &str) -> String {
        let next = self.names.len() + 1;
        let name = self.names.entry(value.to_owned());
        name.or_insert_with(|| format!("{}-{next}", self.word))
            .clone()
    }
}

impl Default for Pseudonyms {
    fn default() -> Self {
        Self::new("user")
    }
}

impl Redactor {
    /// Creates a redactor. With `accounts`, it also replaces account IDs.
    #[must_use]
    pub fn new(accounts: bool) -> Self {
        Self {
            accounts: accounts.then(|| Pseudonyms::new("account")),
            ..Self::default()
        }
    }

    /// Replaces this value everywhere. An empty value is ignored.
    pub fn add_known(&mut self, value: &str, replacement: &str) {
        let is_known = self.known.iter().any(|known| known.value == value);
        if value.is_empty() || is_known {
            return;
        }
        self.known.push(KnownValue {
            value: value.to_owned(),
            replacement: replacement.to_owned(),
        });
        self.known
            .sort_by_key(|known| std::cmp::Reverse(known.value.len()));
    }

    /// Replaces this external ID everywhere.
    pub fn add_external_id(&mut self, id: &str) {
        self.add_known(id, EXTERNAL_ID);
    }

    /// Replaces every external ID that a policy document has in a condition. IAM returns documents percent-encoded.
    pub fn add_external_ids_of(&mut self, encoded_document: &str) {
        let mut found = Vec::new();
        let document = iam::parse_encoded_document(encoded_document);
        collect_external_ids(&document, &mut found);
        for id in found {
            self.add_external_id(&id);
        }
    }

    /// Replaces the name of this user or session everywhere. A short name is replaced only in ARNs.
    pub fn add_caller(&mut self, arn: &str) {
        const MIN_LENGTH: usize = 4;
        let mut words = Vec::new();
        replace_identities(arn, |name| {
            let pseudonym = self.users.get(name);
            let word = name.rsplit('/').next().unwrap_or_default();
            words.push(KnownValue {
                value: word.to_owned(),
                replacement: pseudonym.clone(),
            });
            pseudonym
        });
        words.retain(|word| word.value.len() >= MIN_LENGTH);
        self.user_words.extend(words);
    }

    /// Gives this account the next pseudonym, if account IDs are replaced.
    pub fn add_account(&mut self, account: &str) {
        if let Some(accounts) = &mut self.accounts {
            accounts.get(account);
        }
    }

    /// Returns the number of accounts and of users that have a pseudonym.
    #[must_use]
    pub fn pseudonym_counts(&self) -> (usize, usize) {
        let accounts = self.accounts.as_ref();
        let accounts = accounts.map_or(0, |accounts| accounts.names.len());
        (accounts, self.users.names.len())
    }

    /// Replaces values in a text.
    #[must_use]
    pub fn text(&mut self, text: &str) -> String {
        self.replace(text, TextUse::Value)
    }

    fn replace(&mut self, text: &str, text_use: TextUse) -> String {
        // A percent-encoded name or policy document has other characters.
        let decoded = percent_decode_str(text).decode_utf8();
        let mut redacted = decoded.map_or_else(|_| text.to_owned(), Cow::into_owned);
        for known in &self.known {
            if known.value.len() >= MIN_UNBOUNDED_LENGTH {
                redacted = redacted.replace(&known.value, &known.replacement);
            } else if text_use == TextUse::Value {
                redacted = replace_word(&redacted, known);
            }
        }
        redacted = replace_identities(&redacted, |name| self.users.get(name));
        if text_use == TextUse::Value {
            for word in &self.user_words {
                redacted = replace_word(&redacted, word);
            }
        }
        let Some(accounts) = &mut self.accounts else {
            return redacted;
        };
        redacted = replace_accounts(&redacted, |id| accounts.get(id));
        self.known_accounts(&redacted)
    }

    /// Replaces account IDs that have a pseudonym by now, also within longer numbers. An earlier text may contain an ID that
    /// only a later text shows to be one.
    #[must_use]
    pub fn known_accounts(&self, text: &str) -> String {
        let mut redacted = text.to_owned();
        for (id, name) in self.accounts.iter().flat_map(|accounts| &accounts.names) {
            redacted = redacted.replace(id, name);
        }
        redacted
    }

    /// Replaces values in all texts and keys of a JSON document, and in documents that are texts of it.
    #[must_use]
    pub fn json(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.json_text(text)),
            Value::Array(values) => values.iter().map(|value| self.json(value)).collect(),
            Value::Object(fields) => {
                let mut redacted = Map::new();
                for (key, value) in fields {
                    let value = if is_external_id_key(key) {
                        EXTERNAL_ID.into()
                    } else {
                        self.json(value)
                    };
                    redacted.insert(self.replace(key, TextUse::Key), value);
                }
                Value::Object(redacted)
            }
            Value::Number(number) => {
                let text = number.to_string();
                let redacted = self.text(&text);
                if redacted == text {
                    value.clone()
                } else {
                    redacted.into()
                }
            }
            other => other.clone(),
        }
    }

    /// Replaces values in a text that may be a policy document.
    fn json_text(&mut self, text: &str) -> String {
        if text.to_ascii_lowercase().contains(EXTERNAL_ID_KEY)
            && let Ok(document) = serde_json::from_str::<Value>(text)
        {
            return self.json(&document).to_string();
        }
        self.text(text)
    }
}

fn is_external_id_key(key: &str) -> bool {
    key.eq_ignore_ascii_case(EXTERNAL_ID_KEY)
}

fn collect_external_ids(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::Object(fields) => {
            for (key, value) in fields {
                if is_external_id_key(key) {
                    let values = value.as_array().map_or(std::slice::from_ref(value), |v| v);
                    found.extend(values.iter().filter_map(|value| match value {
                        Value::String(id) => Some(id.clone()),
                        Value::Number(id) => Some(id.to_string()),
                        _ => None,
                    }));
                } else {
                    collect_external_ids(value, found);
                }
            }
        }
        Value::Array(values) => values
            .iter()
            .for_each(|value| collect_external_ids(value, found)),
        _ => {}
    }
}

/// Replaces a known value where it is a whole word.
fn replace_word(text: &str, known: &KnownValue) -> String {
    let KnownValue { value, replacement } = known;
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, found) = rest.split_at(at);
        let after = &found[value.len()..];
        redacted.push_str(before);
        // The last character before the value may belong to text that was copied already.
        let is_bounded = !redacted.ends_with(is_word) && !after.starts_with(is_word);
        redacted.push_str(if is_bounded { replacement } else { value });
        rest = after;
    }
    redacted.push_str(rest);
    redacted
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn external_id_of_documents_is_masked() {
        let trust = json!({"Statement": [{
            "Condition": {"StringEquals": {"sts:ExternalId": ["first-secret-id", "2nd"]}},
        }]});
        let mut redactor = Redactor::new(false);
        redactor.add_external_ids_of(&trust.to_string());
        let other = json!({"Condition": {"StringLike": {"STS:externalID": "unknown-id"}}});
        let redacted = redactor.json(&json!({
            "trust": trust,
            "as_text": other.to_string(),
            "message": "external ID first-secret-id, 2nd, not 2nd-part",
            "first-secret-id": null,
        }));
        let text = redacted.to_string();
        for secret in ["first-secret-id", "unknown-id"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert_eq!(
            redacted["message"],
            "external ID (external ID), (external ID), not 2nd-part"
        );
    }

    #[test]
    fn pseudonyms_are_stable_in_all_files() {
        let mut redactor = Redactor::new(true);
        redactor.add_account("999999999999");
        let first = redactor.text(
            "arn:aws:sts::111122223333:assumed-role/Admin/jane@example.com in logs-111122223333",
        );
        assert_eq!(
            first,
            "arn:aws:sts::account-2:assumed-role/Admin/user-1 in logs-account-2"
        );
        let second = redactor.json(&json!(["999999999999", { "111122223333": 7 }]));
        assert_eq!(second, json!(["account-1", { "account-2": 7 }]));
        assert_eq!(redactor.text("9999999999991"), "account-11");
        assert_eq!(redactor.pseudonym_counts(), (2, 1));
    }

    #[test]
    fn encoded_and_numeric_values_are_replaced() {
        let mut redactor = Redactor::new(true);
        redactor.add_external_ids_of(r#"{"Condition": {"x": {"sts:ExternalId": 1234567890}}}"#);
        let redacted = redactor.json(&json!({
            "source": 111_122_223_333_u64,
            "port": 443,
            "encoded": "arn%3Aaws%3Aiam%3A%3A111122223333%3Auser%2Fjane, %22111122223333%22",
            "id": "1234567890",
        }));
        assert_eq!(
            redacted,
            json!({
                "source": "account-1",
                "port": 443,
                "encoded": "arn:aws:iam::account-1:user/user-1, \"account-1\"",
                "id": "(external ID)",
            })
        );
        assert_eq!(redactor.known_accounts("91111222233330"), "9account-10");
    }

    #[test]
    fn short_words_do_not_rename_fields() {
        let mut redactor = Redactor::new(false);
        redactor.add_known("role", "(profile)");
        redactor.add_caller("arn:aws:sts::111122223333:assumed-role/Admin/status");
        let redacted = redactor.json(&json!({ "role": "role", "status": "status" }));
        assert_eq!(redacted, json!({ "role": "(profile)", "status": "user-1" }));
    }

    #[test]
    fn name_of_the_caller_is_replaced_everywhere() {
        let mut redactor = Redactor::new(false);
        redactor.add_caller("arn:aws:iam::111122223333:user/team/jane.doe");
        assert_eq!(
            redactor.text("arn:aws:iam::111122223333:user/team/jane.doe, jane.doe, jane.doe-2"),
            "arn:aws:iam::111122223333:user/user-1, user-1, jane.doe-2"
        );
        redactor.add_caller("arn:aws:iam::111122223333:root");
        assert_eq!(redactor.text("root"), "root");
    }

    #[test]
    fn account_ids_are_kept_by_default() {
        let mut redactor = Redactor::new(false);
        redactor.add_account("111122223333");
        let text = "arn:aws:iam::111122223333:user/jane";
        assert_eq!(redactor.text(text), "arn:aws:iam::111122223333:user/user-1");
    }

    #[test]
    fn known_values_are_replaced() {
        let mut redactor = Redactor::new(false);
        redactor.add_known("", "(empty)");
        redactor.add_known("/home/jane", "~");
        redactor.add_known("prod", "(profile)");
        let text = "profile prod of /home/jane/.aws/config has no prod-role in production: prod";
        assert_eq!(
            redactor.text(text),
            "profile (profile) of ~/.aws/config has no prod-role in production: (profile)"
        );
        assert!(!format!("{redactor:?}").contains("jane"));
    }
}
