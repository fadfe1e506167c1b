//! Plain English in code, comments, help, messages and documentation.
//!
//! CONTRIBUTING.md has the rules. Each test prints every finding with its file and line.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::source::{self, SourceFile, words};

/// Type names that are defined more than once, with the reason.
const REPEATED_TYPES: &[(&str, &str)] = &[];

/// Words that a doc comment must not open with: it opens with a noun or with a verb in the third person.
const FORBIDDEN_OPENINGS: &[&str] = &[
    "what",
    "whether",
    "of",
    "nothing",
    "that",
    "so",
    "how",
    "where",
    "who",
    "whom",
    "whose",
    "the same",
    "one that",
    "whatever",
    "whoever",
    "as far as",
    "by which",
    "in which",
];

/// The longest name of a test that one can still search for.
const MAX_TEST_NAME_WORDS: usize = 8;

/// Parts of a file in which a phrase is looked for.
#[derive(Clone, Copy, PartialEq)]
enum Scope {
    /// Names, comments, messages and documents.
    All,
    /// Names in code.
    Names,
    /// Comments, messages and documents.
    Text,
}
use Scope::{All, Names, Text};

/// Phrases that are not plain English, or not the standard word, each with the better word.
const FORBIDDEN_PHRASES: &[(&str, Scope, &str)] = &[
    ("anew", All, "again"),
    ("at hand", All, "current, available"),
    ("bear", Text, "have, carry"),
    ("bears", Text, "has, carries"),
    ("besides", All, "also, except, other than"),
    ("but for", All, "except"),
    ("by way of", Text, "through"),
    ("crew", All, "worker pool"),
    ("desk", All, "sink"),
    ("doomed", All, "will be deleted"),
    ("fate", All, "action, outcome"),
    ("fates", All, "actions, outcomes"),
    ("for ever", All, "forever, permanently"),
    ("foreign", Names, "unmanaged, other"),
    ("goes by", Text, "depends on"),
    ("goes for", Text, "applies to"),
    ("graver", All, "more severe"),
    ("hang on", Text, "depend on"),
    ("hangs on", All, "depends on"),
    ("heeler's role", Text, "the role, or the Heeler role"),
    ("held to", Text, "checked against"),
    ("hole", All, "unreadable resource, gap"),
    ("holes", All, "unreadable resources, gaps"),
    ("in its stead", Text, "instead"),
    ("in spite of", Text, "although"),
    ("in vain", Text, "without effect"),
    ("is gone", Text, "does not exist, was deleted"),
    ("is to be", Text, "should be, will be"),
    ("judge", All, "evaluate, check"),
    ("judged", All, "evaluated"),
    ("judges", All, "evaluates"),
    ("knows nobody", Text, "imports nothing"),
    ("lapse", All, "expire"),
    ("lapses", All, "expires"),
    ("leads elsewhere", Text, "has another destination"),
    ("looked into", Text, "inspected"),
    ("manieth", All, "nth"),
    ("mend", All, "fix"),
    ("mended", All, "fixed"),
    ("mends", All, "fixes"),
    ("nobody's", Text, "not owned"),
    ("obey", All, "apply, follow"),
    ("obeys", All, "applies, follows"),
    ("of no use", Text, "useless"),
    ("ours", Names, "managed"),
    ("patience", Names, "retry policy, timeout"),
    ("press", Names, "formatter"),
    ("prospect", All, "candidate"),
    ("prospects", All, "candidates"),
    ("put back", Text, "restored, returned"),
    ("puts back", Text, "restores, returns"),
    ("puts right", Text, "fixes"),
    ("put right", Text, "fix"),
    ("said so", Text, "reported"),
    ("says so", Text, "reports it"),
    ("sky", All, "cloud"),
    ("sparing", All, "metered"),
    ("stand on", Text, "depend on"),
    ("stands on", Text, "depends on"),
    ("stranger", All, "another account"),
    ("survey", All, "inventory, snapshot"),
    ("surveys", All, "inventories"),
    ("switched on", Text, "enabled"),
    ("taken apart", Text, "split"),
    ("taken for", Text, "treated as"),
    ("tap", All, "temporary queue"),
    ("taps", All, "temporary queues"),
    ("tell of", Text, "report"),
    ("tells", All, "says, shows, reports"),
    ("that which", Text, "what, the one that"),
    ("told", All, "reported, shown, printed"),
    ("toy", All, "fake"),
    ("toys", All, "fakes"),
    ("unfit", All, "unsuitable, invalid"),
    ("untold", All, "not reported"),
    ("whereabouts", All, "location"),
    ("whoever", All, "the caller, anyone who"),
    ("whose it is", Text, "its owner"),
    ("worn", All, "receive limit reached"),
];

/// Places where a phrase is right, with the reason: file, phrase, reason.
const ALLOWED_PHRASES: &[(&str, &str, &str)] = &[(
    "tests/language.rs",
    "*",
    "the list of forbidden phrases itself",
)];

#[test]
fn every_type_name_is_defined_once() {
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in source::program() {
        for (number, line) in file.code_without_tests().lines().enumerate() {
            if let Some(name) = defined_type(line) {
                let place = format!("{}:{}", file.path, number + 1);
                defined.entry(name.to_owned()).or_default().push(place);
            }
        }
    }
    let findings = defined
        .iter()
        .filter(|(name, places)| {
            let is_allowed = REPEATED_TYPES.iter().any(|(allowed, _)| allowed == name);
            places.len() > 1 && !is_allowed
        })
        .map(|(name, places)| format!("{name}: {}", places.join(", ")));
    fail_on("type names that are defined more than once", findings);
}

#[test]
fn doc_comments_open_with_noun_or_verb() {
    let mut findings = Vec::new();
    for file in rust_files() {
        let mut last = (0, String::new());
        for (number, comment) in &file.comments {
            let mark: String = comment.chars().take(3).collect();
            if mark != "///" && mark != "//!" {
                continue;
            }
            let continues = last == (number - 1, mark.clone());
            last = (*number, mark);
            let text = comment[3..].trim();
            let opening = text.to_lowercase();
            let is_forbidden = FORBIDDEN_OPENINGS.iter().any(|word| {
                let rest = opening.strip_prefix(word);
                rest.is_some_and(|rest| rest.starts_with([' ', ',', ':']))
            });
            if is_forbidden && !continues {
                findings.push(format!("{}:{number}: {text}", file.path));
            }
        }
    }
    fail_on("doc comments with a forbidden opening", findings);
}

#[test]
fn no_phrase_of_the_old_language_is_used() {
    let mut findings = Vec::new();
    for file in rust_files() {
        for (number, line) in file.code.lines().enumerate() {
            let names = words(line).map(split_name).collect::<Vec<_>>().join(" | ");
            find_phrases(&file.path, number + 1, &names, Names, &mut findings);
        }
        for (number, text) in &file.strings {
            find_phrases(&file.path, *number, text, Text, &mut findings);
        }
        let comments: BTreeMap<usize, &str> = file
            .comments
            .iter()
            .map(|(number, text)| (*number, text.as_str()))
            .collect();
        find_phrases_in_lines(&file.path, &comments, &mut findings);
    }
    for (path, text) in documents() {
        let lines = text.lines().enumerate();
        let lines = lines.map(|(number, line)| (number + 1, line)).collect();
        find_phrases_in_lines(&path, &lines, &mut findings);
    }
    findings.sort();
    findings.dedup();
    fail_on("phrases that are not plain English", findings);
}

#[test]
fn test_names_have_at_most_eight_words() {
    let mut findings = Vec::new();
    for file in rust_files() {
        let mut is_test = false;
        for (number, line) in file.code.lines().enumerate() {
            let line = line.trim_start();
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let name = line.strip_prefix("async ").unwrap_or(line);
            if let Some(name) = name.strip_prefix("fn ").filter(|_| is_test) {
                let name = words(name).next().unwrap_or_default();
                if name.split('_').count() > MAX_TEST_NAME_WORDS {
                    findings.push(format!("{}:{}: {name}", file.path, number + 1));
                }
                is_test = false;
            }
        }
    }
    fail_on("test names that are too long", findings);
}

/// Adds the forbidden phrases of lines of prose, also those that a line break divides.
fn find_phrases_in_lines(path: &str, lines: &BTreeMap<usize, &str>, findings: &mut Vec<String>) {
    for (number, line) in lines {
        find_phrases(path, *number, line, Text, findings);
        let Some(next) = lines.get(&(number + 1)) else {
            continue;
        };
        let end: Vec<&str> = words(line).collect();
        let start: Vec<&str> = words(next).take(2).collect();
        if let (Some(last), Some(first)) = (end.last(), start.first()) {
            find_phrases(path, *number, &format!("{last} {first}"), Text, findings);
        }
    }
}

/// Adds the forbidden phrases of one line.
fn find_phrases(path: &str, number: usize, line: &str, scope: Scope, findings: &mut Vec<String>) {
    let text: String = line
        .to_lowercase()
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '\'' || c == '|' {
                c
            } else {
                ' '
            }
        })
        .collect();
    let text = format!(
        " {} ",
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    for (phrase, phrase_scope, better) in FORBIDDEN_PHRASES {
        let is_allowed = ALLOWED_PHRASES
            .iter()
            .any(|(file, allowed, _)| *file == path && (allowed == phrase || *allowed == "*"));
        if (*phrase_scope == All || *phrase_scope == scope)
            && !is_allowed
            && text.contains(&format!(" {phrase} "))
        {
            findings.push(format!("{path}:{number}: \"{phrase}\" (better: {better})"));
        }
    }
}

/// The words of an identifier: `TailSource` and `tail_source` are both `tail source`.
fn split_name(name: &str) -> String {
    let mut split = String::new();
    for (at, c) in name.chars().enumerate() {
        let starts_word = c.is_uppercase() && at > 0 && !split.ends_with([' ', '_']);
        let after_lower = split.ends_with(|last: char| last.is_lowercase() || last.is_numeric());
        if starts_word && after_lower {
            split.push(' ');
        }
        split.push(if c == '_' { ' ' } else { c });
    }
    split.to_lowercase()
}

/// The name of the type that a line of code defines.
fn defined_type(line: &str) -> Option<&str> {
    let mut words =
        words(line).skip_while(|word| matches!(*word, "pub" | "crate" | "super" | "in" | "unsafe"));
    let keyword = words.next()?;
    // An indented alias is an associated type.
    let is_definition = matches!(keyword, "struct" | "enum" | "trait" | "union")
        || (keyword == "type" && !line.starts_with(' '));
    words.next().filter(|_| is_definition)
}

fn rust_files() -> Vec<SourceFile> {
    let mut found = source::program();
    for folder in ["tests", "examples", "benches"] {
        let files = source::files(folder, ".rs");
        found.extend(
            files
                .iter()
                .map(|(path, text)| SourceFile::parse(path, text)),
        );
    }
    found
}

/// Everything that is read as text: documents, generated help, Python, build files.
fn documents() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in [
        "README.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "Cargo.toml",
        "Makefile",
    ] {
        if let Ok(text) = std::fs::read_to_string(source::root().join(path)) {
            found.insert(path.to_owned(), text);
        }
    }
    for (folder, ending) in [
        ("docs", ".md"),
        ("src", ".py"),
        ("tests/testkit", ".md"),
        ("tests/testkit/emulators", ".py"),
        ("completions", ""),
        ("site", ""),
        ("benches", ".py"),
    ] {
        if source::root().join(folder).exists() {
            found.extend(source::files(folder, ending));
        }
    }
    found
}

/// Fails with all findings, one on a line.
#[track_caller]
pub fn fail_on(title: &str, findings: impl IntoIterator<Item = String>) {
    let mut text = String::new();
    let mut count = 0;
    for finding in findings {
        count += 1;
        let _ = write!(text, "\n  {finding}");
    }
    assert!(count == 0, "{count} {title}:{text}");
}

#[test]
fn names_are_split_into_words() {
    assert_eq!(split_name("TailSource"), "tail source");
    assert_eq!(split_name("MAX_TAPS"), "max taps");
    assert_eq!(split_name("S3Key"), "s3 key");
}
