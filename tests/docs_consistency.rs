//! The documentation matches the program: checks, permissions, commands and links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use heeler_ec::check::Check;
use heeler_ec::cli;
use heeler_ec::option::OPTIONS;
use heeler_ec::render::check_results::help_link;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn checks() -> impl Iterator<Item = &'static Check> {
    OPTIONS
        .iter()
        .flat_map(|option| option.checks().iter().copied().flatten())
}

fn sections(document: &str) -> Vec<String> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(str::to_owned)
        .collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn every_check_has_a_section() {
    let sections = sections(&document("docs/troubleshooting.md"));
    for check in checks() {
        assert!(
            sections.iter().any(|section| section == check.id.as_str()),
            "no section for {}",
            check.id
        );
    }
}

#[test]
fn sections_name_only_existing_checks() {
    let ids: BTreeSet<&str> = checks().map(|check| check.id.as_str()).collect();
    for section in sections(&document("docs/troubleshooting.md")) {
        let is_check_id = section.contains('.') && !section.contains(' ');
        assert!(
            !is_check_id || ids.contains(section.as_str()),
            "{section} is not a check"
        );
    }
}

#[test]
fn help_link_of_a_check_is_its_section() {
    for check in checks() {
        assert_eq!(
            help_link(check),
            format!("docs/troubleshooting.md#{}", anchor(check.id.as_str()))
        );
    }
}

#[test]
fn every_called_action_is_documented() {
    let permissions = document("docs/permissions.md");
    let missing: Vec<String> = actions()
        .into_iter()
        .filter(|action| !permissions.contains(action.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "not in docs/permissions.md");
}

#[test]
fn permissions_of_checks_are_called() {
    let called = actions();
    for check in checks() {
        for action in check.permissions {
            assert!(
                called.contains(*action),
                "{} needs {action}, which no call uses",
                check.id
            );
        }
    }
}

#[test]
fn readme_names_every_command() {
    let readme = document("README.md");
    for command in cli::command().get_subcommands() {
        let name = format!("heeler-ec {}", command.get_name());
        assert!(readme.contains(&name), "README.md does not mention {name}");
    }
}

#[test]
fn links_between_documents_are_valid() {
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document");
        for link in links(&text) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().expect("a folder").join(file)
            };
            assert!(target.exists(), "{}: {link} does not exist", path.display());
            if !section.is_empty() {
                let text = std::fs::read_to_string(&target).expect("a document");
                let found = text
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| anchor(line.trim_start_matches('#').trim()) == section);
                assert!(found, "{}: {link} is not a section", path.display());
            }
        }
    }
}

#[test]
fn decision_index_lists_every_record() {
    let index = document("docs/decisions/README.md");
    for entry in std::fs::read_dir(root().join("docs/decisions")).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        assert!(
            name == "README.md" || index.contains(&format!("({name})")),
            "docs/decisions/README.md does not list {name}"
        );
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let folders = ["", "docs", "docs/decisions", "tests/testkit"];
    for folder in folders.map(|folder| root().join(folder)) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The targets of links to files of this repository.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://"))
        .collect()
}

/// The IAM action of every call: the first argument of `context_for` and `optional_for`.
fn actions() -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    for path in sources(&root().join("src")) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for call in [".context_for(", ".optional_for("] {
            for (_, rest) in text
                .match_indices(call)
                .map(|(at, _)| text.split_at(at + call.len()))
            {
                let Some(action) = rest.trim_start().strip_prefix('"') else {
                    continue;
                };
                let action = action.split('"').next().unwrap_or_default();
                assert!(
                    action.contains(':'),
                    "{}: {action:?} is not an IAM action",
                    path.display()
                );
                actions.insert(action.to_owned());
            }
        }
    }
    assert!(
        actions.len() > 40,
        "calls name their action in another way: {actions:?}"
    );
    actions
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}
