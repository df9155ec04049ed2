//! A client whose requests are given up when no answer begins in time.
//!
//! A watch may be silent for minutes once it runs, so nothing that waits for its next event can tell
//! whether it has begun. An API server, or what stands before it, that accepts the request and then
//! says nothing would hold it for as long as the connection lives.

use std::time::Duration;

use http::Request;
use kube::Client;
use kube::client::Body;
use thiserror::Error;
use tokio::time::timeout;
use tower::{BoxError, service_fn};

/// The same client, but that every answer has to begin within this time. How long it may take from
/// there on does not change.
pub(super) fn client(client: &Client, longest: Duration) -> Client {
    let namespace = client.default_namespace().to_owned();
    let client = client.clone();
    let service = service_fn(move |request: Request<Body>| {
        let client = client.clone();
        async move {
            let answer = timeout(longest, client.send(request)).await;
            let answer = answer.map_err(|_elapsed| Silent(longest.as_secs()))?;
            answer.map_err(BoxError::from)
        }
    });
    Client::new(service, namespace)
}

/// No answer came.
#[derive(Debug, Error)]
#[error("no answer within {0} s")]
struct Silent(u64);
