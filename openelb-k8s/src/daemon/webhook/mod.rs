//! The optional validating webhook: what cannot be used is refused when it is written.
//!
//! Only pools and BGP objects come here, never Services. It refuses nothing that is deleted, and
//! nothing whose wishes do not change; with no controller there, the API server goes on without it.

mod certificate;
mod review;
mod tls;

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::Failure;
use super::http::Pages;
use crate::client::{Backoff, Client};
use certificate::Keeper;
use tls::{Presented, TlsListener};

/// Serves at a port until the process ends. The API server trusts it once its certificate is in the
/// webhook's configuration, which is kept so in the background.
pub(super) async fn serve(
    client: Client,
    namespace: &str,
    port: u16,
    pages: Pages,
) -> Result<(), Failure> {
    let address = SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), port);
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| Failure::Listen {
        address,
        flag: "--webhook-port",
        source,
    })?;
    let presented = Arc::new(Presented::default());
    let listener = TlsListener::new(listener, presented.clone()).map_err(Failure::Tls)?;
    let router = Router::new()
        .route("/{path}", post(reviewed))
        .layer(DefaultBodyLimit::max(LARGEST_REVIEW))
        .with_state(pages);
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the webhook ended");
        }
    });
    tokio::spawn(keep(Keeper::new(client, namespace), presented));
    Ok(())
}

/// Keeps a certificate that is valid and trusted. Every controller does: they share it in a Secret,
/// and whoever finds it missing or old makes the next one.
async fn keep(keeper: Keeper, presented: Arc<Presented>) {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let pause = match keeper.check(&presented).await {
            Ok(()) => {
                backoff.reset();
                BETWEEN_CHECKS
            }
            Err(error) => {
                tracing::warn!(%error, "the certificate of the webhook is not as it should be");
                backoff.pause()
            }
        };
        sleep(pause).await;
    }
}

async fn reviewed(State(pages): State<Pages>, body: Bytes) -> impl IntoResponse {
    let Some(pools) = pages.pools().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, JSON, String::new());
    };
    match review::answer(&body, &pools) {
        Ok(answer) => (StatusCode::OK, JSON, answer.to_string()),
        Err(error) => (StatusCode::BAD_REQUEST, JSON, error.to_string()),
    }
}

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// A review holds an Eip twice, and its records with it.
const LARGEST_REVIEW: usize = 8 << 20;

/// A certificate is renewed 30 days before its end: an hour is often enough.
const BETWEEN_CHECKS: Duration = Duration::from_hours(1);

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);
