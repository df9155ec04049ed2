//! How a request ends that did not do what it asked.

use kube::core::Status;
use thiserror::Error;

use crate::client::with_sources;

/// How a request ended that did not do what it asked, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// 409: the object is not the one that was read, or others own fields that were applied.
    #[error("{}", conflict(.owners))]
    Conflict {
        /// The fields of server-side apply that others own; none: the `resourceVersion` or `uid` is
        /// not the present one.
        owners: Vec<FieldOwner>,
    },
    /// 404: no such object, or no such kind; or there is another object of its name by now.
    #[error("it does not exist")]
    NotFound,
    /// 409 of a creation: there is one of that name.
    #[error("it exists already")]
    Exists,
    /// The API server did nothing: 403 not allowed, 422 not valid, 429 and 503 too busy.
    #[error("refused with status {status}: {reason}")]
    Rejected {
        /// HTTP status; 0 when the request could not even be made, or the answer not be read.
        status: u16,
        /// The API server's words.
        reason: String,
    },
    /// Nobody knows whether it happened: the connection was lost, or time ran out, or the API server
    /// lost its store in the middle.
    #[error("what became of it is not known: {0}")]
    Unknown(String),
}

/// A field that another manager owns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldOwner {
    /// The other manager.
    pub manager: String,
    /// The field, such as `.status.loadBalancer.ingress`.
    pub field: String,
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::from_status(&status),
            kube::Error::BuildRequest(error) => Self::Rejected {
                status: 0,
                reason: error.to_string(),
            },
            lost => Self::Unknown(with_sources(&lost)),
        }
    }
}

impl Failure {
    fn from_status(status: &Status) -> Self {
        let reason = || status.message.clone();
        match status.code {
            409 if status.reason == "AlreadyExists" => Self::Exists,
            409 => Self::Conflict {
                owners: owners(status),
            },
            404 => Self::NotFound,
            // How a patch for an object that was deleted and made anew ends.
            422 if is_another(status) => Self::NotFound,
            // These say that nothing was begun.
            429 | 503 => Self::Rejected {
                status: status.code,
                reason: reason(),
            },
            // 500 is also what a timeout of etcd in the middle of a write looks like.
            500.. => Self::Unknown(format!("status {}: {}", status.code, status.message)),
            code => Self::Rejected {
                status: code,
                reason: reason(),
            },
        }
    }
}

/// The causes of a conflict of server-side apply: `conflict with "manager" using v1 at ...`.
fn owners(status: &Status) -> Vec<FieldOwner> {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let conflicts = causes.filter(|cause| cause.reason == "FieldManagerConflict");
    conflicts
        .map(|cause| FieldOwner {
            manager: cause
                .message
                .split('"')
                .nth(1)
                .unwrap_or_default()
                .to_owned(),
            field: cause.field.clone(),
        })
        .collect()
}

/// Whether the object has another `uid` than the one that was meant.
fn is_another(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    causes.any(|cause| cause.field == "metadata.uid")
}

fn conflict(owners: &[FieldOwner]) -> String {
    if owners.is_empty() {
        return "it is not the one that was read".to_owned();
    }
    let fields = owners
        .iter()
        .map(|owner| format!("{} owns {}", owner.manager, owner.field));
    fields.collect::<Vec<_>>().join(", ")
}
