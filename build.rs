//! Records the commit, its date, the target and the compiler, which `--version --verbose` prints.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=HEELER_EC_BUILD_COMMIT");
    println!("cargo:rerun-if-env-changed=HEELER_EC_BUILD_DATE");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let mut commit = variable("HEELER_EC_BUILD_COMMIT");
    // Other builds would be repeated after each commit.
    if commit.is_empty() && variable("PROFILE") == "release" {
        if let Some(log) = output("git", &["rev-parse", "--git-path", "logs/HEAD"]) {
            println!("cargo:rerun-if-changed={log}");
        }
        commit = output("git", &["rev-parse", "HEAD"]).unwrap_or_default();
    }
    if commit.is_empty() {
        "unknown".clone_into(&mut commit);
    }
    let mut date = variable("HEELER_EC_BUILD_DATE");
    if date.is_empty() && commit != "unknown" {
        let arguments = ["show", "--no-patch", "--format=%cs", &commit];
        date = output("git", &arguments).unwrap_or_default();
    }
    if date.is_empty() {
        "unknown".clone_into(&mut date);
    }
    let compiler = output(&variable("RUSTC"), &["--version"]).unwrap_or_default();
    println!("cargo:rustc-env=HEELER_EC_BUILD_COMMIT={commit}");
    println!("cargo:rustc-env=HEELER_EC_BUILD_DATE={date}");
    println!(
        "cargo:rustc-env=HEELER_EC_BUILD_TARGET={}",
        variable("TARGET")
    );
    println!("cargo:rustc-env=HEELER_EC_BUILD_RUSTC={compiler}");
}

/// Returns the first line that a program prints; `None` if it fails.
fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next()?.trim().to_owned();
    output.status.success().then_some(line)
}
