//! What one TCP connection to a peer is: OPENs exchanged, what they agree on, and what is kept alive.
//!
//! A `Connection` frames what arrives, keeps the timers of RFC 4271 section 8 that belong to one
//! connection, and holds the few messages that wait to be sent. It takes no decision about the peer;
//! that is [`peer`](super::peer)'s.

mod agree;
mod connection;
mod counters;
mod negotiated;
mod offer;
mod outbox;
mod refusal;

pub(super) use connection::{Connection, Expired, Faults, Heard, Phase};
pub use connection::{ConnectionId, Direction};
pub use counters::{Counters, Messages};
pub use negotiated::{Negotiated, PeerRestart};
pub(super) use offer::Offer;
pub(super) use outbox::Outbox;
pub use refusal::Refusal;
