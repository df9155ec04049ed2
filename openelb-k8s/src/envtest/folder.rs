//! The files of a control plane, which go with the process that made them however it ends.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use tempfile::TempDir;

/// A folder, and who removes it.
#[derive(Debug)]
pub(super) enum Folder {
    /// The caller does.
    Given(PathBuf),
    /// A shell that waits for this process to end: the control plane of a test is often a static value,
    /// which is never dropped, and a test that is killed drops nothing. etcd's files are large.
    Own {
        /// Where it is.
        path: PathBuf,
        /// Who removes it when its standard input ends without a word.
        remover: Child,
    },
}

impl Folder {
    /// Makes a folder of one's own.
    pub(super) fn create() -> io::Result<Self> {
        let path = TempDir::with_prefix("openelb-envtest-")?.keep();
        let remover = Command::new("sh")
            .args(["-c", REMOVE])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self::Own { path, remover })
    }

    pub(super) fn path(&self) -> &Path {
        let (Self::Given(path) | Self::Own { path, .. }) = self;
        path
    }

    /// Leaves it where it is.
    pub(super) fn keep(&self) {
        if let Self::Own { remover, .. } = self
            && let Some(mut stdin) = remover.stdin.as_ref()
        {
            // Told twice, it has ended already.
            let _ = stdin.write_all(b"keep\n");
        }
    }
}

impl Drop for Folder {
    #[expect(
        clippy::print_stderr,
        reason = "who looks into a failed test wants to know"
    )]
    fn drop(&mut self) {
        if thread::panicking() {
            self.keep();
            eprintln!(
                "the logs of the control plane are in {}",
                self.path().display()
            );
        }
        if let Self::Own { remover, .. } = self {
            drop(remover.stdin.take());
            let _ = remover.wait();
        }
    }
}

/// It outlives an interrupt at the terminal, and gives processes that are being killed a moment.
const REMOVE: &str = "trap '' INT TERM HUP; read word || { sleep 0.2; rm -rf \"$0\"; }";
