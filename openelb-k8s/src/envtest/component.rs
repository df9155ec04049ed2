//! The command line of each component.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::process::Command;

use super::certificates::{
    AUTHORITY, SERVER, TOKENS_PRIVATE, TOKENS_PUBLIC, certificate_file, key_file,
};

/// How kube-proxy tells the kernel what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyMode {
    /// With iptables.
    Iptables,
    /// With nftables.
    Nftables,
}

/// etcd that forgets everything when it ends: nothing is written through to the disk.
pub(super) fn etcd(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(folder.join("etcd"));
    command.args(["--name=envtest", "--unsafe-no-fsync", "--log-level=warn"]);
    command.args([
        "--listen-client-urls",
        ETCD_CLIENTS,
        "--advertise-client-urls",
        ETCD_CLIENTS,
    ]);
    command.args([
        "--listen-peer-urls",
        ETCD_PEERS,
        "--initial-advertise-peer-urls",
        ETCD_PEERS,
    ]);
    command.arg(format!("--initial-cluster=envtest={ETCD_PEERS}"));
    command
}

/// The API server. What it refuses to service accounts it notes in [`AUDIT_LOG`].
pub(super) fn api_server(program: &Path, folder: &Path, server: SocketAddr) -> Command {
    let mut command = Command::new(program);
    let file = |name: &str| folder.join(name).display().to_string();
    let (address, port) = (server.ip(), server.port());
    command.args([
        format!("--etcd-servers={ETCD_CLIENTS}"),
        format!("--bind-address={address}"),
        format!("--advertise-address={address}"),
        format!("--secure-port={port}"),
        format!("--tls-cert-file={}", file(&certificate_file(SERVER))),
        format!("--tls-private-key-file={}", file(&key_file(SERVER))),
        format!("--client-ca-file={}", file(AUTHORITY)),
        "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
        format!("--service-account-key-file={}", file(TOKENS_PUBLIC)),
        format!(
            "--service-account-signing-key-file={}",
            file(TOKENS_PRIVATE)
        ),
        "--authorization-mode=RBAC".to_owned(),
        "--allow-privileged=true".to_owned(),
        // Pods here need no token: no kubelet starts them.
        "--disable-admission-plugins=ServiceAccount".to_owned(),
        format!("--service-cluster-ip-range={SERVICES_V4},{SERVICES_V6}"),
        format!("--audit-policy-file={}", file(AUDIT_POLICY)),
        format!("--audit-log-path={}", file(AUDIT_LOG)),
    ]);
    command
}

/// Those of Kubernetes' controllers that concern services: the node lifecycle is not among them, which
/// would miss the kubelets.
pub(super) fn controllers(program: &Path, folder: &Path, kubeconfig: &Path) -> Command {
    let mut command = Command::new(program);
    let file = |name: &str| folder.join(name).display().to_string();
    command.args([
        format!("--kubeconfig={}", kubeconfig.display()),
        "--secure-port=0".to_owned(),
        "--leader-elect=false".to_owned(),
        format!(
            "--service-account-private-key-file={}",
            file(TOKENS_PRIVATE)
        ),
        format!("--root-ca-file={}", file(AUTHORITY)),
        "--use-service-account-credentials".to_owned(),
        format!("--controllers={}", CONTROLLERS_OF_SERVICES.join(",")),
    ]);
    command
}

/// kube-proxy for one node.
pub(super) fn proxy(program: &Path, kubeconfig: &Path, node: &str, mode: ProxyMode) -> Command {
    let mut command = Command::new(program);
    let mode = match mode {
        ProxyMode::Iptables => "iptables",
        ProxyMode::Nftables => "nftables",
    };
    command.args([
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--hostname-override={node}"),
        format!("--proxy-mode={mode}"),
        format!("--cluster-cidr={PODS_V4},{PODS_V6}"),
        // These belong to the whole machine, not to the namespace.
        "--conntrack-max-per-core=0".to_owned(),
        "--conntrack-tcp-timeout-established=0".to_owned(),
        "--conntrack-tcp-timeout-close-wait=0".to_owned(),
        "--healthz-bind-address=127.0.0.1:10256".to_owned(),
        "--metrics-bind-address=127.0.0.1:10249".to_owned(),
    ]);
    command
}

/// The addresses in the API server's certificate: its own, and that of the service `kubernetes`.
pub(super) fn server_addresses(server: SocketAddr) -> [IpAddr; 3] {
    [
        server.ip(),
        IpAddr::from([127, 0, 0, 1]),
        IpAddr::from([10, 96, 0, 1]),
    ]
}

/// Every request of a service account, without its body, when it was answered.
pub(super) const AUDIT_RULES: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived", "ResponseStarted"],
  "rules": [
    {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
    {"level": "None"}
  ]
}"#;

pub(super) const AUDIT_POLICY: &str = "audit-policy.json";
pub(super) const AUDIT_LOG: &str = "audit.log";

/// The addresses of pods and of services, as the documentation of Kubernetes likes them.
const PODS_V4: &str = "10.244.0.0/16";
const PODS_V6: &str = "fd00:10:244::/56";
const SERVICES_V4: &str = "10.96.0.0/16";
const SERVICES_V6: &str = "fd00:10:96::/112";

const ETCD_CLIENTS: &str = "http://127.0.0.1:2379";
const ETCD_PEERS: &str = "http://127.0.0.1:2380";

const CONTROLLERS_OF_SERVICES: [&str; 8] = [
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
];
