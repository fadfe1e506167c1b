//! A local Lambda service: runs a function with AWS's runtime client, sends it events and receives its responses.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
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
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::emulator::repository;
use crate::skip;

/// The Python versions that the function supports; setup deploys it with the first.
const PYTHON_VERSIONS: [&str; 3] = ["3.12", "3.13", "3.11"];
/// The timeout that setup deploys the function with.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
/// The response header with the virtual duration of a call.
pub const VIRTUAL_MILLISECONDS: &str = "virtual-milliseconds";
/// The time after which an invocation without a response counts as failed.
const INVOCATION_TIMEOUT: Duration = Duration::from_secs(180);

/// The result of an invocation.
#[derive(Debug)]
pub struct Invocation {
    /// The response, or the error that the function reported to Lambda.
    pub outcome: Result<Value, Value>,
    /// The lines that the function itself printed.
    pub lines: Vec<String>,
}

impl Invocation {
    /// The only line that an invocation prints, as JSON.
    #[track_caller]
    pub fn report(&self) -> Value {
        let [line] = &self.lines[..] else {
            panic!("an invocation prints one line: {self:#?}");
        };
        serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"))
    }
}

/// A function that is ready for invocations; dropping it ends its process.
pub struct LambdaFunction {
    child: Child,
    _server: JoinHandle<()>,
    code: TempDir,
    events: mpsc::Sender<(Bytes, Duration)>,
    responses: mpsc::Receiver<Result<Value, Value>>,
    read_bytes: usize,
    has_virtual_clock: bool,
}

impl LambdaFunction {
    /// The supported Python versions that are installed. Reports each missing one.
    pub fn pythons() -> Vec<PathBuf> {
        let mut found = Vec::new();
        for version in PYTHON_VERSIONS {
            let path = repository().join(format!(".venv/function-{version}/bin/python"));
            if path.exists() {
                found.push(path);
            } else {
                skip::report(
                    &format!("python{version}"),
                    &format!("tests of the Lambda function with Python {version}"),
                    "run `make emulators` on Linux with this Python",
                );
            }
        }
        found
    }

    /// Starts a function as Lambda does: from its zip file, with only these environment variables.
    pub async fn start(
        python: &PathBuf,
        zip: &[u8],
        handler: &str,
        env: &BTreeMap<String, String>,
    ) -> LambdaFunction {
        let code = unpack(python, zip).await;
        LambdaFunction::launch(python, code, handler, env).await
    }

    /// Starts a function on a virtual clock (`virtual_clock.py`). Only sleeps take time, and calls whose response has
    /// the header [`VIRTUAL_MILLISECONDS`].
    pub async fn start_on_virtual_clock(
        python: &PathBuf,
        zip: &[u8],
        handler: &str,
        env: &BTreeMap<String, String>,
    ) -> LambdaFunction {
        let code = unpack(python, zip).await;
        let clock = code.path().join("virtual_clock.py");
        fs::write(clock, include_str!("virtual_clock.py")).expect("the clock");
        let mut env = env.clone();
        env.insert("VIRTUAL_CLOCK_HANDLER".to_owned(), handler.to_owned());
        LambdaFunction {
            has_virtual_clock: true,
            ..LambdaFunction::launch(python, code, "virtual_clock.handler", &env).await
        }
    }

    async fn launch(
        python: &PathBuf,
        code: TempDir,
        handler: &str,
        env: &BTreeMap<String, String>,
    ) -> LambdaFunction {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port on loopback");
        let api = listener.local_addr().expect("the address of a listener");
        let (events, event_receiver) = mpsc::channel(1);
        let (response_sender, responses) = mpsc::channel(1);
        let server = tokio::spawn(serve(
            listener,
            Arc::new(Mutex::new(event_receiver)),
            response_sender,
        ));
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
            responses,
            read_bytes: 0,
            has_virtual_clock: false,
        }
    }

    /// Invokes the function with the timeout that setup deploys it with.
    pub async fn invoke(&mut self, event: &Value) -> Invocation {
        self.invoke_within(event, TIME_LIMIT).await
    }

    /// Invokes the function with this timeout in its context.
    pub async fn invoke_within(&mut self, event: &Value, limit: Duration) -> Invocation {
        let mut event = event.clone();
        let mut lambda_limit = limit;
        if self.has_virtual_clock {
            event["virtualMilliseconds"] = json!(limit.as_millis());
            lambda_limit = INVOCATION_TIMEOUT;
        }
        let event = (Bytes::from(event.to_string()), lambda_limit);
        self.events.send(event).await.expect("the runtime API runs");
        let Ok(Some(outcome)) = timeout(INVOCATION_TIMEOUT, self.responses.recv()).await else {
            panic!(
                "no response\n{}\n{}",
                self.read("stdout"),
                self.read("stderr")
            );
        };
        // The function's output is in the file before its response is sent. The runtime client logs errors itself.
        let all = self.read("stdout");
        let new = &all[self.read_bytes..];
        self.read_bytes = all.len();
        let json_lines = new.lines().filter(|line| line.starts_with('{'));
        Invocation {
            outcome,
            lines: json_lines.map(str::to_owned).collect(),
        }
    }

    /// The ID of the Python process.
    pub fn process(&self) -> u32 {
        self.child.id().expect("a process that has not ended")
    }

    /// The function's log, with the lines of the runtime client.
    pub fn log(&self) -> String {
        self.read("stdout") + &self.read("stderr")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.code.path().join(name)).expect("a log file")
    }
}

/// Unpacks a zip file into a new folder.
async fn unpack(python: &PathBuf, zip: &[u8]) -> TempDir {
    let code = tempfile::tempdir().expect("a folder for the code");
    let archive = code.path().join("code.zip");
    fs::write(&archive, zip).expect("the zip");
    let unpacked = Command::new(python)
        .args(["-m", "zipfile", "-e"])
        .args([&archive, &code.path().to_path_buf()])
        .status()
        .await;
    assert!(unpacked.expect("Python runs").success(), "invalid zip file");
    code
}

type EventReceiver = Arc<Mutex<mpsc::Receiver<(Bytes, Duration)>>>;
type ResponseSender = mpsc::Sender<Result<Value, Value>>;

/// Serves Lambda's runtime API, version 2018-06-01.
async fn serve(
    listener: tokio::net::TcpListener,
    events: EventReceiver,
    responses: ResponseSender,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (events, responses) = (Arc::clone(&events), responses.clone());
        tokio::spawn(async move {
            let service =
                service_fn(|request| answer(request, Arc::clone(&events), responses.clone()));
            // An error means that the function has ended.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    events: EventReceiver,
    responses: ResponseSender,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    if request.method() == Method::GET && path.ends_with("/invocation/next") {
        let Some((event, limit)) = events.lock().await.recv().await else {
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
    let content: Value = serde_json::from_slice(&body).unwrap_or_default();
    // The test may already have ended.
    let _ = match path.rsplit('/').next() {
        Some("response") => responses.send(Ok(content)).await,
        _ => responses.send(Err(content)).await,
    };
    let accepted = Response::builder().status(202);
    Ok(accepted.body(Full::default()).expect("no headers"))
}
