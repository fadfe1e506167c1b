//! What the documents say is what the program has.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::CommandFactory;
use heeler_ec::check::Check;
use heeler_ec::cli::Cli;
use heeler_ec::option::OPTIONS;
use heeler_ec::render::report::help_link;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
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
fn every_check_has_its_section() {
    let sections = sections(&document("docs/troubleshooting.md"));
    for check in checks() {
        assert!(
            sections.iter().any(|section| section == check.id),
            "no section for {}",
            check.id
        );
    }
}

#[test]
fn every_section_with_the_form_of_a_check_id_is_one() {
    let ids: BTreeSet<&str> = checks().map(|check| check.id).collect();
    for section in sections(&document("docs/troubleshooting.md")) {
        let like_an_id = section.contains('.') && !section.contains(' ');
        assert!(
            !like_an_id || ids.contains(section.as_str()),
            "there is no check {section}"
        );
    }
}

#[test]
fn the_help_that_a_check_names_is_its_section() {
    for check in checks() {
        assert_eq!(
            help_link(check),
            format!("docs/troubleshooting.md#{}", anchor(check.id))
        );
    }
}

#[test]
fn every_action_that_is_called_is_among_the_permissions() {
    let permissions = document("docs/permissions.md");
    let missing: Vec<String> = actions()
        .into_iter()
        .filter(|action| !permissions.contains(action.as_str()))
        .collect();
    assert_eq!(missing, Vec::<String>::new(), "not in docs/permissions.md");
}

#[test]
fn the_permissions_that_a_check_names_are_those_of_its_calls() {
    let called = actions();
    for check in checks() {
        for action in check.permissions {
            assert!(
                called.contains(*action),
                "{} names {action}, which nothing calls",
                check.id
            );
        }
    }
}

#[test]
fn the_readme_names_every_command() {
    let readme = document("README.md");
    for command in Cli::command().get_subcommands() {
        let name = format!("heeler-ec {}", command.get_name());
        assert!(readme.contains(&name), "README.md does not mention {name}");
    }
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document");
        for link in links(&text) {
            let (file, section) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().expect("a folder").join(file)
            };
            assert!(target.exists(), "{}: {link} leads nowhere", path.display());
            if !section.is_empty() {
                let text = std::fs::read_to_string(&target).expect("a document");
                let found = text
                    .lines()
                    .filter(|line| line.starts_with('#'))
                    .any(|line| anchor(line.trim_start_matches('#').trim()) == section);
                assert!(found, "{}: {link} names no section", path.display());
            }
        }
    }
}

fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [root(), root().join("docs")] {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// The targets of `[text](target)` that are files of this repository.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .filter(|target| !target.contains("://"))
        .collect()
}

/// Every permission that a call is said to need: the first argument of `doing` and of `finding`.
fn actions() -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    for path in sources(&root().join("src")) {
        let text = std::fs::read_to_string(&path).expect("a source file");
        for call in [".doing(", ".finding("] {
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
                    "{}: {action:?} is no permission",
                    path.display()
                );
                actions.insert(action.to_owned());
            }
        }
    }
    assert!(
        actions.len() > 40,
        "the calls are written otherwise now: {actions:?}"
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
