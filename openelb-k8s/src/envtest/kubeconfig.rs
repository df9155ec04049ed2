//! How a program finds the API server and says who it is.

use std::path::Path;

use serde_json::{Value, json};

use super::certificates::{AUTHORITY, certificate_file, key_file};

/// Whom a kubeconfig speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User<'a> {
    /// One who may do everything.
    Admin,
    /// kube-proxy, with the rights that Kubernetes itself gives to it.
    KubeProxy,
    /// The controllers of Kubernetes.
    Controllers,
    /// A service account, with a token issued for it now that lasts for a day.
    ServiceAccount {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
    },
    /// The same as a pod on a node has it: the API server knows the node from the token.
    ServiceAccountOn {
        /// Its namespace.
        namespace: &'a str,
        /// Its name.
        name: &'a str,
        /// The node, which must exist.
        node: &'a str,
    },
}

impl User<'_> {
    /// The name of its files.
    pub(super) fn file(self) -> String {
        match self {
            Self::Admin => "admin".to_owned(),
            Self::KubeProxy => "kube-proxy".to_owned(),
            Self::Controllers => "controllers".to_owned(),
            Self::ServiceAccount { namespace, name } => format!("account-{namespace}-{name}"),
            Self::ServiceAccountOn {
                namespace,
                name,
                node,
            } => format!("account-{namespace}-{name}-{node}"),
        }
    }
}

/// The credentials of one who has a certificate.
pub(super) fn with_certificate(folder: &Path, file: &str) -> Value {
    json!({
        "client-certificate": folder.join(certificate_file(file)),
        "client-key": folder.join(key_file(file)),
    })
}

/// The credentials of a service account.
pub(super) fn with_token(token: &str) -> Value {
    json!({ "token": token })
}

/// The text of a kubeconfig: JSON, which is YAML too.
pub(super) fn text(folder: &Path, server: &str, credentials: &Value) -> String {
    let name = "envtest";
    let cluster = json!({ "server": server, "certificate-authority": folder.join(AUTHORITY) });
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": name, "cluster": cluster }],
        "users": [{ "name": name, "user": credentials }],
        "contexts": [{ "name": name, "context": { "cluster": name, "user": name } }],
        "current-context": name,
    });
    config.to_string()
}
