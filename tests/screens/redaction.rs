//! Replaces everything in a screen that differs from run to run by fixed text of the same width.

use regex_lite::Regex;
use testkit::Organization;

/// The account IDs that a screen shows: the management account, the members and Heeler's account.
const ACCOUNTS: [&str; 5] = [
    "111122223333",
    "222233334444",
    "333344445555",
    "444455556666",
    "999900001111",
];

/// Patterns of values that differ, and what a screen shows instead.
const PATTERNS: [(&str, &str); 15] = [
    (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "00000000-1111-2222-3333-444444444444",
    ),
    (
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        "2026-01-02T03:04:05Z",
    ),
    (
        r"[0-9a-f]{64}",
        "0011223344556677889900112233445566778899001122334455667788990011",
    ),
    (r"\d\d:\d\d:\d\dZ", "03:04:05Z"),
    (r"support-\d{8}T\d{6}Z", "support-20260102T030405Z"),
    (r" +[0-9,]+ (KB|bytes)  ", "  10 KB  "),
    // On a narrow terminal, a date is a line of its own. It may have a color.
    (r"20[2-9]\d-\d\d-\d\d", "2026-01-02"),
    (r"\d{4}/\d\d/\d\d/", "2026/01/02/"),
    (
        r"\d{8}T\d{4}Z_[0-9A-Za-z]{16}",
        "20260102T0304Z_AbCdEfGhIjKlMnOp",
    ),
    (r"(127\.0\.0\.1|localhost):\d+", "127.0.0.1:40000"),
    (r"heeler_ec_tail_[0-9a-z_]+", "heeler_ec_tail_00112233"),
    (r"\(\d+\.\d s\)", "(0.1 s)"),
    (r"/tmp/\.tmp[0-9A-Za-z]{6}", "/tmp/.tmpAbCdEf"),
    (r"\d+ (second|minute)s? ago", "5 minutes ago"),
    (r"p50 .*, p95 .*, max .*\.", "p50 3m, p95 5m, max 5m."),
];

/// Redacts the output of a program in an organization.
pub struct Redaction {
    names: Vec<(String, &'static str)>,
    patterns: Vec<(Regex, &'static str)>,
}

impl Redaction {
    pub fn of(org: &Organization) -> Redaction {
        let mut accounts = vec![org.account().to_owned()];
        accounts.extend(org.members().iter().cloned());
        accounts.push(org.heeler_account().to_owned());
        let mut names = vec![(org.organization_id().to_owned(), "o-exampleorg")];
        names.extend(accounts.into_iter().zip(ACCOUNTS));
        let patterns = PATTERNS.iter().map(|(pattern, text)| {
            let pattern = Regex::new(pattern).expect("a valid pattern");
            (pattern, *text)
        });
        Redaction {
            names,
            patterns: patterns.collect(),
        }
    }

    pub fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, replacement) in &self.names {
            text = text.replace(name, replacement);
        }
        for (pattern, replacement) in &self.patterns {
            text = pattern.replace_all(&text, *replacement).into_owned();
        }
        text
    }
}
