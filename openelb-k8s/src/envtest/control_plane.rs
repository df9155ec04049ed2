//! A control plane from its start to its end.

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::binaries::{API_SERVER, Binaries, CONTROLLERS, ETCD, KUBECTL, PROXY};
use super::certificates::{Authority, CertificateError};
use super::component::{self, ProxyMode};
use super::folder::Folder;
use super::kubeconfig::{self, User};
use super::kubectl::{self, KubectlError};
use super::netns::Netns;
use super::process::Process;

/// etcd, an API server and perhaps the controllers of Kubernetes. Dropping it ends them; their files
/// go too, unless the test that drops it panics: then they stay, and it says where.
#[derive(Debug)]
pub struct ControlPlane {
    // In the order in which they end.
    controllers: Option<Process>,
    api_server: Option<Process>,
    _etcd: Process,
    netns: Netns,
    server: SocketAddr,
    binaries: Binaries,
    files: Folder,
    /// Where in the audit log API servers stand that were not ready yet.
    starts: Vec<Range<usize>>,
}

/// What a control plane is to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The address of the API server. [`ControlPlane::start`] gives it to the loopback interface of
    /// the namespace that it makes; in one that somebody else made it must be there.
    pub address: IpAddr,
    /// Whether the controllers of Kubernetes run: those of endpoints, of namespaces, of service
    /// accounts, and the garbage collector.
    pub controllers: bool,
    /// A folder for its files that the caller removes; without one it makes and removes its own.
    pub folder: Option<PathBuf>,
}

impl Default for Options {
    /// No controllers. A loopback address is not allowed as an endpoint of the service `kubernetes`,
    /// so it is another one.
    fn default() -> Self {
        Self {
            address: IpAddr::from([10, 99, 0, 1]),
            controllers: false,
            folder: None,
        }
    }
}

/// Why there is no control plane.
#[derive(Debug, thiserror::Error)]
pub enum PlaneError {
    /// A namespace, a file or a process could not be had.
    #[error("{act}: {source}")]
    Io {
        /// What was being done.
        act: String,
        /// What the system said.
        source: io::Error,
    },
    /// A certificate could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A program of Kubernetes is not there.
    #[error("start {program}: it is not beside the others; `make envtest` builds it")]
    Absent {
        /// Which.
        program: &'static str,
    },
    /// A component ended, or never answered.
    #[error("start {program}: {fact}; it said last:\n{said}")]
    Unwell {
        /// Which.
        program: &'static str,
        /// What is wrong with it.
        fact: String,
        /// The end of its log.
        said: String,
    },
    /// kubectl could not do its part.
    #[error(transparent)]
    Kubectl(#[from] KubectlError),
}

/// A request that the API server refused to a service account for want of a right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Denied {
    /// The service account, as in `system:serviceaccount:openelb-system:openelb-controller`.
    pub user: String,
    /// What it wanted, as in `patch`.
    pub verb: String,
    /// The path of the request.
    pub path: String,
}

impl ControlPlane {
    /// Starts a control plane in a namespace of its own and waits until it is ready: 3 to 5 s and
    /// 400 MB of memory. Takes root.
    pub fn start(binaries: &Binaries, options: &Options) -> Result<Self, PlaneError> {
        let netns = Netns::create("control-plane").map_err(io_error("make a network namespace"))?;
        let address = format!("address add {} dev lo", options.address);
        netns
            .ip(&address)
            .map_err(io_error("give the API server its address"))?;
        Self::start_in(netns, binaries, options)
    }

    /// The same in a namespace that somebody else made, in which the address already is.
    pub fn start_in(
        netns: Netns,
        binaries: &Binaries,
        options: &Options,
    ) -> Result<Self, PlaneError> {
        let files = match &options.folder {
            Some(folder) => Ok(Folder::Given(folder.clone())),
            None => Folder::create(),
        };
        let files = files.map_err(io_error("make a folder for the control plane"))?;
        let server = SocketAddr::new(options.address, SERVER_PORT);
        prepare(files.path(), server)?;
        let etcd = component::etcd(&program(binaries, ETCD)?, files.path());
        let etcd = start(&netns, &etcd, ETCD, files.path())?;
        let mut plane = Self {
            controllers: None,
            api_server: None,
            _etcd: etcd,
            netns,
            server,
            binaries: binaries.clone(),
            files,
            starts: Vec::new(),
        };
        plane.start_api_server()?;
        if options.controllers {
            plane.start_controllers()?;
        }
        Ok(plane)
    }

    /// Ends the API server as a crash does. etcd keeps what was written.
    pub fn stop_api_server(&mut self) {
        self.api_server = None;
    }

    /// Starts the API server, again after [`ControlPlane::stop_api_server`], and waits until it is
    /// ready.
    pub fn start_api_server(&mut self) -> Result<(), PlaneError> {
        let program = program(&self.binaries, API_SERVER)?;
        let command = component::api_server(&program, self.folder(), self.server);
        let before = self.audit_log().len();
        let mut process = start(&self.netns, &command, API_SERVER, self.folder())?;
        self.wait_until_ready(&mut process)?;
        self.starts.push(before..self.audit_log().len());
        self.api_server = Some(process);
        Ok(())
    }

    /// The network namespace that it runs in; what is to reach it must be started there, or have a
    /// cable to it.
    pub fn netns(&self) -> &Netns {
        &self.netns
    }

    /// Where it is reached.
    pub fn server(&self) -> SocketAddr {
        self.server
    }

    /// Leaves its files and logs where they are when it ends, and returns where that is: for a test
    /// that failed.
    pub fn keep_files(&self) -> &Path {
        self.files.keep();
        self.folder()
    }

    /// The folder of its files and logs.
    pub fn folder(&self) -> &Path {
        self.files.path()
    }

    /// The file of a kubeconfig for a user. For a service account, which must exist, it holds a token
    /// that the API server issues for each call.
    pub fn kubeconfig(&self, user: User<'_>) -> Result<PathBuf, PlaneError> {
        let path = self.kubeconfig_of(user);
        let (namespace, name, node) = match user {
            User::ServiceAccount { namespace, name } => (namespace, name, None),
            User::ServiceAccountOn {
                namespace,
                name,
                node,
            } => (namespace, name, Some(node)),
            _ => return Ok(path),
        };
        let mut create = vec![
            "create",
            "token",
            name,
            "--namespace",
            namespace,
            "--duration=24h",
        ];
        if let Some(node) = node {
            create.extend(["--bound-object-kind=Node", "--bound-object-name", node]);
        }
        let token = self.kubectl(&create)?;
        let credentials = kubeconfig::with_token(token.trim());
        write_kubeconfig(self.folder(), self.server, user, &credentials)?;
        Ok(path)
    }

    /// Runs kubectl as the administrator; returns what it writes.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, KubectlError> {
        self.kubectl_with(arguments, "")
    }

    /// The same with a text on its standard input, for `-f -`.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String, KubectlError> {
        let kubeconfig = self.kubeconfig_of(User::Admin);
        // That it is there was seen when the control plane was started.
        let program = self
            .binaries
            .program(KUBECTL)
            .unwrap_or_else(|| KUBECTL.into());
        kubectl::run(&self.netns, &program, &kubeconfig, arguments, input)
    }

    /// Applies the objects of a YAML text, on the server's side.
    pub fn apply(&self, yaml: &str) -> Result<String, KubectlError> {
        self.kubectl_with(
            &["apply", "--server-side", "--force-conflicts", "-f", "-"],
            yaml,
        )
    }

    /// Applies definitions of kinds, and waits until every kind that is defined is served.
    pub fn define(&self, yaml: &str) -> Result<(), PlaneError> {
        self.apply(yaml)?;
        let established = "--for=condition=Established";
        let wait = ["wait", established, "crd", "--all", "--timeout=60s"];
        let mut attempts = 1;
        // For a definition that has no conditions yet, kubectl fails instead of waiting.
        while let Err(error) = self.kubectl(&wait) {
            if attempts == ATTEMPTS {
                return Err(error.into());
            }
            attempts += 1;
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Starts kube-proxy for a node in the namespace that is the node. It has rules when the API
    /// server has the node.
    pub fn kube_proxy(
        &self,
        netns: &Netns,
        node: &str,
        mode: ProxyMode,
    ) -> Result<Process, PlaneError> {
        let kubeconfig = self.kubeconfig_of(User::KubeProxy);
        let command = component::proxy(&program(&self.binaries, PROXY)?, &kubeconfig, node, mode);
        let log = self.folder().join(format!("{PROXY}-{node}.log"));
        Process::start(netns, &command, &log).map_err(io_error(&format!("start {PROXY}")))
    }

    /// What the API server refused to the service accounts of a namespace since its start, each once.
    ///
    /// What it refused before it was ready does not count: one that starts again answers while it
    /// still reads the rules, and refuses what they allow.
    pub fn denied(&self, namespace: &str) -> Vec<Denied> {
        let account = format!("system:serviceaccount:{namespace}:");
        let log = self.audit_log();
        let mut next = 0;
        let lines = log.split_inclusive('\n').map(|line| {
            let place = next;
            next += line.len();
            (place, line)
        });
        let is_ready = |place| !self.starts.iter().any(|start| start.contains(&place));
        let said_when_ready = lines.filter(|(place, _)| is_ready(*place));
        let mut denied: Vec<_> = said_when_ready
            .filter_map(|(_, line)| read_denied(line))
            .collect();
        denied.retain(|denied| denied.user.starts_with(&account));
        denied.sort();
        denied.dedup();
        denied
    }

    fn start_controllers(&mut self) -> Result<(), PlaneError> {
        let kubeconfig = self.kubeconfig_of(User::Controllers);
        let program = program(&self.binaries, CONTROLLERS)?;
        let command = component::controllers(&program, self.folder(), &kubeconfig);
        self.controllers = Some(start(&self.netns, &command, CONTROLLERS, self.folder())?);
        Ok(())
    }

    fn wait_until_ready(&self, process: &mut Process) -> Result<(), PlaneError> {
        let server = self.server;
        for _ in 0..PATIENCE {
            if let Some(ended) = process
                .ended()
                .map_err(io_error("wait for the API server"))?
            {
                return Err(unwell(
                    API_SERVER,
                    format!("it ended: {ended}"),
                    &process.log(),
                ));
            }
            if self.netns.run(move || TcpStream::connect(server).is_ok()) && self.is_ready() {
                return Ok(());
            }
            thread::sleep(POLL);
        }
        Err(unwell(
            API_SERVER,
            "it is not ready".to_owned(),
            &process.log(),
        ))
    }

    fn is_ready(&self) -> bool {
        self.kubectl(&["get", "--raw", "/readyz"])
            .is_ok_and(|said| said.trim() == "ok")
    }

    fn audit_log(&self) -> String {
        fs::read_to_string(self.folder().join(component::AUDIT_LOG)).unwrap_or_default()
    }

    fn kubeconfig_of(&self, user: User<'_>) -> PathBuf {
        kubeconfig_path(self.folder(), user)
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may not {} {}", self.user, self.verb, self.path)
    }
}

/// Writes everything that the components read.
fn prepare(folder: &Path, server: SocketAddr) -> Result<(), PlaneError> {
    let authority = Authority::create(folder)?;
    authority.issue_server(&component::server_addresses(server))?;
    for (user, name, group) in [
        (User::Admin, "admin", Some("system:masters")),
        (User::KubeProxy, "system:kube-proxy", None),
        (User::Controllers, "system:kube-controller-manager", None),
    ] {
        authority.issue_client(&user.file(), name, group)?;
        let credentials = kubeconfig::with_certificate(folder, &user.file());
        write_kubeconfig(folder, server, user, &credentials)?;
    }
    fs::write(folder.join(component::AUDIT_POLICY), component::AUDIT_RULES)
        .map_err(io_error("write the audit policy"))
}

fn write_kubeconfig(
    folder: &Path,
    server: SocketAddr,
    user: User<'_>,
    credentials: &Value,
) -> Result<(), PlaneError> {
    let text = kubeconfig::text(folder, &format!("https://{server}"), credentials);
    fs::write(kubeconfig_path(folder, user), text).map_err(io_error("write a kubeconfig"))
}

fn kubeconfig_path(folder: &Path, user: User<'_>) -> PathBuf {
    folder.join(format!("{}.kubeconfig", user.file()))
}

fn program(binaries: &Binaries, program: &'static str) -> Result<PathBuf, PlaneError> {
    binaries
        .program(program)
        .ok_or(PlaneError::Absent { program })
}

fn start(
    netns: &Netns,
    command: &Command,
    program: &'static str,
    folder: &Path,
) -> Result<Process, PlaneError> {
    let log = folder.join(format!("{program}.log"));
    Process::start(netns, command, &log).map_err(io_error(&format!("start {program}")))
}

/// Reads a line of the audit log.
fn read_denied(line: &str) -> Option<Denied> {
    let event: Value = serde_json::from_str(line).ok()?;
    let text = |pointer| {
        event
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let code = event
        .pointer("/responseStatus/code")
        .and_then(Value::as_u64);
    (code == Some(FORBIDDEN)).then_some(())?;
    Some(Denied {
        user: text("/user/username")?,
        verb: text("/verb")?,
        path: text("/requestURI")?,
    })
}

fn io_error(act: &str) -> impl FnOnce(io::Error) -> PlaneError {
    let act = act.to_owned();
    move |source| PlaneError::Io { act, source }
}

fn unwell(program: &'static str, fact: String, log: &str) -> PlaneError {
    let lines: Vec<_> = log.lines().collect();
    let last = lines.len().saturating_sub(LAST_LINES);
    let said = lines.get(last..).unwrap_or_default().join("\n");
    PlaneError::Unwell {
        program,
        fact,
        said,
    }
}

const SERVER_PORT: u16 = 6443;

/// HTTP 403.
const FORBIDDEN: u64 = 403;

/// Times [`POLL`], and what a question takes: a minute at least, for a machine that builds something
/// else meanwhile.
const PATIENCE: u32 = 600;
const POLL: Duration = Duration::from_millis(100);

/// How often kubectl is asked to wait for definitions.
const ATTEMPTS: u32 = 50;

const LAST_LINES: usize = 15;
