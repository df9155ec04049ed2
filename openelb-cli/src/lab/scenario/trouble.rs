//! Why a step did not go as expected.

use std::io;

use openelb_k8s::envtest::{KubectlError, PlaneError};

use crate::lab::netlink::NetworkError;
use crate::lab::node::NodeError;
use crate::lab::router::RouterError;

/// Why a step did not go as expected.
#[derive(Debug, thiserror::Error)]
pub(in crate::lab) enum Trouble {
    /// Something else was seen than expected.
    #[error("{seen}")]
    Unexpected {
        /// What should have been seen.
        expected: String,
        /// What was seen.
        seen: String,
    },
    /// A daemon could not be started, asked or told.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The router could not be started or asked.
    #[error(transparent)]
    Router(#[from] RouterError),
    /// A host's network could not be asked or changed.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The control plane could not be started or asked.
    #[error(transparent)]
    Plane(#[from] PlaneError),
    /// The control plane did not do what it was asked to.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
    /// A socket of the client failed.
    #[error("{act}: {source}")]
    Client {
        /// What the client was doing.
        act: String,
        /// What the system said.
        source: io::Error,
    },
}

impl Trouble {
    /// What should have been seen instead.
    pub(in crate::lab) fn expected(&self) -> String {
        match self {
            Self::Unexpected { expected, .. } => expected.clone(),
            Self::Node(_) => "the daemon runs and answers".to_owned(),
            Self::Router(_) => "the router runs and answers".to_owned(),
            Self::Network(_) => "the hosts' networks can be asked and changed".to_owned(),
            Self::Plane(_) => "the control plane runs".to_owned(),
            Self::Kubectl(_) => "the control plane does as it is told".to_owned(),
            Self::Client { .. } => "the client can use its sockets".to_owned(),
        }
    }
}
