//! Stands between the program and an emulator: records every call and makes chosen ones fail.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::wire::{self, WireResponse};

/// Operations that only read start with one of these.
const READING: [&str; 7] = [
    "Get", "List", "Describe", "Head", "Filter", "Lookup", "Simulate",
];

/// One call that went through the proxy.
#[derive(Clone, Debug)]
pub struct Call {
    /// The signing name of the service, such as `sqs`.
    pub service: String,
    /// The operation as today's API names it.
    pub operation: String,
    /// The region that the request was signed for.
    pub region: String,
    /// The access key that signed the request.
    pub access_key: String,
    /// The path and query.
    pub target: String,
    /// The body that the caller sent.
    pub body: Bytes,
    /// When the whole request had arrived.
    pub started: Instant,
    /// When the answer was passed on; `None` if the caller got none.
    pub finished: Option<Instant>,
    /// The status of the answer; `None` if the caller got none.
    pub status: Option<u16>,
}

impl Call {
    /// Whether the operation may change anything: all that do not read.
    ///
    /// `ReceiveMessage` and `AssumeRole` therefore count as writing.
    pub fn writes(&self) -> bool {
        !READING
            .iter()
            .any(|prefix| self.operation.starts_with(prefix))
    }

    /// The call as `service:Operation`, the way IAM names actions.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What happens to a call instead of being passed on, before it, or after.
#[derive(Clone, Debug)]
pub enum FaultAction {
    /// Answer with an error in the service's own protocol.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The code that the SDK reports.
        code: String,
        /// The error's message.
        message: String,
    },
    /// Pass the call on after this long.
    Delay(Duration),
    /// Close the connection; the call does not reach the emulator.
    DropRequest,
    /// Pass the call on, then close the connection instead of answering.
    DropResponse,
    /// Pass the call on, then close the connection in the middle of the answer.
    TruncateResponse,
    /// Never answer; the call does not reach the emulator.
    NeverRespond,
    /// Answer with exactly this.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The headers besides the length.
        headers: Vec<(String, String)>,
        /// The whole body.
        body: Vec<u8>,
    },
    /// Pass the call on, then change what is answered.
    EditResponse(ResponseEdit),
}

/// Changes an answer.
#[derive(Clone)]
pub struct ResponseEdit(Arc<dyn Fn(&mut WireResponse) + Send + Sync>);

impl std::fmt::Debug for ResponseEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pen")
    }
}

impl FaultAction {
    /// A refusal, for short.
    pub fn refuse(status: u16, code: &str, message: &str) -> FaultAction {
        FaultAction::Refuse {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Changes an answer of any form; its length is counted anew.
    pub fn edit_response(edit: impl Fn(&mut WireResponse) + Send + Sync + 'static) -> FaultAction {
        FaultAction::EditResponse(ResponseEdit(Arc::new(edit)))
    }

    /// Changes an answer that is JSON, such as one field of it.
    pub fn edit_json(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> FaultAction {
        FaultAction::edit_response(move |answer| {
            let mut value = serde_json::from_slice(&answer.body).expect("an answer of JSON");
            edit(&mut value);
            answer.body = value.to_string().into();
        })
    }

    /// Changes an answer that is text, such as XML.
    pub fn edit_text(edit: impl Fn(&str) -> String + Send + Sync + 'static) -> FaultAction {
        FaultAction::edit_response(move |answer| {
            let text = String::from_utf8_lossy(&answer.body);
            answer.body = edit(&text).into();
        })
    }

    /// Gives an answer a header, or takes it away.
    pub fn set_header(name: &'static str, value: Option<&str>) -> FaultAction {
        let value = value.map(|value| HeaderValue::from_str(value).expect("visible characters"));
        FaultAction::edit_response(move |answer| match &value {
            Some(value) => drop(answer.headers.insert(name, value.clone())),
            None => drop(answer.headers.remove(name)),
        })
    }
}

/// Which calls something happens to.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The signing name of the service, or `*`.
    pub service: String,
    /// The operation, or `*`.
    pub operation: String,
    /// How many matching calls go through first.
    pub after: usize,
    /// How many matching calls are then affected; retries of the SDK count.
    pub times: usize,
    /// What happens to them.
    pub action: FaultAction,
    /// Only calls with this in their body match.
    holding: Option<String>,
}

impl Fault {
    /// Affects every matching call from the first on.
    pub fn new(service: &str, operation: &str, action: FaultAction) -> Fault {
        Fault {
            service: service.to_owned(),
            operation: operation.to_owned(),
            after: 0,
            times: usize::MAX,
            action,
            holding: None,
        }
    }

    /// Lets this many matching calls through first.
    pub fn after(self, after: usize) -> Fault {
        Fault { after, ..self }
    }

    /// Affects this many matching calls only.
    pub fn times(self, times: usize) -> Fault {
        Fault { times, ..self }
    }

    /// Affects only calls that have this in their body.
    pub fn with_body_containing(self, text: &str) -> Fault {
        Fault {
            holding: Some(text.to_owned()),
            ..self
        }
    }

    fn matches(&self, call: &Call) -> bool {
        let fits = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        let holding = self.holding.as_deref();
        fits(&self.service, &call.service)
            && fits(&self.operation, &call.operation)
            && holding.is_none_or(|text| String::from_utf8_lossy(&call.body).contains(text))
    }
}

/// Runs once, when the call that it waits for has been answered.
type Hook = Box<dyn FnOnce(&Call) + Send>;

struct Waiting {
    left: usize,
    only_writes: bool,
    hook: Hook,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    cleared: usize,
    delay: Duration,
    jitter: Option<(Duration, u64)>,
    faults: Vec<(Fault, usize)>,
    headers: Vec<(HeaderName, HeaderValue)>,
    hooks: Vec<Waiting>,
    /// Held by every connection and by every call that is being passed on.
    busy: Arc<()>,
}

/// A recording HTTP proxy on loopback; it ends when dropped.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy in front of whatever listens at `upstream`.
    pub fn start(upstream: SocketAddr) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("the address of a listener");
        listener
            .set_nonblocking(true)
            .expect("a listener that does not block");
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime for the proxy");
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, upstream, shared) => {}
                }
            });
        });
        Proxy {
            address,
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The URL that callers use as their endpoint.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call since the start or the last `clear`, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many calls there have been since the start, forgotten ones included.
    pub fn total(&self) -> usize {
        let state = self.state();
        state.cleared + state.calls.len()
    }

    /// The calls that came after so many since the start.
    pub fn calls_since(&self, total: usize) -> Vec<Call> {
        let state = self.state();
        let from = total.saturating_sub(state.cleared).min(state.calls.len());
        state.calls[from..].to_vec()
    }

    /// The calls that may have changed something.
    pub fn writes(&self) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(Call::writes);
        calls
    }

    /// Forgets the recorded calls; faults and the delay stay.
    pub fn clear(&self) {
        let mut state = self.state();
        state.cleared += state.calls.len();
        state.calls.clear();
    }

    /// Adds a fault; the first fault that affects a call wins.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push((fault, 0));
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Holds every call up for this long.
    pub fn delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Holds each call up for another while, up to this long, so that calls side by side come in another order.
    pub fn jitter(&self, longest: Duration, seed: u64) {
        self.state().jitter = Some((longest, seed));
    }

    /// Adds a header to every call that is passed on, or replaces it.
    pub fn header(&self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a header of visible characters");
        self.state()
            .headers
            .push((HeaderName::from_static(name), value));
    }

    /// Waits until all that callers who have gone had sent is done. What such a caller still had under way, the
    /// emulator carries out; whoever looks at the organization next should see it.
    pub async fn wait_until_idle(&self) {
        // Connections are accepted in turn: once this one has been, every earlier one has.
        if let Ok(mut last) = TcpStream::connect(self.address).await {
            let _ = last.shutdown().await;
            let _ = last.read(&mut [0]).await;
        }
        let idle = async {
            while Arc::strong_count(&self.state().busy) > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // A caller that lives on may keep its connection.
        let _ = tokio::time::timeout(Duration::from_secs(5), idle).await;
    }

    /// Calls `hook` once `calls` more calls have been answered.
    ///
    /// It runs when the emulator has done the call and before the caller gets
    /// the answer, so a caller that the hook kills never learns of it.
    pub fn after_calls(&self, calls: usize, hook: impl FnOnce(&Call) + Send + 'static) {
        self.wait_for(calls, false, Box::new(hook));
    }

    /// Like `after_calls`, but counts only the calls that write.
    pub fn after_writes(&self, writes: usize, hook: impl FnOnce(&Call) + Send + 'static) {
        self.wait_for(writes, true, Box::new(hook));
    }

    fn wait_for(&self, left: usize, only_writes: bool, hook: Hook) {
        assert!(left > 0, "a hook waits for one call at least");
        self.state().hooks.push(Waiting {
            left,
            only_writes,
            hook,
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there has been printed already.
            let _ = thread.join();
        }
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn accept(listener: TcpListener, upstream: SocketAddr, state: Arc<Mutex<State>>) {
    let listener = tokio::net::TcpListener::from_std(listener).expect("a listener of the runtime");
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // Without it, small answers wait for acknowledgements.
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        let busy = Arc::clone(&locked(&state).busy);
        tokio::spawn(async move {
            let service = service_fn(|request| serve(request, upstream, Arc::clone(&state)));
            // An error here is the caller going away, or a cut on purpose.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(busy);
        });
    }
}

/// Answers one request; an error closes the connection without an answer.
async fn serve(
    request: Request<Incoming>,
    upstream: SocketAddr,
    state: Arc<Mutex<State>>,
) -> io::Result<Response<Sent>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let asked = wire::read(&parts.method, &parts.uri, &parts.headers, &body);
    let call = Call {
        service: asked.service,
        operation: asked.operation,
        region: asked.region,
        access_key: asked.access_key,
        target: parts.uri.to_string(),
        body: body.clone(),
        started: Instant::now(),
        finished: None,
        status: None,
    };

    let (index, what, delay, added, busy) = {
        let mut state = locked(&state);
        let what = state.inject(&call);
        state.calls.push(call.clone());
        let index = state.cleared + state.calls.len() - 1;
        let busy = Arc::clone(&state.busy);
        let delay = state.delay + state.random_delay(index);
        (index, what, delay, state.headers.clone(), busy)
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }

    let mut forwarded = Request::from_parts(parts, Full::new(body));
    forwarded.headers_mut().remove(CONNECTION);
    forwarded.headers_mut().remove(TRANSFER_ENCODING);
    for (name, value) in added {
        forwarded.headers_mut().insert(name, value);
    }
    let method = forwarded.method().clone();
    let breaks_off = matches!(what, Some(FaultAction::TruncateResponse));
    let answer = match what {
        None | Some(FaultAction::TruncateResponse) => pass_on(forwarded, upstream, busy).await?,
        Some(FaultAction::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            pass_on(forwarded, upstream, busy).await?
        }
        Some(FaultAction::EditResponse(ResponseEdit(pen))) => {
            let (parts, body) = pass_on(forwarded, upstream, busy).await?.into_parts();
            let mut answer = WireResponse {
                status: parts.status.as_u16(),
                headers: parts.headers,
                body: body.collect().await.map_err(io::Error::other)?.to_bytes(),
            };
            pen(&mut answer);
            // The answer to HEAD has a length and no body.
            if method != Method::HEAD {
                answer.headers.remove(CONTENT_LENGTH);
            }
            response(answer)?
        }
        Some(FaultAction::DropRequest) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(FaultAction::DropResponse) => {
            pass_on(forwarded, upstream, busy).await?;
            notify(&state, index, &call);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Some(FaultAction::NeverRespond) => std::future::pending().await,
        Some(FaultAction::Refuse {
            status,
            code,
            message,
        }) => response(wire::refusal(
            &call.service,
            &method,
            status,
            &code,
            &message,
        ))?,
        Some(FaultAction::Respond {
            status,
            headers,
            body,
        }) => {
            let mut answer = WireResponse {
                status,
                headers: hyper::HeaderMap::new(),
                body: body.into(),
            };
            for (name, value) in headers {
                let name = HeaderName::try_from(name).map_err(io::Error::other)?;
                let value = HeaderValue::try_from(value).map_err(io::Error::other)?;
                answer.headers.append(name, value);
            }
            response(answer)?
        }
    };

    locked(&state).finish(index, answer.status().as_u16());
    notify(&state, index, &call);
    let (head, body) = answer.into_parts();
    let body = if breaks_off {
        half(body).await?
    } else {
        body.map_err(|never| match never {}).boxed_unsync()
    };
    Ok(Response::from_parts(head, body))
}

/// What is sent back to the caller.
type Sent = UnsyncBoxBody<Bytes, io::Error>;

/// The first half, and then nothing more. The head has told the length of the whole.
async fn half(body: Full<Bytes>) -> io::Result<Sent> {
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let first = Ok(Frame::data(bytes.slice(..bytes.len() / 2)));
    let end = async {
        // The server forgets what it has not sent yet.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    let frames = stream::iter([first]).chain(stream::once(end));
    Ok(StreamBody::new(frames).boxed_unsync())
}

/// Runs the hooks that waited for this call, with the state unlocked.
fn notify(state: &Mutex<State>, index: usize, call: &Call) {
    let due = locked(state).answered(index, call);
    for (hook, call) in due {
        hook(&call);
    }
}

impl State {
    /// What shall happen to this call, if anything.
    fn inject(&mut self, call: &Call) -> Option<FaultAction> {
        let mut struck = None;
        for (fault, seen) in &mut self.faults {
            if !fault.matches(call) {
                continue;
            }
            *seen += 1;
            let active = *seen > fault.after && *seen - fault.after <= fault.times;
            if active && struck.is_none() {
                struck = Some(fault.action.clone());
            }
        }
        struck
    }

    /// A part of the longest while, which a seed and the number of the call tell.
    fn random_delay(&self, index: usize) -> Duration {
        let Some((longest, seed)) = self.jitter else {
            return Duration::ZERO;
        };
        let mut bits = seed
            .wrapping_add(index as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        bits ^= bits >> 29;
        bits = bits.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        longest.mul_f64(f64::from((bits >> 32) as u32) / f64::from(u32::MAX))
    }

    fn finish(&mut self, index: usize, status: u16) {
        let Some(position) = index.checked_sub(self.cleared) else {
            return;
        };
        if let Some(call) = self.calls.get_mut(position) {
            call.finished = Some(Instant::now());
            call.status = Some(status);
        }
    }

    /// Counts an answered call and takes out the hooks that waited for it.
    fn answered(&mut self, index: usize, call: &Call) -> Vec<(Hook, Call)> {
        let call = index
            .checked_sub(self.cleared)
            .and_then(|position| self.calls.get(position))
            .unwrap_or(call)
            .clone();
        for waiting in &mut self.hooks {
            if !waiting.only_writes || call.writes() {
                waiting.left -= 1;
            }
        }
        let (due, waiting) = std::mem::take(&mut self.hooks)
            .into_iter()
            .partition(|waiting| waiting.left == 0);
        self.hooks = waiting;
        due.into_iter()
            .map(|waiting: Waiting| (waiting.hook, call.clone()))
            .collect()
    }
}

/// Sends the request to the emulator as it came and reads the whole answer, also when the caller goes away meanwhile.
async fn pass_on(
    request: Request<Full<Bytes>>,
    upstream: SocketAddr,
    busy: Arc<()>,
) -> io::Result<Response<Full<Bytes>>> {
    let passing = tokio::spawn(async move {
        let answer = exchange(request, upstream).await;
        drop(busy);
        answer
    });
    passing.await.map_err(io::Error::other)?
}

async fn exchange(
    request: Request<Full<Bytes>>,
    upstream: SocketAddr,
) -> io::Result<Response<Full<Bytes>>> {
    let stream = TcpStream::connect(upstream).await?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    let answer = match answer {
        Ok(answer) => {
            let (mut parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            parts.headers.remove(CONNECTION);
            parts.headers.remove(TRANSFER_ENCODING);
            Ok(Response::from_parts(parts, Full::new(body)))
        }
        Err(error) => Err(io::Error::other(error)),
    };
    connection.abort();
    answer
}

fn response(answer: WireResponse) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(io::Error::other)?;
    *response.headers_mut() = answer.headers;
    Ok(response)
}
