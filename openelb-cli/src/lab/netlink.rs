//! Speaking to the kernel's network configuration from whatever namespace a thread is in.

use std::io;

use nix::net::if_::if_nametoindex;
use rtnetlink::{Handle, LinkUnspec};

use super::host::HostError;

/// Why the network could not be built or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    /// A host did not start.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The kernel refused a step.
    #[error("{act}: {source}")]
    Netlink {
        /// What was being done.
        act: String,
        /// What the kernel said.
        source: rtnetlink::Error,
    },
    /// A file of `/proc/sys`, or the netlink socket itself, could not be used.
    #[error("{act}: {source}")]
    Io {
        /// What was being done.
        act: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs `work` with a netlink socket of this thread's namespace.
pub(crate) fn on_this_thread<T, F>(work: impl FnOnce(Handle) -> F) -> Result<T, NetworkError>
where
    F: Future<Output = Result<T, NetworkError>>,
{
    let opening = io_error("open a netlink socket");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    runtime.map_err(&opening)?.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(opening)?;
        tokio::spawn(connection);
        work(handle).await
    })
}

/// The index of an interface of this thread's namespace.
pub(crate) fn index(name: &str) -> Result<u32, NetworkError> {
    if_nametoindex(name)
        .map_err(|errno| io_error(format!("find interface {name}"))(io::Error::from(errno)))
}

/// A fault of netlink while doing `act`.
pub(crate) fn netlink(act: String) -> impl FnOnce(rtnetlink::Error) -> NetworkError {
    move |source| NetworkError::Netlink { act, source }
}

/// Sets an interface of this thread's namespace up.
pub(crate) async fn set_up(handle: &Handle, name: &str) -> Result<(), NetworkError> {
    let link = LinkUnspec::new_with_index(index(name)?).up().build();
    handle
        .link()
        .set(link)
        .execute()
        .await
        .map_err(netlink(format!("set {name} up")))
}

/// A fault of the system while doing `act`.
pub(crate) fn io_error(act: impl Into<String>) -> impl Fn(io::Error) -> NetworkError {
    let act = act.into();
    move |source| NetworkError::Io {
        act: act.clone(),
        source,
    }
}
