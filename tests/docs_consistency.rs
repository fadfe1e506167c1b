//! The documentation matches the program: checks, permissions, commands and links.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use heeler_ec::check::{Check, CheckId, Level};
use heeler_ec::cli;
use heeler_ec::option::OPTIONS;

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

/// The files and folders of a folder of the repository.
fn entries(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).expect("a folder");
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    found.sort();
    found
}

/// The names of the Markdown files in a folder.
fn pages(folder: &str) -> BTreeSet<String> {
    let paths = entries(folder).into_iter();
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect()
}

#[test]
fn every_page_of_a_check_is_used() {
    let mut pages = pages("docs/checks");
    pages.remove("README.md");
    let checks: BTreeSet<String> = checks().map(|check| format!("{}.md", check.id)).collect();
    assert_eq!(pages, checks);
}

#[test]
fn check_pages_match_the_checks() {
    for check in checks() {
        let page = document(&format!("docs/checks/{}.md", check.id));
        let (heading, text) = page.split_once('\n').expect("a heading and a text");
        assert_eq!(heading, format!("# {}", check.id));
        let paragraphs: Vec<&str> = text.trim().split("\n\n").collect();
        let [.., requirement, permissions] = paragraphs.as_slice() else {
            panic!("{}: too few paragraphs", check.id)
        };
        assert_eq!(
            requirement.replace('\n', " "),
            requirement_sentence(check),
            "{}",
            check.id
        );
        assert!(permissions.starts_with("**Permissions:** "), "{}", check.id);
        for permission in check.permissions {
            assert!(
                permissions.contains(permission),
                "{}: {permission} is missing",
                check.id
            );
        }
    }
}

fn requirement_sentence(check: &Check) -> String {
    let level = match check.requirement.level {
        Level::Blocking => "blocking. Setup cannot work while this check fails or is unknown",
        Level::Required => "required. Setup stops while this check fails or is unknown",
        Level::Advisory => "advisory. Setup stops while this check fails",
    };
    let accept = if check.requirement.acceptable {
        format!(", unless you accept it with `--accept {}`.", check.id)
    } else {
        ", and `--accept` has no effect.".to_owned()
    };
    format!("**Requirement:** {level}{accept}")
}

#[test]
fn every_schema_is_linked() {
    let page = document("docs/output.md");
    for path in entries("docs/schemas") {
        let name = path.file_name().and_then(|name| name.to_str());
        let link = format!("](schemas/{})", name.expect("a name"));
        assert!(page.contains(&link), "docs/output.md does not link {link}");
    }
}

#[test]
fn summary_lists_every_page_once() {
    let summary = document("docs/SUMMARY.md");
    let mut listed = links(&summary);
    let checks: Vec<String> = CheckId::ALL
        .iter()
        .map(|id| format!("checks/{id}.md"))
        .collect();
    let is_check = |link: &&String| link.starts_with("checks/") && !link.ends_with("README.md");
    let order: Vec<String> = listed.iter().filter(is_check).cloned().collect();
    assert_eq!(order, checks, "checks are in the order of preflight");
    listed.sort_unstable();
    let folders = ["", "checks/", "decisions/"].into_iter();
    let mut expected: Vec<String> = folders
        .flat_map(|folder| {
            let pages = pages(&format!("docs/{folder}")).into_iter();
            pages.map(move |page| format!("{folder}{page}"))
        })
        .filter(|page| page != "SUMMARY.md")
        .collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn indexes_link_every_page() {
    for (index, folder, prefix) in [
        ("docs/README.md", "docs", ""),
        ("docs/decisions/README.md", "docs/decisions", ""),
        ("docs/checks/README.md", "docs/checks", ""),
        ("README.md", "docs", "docs/"),
    ] {
        let text = document(index);
        let links = links(&text);
        for page in pages(folder) {
            let is_linked = links
                .iter()
                .any(|link| link.split('#').next() == Some(&format!("{prefix}{page}")));
            // The main page of the repository links the questions, and leaves the reference to the documentation.
            let is_reference = ["glossary.md", "policies.md"].contains(&page.as_str());
            assert!(
                is_linked
                    || matches!(page.as_str(), "README.md" | "SUMMARY.md")
                    || (index == "README.md" && is_reference),
                "{index} does not link {page}"
            );
        }
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
    let documents = documents();
    assert!(documents.len() > 100, "{documents:?}");
    let mut broken = Vec::new();
    for path in &documents {
        let text = std::fs::read_to_string(path).expect("a document");
        for link in links(&text) {
            if let Some(reason) = broken_link(path, &link) {
                broken.push(format!("{}: {link}: {reason}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The reason why a relative link of a document has no target.
fn broken_link(document: &Path, link: &str) -> Option<&'static str> {
    let (file, section) = link.split_once('#').unwrap_or((link, ""));
    let target = if file.is_empty() {
        document.to_owned()
    } else {
        document.parent().expect("a folder").join(file)
    };
    let Ok(target) = target.canonicalize() else {
        return Some("the file does not exist");
    };
    let site = root().join("docs").canonicalize().expect("a folder");
    let document = document.canonicalize().expect("a document");
    if document.starts_with(&site) && !target.starts_with(&site) {
        return Some("the site contains only the files of docs");
    }
    if target.is_dir() {
        return Some("the site does not list folders");
    }
    if section.is_empty() {
        return None;
    }
    let text = std::fs::read_to_string(&target).expect("a document");
    let missing = !anchors(&text).contains(section);
    missing.then_some("the section does not exist")
}

/// The anchors that GitHub and mdBook give to the headings of a document.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for heading in without_code_blocks(text).filter(|line| line.starts_with('#')) {
        let name: String = heading
            .trim_start_matches('#')
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let mut anchor = name.clone();
        let mut number = 0;
        while !found.insert(anchor) {
            number += 1;
            anchor = format!("{name}-{number}");
        }
    }
    found
}

#[test]
fn documented_commands_are_accepted() {
    let mut rejected = Vec::new();
    let mut count = 0;
    for path in documents() {
        let text = std::fs::read_to_string(&path).expect("a document");
        for line in commands(&text) {
            let words = shlex::split(&line).unwrap_or_else(|| panic!("{line}: open quotes"));
            count += 1;
            // The name of a command in a sentence has no arguments.
            let is_name = words.len() == 2;
            if let Err(error) = cli::command().try_get_matches_from(words) {
                let is_incomplete = error.kind() == ErrorKind::MissingRequiredArgument && is_name;
                if error.use_stderr() && !is_incomplete {
                    let reason = error.to_string();
                    let reason = reason.lines().next().unwrap_or_default();
                    rejected.push(format!("{}: {line}: {reason}", path.display()));
                }
            }
        }
    }
    assert!(count > 120, "{count} commands");
    assert!(rejected.is_empty(), "{}", rejected.join("\n"));
}

/// The commands of the program in shell blocks and between backticks, without pipes and redirections. A command with a
/// value to fill in, such as `ID`, is left out, except `ARN`.
fn commands(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut is_shell = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            is_shell = line.trim_start().starts_with("```sh");
        } else if is_shell {
            found.push(line.to_owned());
        }
    }
    let prose = without_code_blocks(text).collect::<Vec<_>>().join("\n");
    for paragraph in prose.split("\n\n") {
        let spans = paragraph.split('`').skip(1).step_by(2);
        found.extend(spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
    let ends = [" > ", " >> ", " | ", " # "];
    found
        .iter()
        .filter(|line| line.starts_with("heeler-ec "))
        .map(|line| {
            let end = ends.iter().filter_map(|end| line.find(end)).min();
            line[..end.unwrap_or(line.len())].replace(" ARN", " arn:aws:iam::111122223333:role/a")
        })
        .filter(|line| !line.split(' ').any(is_placeholder))
        .collect()
}

fn is_placeholder(word: &str) -> bool {
    let word = word.trim_end_matches('.');
    word.is_empty()
        || (word.contains(|c: char| c.is_ascii_uppercase())
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() || matches!(c, '_' | '=')))
}

#[test]
fn commands_of_documents_are_found() {
    let text =
        "Run `heeler-ec a\n--b`, `heeler-ec c ID`.\n\n```sh\n# d\nheeler-ec e ARN > f\n```\n";
    let expected = [
        "heeler-ec e arn:aws:iam::111122223333:role/a",
        "heeler-ec a --b",
    ];
    assert_eq!(commands(text), expected);
}

#[test]
fn anchors_are_those_of_github() {
    let text = "# A `b` c.d?\n\n## What --fix does\n\n```sh\n# comment\n```\n\n## A b c.d\n";
    let expected = ["a-b-cd", "a-b-cd-1", "what---fix-does"];
    assert_eq!(anchors(text), expected.map(str::to_owned).into());
}

#[test]
fn broken_links_are_found() {
    let page = root().join("docs/README.md");
    for link in [
        "missing.md",
        "checks/README.md#missing",
        "#missing",
        "../README.md",
        "schemas",
    ] {
        assert!(broken_link(&page, link).is_some(), "{link}");
    }
    let text = "[a](b.md#c), `[x](y)`, ![d](e.svg)\n```text\n[f](g)\n```\n[h\ni](j.md) <https://k>";
    assert_eq!(links(text), ["b.md#c", "e.svg", "j.md"]);
}

fn without_code_blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// All Markdown files of the repository, except those of dependencies.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !path.is_symlink() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found
}

/// The targets of links and images that are files of this repository. Code has none.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let text = without_code_blocks(text).collect::<Vec<_>>().join("\n");
    for paragraph in text.split("\n\n") {
        // The parts between backticks are code.
        for part in paragraph.split('`').step_by(2) {
            let targets = part.split("](").skip(1);
            let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
            found.extend(
                targets
                    .filter(|target| !target.contains("://"))
                    .map(str::to_owned),
            );
        }
    }
    found
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
