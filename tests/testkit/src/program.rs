//! Runs the program as its users do, and tells what it said and what it called.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_credential_types::Credentials;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::emulator::repository;
use crate::{Call, Engine, Organization, iam_actions};

/// How long a run may take before it is taken for stuck.
const LIMIT: Duration = Duration::from_secs(180);

/// A command line of the program, not yet started.
pub struct HeelerEc<'a> {
    org: &'a Organization,
    program: PathBuf,
    allowed_actions: fn(&[String]) -> Option<BTreeSet<String>>,
    args: Vec<OsString>,
    env: Vec<(String, String)>,
    stdin: Vec<u8>,
    endpoint: bool,
    kill: Option<(usize, bool)>,
    extra_actions: Vec<String>,
    terminal: Option<Terminal>,
}

/// A terminal with a person before it.
struct Terminal {
    columns: u16,
    /// What the person waits for, and what is typed then.
    answers: Vec<(String, String)>,
}

/// What a person types to end the input.
pub const END_OF_INPUT: &str = "\u{4}";
/// What a person types to interrupt.
pub const CTRL_C: &str = "\u{3}";

/// What a run of the program came to.
#[derive(Debug)]
pub struct Run {
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
    /// The exit status, or the negated number of the signal that ended it.
    pub status: i32,
    /// The calls that went through the organization's proxy meanwhile.
    pub calls: Vec<Call>,
}

impl Run {
    /// The calls that may have changed something.
    pub fn writes(&self) -> Vec<&Call> {
        self.calls.iter().filter(|call| call.writes()).collect()
    }

    /// What a terminal showed, line by line, without colours and the like.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.stdout.lines() {
            let mut parts = line.split('\u{1b}');
            let mut plain = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                // A sequence ends with its first letter.
                let end = part.find(|c: char| c.is_ascii_alphabetic());
                plain.push_str(end.map_or("", |end| &part[end + 1..]));
            }
            lines.push(plain.trim_end_matches('\r').to_owned());
        }
        lines
    }

    /// Fails with everything that was said unless the status is this.
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

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> HeelerEc<'a> {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Acts as somebody else than the owner.
    pub fn identity(mut self, credentials: &Credentials) -> HeelerEc<'a> {
        self.env.extend(self.org.env_for(credentials));
        self
    }

    /// Gives the program something to read; it reads nothing otherwise.
    pub fn stdin(mut self, text: &str) -> HeelerEc<'a> {
        self.stdin = text.as_bytes().to_vec();
        self
    }

    /// Leaves `--endpoint-url` to the caller.
    pub fn without_endpoint(mut self) -> HeelerEc<'a> {
        self.endpoint = false;
        self
    }

    /// Runs the program on a terminal that is so wide, before a person who waits for each text and types its line.
    ///
    /// The terminal shows standard output and standard error as one, and what is typed; it is all in `Run::stdout`.
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
        self.env("TERM", "xterm").env("LANG", "C.UTF-8")
    }

    /// Kills the program once this many of its calls have been done by AWS,
    /// before it gets the last answer.
    pub fn kill_after_calls(mut self, calls: usize) -> HeelerEc<'a> {
        self.kill = Some((calls, false));
        self
    }

    /// Like `kill_after_calls`, but counts only the calls that write.
    pub fn kill_after_writes(mut self, writes: usize) -> HeelerEc<'a> {
        self.kill = Some((writes, true));
        self
    }

    /// Lets the run need actions that are not in the policy of its command.
    pub fn extra_actions(mut self, actions: &[&str]) -> HeelerEc<'a> {
        self.extra_actions
            .extend(actions.iter().map(|action| (*action).to_owned()));
        self
    }

    /// Runs the program to its end.
    pub async fn run(self) -> Run {
        self.spawn().await.wait().await
    }

    /// Starts the program.
    #[expect(
        clippy::unused_async,
        reason = "it needs a runtime, which whoever awaits is sure to have"
    )]
    pub async fn spawn(self) -> Running<'a> {
        let program = self.program;
        assert!(
            self.kill.is_none() || self.terminal.is_none(),
            "a kill would meet the terminal, not the program"
        );
        let first_call = self.org.proxy().total();
        let pid = Arc::new(OnceLock::new());
        if let Some((count, only_writes)) = self.kill {
            let pid = Arc::clone(&pid);
            let kill = move |_: &Call| signal(*pid.wait(), "KILL");
            if only_writes {
                self.org.proxy().after_writes(count, kill);
            } else {
                self.org.proxy().after_calls(count, kill);
            }
        }
        let args: Vec<String> = self
            .args
            .iter()
            .map(|arg| arg.to_string_lossy().into_owned())
            .collect();
        let mut command = match &self.terminal {
            None => Command::new(&program),
            Some(terminal) => terminal.before(&program, self.org.engine()),
        };
        command.args(&self.args).env_clear();
        if self.endpoint {
            command.arg("--endpoint-url").arg(self.org.endpoint());
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
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let id = child.id().expect("the id of a process just started");
        pid.set(id).expect("one process for one command line");

        let mut stdin = child.stdin.take().expect("a pipe to the program");
        tokio::spawn(async move {
            // A program that does not read its input has closed it.
            let _ = stdin.write_all(&self.stdin).await;
        });
        let (send, lines) = mpsc::unbounded_channel();
        let stdout = Gathered::lines(child.stdout.take().expect("standard output"), send);
        let stderr = Gathered::all(child.stderr.take().expect("standard error"));
        Running {
            org: self.org,
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
    /// The program with the terminal before it; Python has what it takes.
    fn before(&self, program: &Path, engine: Engine) -> Command {
        let mut command = Command::new(engine.interpreter());
        command
            .arg(repository().join("tests/testkit/emulators/terminal.py"))
            .arg(self.columns.to_string())
            .arg(serde_json::json!(self.answers).to_string())
            .arg(program);
        command
    }
}

/// The program while it runs; dropping it kills it.
pub struct Running<'a> {
    org: &'a Organization,
    /// The IAM actions of the command's policy; `None` if the calls are not checked.
    allowed_actions: Option<BTreeSet<String>>,
    first_call: usize,
    id: u32,
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
    stdout: Gathered,
    stderr: Gathered,
}

impl Running<'_> {
    /// The next line of standard output; `None` once it has ended.
    pub async fn line(&mut self) -> Option<String> {
        let Ok(line) = timeout(LIMIT, self.lines.recv()).await else {
            panic!("no further line came\n{}", self.said());
        };
        line
    }

    /// The next line of standard output that contains the text.
    pub async fn line_containing(&mut self, text: &str) -> String {
        while let Some(line) = self.line().await {
            if line.contains(text) {
                return line;
            }
        }
        panic!("no line with {text:?} came\n{}", self.said());
    }

    /// Waits until standard error contains the text.
    pub async fn wait_for_stderr(&self, text: &str) {
        let waiting = async {
            while !self.stderr.text().contains(text) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let said = timeout(LIMIT, waiting).await.is_ok();
        assert!(said, "standard error never said {text:?}\n{}", self.said());
    }

    /// What came on standard error so far.
    pub fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&self) {
        interrupt(self.id);
    }

    /// Ends the program without a chance to clean up.
    pub fn kill(&self) {
        signal(self.id, "KILL");
    }

    /// Waits until the program has ended.
    pub async fn wait(mut self) -> Run {
        let Ok(ended) = timeout(LIMIT, self.child.wait()).await else {
            // Dropping the child kills it.
            panic!("the program does not end\n{}", self.said());
        };
        let status = number(ended.expect("the program's status"));
        if status < 0 {
            self.org.proxy().wait_until_idle().await;
        }
        let calls = self.org.proxy().calls_since(self.first_call);
        self.hold_to_policy(&calls);
        Run {
            stdout: self.stdout.end().await,
            stderr: self.stderr.end().await,
            status,
            calls,
        }
    }

    /// Fails when a call needs what the policy that the program prints for its command does not permit. Other
    /// programs that run in the organization meanwhile have to be content with that policy, too.
    fn hold_to_policy(&self, calls: &[Call]) {
        let Some(allowed) = &self.allowed_actions else {
            return;
        };
        let encrypted = self.org.bucket_key().is_some();
        for call in calls {
            for action in iam_actions::required_actions(call, encrypted) {
                assert!(
                    allowed.contains(&action),
                    "{} needs {action}, which the policy of the command does not permit\n{}",
                    call.name(),
                    self.said()
                );
            }
        }
    }

    fn said(&self) -> String {
        format!(
            "stdout:\n{}\nstderr:\n{}",
            self.stdout.text(),
            self.stderr.text()
        )
    }
}

/// Output as far as it has come.
struct Gathered {
    bytes: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
}

impl Gathered {
    fn all(mut output: impl AsyncRead + Send + Unpin + 'static) -> Gathered {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let gathered = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut piece).await {
                append(&gathered, &piece[..length]);
            }
        });
        Gathered { bytes, reading }
    }

    fn lines(
        output: impl AsyncRead + Send + Unpin + 'static,
        send: mpsc::UnboundedSender<String>,
    ) -> Gathered {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let gathered = Arc::clone(&bytes);
        let reading = tokio::spawn(async move {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while let Ok(1..) = output.read_until(b'\n', &mut line).await {
                append(&gathered, &line);
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                line.clear();
                // Nobody has to listen.
                let _ = send.send(text);
            }
        });
        Gathered { bytes, reading }
    }

    fn text(&self) -> String {
        let bytes = self.bytes.lock().expect("output gathered so far");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    async fn end(&mut self) -> String {
        // A grandchild could hold the pipe open; what came so far is enough.
        let _ = timeout(Duration::from_secs(5), &mut self.reading).await;
        self.text()
    }
}

fn append(bytes: &Mutex<Vec<u8>>, piece: &[u8]) {
    bytes
        .lock()
        .expect("output gathered so far")
        .extend_from_slice(piece);
}

/// Presses Ctrl-C for a process that a shell has started.
pub fn interrupt(id: u32) {
    signal(id, "INT");
}

fn signal(id: u32, name: &str) {
    // The shell has `kill` built in; a program of that name may be missing.
    let sent = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {id}"))
        .stderr(Stdio::null())
        .status();
    // A process that has ended already needs no signal.
    sent.expect("a shell");
}

#[cfg(unix)]
fn number(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    let signal = status.signal().map(|signal| -signal);
    status.code().or(signal).expect("a code or a signal")
}

#[cfg(not(unix))]
fn number(status: ExitStatus) -> i32 {
    status.code().expect("a code")
}
