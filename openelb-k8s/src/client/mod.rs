//! Everything that speaks to an API server: watches in, writes out, events, the lease.
//!
//! Nothing here decides anything. A [`Watch`] turns one kind into a stream of [`Event`]s that goes on
//! through relists and outages; the machines of the crate say what to write, and their words are
//! carried out here, with every way a request can end told apart.

mod backoff;
mod change;
mod connect;
mod event;
mod lease;
mod node_cidrs;
mod resource;
mod version;
mod watch;
mod write;

pub use backoff::Backoff;
pub use change::{carry_out, outcome};
pub use connect::{ConnectError, Place, connect};
pub use event::{Happening, Recorder};
pub use kube::Client;
pub use lease::{Election, Leadership};
pub use node_cidrs::give;
pub use resource::{ConfigMap, Resource, Secret, Watched};
pub use version::Version;
pub use watch::{Event, Interruption, Key, Scope, Watch};
pub use write::{Act, Failure, FieldOwner, Request, Writer};

/// An error with what is below it: of a lost connection the outermost text says nothing.
fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        // Many errors repeat what is below them.
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        source = inner.source();
    }
    text
}
