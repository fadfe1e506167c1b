//! A proxy between the program and an emulator: records every call and injects faults.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderName, HeaderValue, TRANSFER_ENCODING};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::gate::Gate;
use crate::metrics::Metrics;
use crate::strict;
use crate::strict::eventual::{EventualConsistency, Rule};
use crate::strict::repeated_creation::RepeatedCreation;
use crate::strict::variation::{self, ListForm};
use crate::wire::{self, WireResponse};

/// Prefixes of the operations that only read.
const READ_PREFIXES: [&str; 7] = [
    "Get", "List", "Describe", "Head", "Filter", "Lookup", "Simulate",
];

/// A call that went through the proxy.
#[derive(Clone, Debug)]
pub struct Call {
    /// The signing name of the service, such as `sqs`.
    pub service: String,
    /// The operation under its current API name.
    pub operation: String,
    /// The region that the request was signed for.
    pub region: String,
    /// The access key that signed the request.
    pub access_key: String,
    /// The HTTP method.
    pub method: Method,
    /// The request headers.
    pub headers: HeaderMap,
    /// The path and query.
    pub target: String,
    /// The request body.
    pub body: Bytes,
    /// The time at which the whole request had arrived.
    pub started: Instant,
    /// The time at which the response was passed on; `None` without a response.
    pub finished: Option<Instant>,
    /// The status of the response; `None` without a response.
    pub status: Option<u16>,
    /// The rules of AWS that the request violates.
    pub violations: Vec<String>,
}

impl Call {
    /// Returns true unless the operation only reads.
    ///
    /// `ReceiveMessage` and `AssumeRole` count as writes.
    pub fn writes(&self) -> bool {
        Call::is_write(&self.operation)
    }

    /// Returns true unless the operation with this name only reads.
    pub fn is_write(operation: &str) -> bool {
        !READ_PREFIXES
            .iter()
            .any(|prefix| operation.starts_with(prefix))
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

/// The effect of a fault on a call.
#[derive(Clone, Debug)]
pub enum FaultAction {
    /// Respond with an error in the service's protocol; the call does not reach the emulator.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The code that the SDK reports.
        code: String,
        /// The error's message.
        message: String,
    },
    /// Pass the call on after a delay.
    Delay(Duration),
    /// Pass the call on when the gate is open.
    Hold(Gate),
    /// Like `Refuse`, with the status, the code and the message that this function returns for the call.
    RefuseAs(fn(&Call) -> (u16, &'static str, &'static str)),
    /// Close the connection; the call does not reach the emulator.
    DropRequest,
    /// Pass the call on, then close the connection instead of responding.
    DropResponse,
    /// Pass the call on, then close the connection in the middle of the response.
    TruncateResponse,
    /// Never respond; the call does not reach the emulator.
    NeverRespond,
    /// Respond with this; the call does not reach the emulator.
    Respond {
        /// The HTTP status.
        status: u16,
        /// The headers except `content-length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Pass the call on, then change the response.
    EditResponse(ResponseEdit),
}

/// A function that changes a response.
#[derive(Clone)]
pub struct ResponseEdit(Arc<dyn Fn(&mut WireResponse) + Send + Sync>);

impl std::fmt::Debug for ResponseEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResponseEdit")
    }
}

impl FaultAction {
    /// Shorthand for `Refuse`.
    pub fn refuse(status: u16, code: &str, message: &str) -> FaultAction {
        FaultAction::Refuse {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// Changes a response of any format. The proxy updates its length.
    pub fn edit_response(edit: impl Fn(&mut WireResponse) + Send + Sync + 'static) -> FaultAction {
        FaultAction::EditResponse(ResponseEdit(Arc::new(edit)))
    }

    /// Changes a JSON response.
    pub fn edit_json(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> FaultAction {
        FaultAction::edit_response(move |response| {
            let mut value = serde_json::from_slice(&response.body).expect("a JSON response");
            edit(&mut value);
            response.body = value.to_string().into();
        })
    }

    /// Changes a text response, such as XML.
    pub fn edit_text(edit: impl Fn(&str) -> String + Send + Sync + 'static) -> FaultAction {
        FaultAction::edit_response(move |response| {
            let text = String::from_utf8_lossy(&response.body);
            response.body = edit(&text).into();
        })
    }

    /// Sets or removes a response header.
    pub fn set_header(name: &'static str, value: Option<&str>) -> FaultAction {
        let value = value.map(|value| HeaderValue::from_str(value).expect("visible characters"));
        FaultAction::edit_response(move |response| match &value {
            Some(value) => drop(response.headers.insert(name, value.clone())),
            None => drop(response.headers.remove(name)),
        })
    }
}

/// A fault and the calls that it affects.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The signing name of the service, or `*`.
    pub service: String,
    /// The operation, or `*`.
    pub operation: String,
    /// The number of matching calls that pass first.
    pub after: usize,
    /// The number of matching calls that are then affected; retries of the SDK count.
    pub times: usize,
    /// The effect on these calls.
    pub action: FaultAction,
    /// A text that the request body must contain.
    body_text: Option<String>,
    /// A text that the path and query must contain.
    target_text: Option<String>,
    /// The percentage of these calls that are affected.
    percent: u64,
    /// The time after the first affected call at which the fault ends.
    duration: Option<Duration>,
}

impl Fault {
    /// Affects every matching call.
    pub fn new(service: &str, operation: &str, action: FaultAction) -> Fault {
        Fault {
            service: service.to_owned(),
            operation: operation.to_owned(),
            after: 0,
            times: usize::MAX,
            action,
            body_text: None,
            target_text: None,
            percent: 100,
            duration: None,
        }
    }

    /// Affects a pseudo-random part of the calls, the same in each run. The second call is part of it, so that the fault
    /// affects short runs, too. The first call of each command only identifies the caller.
    pub fn percent(self, percent: u64) -> Fault {
        Fault { percent, ..self }
    }

    /// Ends this long after the first affected call.
    pub fn lasting(self, duration: Duration) -> Fault {
        Fault {
            duration: Some(duration),
            ..self
        }
    }

    /// Lets this many matching calls pass first.
    pub fn after(self, after: usize) -> Fault {
        Fault { after, ..self }
    }

    /// Affects only this many matching calls.
    pub fn times(self, times: usize) -> Fault {
        Fault { times, ..self }
    }

    /// Affects only calls whose request body contains the text.
    pub fn with_body_containing(self, text: &str) -> Fault {
        Fault {
            body_text: Some(text.to_owned()),
            ..self
        }
    }

    /// Affects only calls whose path and query contain the text.
    pub fn with_target_containing(self, text: &str) -> Fault {
        Fault {
            target_text: Some(text.to_owned()),
            ..self
        }
    }

    fn matches(&self, call: &Call) -> bool {
        let matches_name = |pattern: &str, name: &str| pattern == "*" || pattern == name;
        let body_text = self.body_text.as_deref();
        let target_text = self.target_text.as_deref();
        matches_name(&self.service, &call.service)
            && matches_name(&self.operation, &call.operation)
            && body_text.is_none_or(|text| String::from_utf8_lossy(&call.body).contains(text))
            && target_text.is_none_or(|text| call.target.contains(text))
    }
}

/// A function that responds to the calls of an operation.
type Responder = Arc<dyn Fn(&Call) -> WireResponse + Send + Sync>;

/// A function that runs after each call, and the future that the response waits for.
type CallHook = Arc<dyn Fn(&Call) -> BoxFuture<'static, ()> + Send + Sync>;

/// A function that runs once, after the call that it waits for.
type Hook = Box<dyn FnOnce(&Call) + Send>;

struct PendingHook {
    calls_left: usize,
    only_writes: bool,
    /// The only operation that counts, as `service:Operation`.
    name: Option<String>,
    hook: Hook,
}

struct ActiveFault {
    fault: Fault,
    matching_calls: usize,
    first_affected: Option<Instant>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    cleared: usize,
    delay: Duration,
    jitter: Option<(Duration, u64)>,
    faults: Vec<ActiveFault>,
    injected: usize,
    eventual: EventualConsistency,
    repeated_creation: RepeatedCreation,
    variation: Option<ListForm>,
    headers: Vec<(HeaderName, HeaderValue)>,
    metrics: Metrics,
    hooks: Vec<PendingHook>,
    /// Responses to operations that no emulator has: service, operation and function.
    responders: Vec<(String, String, Responder)>,
    call_hooks: Vec<CallHook>,
    /// Held by every connection and by every call that is being passed on.
    busy: Arc<()>,
}

/// A recording HTTP proxy on the loopback interface; dropping it stops it.
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Starts a proxy that passes calls on to `upstream`.
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

    /// The calls since the start or the last `clear`, in order of arrival.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// The number of calls since the start; `clear` does not reset it.
    pub fn total(&self) -> usize {
        let state = self.state();
        state.cleared + state.calls.len()
    }

    /// The calls after the first `total` ones since the start.
    pub fn calls_since(&self, total: usize) -> Vec<Call> {
        let state = self.state();
        let from = total.saturating_sub(state.cleared).min(state.calls.len());
        state.calls[from..].to_vec()
    }

    /// The calls that may have changed a resource.
    pub fn writes(&self) -> Vec<Call> {
        let mut calls = self.calls();
        calls.retain(Call::writes);
        calls
    }

    /// The rules of AWS that recorded requests violate.
    pub fn violations(&self) -> Vec<String> {
        let calls = self.calls();
        calls.into_iter().flat_map(|call| call.violations).collect()
    }

    /// Clears the recorded calls, but not the faults and the delay.
    pub fn clear(&self) {
        let mut state = self.state();
        state.cleared += state.calls.len();
        state.calls.clear();
    }

    /// Adds a fault. The first fault that matches a call takes effect.
    pub fn fault(&self, fault: Fault) {
        self.state().faults.push(ActiveFault {
            fault,
            matching_calls: 0,
            first_affected: None,
        });
    }

    /// The number of calls that a fault has affected since the start.
    pub fn injected(&self) -> usize {
        self.state().injected
    }

    /// Plays the delays of AWS from now on.
    pub fn eventual_consistency(&self, rules: &[(Rule, Duration)]) {
        self.state().eventual = EventualConsistency::new(rules);
    }

    /// Makes each read return its old response this many times after a write to its service.
    pub fn read_lag(&self, reads: usize) {
        self.state().eventual = EventualConsistency::with_read_lag(reads);
    }

    /// The rules that have affected a call, and the number of stale reads.
    pub fn played_rules(&self) -> Vec<Rule> {
        self.state().eventual.played()
    }

    /// Varies every response as AWS may do: another order, unknown attributes, and this form of lists in policies.
    pub fn vary_responses(&self, form: Option<ListForm>) {
        self.state().variation = form;
    }

    /// Holds the calls of an operation until the returned gate is opened.
    pub fn hold(&self, service: &str, operation: &str) -> Gate {
        let gate = Gate::closed();
        let action = FaultAction::Hold(gate.clone());
        self.fault(Fault::new(service, operation, action));
        gate
    }

    /// Sets the data points of a metric: namespace, name, and name and value of its dimension. Each data point is for one
    /// minute, the latest first.
    pub fn set_metric(&self, metric: [&str; 4], points: &[f64]) {
        self.state().metrics.set(metric, points);
    }

    /// Removes all metrics.
    pub fn clear_metrics(&self) {
        self.state().metrics.clear();
    }

    /// Removes every fault.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
    }

    /// Delays every call by this duration.
    pub fn delay(&self, delay: Duration) {
        self.state().delay = delay;
    }

    /// Delays each call by another pseudo-random duration, so that concurrent calls arrive in another order.
    pub fn jitter(&self, longest: Duration, seed: u64) {
        self.state().jitter = Some((longest, seed));
    }

    /// Sets a header of every call that is passed on.
    pub fn header(&self, name: &'static str, value: &str) {
        let value = HeaderValue::from_str(value).expect("a header of visible characters");
        self.state()
            .headers
            .push((HeaderName::from_static(name), value));
    }

    /// Waits until the calls of programs that have ended are complete.
    ///
    /// The emulator completes such calls, and a test that reads afterwards must see their effect.
    pub async fn wait_until_idle(&self) {
        // Connections are accepted in order, so every earlier one is accepted before this one.
        if let Ok(mut last) = TcpStream::connect(self.address).await {
            let _ = last.shutdown().await;
            let _ = last.read(&mut [0]).await;
        }
        let idle = async {
            while Arc::strong_count(&self.state().busy) > 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // A program that still runs may keep its connection.
        let _ = tokio::time::timeout(Duration::from_secs(60), idle).await;
    }

    /// Runs `hook` after `calls` more calls.
    ///
    /// It runs after the emulator completed the call and before the caller gets the response. A caller that the hook
    /// kills never sees the response.
    pub fn after_calls(&self, calls: usize, hook: impl FnOnce(&Call) + Send + 'static) {
        self.wait_for(calls, false, Box::new(hook));
    }

    /// Like `after_calls`, but counts only calls that write.
    pub fn after_writes(&self, writes: usize, hook: impl FnOnce(&Call) + Send + 'static) {
        self.wait_for(writes, true, Box::new(hook));
    }

    /// Runs `hook` after the next call of this operation, such as `sqs:CreateQueue`.
    pub fn after_operation(&self, name: &str, hook: impl FnOnce(&Call) + Send + 'static) {
        self.state().hooks.push(PendingHook {
            calls_left: 1,
            only_writes: false,
            name: Some(name.to_owned()),
            hook: Box::new(hook),
        });
    }

    /// Responds to the calls of an operation that no emulator has. A fault takes precedence.
    pub fn respond_to(
        &self,
        service: &str,
        operation: &str,
        respond: impl Fn(&Call) -> WireResponse + Send + Sync + 'static,
    ) {
        let responder = (
            service.to_owned(),
            operation.to_owned(),
            Arc::new(respond) as _,
        );
        self.state().responders.push(responder);
    }

    /// Runs `hook` after each call. The caller gets the response when the returned future has ended.
    pub fn after_each_call(
        &self,
        hook: impl Fn(&Call) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) {
        self.state().call_hooks.push(Arc::new(hook));
    }

    fn wait_for(&self, calls_left: usize, only_writes: bool, hook: Hook) {
        assert!(calls_left > 0, "a hook waits for at least one call");
        self.state().hooks.push(PendingHook {
            calls_left,
            only_writes,
            name: None,
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
            // A panic of the thread has already been printed.
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
        // Nagle's algorithm would delay small responses.
        let _ = stream.set_nodelay(true);
        let state = Arc::clone(&state);
        let busy = Arc::clone(&locked(&state).busy);
        tokio::spawn(async move {
            let service = service_fn(|request| serve(request, upstream, Arc::clone(&state)));
            // An error means that the caller has closed the connection, or that a fault did.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
            drop(busy);
        });
    }
}

/// Handles one request. An error closes the connection without a response.
#[expect(
    clippy::too_many_lines,
    reason = "one branch per kind of fault reads best as one list"
)]
async fn serve(
    request: Request<Incoming>,
    upstream: SocketAddr,
    state: Arc<Mutex<State>>,
) -> io::Result<Response<ResponseBody>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = wire::parse_request(&parts.method, &parts.uri, &parts.headers, &body);
    let call = to_call(&parts, request, &body);

    let (index, action, responder, delay, headers, busy) = {
        let mut state = locked(&state);
        let action = state.inject(&call);
        let action = action.or_else(|| state.eventual.before(&call));
        let action = action.or_else(|| state.repeated_creation.refusal(&call));
        state.calls.push(call.clone());
        let index = state.cleared + state.calls.len() - 1;
        let busy = Arc::clone(&state.busy);
        let delay = state.delay + state.random_delay(index);
        let responder = state.responder(&call);
        (index, action, responder, delay, state.headers.clone(), busy)
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }

    let mut forwarded = Request::from_parts(parts, Full::new(body));
    forwarded.headers_mut().remove(CONNECTION);
    forwarded.headers_mut().remove(TRANSFER_ENCODING);
    for (name, value) in headers {
        forwarded.headers_mut().insert(name, value);
    }
    let method = forwarded.method().clone();
    let truncates = matches!(action, Some(FaultAction::TruncateResponse));
    let response = match action {
        None if responder.is_some() => {
            let response = responder.map(|respond| respond(&call));
            to_response(response.ok_or(io::ErrorKind::NotFound)?)?
        }
        None | Some(FaultAction::TruncateResponse) => {
            pass_on(forwarded, upstream, busy, &state, &call).await?
        }
        Some(FaultAction::Delay(delay)) => {
            tokio::time::sleep(delay).await;
            pass_on(forwarded, upstream, busy, &state, &call).await?
        }
        Some(FaultAction::Hold(gate)) => {
            gate.pass().await;
            pass_on(forwarded, upstream, busy, &state, &call).await?
        }
        Some(FaultAction::EditResponse(ResponseEdit(edit))) => {
            let response = pass_on(forwarded, upstream, busy, &state, &call).await?;
            let mut response = read_response(response).await?;
            edit(&mut response);
            // A response to HEAD has a length but no body.
            if method != Method::HEAD {
                response.headers.remove(CONTENT_LENGTH);
            }
            to_response(response)?
        }
        Some(FaultAction::DropRequest) => return Err(io::ErrorKind::ConnectionAborted.into()),
        Some(FaultAction::DropResponse) => {
            pass_on(forwarded, upstream, busy, &state, &call).await?;
            notify(&state, index, &call);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Some(FaultAction::NeverRespond) => std::future::pending().await,
        Some(FaultAction::Refuse {
            status,
            code,
            message,
        }) => to_response(wire::error_response(
            &call.service,
            &method,
            status,
            &code,
            &message,
        ))?,
        Some(FaultAction::RefuseAs(refuse)) => {
            let (status, code, message) = refuse(&call);
            to_response(wire::error_response(
                &call.service,
                &method,
                status,
                code,
                message,
            ))?
        }
        Some(FaultAction::Respond {
            status,
            headers,
            body,
        }) => {
            let mut response = WireResponse {
                status,
                headers: HeaderMap::new(),
                body: body.into(),
            };
            for (name, value) in headers {
                let name = HeaderName::try_from(name).map_err(io::Error::other)?;
                let value = HeaderValue::try_from(value).map_err(io::Error::other)?;
                response.headers.append(name, value);
            }
            to_response(response)?
        }
    };

    locked(&state).finish(index, response.status().as_u16());
    notify(&state, index, &call);
    let call_hooks = locked(&state).call_hooks.clone();
    for hook in call_hooks {
        let mut finished = call.clone();
        finished.status = Some(response.status().as_u16());
        hook(&finished).await;
    }
    let (head, body) = response.into_parts();
    let body = if truncates {
        first_half(body).await?
    } else {
        body.map_err(|never| match never {}).boxed_unsync()
    };
    Ok(Response::from_parts(head, body))
}

/// Returns the record of a request, with its violations of AWS's rules.
fn to_call(parts: &hyper::http::request::Parts, request: wire::Request, body: &Bytes) -> Call {
    let mut call = Call {
        service: request.service,
        operation: request.operation,
        region: request.region,
        access_key: request.access_key,
        method: parts.method.clone(),
        headers: parts.headers.clone(),
        target: parts.uri.to_string(),
        body: body.clone(),
        started: Instant::now(),
        finished: None,
        status: None,
        violations: Vec::new(),
    };
    // A request without a signature is not a call of AWS.
    if !call.service.is_empty() {
        call.violations = strict::violations(&call);
    }
    call
}

/// Reads a response to its end.
async fn read_response(response: Response<Full<Bytes>>) -> io::Result<WireResponse> {
    let (parts, body) = response.into_parts();
    Ok(WireResponse {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.map_err(io::Error::other)?.to_bytes(),
    })
}

/// The body of a response to the caller.
type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// The first half of a body, then an error. The `content-length` header is that of the whole body.
async fn first_half(body: Full<Bytes>) -> io::Result<ResponseBody> {
    let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let first = Ok(Frame::data(bytes.slice(..bytes.len() / 2)));
    let end = async {
        // On an error hyper discards what it has not sent yet, so the first half gets time.
        tokio::time::sleep(Duration::from_millis(100)).await;
        Err(io::ErrorKind::ConnectionAborted.into())
    };
    let frames = stream::iter([first]).chain(stream::once(end));
    Ok(StreamBody::new(frames).boxed_unsync())
}

/// Runs the hooks that waited for this call, without holding the lock.
fn notify(state: &Mutex<State>, index: usize, call: &Call) {
    let due = locked(state).due_hooks(index, call);
    for (hook, call) in due {
        hook(&call);
    }
}

impl ActiveFault {
    /// Counts a matching call. Returns true if the fault affects it.
    fn counts_call(&mut self) -> bool {
        self.matching_calls += 1;
        let Some(number) = self.matching_calls.checked_sub(self.fault.after + 1) else {
            return false;
        };
        let has_ended = self.fault.duration.is_some_and(|duration| {
            let first = self.first_affected;
            first.is_some_and(|first| first.elapsed() > duration)
        });
        let is_selected = number == 1 || random(number as u64) % 100 < self.fault.percent;
        let affects = number < self.fault.times && is_selected && !has_ended;
        if affects {
            self.first_affected.get_or_insert_with(Instant::now);
        }
        affects
    }
}

/// A pseudo-random number, the same for the same seed.
fn random(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits >> 32
}

impl State {
    /// Counts the call for each matching fault, and returns the action of the first active one.
    fn inject(&mut self, call: &Call) -> Option<FaultAction> {
        let mut action = None;
        for active in &mut self.faults {
            if active.fault.matches(call) && active.counts_call() && action.is_none() {
                action = Some(active.fault.action.clone());
                self.injected += 1;
            }
        }
        action
    }

    /// The function that responds to the call instead of the emulator.
    fn responder(&self, call: &Call) -> Option<Responder> {
        let matches =
            |service: &str, operation: &str| service == call.service && operation == call.operation;
        let mut responders = self.responders.iter();
        let found = responders.find(|(service, operation, _)| matches(service, operation));
        found.map(|(_, _, respond)| Arc::clone(respond))
    }

    /// A pseudo-random delay from the seed and the number of the call.
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

    /// Counts a completed call and removes the hooks that waited for it.
    fn due_hooks(&mut self, index: usize, call: &Call) -> Vec<(Hook, Call)> {
        let call = index
            .checked_sub(self.cleared)
            .and_then(|position| self.calls.get(position))
            .unwrap_or(call)
            .clone();
        for waiting in &mut self.hooks {
            let is_named = waiting
                .name
                .as_ref()
                .is_none_or(|name| *name == call.name());
            if is_named && (!waiting.only_writes || call.writes()) {
                waiting.calls_left -= 1;
            }
        }
        let (due, waiting) = std::mem::take(&mut self.hooks)
            .into_iter()
            .partition(|waiting| waiting.calls_left == 0);
        self.hooks = waiting;
        due.into_iter()
            .map(|waiting: PendingHook| (waiting.hook, call.clone()))
            .collect()
    }
}

/// Passes a call on, and records and varies the response of the emulator.
async fn pass_on(
    request: Request<Full<Bytes>>,
    upstream: SocketAddr,
    busy: Arc<()>,
    state: &Mutex<State>,
    call: &Call,
) -> io::Result<Response<Full<Bytes>>> {
    let mut response = if call.name() == "monitoring:GetMetricData" {
        locked(state).metrics.respond(call)
    } else {
        let response = forward(request, upstream, busy).await?;
        read_response(response).await?
    };
    let variation = {
        let mut state = locked(state);
        state.eventual.after(call, &response);
        if response.status < 300 {
            state.repeated_creation.record(call);
        }
        state.variation
    };
    let has_body = call.method != Method::HEAD && call.operation != "GetObject";
    if let Some(form) = variation.filter(|_| has_body) {
        variation::vary(&mut response, form);
        response.headers.remove(CONTENT_LENGTH);
    }
    to_response(response)
}

/// Sends the request to the emulator and reads the whole response, even if the caller closes the connection.
async fn forward(
    request: Request<Full<Bytes>>,
    upstream: SocketAddr,
    busy: Arc<()>,
) -> io::Result<Response<Full<Bytes>>> {
    let exchange = tokio::spawn(async move {
        let response = send(request, upstream).await;
        drop(busy);
        response
    });
    exchange.await.map_err(io::Error::other)?
}

async fn send(
    request: Request<Full<Bytes>>,
    upstream: SocketAddr,
) -> io::Result<Response<Full<Bytes>>> {
    let stream = TcpStream::connect(upstream).await?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let connection = tokio::spawn(connection);
    let response = match sender.send_request(request).await {
        Ok(response) => {
            let (mut parts, body) = response.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            parts.headers.remove(CONNECTION);
            parts.headers.remove(TRANSFER_ENCODING);
            Ok(Response::from_parts(parts, Full::new(body)))
        }
        Err(error) => Err(io::Error::other(error)),
    };
    connection.abort();
    response
}

fn to_response(wire: WireResponse) -> io::Result<Response<Full<Bytes>>> {
    let mut response = Response::new(Full::new(wire.body));
    *response.status_mut() = StatusCode::from_u16(wire.status).map_err(io::Error::other)?;
    *response.headers_mut() = wire.headers;
    Ok(response)
}
