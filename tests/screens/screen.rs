//! Runs a command on terminals of several widths, and compares what they show with a file in `tests/snapshots/`.

use std::fmt::Write;
use std::path::PathBuf;

use snapbox::{Assert, Data};
use testkit::{Organization, Run, emulator};

use super::redaction::Redaction;
use crate::commands::heeler_ec;

/// A terminal on which each screen is shown.
struct TerminalKind {
    title: &'static str,
    columns: u16,
    env: &'static [(&'static str, &'static str)],
}

const PLAIN: &[(&str, &str)] = &[("NO_COLOR", "1")];
const TERMINALS: [TerminalKind; 5] = [
    TerminalKind {
        title: "80 columns",
        columns: 80,
        env: PLAIN,
    },
    TerminalKind {
        title: "120 columns",
        columns: 120,
        env: PLAIN,
    },
    TerminalKind {
        title: "200 columns",
        columns: 200,
        env: PLAIN,
    },
    TerminalKind {
        title: "120 columns, color",
        columns: 120,
        env: &[],
    },
    TerminalKind {
        title: "80 columns, LC_ALL=C",
        columns: 80,
        // LANG=C would not be enough: Python, which runs the terminal, then sets LC_CTYPE to UTF-8.
        env: &[("NO_COLOR", "1"), ("LC_ALL", "C")],
    },
];
/// The terminals that differ only in color.
const WITHOUT_AND_WITH_COLOR: (usize, usize) = (1, 3);
const WITHOUT_UNICODE: usize = 4;

/// The line before the output of each terminal.
pub const SECTION: &str = "──── ";

/// Takes the screens of an organization.
pub struct Camera<'a> {
    org: &'a Organization,
    redaction: Redaction,
}

impl<'a> Camera<'a> {
    pub fn new(org: &'a Organization) -> Camera<'a> {
        Camera {
            org,
            redaction: Redaction::of(org),
        }
    }

    /// Compares what a command shows on each terminal. The command must change nothing, because it runs on each.
    pub async fn show(&self, name: &str, status: i32, args: &[&str]) {
        self.show_with(name, status, args, &[]).await;
    }

    /// Like `show`, for a command that asks. The answers must change nothing.
    pub async fn show_with(
        &self,
        name: &str,
        status: i32,
        args: &[&str],
        answers: &[(&str, &str)],
    ) {
        self.show_in(name, status, args, answers, &[]).await;
    }

    /// Like `show`, but nothing listens at the endpoint.
    pub async fn show_offline(&self, name: &str, status: i32, args: &[&str]) {
        let env = [
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_MAX_ATTEMPTS", "1"),
        ];
        self.show_in(name, status, args, &[], &env).await;
    }

    /// Like `show`, for a command whose concurrent runs would affect each other. Of its calls that count as writes, it may
    /// make only these.
    pub async fn show_in_turn(&self, name: &str, status: i32, args: &[&str], writes: &[&str]) {
        let mut runs = Vec::new();
        for terminal in &TERMINALS {
            let command = heeler_ec(self.org).args(args);
            let command = command.on_terminal(terminal.columns, &[]);
            let env = terminal.env.iter();
            let command = env.fold(command, |command, (name, value)| command.env(name, value));
            let run = command.run().await;
            let names: Vec<String> = run.writes().iter().map(|call| call.name()).collect();
            let is_allowed = |call: &String| writes.contains(&call.as_str());
            assert!(names.iter().all(is_allowed), "{name} writes: {names:?}");
            runs.push(run);
        }
        self.compare_terminals(name, status, args, runs);
    }

    async fn show_in(
        &self,
        name: &str,
        status: i32,
        args: &[&str],
        answers: &[(&str, &str)],
        env: &[(&str, &str)],
    ) {
        let runs = TERMINALS.iter().map(|terminal| {
            let command = heeler_ec(self.org).args(args);
            let command = command.on_terminal(terminal.columns, answers);
            let command = env
                .iter()
                .fold(command, |command, (name, value)| command.env(name, value));
            let env = terminal.env.iter();
            env.fold(command, |command, (name, value)| command.env(name, value))
                .run()
        });
        let runs = futures_util::future::join_all(runs).await;
        for run in &runs {
            assert_eq!(run.writes().len(), 0, "{name} writes: {:?}", run.writes());
        }
        self.compare_terminals(name, status, args, runs);
    }

    /// Compares what a command has shown on each terminal.
    fn compare_terminals(&self, name: &str, status: i32, args: &[&str], runs: Vec<Run>) {
        let texts: Vec<String> = runs
            .into_iter()
            .map(|run| {
                let run = run.expect_status(status);
                self.redaction.apply(&tidy(&run.stdout))
            })
            .collect();
        let (plain, colored) = WITHOUT_AND_WITH_COLOR;
        assert_eq!(without_color(&texts[colored]), texts[plain], "{name}");
        let ascii = &texts[WITHOUT_UNICODE];
        assert!(ascii.is_ascii(), "{name}: {ascii}");
        let mut snapshot = self.command_line(args);
        for (terminal, text) in TERMINALS.iter().zip(&texts) {
            let text = text.replace('\u{1b}', "^[");
            let _ = write!(snapshot, "\n{SECTION}{}\n\n{text}", terminal.title);
        }
        let _ = write!(snapshot, "\n{SECTION}exit status {status}\n");
        compare(name, snapshot);
    }

    /// Compares what a command prints into pipes. It runs once and may change something.
    pub async fn show_piped(&self, name: &str, status: i32, args: &[&str]) {
        let run = heeler_ec(self.org).args(args).run().await;
        self.compare_piped(name, status, args, run);
    }

    /// Like `show_piped`, but interrupts the command during a call, after it has printed these texts.
    pub async fn show_interrupted(
        &self,
        name: &str,
        args: &[&str],
        (service, operation): (&str, &str),
        texts: &[&str],
    ) {
        let gate = self.org.proxy().hold(service, operation);
        let running = heeler_ec(self.org).args(args).spawn().await;
        gate.wait_for_call().await;
        for text in texts {
            running.wait_for_stderr(text).await;
        }
        running.interrupt();
        running.wait_for_stderr("Interrupted").await;
        gate.open();
        let run = running.wait().await;
        self.org.proxy().clear_faults();
        self.compare_piped(name, 130, args, run);
    }

    fn compare_piped(&self, name: &str, status: i32, args: &[&str], run: Run) {
        let run = run.expect_status(status);
        let mut snapshot = self.command_line(args);
        for (title, text) in [
            ("standard error", &run.stderr),
            ("standard output", &run.stdout),
        ] {
            let text = self.redaction.apply(&sort_events(&tidy(text)));
            if !text.is_empty() {
                let _ = write!(snapshot, "\n{SECTION}{title}\n\n{text}");
            }
        }
        let _ = write!(snapshot, "\n{SECTION}exit status {status}\n");
        compare(name, snapshot);
    }

    fn command_line(&self, args: &[&str]) -> String {
        let line = format!("$ heeler-ec {}\n", args.join(" "));
        self.redaction.apply(&line)
    }
}

/// The folder of the snapshots.
pub fn folder() -> PathBuf {
    emulator::repository().join("tests/snapshots")
}

/// Compares a snapshot with its file, or writes the file with `SNAPSHOTS=overwrite`.
fn compare(name: &str, snapshot: String) {
    let path = folder().join(format!("{name}.txt"));
    let expected = Data::read_from(&path, None).raw();
    Assert::new()
        .action_env("SNAPSHOTS")
        .eq(Data::text(snapshot).raw(), expected);
}

/// Removes blanks at the ends of lines, and carriage returns.
pub fn tidy(text: &str) -> String {
    let lines = text.lines().map(|line| format!("{}\n", line.trim_end()));
    lines.collect()
}

/// Removes the sequences that select a color, each of which ends with `m`.
pub fn without_color(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    tidy(&plain)
}

/// Sorts each run of lines that report finished steps: concurrent steps finish in any order. A line that continues a
/// report stays behind it.
pub fn sort_events(text: &str) -> String {
    let is_event = |line: &str| {
        let signs = ["  + ", "  ~ ", "  - ", "  > ", "  ! "];
        let line = without_color(line);
        signs.iter().any(|sign| line.starts_with(sign))
    };
    // Each report has its sort key; other lines have none.
    let mut parts: Vec<(Option<String>, String)> = Vec::new();
    for line in text.lines() {
        match parts.last_mut() {
            Some((Some(_), report)) if line.starts_with("    ") => {
                report.push_str(line);
                report.push('\n');
            }
            _ => {
                let key = is_event(line).then(|| without_color(line));
                parts.push((key, format!("{line}\n")));
            }
        }
    }
    let mut sorted = String::new();
    for group in parts.chunk_by(|(one, _), (other, _)| one.is_some() == other.is_some()) {
        let mut group: Vec<_> = group.iter().collect();
        if group[0].0.is_some() {
            group.sort_by_key(|(key, _)| key.clone());
        }
        sorted.extend(group.into_iter().map(|(_, part)| part.as_str()));
    }
    sorted
}
