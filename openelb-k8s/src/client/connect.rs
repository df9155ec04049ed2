//! A client of the API server, from a kubeconfig file or from inside the cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::config::{
    InClusterError, InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError,
};
use kube::{Client, Config};
use thiserror::Error;

/// Where the API server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `KUBECONFIG` or the home folder, else the service account of the pod: what kubectl does.
    Found,
    /// The service account of the pod.
    Pod,
    /// A kubeconfig file, with its current context.
    File(PathBuf),
    /// A context by its name, in a kubeconfig file or in the one that is found.
    Context {
        /// The file; absent: `KUBECONFIG` or the home folder.
        file: Option<PathBuf>,
        /// The context.
        name: String,
    },
}

/// Makes a client; nothing is sent yet.
///
/// Requests that fail are not repeated by the client: whoever sends them decides, because a write
/// whose answer was lost may have happened.
pub async fn connect(place: &Place) -> Result<Client, ConnectError> {
    let mut config = config(place).await?;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.default_retry = false;
    Client::try_from(config).map_err(ConnectError::Client)
}

/// Why there is no client.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// Neither a kubeconfig nor a service account.
    #[error("no way to the API server: {0}; set KUBECONFIG or run in a pod")]
    Nowhere(#[source] InferConfigError),
    /// Not in a pod.
    #[error("no service account of a pod: {0}; give --kubeconfig")]
    NoPod(#[source] InClusterError),
    /// The kubeconfig cannot be used.
    #[error("kubeconfig {path}: {source}; correct the file or give another")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KubeconfigError,
    },
    /// The certificates or addresses in the configuration cannot be used.
    #[error("the configuration makes no client: {0}; check certificates and address")]
    Client(#[source] kube::Error),
}

async fn config(place: &Place) -> Result<Config, ConnectError> {
    match place {
        Place::Found => Config::infer().await.map_err(ConnectError::Nowhere),
        Place::Pod => Config::incluster().map_err(ConnectError::NoPod),
        Place::File(path) => from_file(Some(path), None).await,
        Place::Context { file, name } => from_file(file.as_deref(), Some(name)).await,
    }
}

async fn from_file(path: Option<&Path>, context: Option<&str>) -> Result<Config, ConnectError> {
    let unusable = |source| ConnectError::File {
        path: path.map_or_else(|| PathBuf::from("KUBECONFIG"), Path::to_path_buf),
        source,
    };
    let file = match path {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let file = file.map_err(unusable)?;
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(file, &options).await;
    config.map_err(unusable)
}

/// An API server that answers at all answers within milliseconds; the kernel's own limit is minutes.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
