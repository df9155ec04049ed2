//! Where the programs of the control plane are.

#[cfg(test)]
mod tests;

use std::env;
use std::path::{Path, PathBuf};

/// The programs of one release of Kubernetes, found in one folder or in two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folders: Vec<PathBuf>,
}

/// Which Kubernetes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The one that programs are developed against.
    Current,
    /// The oldest that the client library supports.
    Oldest,
}

/// A program of the control plane is not there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "find {program} of Kubernetes {version}: it is not in {places}; `make envtest` builds it when Go is installed"
)]
pub struct Missing {
    /// Which program.
    pub program: &'static str,
    /// Of which version.
    pub version: &'static str,
    /// The folders that were searched.
    pub places: String,
}

impl Binaries {
    /// Looks for the programs of a release: in the folder that `KUBEBUILDER_ASSETS` names, for the
    /// current one, and where `make envtest` puts them. Costs a few looks at the file system.
    pub fn find(release: Release) -> Result<Self, Missing> {
        let assets = env::var_os("KUBEBUILDER_ASSETS").filter(|_| release == Release::Current);
        let built = built_in().join(release.version());
        let found = Self {
            folders: assets
                .map(PathBuf::from)
                .into_iter()
                .chain([built])
                .collect(),
        };
        for program in [ETCD, API_SERVER, KUBECTL] {
            found.require(program, release)?;
        }
        Ok(found)
    }

    /// The path of a program. By convention `KUBEBUILDER_ASSETS` holds neither the controllers of
    /// Kubernetes nor kube-proxy: those are then taken from the other folder.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let mut all = self.folders.iter().map(|folder| folder.join(name));
        all.find(|path| path.exists())
    }

    fn require(&self, program: &'static str, release: Release) -> Result<(), Missing> {
        let places = || {
            self.folders
                .iter()
                .map(|folder| folder.display().to_string())
        };
        let missing = || Missing {
            program,
            version: release.version(),
            places: places().collect::<Vec<_>>().join(" and "),
        };
        self.program(program).map(drop).ok_or_else(missing)
    }
}

impl Release {
    /// Its version, as in `v1.36.3`, from the module file that it is built by.
    pub fn version(self) -> &'static str {
        let file = match self {
            Self::Current => include_str!("../../../tests/envtest/go.mod"),
            Self::Oldest => include_str!("../../../tests/envtest/oldest.mod"),
        };
        let mut lines = file.lines().map(str::trim);
        // A test holds that both files have it.
        lines
            .find_map(|line| line.strip_prefix("k8s.io/kubernetes "))
            .unwrap_or_default()
    }
}

/// The folder of `make envtest`, in the target folder of the workspace.
fn built_in() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    let workspace = workspace.expect("the crate is a folder of the workspace");
    workspace.join("target/envtest")
}

pub(super) const ETCD: &str = "etcd";
pub(super) const API_SERVER: &str = "kube-apiserver";
pub(super) const CONTROLLERS: &str = "kube-controller-manager";
pub(super) const PROXY: &str = "kube-proxy";
pub(super) const KUBECTL: &str = "kubectl";
