//! The structure of the program: which module imports which, where an option, a library or the terminal is used.
//!
//! `docs/architecture.md` explains the modules. Each test prints every finding with its file and line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use heeler_ec::option::OPTIONS;

use crate::imports::{Imports, module_path};
use crate::language::fail_on;
use crate::source::{self, words};

/// The largest share of the program's lines that one module may have, in percent.
const MAX_MODULE_PERCENT: usize = 13;

/// The top-level modules and the ones that each may import from. A module imports only modules of earlier lines.
const ALLOWED_IMPORTS: &[(&str, &[&str])] = &[
    ("check_id", &[]),
    ("filter_pattern", &[]),
    ("hint", &[]),
    ("iam", &[]),
    ("naming", &[]),
    ("ownership", &[]),
    ("sanitize", &[]),
    ("secret", &[]),
    ("cloudtrail", &["sanitize"]),
    ("error", &["hint"]),
    ("backup", &["error"]),
    ("http", &["error"]),
    ("reconcile", &["error", "hint", "ownership"]),
    ("support", &["error", "iam"]),
    ("severity", &["cloudtrail"]),
    ("alert", &["http", "sanitize", "severity"]),
    ("aws", &["error", "http", "secret"]),
    (
        "inventory",
        &["aws", "check_id", "error", "naming", "ownership"],
    ),
    ("coverage", &["aws", "error", "hint", "inventory"]),
    (
        "shared_document",
        &["aws", "error", "iam", "ownership", "reconcile", "secret"],
    ),
    (
        "hop",
        &[
            "aws",
            "error",
            "hint",
            "iam",
            "inventory",
            "shared_document",
        ],
    ),
    (
        "dead_letter",
        &[
            "aws",
            "cloudtrail",
            "error",
            "hint",
            "hop",
            "inventory",
            "ownership",
            "sanitize",
        ],
    ),
    (
        "resource",
        &[
            "aws",
            "error",
            "iam",
            "ownership",
            "reconcile",
            "shared_document",
        ],
    ),
    (
        "tail",
        &[
            "alert",
            "aws",
            "cloudtrail",
            "error",
            "filter_pattern",
            "iam",
            "ownership",
            "sanitize",
            "severity",
        ],
    ),
    (
        "cost",
        &[
            "aws",
            "cloudtrail",
            "coverage",
            "error",
            "filter_pattern",
            "inventory",
            "tail",
        ],
    ),
    ("verify", &["aws", "cloudtrail", "error", "tail"]),
    (
        "deployment",
        &[
            "aws",
            "iam",
            "inventory",
            "naming",
            "ownership",
            "reconcile",
            "resource",
            "shared_document",
        ],
    ),
    (
        "export",
        &[
            "aws",
            "error",
            "naming",
            "reconcile",
            "resource",
            "severity",
        ],
    ),
    (
        "permissions",
        &["aws", "iam", "inventory", "naming", "tail"],
    ),
    (
        "check",
        &[
            "aws",
            "check_id",
            "error",
            "iam",
            "inventory",
            "ownership",
            "permissions",
        ],
    ),
    (
        "option",
        &[
            "aws",
            "check",
            "cost",
            "deployment",
            "error",
            "hop",
            "iam",
            "inventory",
            "naming",
            "ownership",
            "permissions",
            "reconcile",
            "resource",
            "secret",
            "shared_document",
            "tail",
            "verify",
        ],
    ),
    (
        "render",
        &[
            "alert",
            "aws",
            "backup",
            "check",
            "check_id",
            "cloudtrail",
            "cost",
            "coverage",
            "dead_letter",
            "deployment",
            "error",
            "export",
            "hint",
            "hop",
            "iam",
            "inventory",
            "reconcile",
            "sanitize",
            "severity",
            "support",
            "tail",
            "verify",
        ],
    ),
    (
        "cli",
        &[
            "aws",
            "check",
            "check_id",
            "option",
            "ownership",
            "render",
            "secret",
            "tail",
            "verify",
        ],
    ),
    (
        "command",
        &[
            "alert",
            "aws",
            "backup",
            "check",
            "check_id",
            "cli",
            "cloudtrail",
            "cost",
            "coverage",
            "dead_letter",
            "deployment",
            "error",
            "export",
            "filter_pattern",
            "hint",
            "hop",
            "http",
            "inventory",
            "naming",
            "option",
            "ownership",
            "permissions",
            "reconcile",
            "render",
            "sanitize",
            "secret",
            "severity",
            "shared_document",
            "support",
            "tail",
            "verify",
        ],
    ),
    ("main", &["command"]),
];

/// Libraries that any module may use.
const GENERAL_LIBRARIES: &[&str] = &[
    "async_trait",
    "futures_util",
    "serde",
    "serde_json",
    "tokio",
];

/// The other libraries and the only modules that use them: paths below `src`.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("anstyle", &["render/"]),
    ("aws_config", &["aws/"]),
    ("aws_credential_types", &["aws/"]),
    ("aws_runtime", &["aws/"]),
    ("aws_sdk_account", &["aws/", "coverage/", "inventory/"]),
    ("aws_sdk_cloudtrail", &["aws/", "inventory/", "verify/"]),
    ("aws_sdk_cloudwatch", &["aws/", "inventory/"]),
    (
        "aws_sdk_cloudwatchlogs",
        &["aws/", "inventory/", "resource/", "tail/", "verify/"],
    ),
    (
        "aws_sdk_iam",
        &[
            "aws/",
            "deployment/",
            "shared_document/",
            "inventory/",
            "resource/",
        ],
    ),
    ("aws_sdk_kms", &["aws/", "inventory/", "resource/"]),
    ("aws_sdk_lambda", &["aws/", "inventory/", "resource/"]),
    ("aws_sdk_organizations", &["aws/", "coverage/"]),
    (
        "aws_sdk_s3",
        &["aws/", "coverage/", "inventory/", "resource/", "tail/"],
    ),
    ("aws_sdk_sns", &["aws/", "resource/"]),
    (
        "aws_sdk_sqs",
        &[
            "aws/",
            "dead_letter/",
            "inventory/",
            "resource/",
            "shared_document/",
            "tail/",
            "verify/",
        ],
    ),
    ("aws_sdk_sts", &["aws/"]),
    ("aws_smithy_http_client", &["http.rs"]),
    ("aws_smithy_runtime_api", &["aws/", "http.rs", "resource/"]),
    (
        "aws_smithy_types",
        &["aws/", "http.rs", "inventory/", "tail/", "verify/"],
    ),
    ("aws_types", &["aws/"]),
    ("base64", &["option/"]),
    (
        "clap",
        &[
            "cli/",
            "command/completions.rs",
            "command/usage_error.rs",
            "render/",
        ],
    ),
    ("clap_complete", &["cli/", "command/completions.rs"]),
    ("comfy_table", &["render/"]),
    ("flate2", &["cloudtrail/"]),
    ("hcl", &["export/terraform/"]),
    ("hcl_edit", &["cli/", "export/terraform/"]),
    (
        "humantime",
        &[
            "aws/",
            "check/",
            "cli/",
            "command/backup.rs",
            "render/",
            "tail/",
            "verify/",
        ],
    ),
    ("indicatif", &["render/"]),
    ("jiff", &["coverage/", "iam/", "inventory/"]),
    (
        "memchr",
        &["cloudtrail/", "command/tail/filters.rs", "tail/"],
    ),
    (
        "percent_encoding",
        &["aws/", "cloudtrail/", "iam/", "support/"],
    ),
    ("regex_lite", &["filter_pattern/", "support/"]),
    ("rustls", &["http.rs"]),
    ("rustls_pki_types", &["http.rs"]),
    ("sha2", &["backup.rs", "option/"]),
    (
        "shlex",
        &[
            "aws/",
            "check/",
            "command/coverage.rs",
            "command/tail/local_files.rs",
            "render/",
        ],
    ),
    ("supports_hyperlinks", &["render/"]),
    ("supports_unicode", &["render/"]),
    ("tempfile", &["support/", "tail/"]),
    ("terminal_size", &["render/"]),
    ("textwrap", &["render/"]),
    (
        "tokio_util",
        &[
            "command/ctrl_c.rs",
            "command/rollback.rs",
            "command/tail/output_thread.rs",
            "dead_letter/",
            "reconcile/",
        ],
    ),
    ("toml", &["cost/", "severity/"]),
    ("unicode_width", &["render/"]),
    ("url", &["cli/"]),
    (
        "uuid",
        &["command/prepare.rs", "deployment/", "tail/", "verify/"],
    ),
    ("wide", &["cloudtrail/"]),
    ("wildmatch", &["tail/"]),
    ("zip", &["option/", "support/"]),
];

/// Ways to print or to exit, and the only modules that use them.
const PRIVILEGES: &[(&str, &[&str])] = &[
    ("println!", &[]),
    ("print!", &[]),
    ("eprintln!", &[]),
    ("eprint!", &[]),
    ("process::exit", &[]),
    ("io::stdout", &["render/"]),
    ("io::stdin", &["render/", "tail/"]),
    ("io::stderr", &["render/", "alert/command.rs"]),
];

/// Texts that equal the name of an option but mean something else: file, text, reason.
const NOT_AN_OPTION: &[(&str, &str, &str)] = &[(
    "src/aws/message_filter.rs",
    "s3",
    "the member of an S3 event that contains the object",
)];

#[test]
fn modules_import_only_allowed_modules() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED_IMPORTS.iter().copied().collect();
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    let mut findings = Vec::new();
    for (file, targets) in &Imports::of(&source::program()).edges {
        let from = top_module(file);
        for (target, (line, path)) in targets {
            let to = top_module(target);
            if from == to || from == "lib" {
                continue;
            }
            let is_allowed = allowed.get(&*from).is_some_and(|list| list.contains(&&*to));
            if !is_allowed {
                findings.push(format!("{file}:{line}: {from} must not import {path}"));
            }
            used.insert((from.clone(), to));
        }
    }
    let mut earlier: BTreeSet<&str> = BTreeSet::new();
    for (from, targets) in ALLOWED_IMPORTS {
        for to in *targets {
            if !earlier.contains(to) {
                findings.push(format!(
                    "{from} imports {to}, which is not in an earlier line"
                ));
            }
            if !used.contains(&((*from).to_owned(), (*to).to_owned())) {
                findings.push(format!(
                    "{from} no longer imports {to}: remove it from the table"
                ));
            }
        }
        earlier.insert(from);
    }
    fail_on("imports that the table does not allow", findings);
}

#[test]
fn libraries_are_used_only_in_their_modules() {
    let manifest = std::fs::read_to_string(source::root().join("Cargo.toml")).expect("Cargo.toml");
    let manifest: toml::Table = manifest.parse().expect("valid TOML");
    let dependencies = manifest["dependencies"].as_table().expect("dependencies");
    let table: BTreeMap<&str, &[&str]> = LIBRARIES.iter().copied().collect();
    let mut findings = Vec::new();
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    let files = source::program();
    for name in dependencies.keys() {
        let library = name.replace('-', "_");
        // hcl-rs has another name in code.
        let library = if library == "hcl_rs" { "hcl" } else { &library };
        if GENERAL_LIBRARIES.contains(&library) {
            continue;
        }
        let Some((library, modules)) = table.get_key_value(library) else {
            findings.push(format!("{name} is in no table of libraries"));
            continue;
        };
        for file in &files {
            let path = file.path.trim_start_matches("src/");
            for (number, line) in file.code_without_tests().lines().enumerate() {
                if !names_library(line, library) {
                    continue;
                }
                match modules.iter().find(|module| path.starts_with(**module)) {
                    Some(module) => drop(used.insert((library, module))),
                    None => findings.push(format!("{}:{}: {library}", file.path, number + 1)),
                }
            }
        }
    }
    for (library, modules) in LIBRARIES {
        for module in *modules {
            if !used.contains(&(library, module)) {
                findings.push(format!(
                    "{module} no longer uses {library}: remove it from the table"
                ));
            }
        }
    }
    fail_on("libraries outside their modules", findings);
}

/// Returns true if a line of code has a path that starts with the library.
fn names_library(line: &str, library: &str) -> bool {
    line.match_indices(library).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = &line[at + library.len()..];
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | ':'))
            && (after.starts_with("::")
                || (line.trim_start().starts_with("use ") && after.starts_with(';')))
    })
}

#[test]
fn no_import_cycle_between_files() {
    let imports = Imports::of(&source::program());
    let findings = imports.cycles().into_iter().map(|circle| {
        let mut text = circle.join(", ");
        for from in &circle {
            for to in &circle {
                if let Some((line, path)) = imports.edges[from].get(to) {
                    let _ = write!(text, "\n    {from}:{line} imports {path} of {to}");
                }
            }
        }
        text
    });
    fail_on("import cycles between files", findings);
}

#[test]
fn options_are_named_only_in_their_module() {
    let mut findings = Vec::new();
    for file in source::program() {
        if file.path.starts_with("src/option/") || file.is_test() {
            continue;
        }
        let code = file.code_without_tests();
        for (number, line) in code.lines().enumerate() {
            for module in OPTIONS
                .iter()
                .map(|option| format!("option::{}", option.name()))
            {
                if line.contains(&module) {
                    findings.push(format!("{}:{}: {module}", file.path, number + 1));
                }
            }
        }
        let last_line = code.lines().count();
        for (number, text) in file.strings.iter().chain(&file.comments) {
            if *number <= last_line
                && let Some(name) = named_option(text)
                && !NOT_AN_OPTION
                    .iter()
                    .any(|(path, allowed, _)| *path == file.path && *allowed == name)
            {
                findings.push(format!("{}:{number}: {name}: {}", file.path, text.trim()));
            }
        }
    }
    fail_on("places that name an option", findings);
}

/// The option that a text names: the whole text, or after the word `option`.
fn named_option(text: &str) -> Option<String> {
    let words: Vec<String> = words(text).map(str::to_lowercase).collect();
    let is_option = |word: &str| OPTIONS.iter().any(|option| option.name() == word);
    if !text.starts_with('/') && words.len() == 1 && text.trim() == words[0] && is_option(&words[0])
    {
        return Some(words[0].clone());
    }
    let pair = words
        .windows(2)
        .find(|pair| matches!(&*pair[0], "option" | "options") && is_option(&pair[1]));
    pair.map(|pair| format!("option {}", pair[1]))
}

#[test]
fn only_render_prints_and_only_main_exits() {
    let mut findings = Vec::new();
    for file in source::program() {
        let path = file.path.trim_start_matches("src/");
        for (number, line) in file.code_without_tests().lines().enumerate() {
            for (name, modules) in PRIVILEGES {
                let is_allowed = modules.iter().any(|module| path.starts_with(module));
                if !is_allowed && contains_call(line, name) {
                    findings.push(format!("{}:{}: {name}", file.path, number + 1));
                }
            }
        }
    }
    fail_on("places that print or exit by themselves", findings);
}

/// Returns true if the line contains the whole name: `eprintln!` does not contain `println!`.
fn contains_call(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn no_module_is_larger_than_its_share() {
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    for file in source::program() {
        *sizes.entry(top_module(&file.path)).or_default() += file.lines;
    }
    let total: usize = sizes.values().sum();
    let findings = sizes
        .iter()
        .filter(|(_, size)| *size * 100 > total * MAX_MODULE_PERCENT)
        .map(|(module, size)| format!("{module}: {size} of {total} lines"));
    fail_on("modules that are too large", findings);
}

/// Parts of the codes by which AWS says that something does not exist.
const NOT_FOUND_PARTS: &[&str] = &["NotFound", "NoSuch", "NonExist", "DoesNotExist"];
/// A part of the message by which SNS rejects a policy.
const NOT_A_CODE: &str = "PrincipalNotFound";

#[test]
fn codes_of_missing_resources_are_in_one_file() {
    let mut findings = Vec::new();
    for file in source::program() {
        if file.is_test() || file.path == "src/aws/not_found.rs" {
            continue;
        }
        let tests = file.code.find("#[cfg(test)]\nmod tests {");
        let first_test_line = tests.map(|end| file.code[..end].lines().count());
        for (line, text) in &file.strings {
            let is_code = text != NOT_A_CODE
                && !text.contains(' ')
                && NOT_FOUND_PARTS.iter().any(|part| text.contains(part));
            if is_code && first_test_line.is_none_or(|first| *line < first) {
                findings.push(format!("{}:{line}: {text}", file.path));
            }
        }
        for call in file.code_without_tests().split(".optional_for(").skip(1) {
            let codes = call.split(',').nth(1).unwrap_or_default().trim();
            if !codes.starts_with("not_found::") {
                findings.push(format!("{}: optional_for with {codes}", file.path));
            }
        }
    }
    fail_on("error codes that belong in src/aws/not_found.rs", findings);
}

/// The top-level module of a file.
fn top_module(path: &str) -> String {
    let module = module_path(path);
    module
        .into_iter()
        .next()
        .unwrap_or_else(|| "lib".to_owned())
}
