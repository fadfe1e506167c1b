//! Runs the program as a user does, and records its output and its calls.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::emulator::repository;
use crate::{Call, Engine, Organization, iam_actions, json_schema};

/// The time after which a run, or something else that a test waits for, counts as stuck.
pub const RUN_TIMEOUT: Duration = Duration::from_secs(180);
/// The time in which the output of an ended program is read. A child of the program may keep the pipe open.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(60);

/// A command line of the program, not started yet.
pub struct HeelerEc<'a> {
    org: &'a Organization,
    program: PathBuf,
    allowed_actions: fn(&[String]) -> Option<BTreeSet<String>>,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    stdin: Vec<u8>,
    endpoint: bool,
    kill: Option<KillTime>,
    extra_actions: Vec<String>,
    terminal: Option<Terminal>,
}

/// The call after which the program is killed.
enum KillTime {
    /// The number of calls.
    Calls(usize),
    /// The number of calls that write.
    Writes(usize),
    /// The next call of this operation.
    Operation(String),
}

/// A terminal and the answers of a simulated user.
struct Terminal {
    columns: u16,
    /// Pairs of a text to wait for and the input to type then.
    answers: Vec<(String, String)>,
}

/// The input that ends standard input (Ctrl-D).
pub const END_OF_INPUT: &str = "\u{4}";
/// The input that interrupts the program (Ctrl-C).
pub const CTRL_C: &str = "\u{3}";

/// The result of a run: output, exit status and calls.
#[derive(Debug)]
pub struct Run {
    /// The whole standard output.
    pub stdout: String,
    /// The whole standard error.
    pub stderr: String,
    /// The exit status, or the negative signal number.
    pub status: i32,
    /// The calls that went through the organization's proxy during the run.
    pub calls: Vec<Call>,
}

impl Run {
    /// The calls that may have changed a resource.
    pub fn writes(&self) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.writes()).collect()
    }

    /// The lines that a terminal showed, without escape sequences.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.stdout.lines() {
            let mut parts = line.split('\u{1b}');
            let mut plain = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                // An escape sequence ends with its first letter.
                let end = part.find(|c: char| c.is_ascii_alphabetic());
                plain.push_str(end.map_or("", |end| &part[end + 1..]));
            }
            lines.push(plain.trim_end_matches('\r').to_owned());
        }
        lines
    }

    /// Fails with the whole output unless the exit status is this one.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Run {
        assert_eq!(
            self.status, status,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }
}

impl<'a> HeelerEc<'a> {
    /// The program at this path, acting as the owner of the management account.
    pub fn new(org: &'a Organization, program: impl Into<PathBuf>) -> HeelerEc<'a> {
        HeelerEc {
            org,
            program: program.into(),
            allowed_actions: |_| None,
            args: Vec::new(),
            env: org.env(),
            stdin: Vec::new(),
            endpoint: true,
            kill: None,
            extra_actions: Vec::new(),
            terminal: None,
        }
    }

    /// Runs another program, such as a shell that runs `heeler-ec`.
    pub fn program(mut self, path: &Path) -> HeelerEc<'a> {
        path.clone_into(&mut self.program);
        self
    }

    /// Fails the run if one of its calls needs an IAM action that this function does not return for the command line.
    /// A command line without a result is not checked.
    pub fn check_actions(
        mut self,
        allowed: fn(&[String]) -> Option<BTreeSet<String>>,
    ) -> HeelerEc<'a> {
        self.allowed_actions = allowed;
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> HeelerEc<'a> {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> HeelerEc<'a> {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Uses these credentials instead of the owner's.
    pub fn identity(mut self, credentials: &Credentials) -> HeelerEc<'a> {
        self.env.extend(self.org.env_for(credentials));
        self
    }

    /// Sets standard input; it is empty otherwise.
    pub fn stdin(mut self, text: &str) -> HeelerEc<'a> {
        self.stdin = text.as_bytes().to_vec();
        self
    }

    /// Does not set the endpoint.
    pub fn without_endpoint(mut self) -> HeelerEc<'a> {
        self.endpoint = false;
        self
    }

    /// Runs the program on a terminal of this width. The simulated user waits for each text and then types its line.
    ///
    /// `Run::stdout` has everything that the terminal shows: both outputs and the input.
    pub fn on_terminal(mut self, columns: u16, answers: &[(&str, &str)]) -> HeelerEc<'a> {
        let typed = |line: &str| match line {
            END_OF_INPUT | CTRL_C => line.to_owned(),
            line => format!("{line}\n"),
        };
        let answers = answers.iter();
        let answers = answers.map(|(text, line)| ((*text).to_owned(), typed(line)));
        self.terminal = Some(Terminal {
            columns,
            answers: answers.collect(),
        });
        // In continuous integration, no line shows what the program is doing. It would depend on the time.
        self.env("TERM", "xterm")
            .env("LANG", "C.UTF-8")
            .env("CI", "true")
    }

    /// Kills the program after the emulator completed this many calls, before the program gets the last response.
    pub fn kill_after_calls(mut self, calls: usize) -> HeelerEc<'a> {
        self.kill = Some(KillTime::Calls(calls));
        self
    }

    /// Like `kill_after_calls`, but counts only calls that write.
    pub fn kill_after_writes(mut self, writes: usize) -> HeelerEc<'a> {
        self.kill = Some(KillTime::Writes(writes));
        self
    }

    /// Kills the program after the emulator completed the first call of this operation, such as `sqs:CreateQueue`.
    pub fn kill_after_operation(mut self, name: &str) -> HeelerEc<'a> {
        self.kill = Some(KillTime::Operation(name.to_owned()));
        self
    }

    /// Allows IAM actions that are not in the policy of the command.
    pub fn extra_actions(mut self, actions: &[&str]) -> HeelerEc<'a> {
        self.extra_actions
            .extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// Runs the program until it exits.
    pub async fn run(self) -> Run {
        self.spawn().await.wait().await
    }

    /// Starts the program.
    #[expect(
        clippy::unused_async,
        reason = "spawning needs a runtime, and an async caller has one"
    )]
    pub async fn spawn(self) -> Running<'a> {
        let program = self.program;
        assert!(
            self.kill.is_none() || self.terminal.is_none(),
            "on a terminal the signal would reach the terminal, not the program"
        );
        let first_call = self.org.proxy().total();
        let pid = Arc::new(OnceLock::new());
        if let Some(time) = &self.kill {
            let pid = Arc::clone(&pid);
            let kill = move |_: &Call| signal(*pid.wait(), "KILL");
            match time {
                KillTime::Calls(count) => self.org.proxy().after_calls(*count, kill),
                KillTime::Writes(count) => self.org.proxy().after_writes(*count, kill),
                KillTime::Operation(name) => self.org.proxy().after_operation(name, kill),
            }
        }
        let args: Vec<String> = self
            .args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        let mut command = match &self.terminal {
            None => Command::new(&program),
            Some(terminal) => terminal.command(&program, self.org.engine()),
        };
        command.args(&self.args).env_clear();
        if self.endpoint {
            command.env("AWS_ENDPOINT_URL", self.org.endpoint());
        }
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        let mut child = command
            .envs(self.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("{} failed to start: {error}", program.display()));
        let id = child.id().expect("the ID of a running process");
        pid.set(id).expect("one process for one command line");

        let mut stdin = child.stdin.take().expect("a pipe to the program");
        tokio::spawn(async move {
            // An error means that the program has closed its input.
            let _ = stdin.write_all(&self.stdin).await;
        });
        let (send, lines) = mpsc::unbounded_channel();
        let stdout = CapturedOutput::lines(child.stdout.take().expect("standard output"), send);
        let stderr = CapturedOutput::all(child.stderr.take().expect("standard error"));
        let is_program = program.file_stem().is_some_and(|name| name == "heeler-ec");
        Running {
            org: self.org,
            // A terminal shows both outputs in one, and another program prints what it likes.
            json_args: (is_program && self.terminal.is_none()).then(|| args.clone()),
            allowed_actions: (self.allowed_actions)(&args).map(|mut actions| {
                actions.extend(self.extra_actions);
                actions
            }),
            first_call,
            id,
            child,
            lines,
            stdout,
            stderr,
        }
    }
}

impl Terminal {
    /// The command that runs the program on a pseudo-terminal, which a Python script provides.
    fn command(&self, program: &Path, engine: Engine) -> Command {
        let mut command = Command::new(engine.interpreter());
        command
            .arg(repository().join("tests/testkit/emulators/terminal.py"))
            .arg(self.columns.to_string())
            .arg(serde_json::json!(self.answers).to_string())
            .arg(program);
        command
    }
}

/// The running program; dropping this value kills it.
pub struct Running<'a> {
    org: &'a Organization,
    /// The arguments; `None` if the output is not checked against the JSON schemas.
    json_args: Option<Vec<String>>,
    /// The IAM actions of the command's policy; `None` if the calls are not checked.
    allowed_actions: Option<BTreeSet<String>>,
    first_call: usize,
    id: u32,
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    stdout: CapturedOutput,
    stderr: CapturedOutput,
}

impl Running<'_> {
    /// Waits for the next line of standard output; returns `None` at its end.
    pub async fn line(&mut self) -> Option<String> {
        let Ok(line) = timeout(RUN_TIMEOUT, self.lines.recv()).await else {
            panic!("no further line within {RUN_TIMEOUT:?}\n{}", self.output());
        };
        line
    }

    /// Waits for the next line of standard output that contains the text.
    pub async fn line_containing(&mut self, text: &str) -> String {
        while let Some(line) = self.line().await {
            if line.contains(text) {
                return line;
            }
        }
        panic!("no line contains {text:?}\n{}", self.output());
    }

    /// Waits until standard error contains the text.
    pub async fn wait_for_stderr(&self, text: &str) {
        self.wait_for_text(&self.stderr, text).await;
    }

    /// Waits until standard output contains the text, which need not end with a line break.
    pub async fn wait_for_stdout(&self, text: &str) {
        self.wait_for_text(&self.stdout, text).await;
    }

    async fn wait_for_text(&self, output: &CapturedOutput, text: &str) {
        let wait = async {
            while !output.text().contains(text) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let found = timeout(RUN_TIMEOUT, wait).await.is_ok();
        assert!(
            found,
            "the output never contained {text:?}\n{}",
            self.output()
        );
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        interrupt(self.id);
    }

    /// Sends SIGKILL.
    pub fn kill(&self) {
        signal(self.id, "KILL");
    }

    /// Waits until the program exits.
    pub async fn wait(mut self) -> Run {
        let Ok(ended) = timeout(RUN_TIMEOUT, self.child.wait()).await else {
            // Dropping the child kills it.
            panic!(
                "the program did not exit within {RUN_TIMEOUT:?}\n{}",
                self.output()
            );
        };
        let status = exit_number(ended.expect("the program's status"));
        if status < 0 {
            self.org.proxy().wait_until_idle().await;
        }
        let calls = self.org.proxy().calls_since(self.first_call);
        self.check_requests(&calls);
        self.check_actions(&calls);
        let (stdout, stderr) = (self.stdout.end().await, self.stderr.end().await);
        // A killed program leaves an incomplete output.
        if let Some(args) = self.json_args.as_ref().filter(|_| status >= 0) {
            let violations = json_schema::violations(args, &stdout, &stderr);
            assert!(
                violations.is_empty(),
                "output against its schema:\n{}\nstdout:\n{stdout}\nstderr:\n{stderr}",
                violations.join("\n")
            );
        }
        Run {
            stdout,
            stderr,
            status,
            calls,
        }
    }

    /// Fails if a request violates a rule of AWS that the emulator does not check.
    fn check_requests(&self, calls: &[Call]) {
        let violations: Vec<&str> = calls
            .iter()
            .flat_map(|call| call.violations.iter().map(String::as_str))
            .collect();
        assert!(
            violations.is_empty(),
            "AWS would reject these requests:\n{}\n{}",
            violations.join("\n"),
            self.output()
        );
    }

    /// Fails if a call needs an IAM action that is not allowed. Calls of other programs in the organization count, too.
    fn check_actions(&self, calls: &[Call]) {
        let Some(allowed) = &self.allowed_actions else {
            return;
        };
        let encrypted = self.org.bucket_key().is_some();
        for call in calls {
            for action in iam_actions::required_actions(call, encrypted) {
                assert!(
                    allowed.contains(&action),
                    "{} needs {action}, which the policy of the command does not allow\n{}",
                    call.name(),
                    self.output()
                );
            }
        }
    }

    fn output(&self) -> String {
        format!(
            "stdout:\n{}\nstderr:\n{}",
            self.stdout.text(),
            self.stderr.text()
        )
    }
}

/// The output of the running program so far.
struct CapturedOutput {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl CapturedOutput {
    fn all(mut output: impl AsyncRead + Send + Unpin + 'static) -> CapturedOutput {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let gathered = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece).await {
                append(&gathered, &piece[..length]);
            }
        });
        CapturedOutput { bytes, reading }
    }

    fn lines(
        mut output: impl AsyncRead + Send + Unpin + 'static,
        send: mpsc::UnboundedSender<String>,
    ) -> CapturedOutput {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let gathered = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            // A test may ignore the lines.
            let send_line = |line: &[u8]| {
                let _ = send.send(String::from_utf8_lossy(line).trim_end().to_owned());
            };
            let (mut piece, mut rest) = ([0; 4096], Vec::new());
            while let Ok(length @ 1..) = output.read(&mut piece).await {
                append(&gathered, &piece[..length]);
                rest.extend_from_slice(&piece[..length]);
                while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                    let line: Vec<u8> = rest.drain(..=end).collect();
                    send_line(&line);
                }
            }
            if !rest.is_empty() {
                send_line(&rest);
            }
        });
        CapturedOutput { bytes, reading }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().expect("captured output");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn end(&mut self) -> String {
        let _ = timeout(OUTPUT_TIMEOUT, &mut self.reading).await;
        self.text()
    }
}

fn append(bytes: &Mutex<Vec<u8>>, piece: &[u8]) {
    bytes
        .lock()
        .expect("captured output")
        .extend_from_slice(piece);
}

/// Sends SIGINT to a process, as Ctrl-C does.
pub fn interrupt(id: u32) {
    signal(id, "INT");
}

fn signal(id: u32, name: &str) {
    // The shell has `kill` built in, while the system may lack a program of that name.
    let sent = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {id}"))
        .stderr(Stdio::null())
        .status();
    // An error means that the process has already ended.
    sent.expect("a shell");
}

#[cfg(unix)]
fn exit_number(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal().map(|signal| -signal);
    status.code().or(signal).expect("a code or a signal")
}

#[cfg(not(unix))]
fn exit_number(status: ExitStatus) -> i32 {
    status.code().expect("a code")
}
