//! Writes: one request each, never repeated by itself, every way it can end told apart.

mod failure;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, header};
use kube::Client;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Key, Resource, Watched};

pub use failure::{Failure, FieldOwner};

/// One request that changes an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The kind of the object.
    pub resource: Resource,
    /// Which object; for [`Act::Create`] only the namespace counts.
    pub key: Key,
    /// `status`, or nothing for the object itself.
    pub subresource: Option<&'static str>,
    /// What is done with it.
    pub act: Act,
    /// The object or the part of it that is sent.
    pub body: Value,
}

/// What a request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Makes it.
    Create,
    /// Replaces it; with a `resourceVersion` in the body, only if it is still the one.
    Replace,
    /// Merges the body into it (RFC 7386), with the same meaning of a `resourceVersion`.
    Merge,
    /// Merges the body into a kind of Kubernetes' own, lists by the keys of their entries.
    StrategicMerge,
    /// Server-side apply: the fields of the body become those of the writer's field manager, and
    /// those that were and are missing in the body go.
    Apply {
        /// Takes fields of other managers over instead of failing with [`Failure::Conflict`].
        force: bool,
    },
    /// Deletes it; the body holds `DeleteOptions`, such as preconditions.
    Delete,
}

/// Sends requests, at most so many at once.
#[derive(Debug, Clone)]
pub struct Writer {
    shared: Arc<Shared>,
}

impl Writer {
    /// A writer with `width` connections at most: 1 to a few dozen. Every request needs a connection
    /// of its own while it runs, as the client speaks HTTP/1.1. `manager` is whose fields they become,
    /// at most 128 characters.
    pub fn new(client: Client, manager: impl Into<String>, width: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                client,
                manager: manager.into(),
                free: Semaphore::new(width.max(1)),
                waiting: AtomicUsize::new(0),
                made: AtomicU64::new(0),
            }),
        }
    }

    /// Sends a request, when its turn comes; the turn is that of the calls. Returns the
    /// `resourceVersion` after it, empty when the answer has none.
    ///
    /// Dropping the future while it runs leaves open whether the write happened.
    pub async fn send(&self, request: Request) -> Result<String, Failure> {
        let text = self.exchange(self.encode(&request, METADATA)).await?;
        Ok(resource_version(&text).unwrap_or_default())
    }

    /// As [`send`](Self::send), and returns the object as it is after it.
    pub async fn send_for<T: Watched>(&self, request: Request) -> Result<T, Failure> {
        let text = self.exchange(self.encode(&request, WHOLE)).await?;
        // It happened, but nobody can say what it became.
        serde_json::from_str(&text).map_err(|error| Failure::Unknown(error.to_string()))
    }

    /// Reads one object as it is stored, not from a cache.
    pub async fn read<T: Watched>(&self, key: &Key) -> Result<T, Failure> {
        let request = http::Request::get(path(&T::RESOURCE, key, true, None)).body(Vec::new());
        let text = self.exchange(request).await?;
        serde_json::from_str(&text).map_err(|error| Failure::Rejected {
            status: 0,
            reason: error.to_string(),
        })
    }

    /// Requests that run or wait for their turn.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Requests that there were so far, those that wait among them.
    pub fn made(&self) -> u64 {
        self.shared.made.load(Ordering::Relaxed)
    }

    fn encode(&self, request: &Request, answer: &str) -> http::Result<http::Request<Vec<u8>>> {
        let (method, content) = match &request.act {
            Act::Create => (Method::POST, "application/json"),
            Act::Replace => (Method::PUT, "application/json"),
            Act::Merge => (Method::PATCH, "application/merge-patch+json"),
            Act::StrategicMerge => (Method::PATCH, "application/strategic-merge-patch+json"),
            // JSON is YAML.
            Act::Apply { .. } => (Method::PATCH, "application/apply-patch+yaml"),
            Act::Delete => (Method::DELETE, "application/json"),
        };
        let is_named = request.act != Act::Create;
        let mut uri = path(
            &request.resource,
            &request.key,
            is_named,
            request.subresource,
        );
        if request.act != Act::Delete {
            uri.push_str("?fieldManager=");
            push_encoded(&mut uri, &self.shared.manager);
        }
        if let Act::Apply { force } = request.act {
            uri.push_str(if force { "&force=true" } else { "&force=false" });
        }
        http::Request::builder()
            .method(method)
            .uri(uri)
            .header(header::CONTENT_TYPE, content)
            .header(header::ACCEPT, answer)
            .body(request.body.to_string().into_bytes())
    }

    async fn exchange(
        &self,
        request: http::Result<http::Request<Vec<u8>>>,
    ) -> Result<String, Failure> {
        let request = request.map_err(|error| Failure::Rejected {
            status: 0,
            reason: error.to_string(),
        })?;
        self.shared.made.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting::new(&self.shared.waiting);
        let _turn = self.shared.free.acquire().await;
        let answer = timeout(LONGEST_REQUEST, self.shared.client.request_text(request));
        match answer.await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(Failure::from(error)),
            Err(_elapsed) => Err(Failure::Unknown("no answer in time".to_owned())),
        }
    }
}

struct Shared {
    client: Client,
    manager: String,
    free: Semaphore,
    waiting: AtomicUsize,
    made: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("manager", &self.manager)
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

/// Counts a request for as long as it lives, also when its future is dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn path(resource: &Resource, key: &Key, is_named: bool, subresource: Option<&str>) -> String {
    let namespace = (!key.namespace.is_empty()).then_some(key.namespace.as_str());
    let mut path = resource.path(namespace);
    let parts = [is_named.then_some(key.name.as_str()), subresource];
    for part in parts.into_iter().flatten() {
        path.push('/');
        path.push_str(part);
    }
    path
}

/// Field managers hold slashes and node names: all but unreserved characters (RFC 3986) is escaped.
fn push_encoded(uri: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for nibble in [byte >> 4, byte & 0xf] {
                let digit = char::from_digit(u32::from(nibble), 16);
                uri.push(digit.expect("a nibble is below 16").to_ascii_uppercase());
            }
        }
    }
}

/// Only this is read of an answer.
fn resource_version(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Object {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata {
        resource_version: Option<String>,
    }
    let object: Object = serde_json::from_str(text).ok()?;
    object.metadata.resource_version
}

/// An Eip with its whole ledger can be half a megabyte, of which only the version is read: one with 1,000
/// records is written in 13 ms so, and else in 16.
const METADATA: &str =
    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

const WHOLE: &str = "application/json";

/// The API server itself gives up on a write after 60 s; by then the watch has long told what became
/// of it.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);
