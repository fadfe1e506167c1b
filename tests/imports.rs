//! The imports between the files of the program: every path in the code, resolved to the file that defines its item.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{SourceFile, words};

/// A module path without `crate`, such as `["check", "trail"]`.
pub type ModulePath = Vec<String>;

/// The imports of all files.
pub struct Imports {
    /// For each file, the files it imports from, with a line number and the path of one such import.
    pub edges: BTreeMap<String, BTreeMap<String, (usize, String)>>,
}

/// A `use` declaration of one name.
struct Use {
    line: usize,
    path: Vec<String>,
    /// The name that it binds; `*` for all names.
    name: String,
    is_public: bool,
}

impl Imports {
    pub fn of(files: &[SourceFile]) -> Imports {
        let files: Vec<&SourceFile> = files.iter().filter(|file| !file.is_test()).collect();
        let modules: BTreeMap<ModulePath, String> = files
            .iter()
            .map(|file| (module_path(&file.path), file.path.clone()))
            .collect();
        let uses: BTreeMap<ModulePath, Vec<Use>> = files
            .iter()
            .filter(|file| file.path != "src/main.rs")
            .map(|file| (module_path(&file.path), uses(file.code_without_tests())))
            .collect();
        let resolver = Resolver {
            modules: &modules,
            uses: &uses,
        };
        let mut edges: BTreeMap<String, BTreeMap<String, (usize, String)>> = BTreeMap::new();
        for file in &files {
            let here = module_path(&file.path);
            let targets = edges.entry(file.path.clone()).or_default();
            let code = file.code_without_tests();
            let mut paths: Vec<(usize, Vec<String>)> = uses_with_lines(code);
            paths.extend(inline_paths(code));
            for (line, path) in paths {
                if let Some(module) = resolver.resolve(&here, &path, 0) {
                    let target = &modules[&module];
                    if *target != file.path {
                        targets
                            .entry(target.clone())
                            .or_insert_with(|| (line, path.join("::")));
                    }
                }
            }
        }
        Imports { edges }
    }

    /// The import cycles between files: groups in which each file reaches each other one.
    ///
    /// A module's own file may import from the files below it, and they from it: that is one module in several files.
    /// Such a pair counts only if a file outside the module is part of the cycle.
    pub fn cycles(&self) -> BTreeSet<Vec<String>> {
        let mut found = BTreeSet::new();
        for downwards in [true, false] {
            let graph: BTreeMap<&str, Vec<&str>> = self
                .edges
                .iter()
                .map(|(from, targets)| {
                    let kept = targets.keys().map(String::as_str).filter(|to| {
                        if downwards {
                            !is_below(from, to)
                        } else {
                            !is_below(to, from)
                        }
                    });
                    (from.as_str(), kept.collect())
                })
                .collect();
            found.extend(circles(&graph));
        }
        found
    }
}

/// Returns true if `lower` is a file of the module whose own file is `upper`.
pub fn is_below(lower: &str, upper: &str) -> bool {
    let folder = upper.strip_suffix("mod.rs").map(str::to_owned);
    let folder = folder.unwrap_or_else(|| upper.trim_end_matches(".rs").to_owned() + "/");
    folder != "src/lib/" && lower != upper && lower.starts_with(&folder)
}

struct Resolver<'a> {
    modules: &'a BTreeMap<ModulePath, String>,
    uses: &'a BTreeMap<ModulePath, Vec<Use>>,
}

impl Resolver<'_> {
    /// The module that defines the item of a path; `None` if the item is not part of this crate.
    fn resolve(&self, here: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let mut current = here.to_vec();
        let mut segments = path;
        match path.first()?.as_str() {
            "crate" | "heeler_ec" => {
                current.clear();
                segments = &path[1..];
            }
            "self" => segments = &path[1..],
            "super" => {
                while segments.first().is_some_and(|segment| segment == "super") {
                    current.pop();
                    segments = &segments[1..];
                }
            }
            first => {
                let mut child = current.clone();
                child.push(first.to_owned());
                if !self.modules.contains_key(&child) {
                    return None;
                }
            }
        }
        for (at, segment) in segments.iter().enumerate() {
            let mut child = current.clone();
            child.push(segment.clone());
            if self.modules.contains_key(&child) {
                current = child;
                continue;
            }
            // A name that the module imports from another module.
            let imported = self.uses.get(&current).and_then(|uses| {
                uses.iter()
                    .find(|import| import.is_public && import.name == *segment)
            });
            if let (Some(import), true) = (imported, depth < 8) {
                let mut whole = import.path.clone();
                whole.extend(segments[at + 1..].iter().cloned());
                return self.resolve(&current, &whole, depth + 1);
            }
            break;
        }
        Some(current)
    }
}

/// The module of a file of the program.
pub fn module_path(path: &str) -> ModulePath {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let path = path.trim_end_matches("/mod");
    match path {
        "lib" | "mod" => Vec::new(),
        path => path.split('/').map(str::to_owned).collect(),
    }
}

fn uses_with_lines(code: &str) -> Vec<(usize, Vec<String>)> {
    uses(code)
        .into_iter()
        .map(|import| (import.line, import.path))
        .collect()
}

/// Every `use` declaration, with its groups split into single names.
fn uses(code: &str) -> Vec<Use> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("use ") {
        let before = code[..at].trim_end_matches(' ');
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        let visibility = &before[line_start..];
        let is_declaration = visibility.trim().is_empty() || visibility.trim().starts_with("pub");
        if !is_declaration {
            continue;
        }
        let tree = &code[at + 4..];
        let tree = &tree[..tree.find(';').unwrap_or(tree.len())];
        let line = code[..at].matches('\n').count() + 1;
        let mut leaves = Vec::new();
        flatten(tree, &[], &mut leaves);
        found.extend(leaves.into_iter().map(|(path, name)| Use {
            line,
            path,
            name,
            is_public: visibility.trim().starts_with("pub"),
        }));
    }
    found
}

/// The paths of a `use` tree, each with the name that it binds.
fn flatten(tree: &str, prefix: &[String], leaves: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((start, group)) = tree.split_once('{') {
        let mut path = prefix.to_vec();
        path.extend(words(start).map(str::to_owned));
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        let mut depth = 0;
        let mut from = 0;
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    flatten(&group[from..at], &path, leaves);
                    from = at + 1;
                }
                _ => {}
            }
        }
        flatten(&group[from..], &path, leaves);
        return;
    }
    if tree.is_empty() {
        return;
    }
    let (path_text, alias) = match tree.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim().to_owned())),
        None => (tree, None),
    };
    let mut path = prefix.to_vec();
    path.extend(words(path_text).map(str::to_owned));
    if path_text.trim() == "self" || path_text.trim_end().ends_with("::self") {
        path.pop();
    }
    let name = if path_text.trim_end().ends_with('*') {
        "*".to_owned()
    } else {
        path.last().cloned().unwrap_or_default()
    };
    leaves.push((path, alias.unwrap_or(name)));
}

/// Every path in expressions and types: what starts with `crate`, `self`, `super` or the name of a child module.
fn inline_paths(code: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for (number, line) in code.lines().enumerate() {
        let mut rest = line;
        let mut before = ' ';
        while let Some(start) = rest.find(is_word) {
            if start > 0 {
                before = rest[..start].chars().next_back().unwrap_or(' ');
            }
            rest = &rest[start..];
            let mut path = Vec::new();
            loop {
                let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                path.push(rest[..end].to_owned());
                rest = &rest[end..];
                match rest.strip_prefix("::") {
                    Some(after) if after.starts_with(is_word) => rest = after,
                    _ => break,
                }
            }
            let is_group = rest.starts_with("::{") || rest.starts_with("::*");
            if path.len() > 1 && before != ':' && !is_group {
                found.push((number + 1, path));
            }
            before = ' ';
        }
    }
    found
}

/// The groups of more than one node that reach each other (strongly connected components).
fn circles(graph: &BTreeMap<&str, Vec<&str>>) -> BTreeSet<Vec<String>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> = graph
        .keys()
        .map(|start| {
            let mut seen = BTreeSet::new();
            let mut open = graph[start].clone();
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    open.extend(graph.get(next).into_iter().flatten());
                }
            }
            (*start, seen)
        })
        .collect();
    let mut found = BTreeSet::new();
    for (node, reached) in &reach {
        if reached.contains(node) {
            let circle = reached
                .iter()
                .filter(|other| reach.get(*other).is_some_and(|back| back.contains(node)));
            found.insert(circle.map(|file| (*file).to_owned()).collect());
        }
    }
    found
}

#[test]
fn grouped_and_nested_use_declarations_are_split() {
    let code = "use crate::{a, b::{self, c as d, e::*}};\n    pub(crate) use super::f;\n";
    let found: Vec<(usize, String, String)> = uses(code)
        .into_iter()
        .map(|import| (import.line, import.path.join("::"), import.name))
        .collect();
    let expected = [
        (1, "crate::a", "a"),
        (1, "crate::b", "b"),
        (1, "crate::b::c", "d"),
        (1, "crate::b::e", "*"),
        (2, "super::f", "f"),
    ];
    assert_eq!(
        found,
        expected.map(|(line, path, name)| (line, path.to_owned(), name.to_owned()))
    );
}

#[test]
fn cycles_through_super_and_reexports_are_found() {
    let files = [
        ("src/lib.rs", "pub mod a;\npub mod b;"),
        (
            "src/a/mod.rs",
            "mod x;\nmod y;\npub use x::X;\nfn f() { y::g() }",
        ),
        ("src/a/x.rs", "use super::y::Y;\npub struct X;"),
        ("src/a/y.rs", "use super::X;\npub struct Y;"),
        ("src/b.rs", "use crate::a::X;"),
    ];
    let files = files.map(|(path, text)| SourceFile::parse(path, text));
    let cycles: Vec<Vec<String>> = Imports::of(&files).cycles().into_iter().collect();
    assert_eq!(cycles, [["src/a/x.rs", "src/a/y.rs"]]);
}
