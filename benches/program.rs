//! The program under measurement.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the program that `HEELER_EC_PROGRAM` names, or builds the release.
pub fn program() -> io::Result<PathBuf> {
    if let Some(program) = std::env::var_os("HEELER_EC_PROGRAM") {
        return Ok(program.into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--locked", "--bin", "heeler-ec"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // These variables, which Cargo sets for this benchmark, would cause rebuilds of some dependencies.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    if !command.status()?.success() {
        return Err(io::Error::other("the release build failed"));
    }
    Ok(Path::new(env!("CARGO_BIN_EXE_heeler-ec")).to_owned())
}
