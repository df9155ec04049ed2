//! An API server in this process: enough of the real one that controllers cannot tell, and able to
//! go wrong on purpose.
//!
//! It is a [`tower::Service`] for a client in the same process, and speaks HTTP on loopback for
//! others. What it answers is compared with the real server by the differential test; what that
//! test lists as different is what it cannot show.

mod admit;
mod discovery;
mod failure;
mod fault;
mod feed;
mod field_set;
mod managed;
mod merge;
mod read;
mod request;
mod resource;
mod schema;
mod selector;
mod service;
mod shape;
mod store;
mod watch;
mod write;

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Response;
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use failure::Failure;
use fault::Faults;
pub(crate) use fault::{Call, Fault, Rule};
use feed::Feed;
use request::Request;
pub(crate) use request::Verb;
use resource::Resource;
pub(crate) use store::Change;
use store::Store;
use watch::Watch;

/// The server. Copies are the same server.
#[derive(Debug, Clone)]
pub(crate) struct Fake {
    shared: Arc<Shared>,
}

/// The way from one client to the server.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    fake: Fake,
    client: String,
}

/// The connection broke before there was an answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Broken;

/// A request that was made, and the HTTP status of its answer; none when there was no answer.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The request.
    pub call: Call,
    /// The status of the answer.
    pub status: Option<u16>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Moves whenever a watch might have something to say.
    /// Wakes in the order of asking, so that the same happens in every run.
    pulse: Arc<Notify>,
    start: Instant,
}

#[derive(Debug)]
struct State {
    store: Store,
    faults: Faults,
    journal: Vec<Entry>,
}

/// What a request leads to.
enum Answer {
    Object(u16, Value),
    Watch(Box<Watch>),
}

impl Fake {
    /// A server with OpenELB's kinds and the namespaces of a new cluster, and nothing else.
    pub(crate) fn new() -> Self {
        let state = State {
            store: Store::new(),
            faults: Faults::default(),
            journal: Vec::new(),
        };
        let fake = Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                pulse: Arc::default(),
                start: Instant::now(),
            }),
        };
        for definition in openelb_k8s::crd::definitions() {
            fake.user("POST", DEFINITIONS, &definition).unwrap();
        }
        for name in ["default", "kube-system"] {
            let namespace = serde_json::json!({"metadata": {"name": name}});
            fake.user("POST", "/api/v1/namespaces", &namespace).unwrap();
        }
        fake
    }

    /// A client of that name.
    pub(crate) fn client(&self, name: &str) -> kube::Client {
        kube::Client::new(self.way(name), "default")
    }

    /// The way from a client of that name.
    pub(crate) fn way(&self, name: &str) -> Way {
        Way {
            fake: self.clone(),
            client: name.to_owned(),
        }
    }

    /// Listens on a free port of loopback; whoever connects there is the client `name`.
    pub(crate) async fn listen(&self, name: &str) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = self.way(name);
        let answer = move |request: http::Request<Body>| {
            let way = way.clone();
            async move { Ok::<_, Infallible>(way.answer_or_break(request).await) }
        };
        let router = axum::Router::new().fallback_service(tower::service_fn(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    /// What a person does with `kubectl`: never subject to faults, not in the journal.
    pub(crate) fn user(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        self.user_as(method, path, body, "application/merge-patch+json")
    }

    /// The same, with a media type for the body.
    pub(crate) fn user_as(
        &self,
        method: &str,
        path: &str,
        body: &Value,
        content_type: &str,
    ) -> Result<Value, Value> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut request = Request::read(method, path, query).ok_or(Value::Null)?;
        request.body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        content_type.clone_into(&mut request.content_type);
        "kubectl".clone_into(&mut request.agent);
        let now = self.now();
        let answer = self.lock().execute(&request, "user", &now);
        self.pulse();
        match answer {
            Ok(Answer::Object(_, object)) => Ok(object),
            Ok(Answer::Watch(_)) => Err(Value::Null),
            Err(failure) => Err(failure.status()),
        }
    }

    /// Adds a rule that every request of a client is held against.
    pub(crate) fn rule(&self, rule: Rule) {
        self.lock().faults.add(rule);
    }

    /// Changes what goes wrong otherwise.
    pub(crate) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.lock().faults);
        self.pulse();
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.faults(Faults::clear);
    }

    /// Forgets all history: watches end with 410, and everybody must list again.
    pub(crate) fn forget_history(&self) {
        self.lock().store.forget_history();
        self.pulse();
    }

    /// Everything that ever happened to the objects of these kinds, in order.
    pub(crate) fn history(&self, kinds: &[&str]) -> Vec<Change> {
        self.lock().store.history(kinds)
    }

    /// The version of the last change.
    pub(crate) fn version(&self) -> u64 {
        self.lock().store.version()
    }

    /// Every request so far that came through a client.
    pub(crate) fn journal(&self) -> Vec<Entry> {
        self.lock().journal.clone()
    }

    /// How many requests came through clients so far.
    pub(crate) fn requests(&self) -> usize {
        self.lock().journal.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn pulse(&self) {
        self.shared.pulse.notify_waiters();
    }

    /// The server's time, which begins with the year 2026 and goes as tokio's clock goes.
    fn now(&self) -> String {
        let seconds = self.shared.start.elapsed().as_secs();
        let epoch = BEGINNING + i64::try_from(seconds).unwrap_or_default();
        jiff::Timestamp::from_second(epoch)
            .unwrap_or_default()
            .to_string()
    }
}

impl State {
    fn execute(&mut self, request: &Request, client: &str, now: &str) -> Result<Answer, Failure> {
        let Self { store, faults, .. } = self;
        let resource = &*store.resource(&request.group, &request.plural)?;
        let stale = faults.listed_at(client);
        if !matches!(request.subresource.as_str(), "" | "status")
            || (!request.subresource.is_empty() && resource.status == resource::Status::None)
        {
            return Err(Failure::no_such_path());
        }
        let (code, object) = match request.verb {
            Verb::Watch => {
                let resource = store.resource(&request.group, &request.plural)?;
                let watch = Watch::begin(store, resource, request.clone(), stale)?;
                return Ok(Answer::Watch(Box::new(watch)));
            }
            Verb::List => {
                return Ok(Answer::Object(
                    200,
                    read::list(store, resource, request, stale)?,
                ));
            }
            Verb::DeleteCollection => return delete_all(store, resource, request, now),
            Verb::Delete => {
                return write::delete(store, resource, request, now)
                    .map(|(code, object)| Answer::Object(code, object));
            }
            Verb::Get => (200, store.get(resource, request)?),
            Verb::Create => write::create(store, resource, request, now)?,
            Verb::Update => write::update(store, resource, request, now)?,
            Verb::Patch => write::patch(store, resource, request, now)?,
        };
        if resource.kind == "CustomResourceDefinition" && request.verb.is_write() {
            store.define(Resource::defined_by(&object));
        }
        Ok(Answer::Object(code, read::formed(&object, request)))
    }
}

impl Way {
    async fn answer(self, request: http::Request<Body>) -> Result<Response<Body>, Broken> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let Some(mut request) = Request::read(
            parts.method.as_str(),
            path,
            parts.uri.query().unwrap_or_default(),
        ) else {
            return Ok(self.about_the_server(path));
        };
        let header = |name| {
            parts
                .headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned()
        };
        request.content_type = header(http::header::CONTENT_TYPE);
        request.accept = header(http::header::ACCEPT);
        request.agent = header(http::header::USER_AGENT);
        request.body = axum::body::to_bytes(body, usize::MAX)
            .await
            .map_err(|_| Broken)?
            .to_vec();
        self.carry_out(request).await
    }

    /// The request with everything that goes wrong on its way.
    async fn carry_out(self, request: Request) -> Result<Response<Body>, Broken> {
        let call = self.call(&request);
        let (fault, place) = {
            let mut state = self.fake.lock();
            let fault = state.faults.judge(&call);
            state.journal.push(Entry { call, status: None });
            (fault, state.journal.len() - 1)
        };
        match fault {
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::Fail(code)) => {
                self.note(place, code);
                return Ok(object(code, &Failure::trouble(code).status()));
            }
            Some(Fault::Drop) => return Err(Broken),
            Some(Fault::HangBefore) => std::future::pending().await,
            Some(Fault::Lose | Fault::HangAfter) | None => {}
        }
        let now = self.fake.now();
        let answer = self.fake.lock().execute(&request, &self.client, &now);
        if request.verb.is_write() {
            self.fake.pulse();
        }
        match fault {
            Some(Fault::Lose) => return Err(Broken),
            Some(Fault::HangAfter) => std::future::pending().await,
            _ => {}
        }
        let response = match answer {
            Ok(Answer::Object(code, value)) => object(code, &value),
            Ok(Answer::Watch(watch)) => {
                Feed::new(&self, *watch, request.parameter("timeoutSeconds")).response()
            }
            Err(failure) => object(failure.code, &failure.status()),
        };
        self.note(place, response.status().as_u16());
        Ok(response)
    }

    fn note(&self, place: usize, status: u16) {
        if let Some(entry) = self.fake.lock().journal.get_mut(place) {
            entry.status = Some(status);
        }
    }

    fn call(&self, request: &Request) -> Call {
        Call {
            client: self.client.clone(),
            verb: request.verb,
            plural: request.plural.clone(),
            subresource: request.subresource.clone(),
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        }
    }

    fn about_the_server(&self, path: &str) -> Response<Body> {
        match discovery::answer(&self.fake.lock().store, path) {
            Some(Value::String(text)) => Response::new(Body::from(text)),
            Some(value) => object(200, &value),
            None => object(404, &Failure::no_such_path().status()),
        }
    }

    /// Over HTTP a connection breaks by a body that ends in an error.
    async fn answer_or_break(self, request: http::Request<Body>) -> Response<Body> {
        self.answer(request).await.unwrap_or_else(|broken| {
            let lines = futures_util::stream::once(async move { Err::<Vec<u8>, Broken>(broken) });
            Response::new(Body::from_stream(lines))
        })
    }
}

impl tower::Service<http::Request<kube::client::Body>> for Way {
    type Response = Response<Body>;
    type Error = Broken;
    type Future = BoxFuture<'static, Result<Response<Body>, Broken>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<kube::client::Body>) -> Self::Future {
        self.clone().answer(request.map(Body::new)).boxed()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the connection to the fake API server broke")
    }
}

impl std::error::Error for Broken {}

fn delete_all(
    store: &mut Store,
    resource: &Resource,
    request: &Request,
    now: &str,
) -> Result<Answer, Failure> {
    let chosen = store.at(resource, store.version(), &read::selection(request))?;
    for object in &chosen {
        let text = |field: &str| {
            object["metadata"][field]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let one = Request {
            namespace: text("namespace"),
            name: text("name"),
            ..request.clone()
        };
        write::delete(store, resource, &one, now)?;
    }
    read::list(store, resource, request, None).map(|list| Answer::Object(200, list))
}

fn object(code: u16, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let json = http::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    response
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/// 2026-01-01T00:00:00Z in seconds since 1970.
const BEGINNING: i64 = 1_767_225_600;
