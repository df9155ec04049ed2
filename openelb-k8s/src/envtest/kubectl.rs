//! kubectl, run as an administrator would.

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use super::netns::Netns;

/// Why kubectl did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum KubectlError {
    /// It could not be run.
    #[error("run kubectl {words}: {source}")]
    Run {
        /// Its arguments.
        words: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended with an error.
    #[error("kubectl {words}: {said}")]
    Failed {
        /// Its arguments.
        words: String,
        /// What it wrote to standard error.
        said: String,
    },
}

/// Runs kubectl in a namespace with this kubeconfig and this text on its standard input; returns what
/// it writes.
pub(super) fn run(
    netns: &Netns,
    program: &Path,
    kubeconfig: &Path,
    arguments: &[&str],
    input: &str,
) -> Result<String, KubectlError> {
    let words = arguments.join(" ");
    let failed = |source| KubectlError::Run {
        words: words.clone(),
        source,
    };
    let mut command = Command::new(program);
    // What it learned of the server's API lies beside the kubeconfig, not in somebody's home.
    let cache = kubeconfig.with_extension("cache");
    command
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .arg("--cache-dir")
        .arg(cache);
    command.args(arguments).env_remove("KUBECONFIG");
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = netns.spawn(command).map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that fails before it has read everything says why by itself.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(KubectlError::Failed { words, said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
