//! `/metrics` and `/healthz`.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use super::keeper::Keeper;
use super::metrics;
use crate::engine::{Answer, Question, StatusReport};

/// Binds the address, so that a port in use is said before anything is announced.
pub(super) async fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(at).await
}

/// Serves until the task is dropped.
pub(super) async fn serve(listener: TcpListener, keeper: Keeper) {
    let router = Router::new()
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(health_page))
        .with_state(keeper);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the metrics server ended");
    }
}

async fn metrics_page(State(keeper): State<Keeper>) -> impl IntoResponse {
    let Some(status) = status(&keeper).await else {
        let kind = "text/plain; charset=utf-8";
        let body = "stopping\n".to_owned();
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::CONTENT_TYPE, kind)],
            body,
        );
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (
        StatusCode::OK,
        [(header::CONTENT_TYPE, kind)],
        metrics::page(&status),
    )
}

/// 200 while the state can be changed; 503, with the reason, while the store is read-only.
async fn health_page(State(keeper): State<Keeper>) -> impl IntoResponse {
    match status(&keeper).await.map(|status| status.read_only) {
        Some(None) => (StatusCode::OK, "ok\n".to_owned()),
        Some(Some(reason)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("read-only: {reason}\n"),
        ),
        None => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned()),
    }
}

async fn status(keeper: &Keeper) -> Option<StatusReport> {
    match keeper.ask(Question::Status).await {
        Ok(Answer::Status(status)) => Some(*status),
        _ => None,
    }
}
