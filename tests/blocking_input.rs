//! Files from the command line that block or have no end: Ctrl-C still works, and memory is bounded.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::emulator;

/// The program without credentials, configuration and home directory.
fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_heeler-ec"));
    command
        .env_clear()
        .current_dir(emulator::repository())
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

#[cfg(unix)]
fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.expect("mkfifo").success());
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_reading_of_named_pipe() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let name = pipe.to_string_lossy();
    for words in [
        &["plan", "--option", "s3", "--var-file", &*name][..],
        &["restore", "--dry-run", &name],
        &["tail", "--severity-file", &name, "Cargo.toml"],
        &["tail", "--severity-file", &name],
    ] {
        let child = command(words).spawn().expect("the program");
        // Returns when the program has opened the pipe for reading.
        let writer = OpenOptions::new().write(true).open(&pipe);
        let writer = writer.expect("a reader");
        let killed = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(killed.expect("kill").success());
        let output = child.wait_with_output().expect("its end");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{words:?}: {text}");
        drop(writer);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_waiting_for_log_file_reader() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe");
    make_pipe(&pipe);
    let name = pipe.to_string_lossy();
    let words = ["list", "--log-file", &*name, "--progress", "plain"];
    let mut child = command(&words).spawn().expect("the program");
    let kill = || {
        let killed = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(killed.expect("kill").success());
    };
    wait_for_log_thread(child.id());
    kill();
    let status = child.wait().expect("its end");
    assert_eq!(status.code(), Some(130));
}

/// Waits until a second thread of the program exists, which opens the log file.
#[cfg(target_os = "linux")]
fn wait_for_log_thread(id: u32) {
    let threads = || {
        let found = std::fs::read_dir(format!("/proc/{id}/task"));
        found.map_or(0, Iterator::count)
    };
    while threads() < 2 {
        std::thread::yield_now();
    }
}

#[cfg(unix)]
#[test]
fn endless_files_are_rejected() {
    for words in [
        &["plan", "--option", "s3", "--var-file", "/dev/zero"][..],
        &["restore", "--dry-run", "/dev/zero"],
        &["tail", "--severity-file", "/dev/zero", "Cargo.toml"],
    ] {
        let output = command(words).output().expect("the program");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{words:?}: {text}");
        assert!(text.contains("it is larger than "), "{words:?}: {text}");
    }
}
