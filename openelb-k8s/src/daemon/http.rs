//! `/healthz`, `/readyz` and `/metrics`, answered by the loop that owns the machine: a page is never
//! older than its question, and a loop that hangs is not healthy.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use openelb_ipam::PoolSpec;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Failure;

/// What a page asks of the loop.
#[derive(Debug)]
pub(super) enum Question {
    /// Whether the loop turns.
    Healthy(oneshot::Sender<()>),
    /// What keeps the process from being ready, empty when nothing does.
    Ready(oneshot::Sender<Vec<String>>),
    /// The metrics in the `OpenMetrics` text format.
    Metrics(oneshot::Sender<String>),
    /// The pools that there are.
    Pools(oneshot::Sender<Vec<PoolSpec>>),
}

impl Question {
    /// The answer of a process that has not reached the API server yet: it is well, and not ready.
    pub(super) fn answer_starting(self) {
        // Whoever asked may have gone: then there is nobody to answer.
        match self {
            Self::Healthy(answer) => drop(answer.send(())),
            Self::Ready(answer) => drop(answer.send(vec!["the API server".to_owned()])),
            Self::Metrics(answer) => drop(answer.send("# EOF\n".to_owned())),
            Self::Pools(answer) => drop(answer),
        }
    }
}

/// The questions, to be answered by the loop.
pub(super) type Questions = mpsc::Receiver<Question>;

/// Where pages ask.
#[derive(Debug, Clone)]
pub(super) struct Pages(mpsc::Sender<Question>);

impl Pages {
    /// The pages, and what they will ask.
    pub(super) fn new() -> (Self, Questions) {
        let (asked, questions) = mpsc::channel(QUESTIONS);
        (Self(asked), questions)
    }

    /// Serves at an address until the process ends; the address is bound when this returns.
    pub(super) async fn serve(
        &self,
        address: SocketAddr,
        flag: &'static str,
    ) -> Result<(), Failure> {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|source| Failure::Listen {
            address,
            flag,
            source,
        })?;
        let router = Router::new()
            .route("/healthz", get(health))
            .route("/readyz", get(readiness))
            .route("/metrics", get(metrics))
            .with_state(self.clone());
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the server of metrics and health ended");
            }
        });
        Ok(())
    }

    /// The pools that there are; `None` when the loop does not know them.
    pub(super) async fn pools(&self) -> Option<Vec<PoolSpec>> {
        self.ask(Question::Pools).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        let exchange = async {
            self.0.send(question(answer)).await.ok()?;
            answered.await.ok()
        };
        timeout(LONGEST_ANSWER, exchange).await.ok().flatten()
    }
}

async fn health(State(pages): State<Pages>) -> impl IntoResponse {
    match pages.ask(Question::Healthy).await {
        Some(()) => (StatusCode::OK, "ok\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, HANGS),
    }
}

async fn readiness(State(pages): State<Pages>) -> impl IntoResponse {
    match pages.ask(Question::Ready).await {
        Some(missing) if missing.is_empty() => (StatusCode::OK, "ok\n".to_owned()),
        Some(missing) => {
            let text = format!("waits for: {}\n", missing.join(", "));
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
        None => (StatusCode::SERVICE_UNAVAILABLE, HANGS.to_owned()),
    }
}

async fn metrics(State(pages): State<Pages>) -> impl IntoResponse {
    let page = pages.ask(Question::Metrics).await;
    let (status, kind, text) = match page {
        Some(page) => (StatusCode::OK, OPEN_METRICS, page),
        None => (StatusCode::SERVICE_UNAVAILABLE, PLAIN, HANGS.to_owned()),
    };
    (status, [(header::CONTENT_TYPE, kind)], text)
}

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; charset=utf-8";
const HANGS: &str = "the loop does not answer\n";

/// A few scrapes and probes at once.
const QUESTIONS: usize = 16;

/// Probes wait one second by default; metrics ten.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);
