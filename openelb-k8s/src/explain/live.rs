//! The objects of a running cluster, listed once.

use openelb_ipam::Time;
use thiserror::Error;

use super::{Cluster, Explanation};
use crate::client::{Client, ConnectError, Event, Place, Scope, Watch, Watched, connect};
use crate::wish::Serving;

/// Lists what decides about addresses, and explains a Service by it. Only reads.
pub async fn live(
    place: &Place,
    namespace: &str,
    name: &str,
    serving: &Serving,
    now: Time,
) -> Result<Explanation, LiveError> {
    let client = connect(place).await?;
    let cluster = gather(&client).await?;
    let service = cluster.service(namespace, name);
    let service = service.ok_or_else(|| LiveError::NotFound {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })?;
    Ok(cluster.explain(service, serving, now))
}

/// Why a Service of a cluster cannot be explained.
#[derive(Debug, Error)]
pub enum LiveError {
    /// There is no way to the API server.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The API server does not answer, or refuses the reading.
    #[error("cannot list {kind}: {why}; check the address of the API server and your rights")]
    List {
        /// The kind.
        kind: &'static str,
        /// What the API server or the connection says.
        why: String,
        /// Whether the API server refused.
        is_forbidden: bool,
    },
    /// There is no such Service.
    #[error("there is no Service {name} in namespace {namespace}; give its namespace with -n")]
    NotFound {
        /// Where it was looked for.
        namespace: String,
        /// Its name.
        name: String,
    },
}

/// Lists all kinds of a cluster. A kind that the API server does not have has no objects: OpenELB
/// itself knows neither blocks nor announcements.
pub async fn gather(client: &Client) -> Result<Cluster, LiveError> {
    let (eips, blocks, services, namespaces, announcements, prefixes) = tokio::join!(
        list(client),
        list(client),
        list(client),
        list(client),
        list(client),
        list(client),
    );
    Ok(Cluster {
        eips: eips?,
        blocks: blocks?,
        services: services?,
        namespaces: namespaces?,
        announcements: announcements?,
        prefixes: prefixes?,
    })
}

/// A watch as far as the end of its list. An object that cannot be read is left out, as the controller
/// does with it.
async fn list<T: Watched>(client: &Client) -> Result<Vec<T>, LiveError> {
    let mut watch = Watch::<T>::new(client.clone(), Scope::all());
    let mut found = Vec::new();
    loop {
        match watch.next().await {
            Event::Restart => found.clear(),
            Event::Applied(object) => found.push(object),
            Event::Synced => return Ok(found),
            Event::Deleted(_) | Event::Unreadable { .. } => {}
            Event::Interrupted(interruption) if interruption.status == Some(NOT_FOUND) => {
                return Ok(Vec::new());
            }
            Event::Interrupted(interruption) => {
                return Err(LiveError::List {
                    kind: T::RESOURCE.plural,
                    why: interruption.why,
                    is_forbidden: matches!(interruption.status, Some(401 | 403)),
                });
            }
        }
    }
}

const NOT_FOUND: u16 = 404;
