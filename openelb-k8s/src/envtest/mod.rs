//! A real Kubernetes control plane in a network namespace, for tests and for the lab.
//!
//! etcd, the API server and, when asked for, the controllers of Kubernetes run as processes of this
//! machine without containers and without kubelets: nodes and pods are objects whose status somebody
//! writes. Role-based access control is on and the tokens of service accounts are real, so that what
//! a program may do is seen by running it. The programs come from `KUBEBUILDER_ASSETS` or from
//! `make envtest`; it takes root, for the namespace.
//!
//! ```no_run
//! use openelb_k8s::envtest::{Binaries, ControlPlane, Options, Release, User};
//!
//! let binaries = Binaries::find(Release::Current)?;
//! let plane = ControlPlane::start(&binaries, &Options::default())?;
//! plane.kubectl(&["create", "serviceaccount", "web"])?;
//! let account = User::ServiceAccount { namespace: "default", name: "web" };
//! // A file for `KUBECONFIG`, with a token that the API server issued a moment ago.
//! let kubeconfig = plane.kubeconfig(account)?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```

mod binaries;
mod certificates;
mod component;
mod control_plane;
mod folder;
mod kubeconfig;
mod kubectl;
mod netns;
mod process;

pub use self::binaries::{Binaries, Missing, Release};
pub use self::certificates::CertificateError;
pub use self::component::ProxyMode;
pub use self::control_plane::{ControlPlane, Denied, Options, PlaneError};
pub use self::kubeconfig::User;
pub use self::kubectl::KubectlError;
pub use self::netns::Netns;
pub use self::process::Process;
