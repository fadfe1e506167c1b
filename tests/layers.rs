//! Each room knows only the rooms below it, and the libraries that are its own.

use std::fs;
use std::path::{Path, PathBuf};

/// Who may know whom. A line with a reason is an arrow that a stricter house would not have.
const ARROWS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("policy", &[]),
    ("names", &[]),
    ("route", &[]),
    ("pattern", &[]),
    ("severity", &[]),
    ("converge", &["error"]),
    ("web", &["error"]),
    ("backup", &["error"]),
    ("alert", &["severity", "web"]),
    ("aws", &["error", "web"]),
    ("resource", &["aws", "converge", "error", "names", "policy"]),
    ("check", &["aws", "error", "names", "permit", "route"]),
    // Of `aws` only the form of an ARN.
    ("permit", &["aws", "names", "policy", "route"]),
    // The tap's queue has an access policy of its own.
    (
        "tail",
        &["alert", "aws", "error", "pattern", "policy", "severity"],
    ),
    // Which fields a read tells besides those that are compared.
    ("export", &["aws", "converge", "error", "resource"]),
    (
        "pipeline",
        &[
            "aws", "check", "converge", "error", "names", "policy", "resource", "route",
        ],
    ),
    // What an operator may type is judged where the names of the pipeline are made.
    // What tail may be asked to show is judged where it is filtered.
    ("cli", &["check", "pipeline", "route", "tail"]),
    // `Format` and `Color` are what the operator chose; clap derives their names from them.
    (
        "render",
        &[
            "alert", "aws", "backup", "check", "cli", "converge", "error", "export", "route",
            "severity", "tail",
        ],
    ),
    (
        "command",
        &[
            "alert", "aws", "backup", "check", "cli", "converge", "error", "export", "names",
            "pattern", "permit", "pipeline", "render", "resource", "route", "severity", "tail",
            "web",
        ],
    ),
    ("main", &["command"]),
];

/// Where a library may be named: the beginnings of the paths below `src`.
const LIBRARIES: &[(&str, &[&str])] = &[
    (
        "clap",
        &["cli.rs", "command/mod.rs", "command/completions.rs"],
    ),
    ("clap_complete", &["cli.rs", "command/completions.rs"]),
    ("indicatif", &["render/"]),
    ("comfy_table", &["render/"]),
    ("anstyle", &["render/"]),
    ("terminal_size", &["render/"]),
    ("aws_config", &["aws/"]),
    ("hcl", &["export/"]),
    ("regex_lite", &["pattern/"]),
    ("hcl_edit", &["export/", "pipeline/var_file.rs"]),
    // `deployment.rs` reads the tags of a role.
    (
        "aws_sdk_",
        &[
            "aws/",
            "resource/",
            "check/survey/",
            "tail/",
            "pipeline/deployment.rs",
        ],
    ),
];

/// Ways to print or to end that belong to one room.
const DOINGS: &[(&str, &[&str])] = &[
    ("println!", &[]),
    ("print!", &[]),
    ("process::exit", &[]),
    ("io::stdout", &["render/"]),
    // A person answers to `render`; events are piped in to whoever reads objects.
    ("io::stdin", &["render/", "tail/crew.rs"]),
    // What a command of the operator prints goes where our own story goes.
    ("io::stderr", &["render/", "alert/command.rs"]),
];

#[test]
fn every_arrow_between_rooms_is_allowed() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let from = room(&path);
        let allowed = ARROWS
            .iter()
            .find_map(|(name, allowed)| (*name == from).then_some(*allowed))
            .unwrap_or_else(|| panic!("{path}: the room {from} is in no line of the table"));
        for to in rooms_named_in(&text) {
            if to != from && !allowed.contains(&to) {
                wrong.push(format!("{path}: {from} must not know {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_arrow_is_allowed_that_nobody_uses() {
    for (from, allowed) in ARROWS {
        for to in *allowed {
            let used = sources()
                .iter()
                .any(|(path, text)| room(path) == *from && rooms_named_in(text).contains(to));
            assert!(used, "nothing in {from} names {to} any more");
        }
    }
}

#[test]
fn every_library_stays_in_its_rooms() {
    hold_to(LIBRARIES, |line, name| {
        words(line).any(|word| {
            if name.ends_with('_') {
                word.starts_with(name)
            } else {
                word == name
            }
        })
    });
}

#[test]
fn only_render_prints_and_only_main_ends() {
    hold_to(DOINGS, |line, name| line.contains(name));
}

fn hold_to(table: &[(&str, &[&str])], names: impl Fn(&str, &str) -> bool) {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            for (name, rooms) in table {
                if names(line, name) && !rooms.iter().any(|room| path.starts_with(room)) {
                    wrong.push(format!(
                        "src/{path}:{}: {name} does not belong here",
                        number + 1
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The room of a file: the first part of its path.
fn room(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap_or(path)
}

/// What follows `crate::`, in a `use` line or in a path.
fn rooms_named_in(text: &str) -> Vec<&str> {
    let named = text
        .split("crate::")
        .skip(1)
        .chain(text.split("heeler_ec::").skip(1));
    named
        .map(|rest| words(rest).next().unwrap_or_default())
        .collect()
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// Every source file, by its path below `src`: its code without comments and without its tests.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for path in files(&root) {
        let name = path
            .strip_prefix(&root)
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/");
        if name == "lib.rs" {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let code = text
            .split("#[cfg(test)]\nmod tests {")
            .next()
            .unwrap_or_default();
        let code: Vec<&str> = code
            .lines()
            .map(|line| line.split("//").next().unwrap_or_default())
            .collect();
        found.push((name, code.join("\n")));
    }
    assert!(found.len() > 40, "the sources have moved: {found:?}");
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
