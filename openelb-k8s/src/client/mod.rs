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
pub use resource::{ConfigMap, Resource, Secret, Watched};
pub use version::Version;
pub use watch::{Event, Interruption, Key, Scope, Watch};
pub use write::{Act, Failure, FieldOwner, Request, Writer};
