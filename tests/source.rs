//! The files of this repository, split into code, comments and strings, for the tests of style and structure.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file, split into its code, its comments and its strings.
pub struct SourceFile {
    /// The path from the root of the repository, with slashes.
    pub path: String,
    /// The number of lines.
    pub lines: usize,
    /// The code: comments are removed, strings are empty, lines are where they were.
    pub code: String,
    /// Each comment line with its line number; doc comments keep their `///` or `//!`.
    pub comments: Vec<(usize, String)>,
    /// Each string literal with the number of its first line.
    pub strings: Vec<(usize, String)>,
}

impl SourceFile {
    pub fn parse(path: &str, text: &str) -> SourceFile {
        let mut file = SourceFile {
            path: path.to_owned(),
            lines: text.lines().count(),
            code: String::with_capacity(text.len()),
            comments: Vec::new(),
            strings: Vec::new(),
        };
        let mut rest = text;
        let mut line = 1;
        while let Some(first) = rest.chars().next() {
            let length = token_length(rest, &file.code);
            let (token, after) = rest.split_at(length);
            rest = after;
            if token.starts_with("//") {
                file.comments.push((line, token.to_owned()));
            } else if token.starts_with("/*") {
                for (number, text) in token.lines().enumerate() {
                    file.comments.push((line + number, text.to_owned()));
                }
                file.code.extend(token.chars().filter(|c| *c == '\n'));
            } else if token.ends_with(['"', '#']) && token.len() > 1 && token.contains('"') {
                let start = token.find('"').expect("a quote") + 1;
                let end = token.rfind('"').expect("a quote");
                file.strings.push((line, token[start..end].to_owned()));
                file.code.push('"');
                file.code.extend(token.chars().filter(|c| *c == '\n'));
                file.code.push('"');
            } else if first == '\'' && token.len() > 2 {
                file.code.push_str("' '");
            } else {
                file.code.push_str(token);
            }
            line += token.matches('\n').count();
        }
        file
    }

    /// The code before the file's unit tests; empty for a file of unit tests.
    pub fn code_without_tests(&self) -> &str {
        if self.is_test() {
            return "";
        }
        let end = self.code.find("#[cfg(test)]\nmod tests {");
        &self.code[..end.unwrap_or(self.code.len())]
    }

    /// Returns true for a file of unit tests.
    pub fn is_test(&self) -> bool {
        let mut parts = self.path.split('/');
        parts.any(|part| part == "tests" || part == "tests.rs" || part.ends_with("_tests.rs"))
    }
}

/// The length of the next comment, string, character literal or single character.
fn token_length(rest: &str, before: &str) -> usize {
    let first = rest.chars().next().expect("more text");
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return rest.find("*/").map_or(rest.len(), |end| end + 2);
    }
    let in_word = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    if !in_word {
        let raw = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'));
        if let Some(raw) = raw {
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            if raw[hashes..].starts_with('"') {
                let end = format!("\"{}", "#".repeat(hashes));
                let start = rest.len() - raw.len() + hashes + 1;
                let length = rest[start..].find(&end).expect("the end of a raw string");
                return start + length + end.len();
            }
        }
    }
    if first == '"' {
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                '"' if !escaped => return at + 1,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
    }
    if first == '\'' {
        // A lifetime has no second quote.
        let mut chars = rest.char_indices().skip(1);
        let second = chars.next();
        if second.is_some_and(|(_, c)| c == '\\') {
            let end = rest[3..].find('\'').expect("the end of a character");
            return 3 + end + 1;
        }
        if let Some((at, '\'')) = chars.next() {
            return at + 1;
        }
    }
    first.len_utf8()
}

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder of the repository whose name ends like this, by its path from the root.
pub fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in paths(&root().join(folder)) {
        let name = path.strip_prefix(root()).expect("a path below the root");
        let name = name.to_string_lossy().replace('\\', "/");
        if name.ends_with(ending) {
            let text = fs::read_to_string(&path).expect("a text file");
            found.insert(name, text);
        }
    }
    found
}

/// Every Rust file of the program.
pub fn program() -> Vec<SourceFile> {
    let files = files("src", ".rs");
    assert!(files.len() > 40, "the sources have moved: {files:?}");
    files
        .iter()
        .map(|(path, text)| SourceFile::parse(path, text))
        .collect()
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry of the folder").path();
        if path.is_dir() {
            found.extend(paths(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// The words of a text: letters, digits and underscores.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

#[test]
fn comments_and_strings_are_kept_apart_from_code() {
    let text = "//! Doc.\nlet a = \"x // \\\" y\"; // why\nlet b = r#\"a \"q\" b\"#;\nlet c = '\"'; fn f<'a>(x: &'a str) {}\n/* two\nlines */ end\n";
    let file = SourceFile::parse("src/a.rs", text);
    assert_eq!(
        file.code,
        "\nlet a = \"\"; \nlet b = \"\";\nlet c = ' '; fn f<'a>(x: &'a str) {}\n\n end\n"
    );
    assert_eq!(file.strings[0], (2, "x // \\\" y".to_owned()));
    assert_eq!(file.strings[1], (3, "a \"q\" b".to_owned()));
    let lines: Vec<usize> = file.comments.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 5, 6]);
}
