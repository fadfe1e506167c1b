//! Lambda's side of a function: unpacks its code, hands it events through AWS's own runtime client, takes its answers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex as Turn, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::emulator::repository;

/// The Pythons of Lambda that the function is for; the first is the one it is deployed with.
const PYTHONS: [&str; 3] = ["3.12", "3.13", "3.11"];
/// The time limit that the function is deployed with.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
/// How long an answer may take before the function is taken for dead.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an invocation came to.
#[derive(Debug)]
pub struct Invocation {
    /// The answer, or the error that Lambda was told of.
    pub outcome: Result<Value, Value>,
    /// The lines that the function itself printed.
    pub lines: Vec<String>,
}

impl Invocation {
    /// The one line that an invocation prints.
    #[track_caller]
    pub fn report(&self) -> Value {
        let [line] = &self.lines[..] else {
            panic!("an invocation prints one line: {self:#?}");
        };
        serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))
    }
}

/// A warm function; it ends when dropped.
pub struct LambdaFunction {
    child: Child,
    _server: JoinHandle<()>,
    code: TempDir,
    events: mpsc::Sender<(Bytes, Duration)>,
    answers: mpsc::Receiver<Result<Value, Value>>,
    seen: usize,
}

impl LambdaFunction {
    /// Every Python of Lambda's that is installed here. What is not tested is said, past the runner's own capture.
    pub fn pythons() -> Vec<PathBuf> {
        let mut found = Vec::new();
        for version in PYTHONS {
            let path = repository().join(format!(".venv/function-{version}/bin/python"));
            if path.exists() {
                found.push(path);
            } else {
                let _ = writeln!(
                    io::stderr(),
                    "skipped, the function is not run by Python {version}: {} is not there \
                     (`make emulators` with python{version}, on Linux)",
                    path.display()
                );
            }
        }
        found
    }

    /// Starts a function as Lambda does: its zip unpacked, its variables, and nothing else of this environment.
    pub async fn start(
        python: &PathBuf,
        zip: &[u8],
        handler: &str,
        env: &BTreeMap<String, String>,
    ) -> LambdaFunction {
        let code = tempfile::tempdir().expect("a folder for the code");
        let archive = code.path().join("code.zip");
        fs::write(&archive, zip).expect("the zip");
        let unpacked = Command::new(python)
            .args(["-m", "zipfile", "-e"])
            .args([&archive, &code.path().to_path_buf()])
            .status()
            .await;
        assert!(unpacked.expect("Python runs").success(), "no zip file");

        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port on loopback");
        let api = listener.local_addr().expect("the address of a listener");
        let (events, coming) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let server = tokio::spawn(serve(listener, Arc::new(Turn::new(coming)), answered));
        let file = |name: &str| fs::File::create(code.path().join(name)).expect("a log file");
        let child = Command::new(python)
            .args(["-m", "awslambdaric", handler])
            .current_dir(code.path())
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "function")
            .env("LAMBDA_TASK_ROOT", code.path())
            .env("HOME", code.path())
            .env("PYTHONPATH", code.path())
            .envs(env)
            .stdin(Stdio::null())
            .stdout(file("stdout"))
            .stderr(file("stderr"))
            .kill_on_drop(true)
            .spawn()
            .expect("the runtime client starts");
        LambdaFunction {
            child,
            _server: server,
            code,
            events,
            answers,
            seen: 0,
        }
    }

    /// Invokes the function as Lambda does after its first start.
    pub async fn invoke(&mut self, event: &Value) -> Invocation {
        self.invoke_within(event, TIME_LIMIT).await
    }

    /// Invokes the function and lets it believe that it has this much time.
    pub async fn invoke_within(&mut self, event: &Value, limit: Duration) -> Invocation {
        let event = (Bytes::from(event.to_string()), limit);
        self.events.send(event).await.expect("the runtime API runs");
        let Ok(Some(outcome)) = timeout(PATIENCE, self.answers.recv()).await else {
            panic!(
                "no answer\n{}\n{}",
                self.read("stdout"),
                self.read("stderr")
            );
        };
        // What is printed is in the file before the answer leaves. The runtime client tells of errors by itself.
        let all = self.read("stdout");
        let new = &all[self.seen..];
        self.seen = all.len();
        let own = new.lines().filter(|line| line.starts_with('{'));
        Invocation {
            outcome,
            lines: own.map(str::to_owned).collect(),
        }
    }

    /// The id of the process that Python runs in.
    pub fn process(&self) -> u32 {
        self.child.id().expect("a process that has not ended")
    }

    /// All that went to the function's log, the runtime client's own lines included.
    pub fn log(&self) -> String {
        self.read("stdout") + &self.read("stderr")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.code.path().join(name)).expect("a log file")
    }
}

type Coming = Arc<Turn<mpsc::Receiver<(Bytes, Duration)>>>;
type Answered = mpsc::Sender<Result<Value, Value>>;

/// The runtime API of 2018-06-01.
async fn serve(listener: tokio::net::TcpListener, coming: Coming, answered: Answered) {
    while let Ok((stream, _)) = listener.accept().await {
        let (coming, answered) = (Arc::clone(&coming), answered.clone());
        tokio::spawn(async move {
            let service =
                service_fn(|request| answer(request, Arc::clone(&coming), answered.clone()));
            // An error here is the function going away.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    coming: Coming,
    answered: Answered,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if request.method() == Method::GET && path.ends_with("/invocation/next") {
        let Some((event, limit)) = coming.lock().await.recv().await else {
            return std::future::pending().await;
        };
        let deadline = SystemTime::now() + limit;
        let deadline = deadline.duration_since(UNIX_EPOCH).expect("a time today");
        let response = Response::builder()
            .header("content-type", "application/json")
            .header(
                "Lambda-Runtime-Aws-Request-Id",
                "00000000-0000-0000-0000-000000000000",
            )
            .header(
                "Lambda-Runtime-Deadline-Ms",
                deadline.as_millis().to_string(),
            )
            .header(
                "Lambda-Runtime-Invoked-Function-Arn",
                "arn:aws:lambda:us-east-1:111111111111:function:function",
            );
        return Ok(response.body(Full::new(event)).expect("fine headers"));
    }
    let body = request.into_body().collect().await;
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    // The test may have ended meanwhile.
    let _ = match path.rsplit('/').next() {
        Some("response") => answered.send(Ok(said)).await,
        _ => answered.send(Err(said)).await,
    };
    let accepted = Response::builder().status(202);
    Ok(accepted.body(Full::default()).expect("no headers"))
}
