//! Bidirectional Forwarding Detection: is the path to a neighbour alive (RFC 5880, 5881, 5883).
//!
//! | module | holds | standard |
//! |---|---|---|
//! | [`packet`] | the 24 octets and what they may say | RFC 5880 section 4 |
//! | [`auth`] | keyed SHA1: signing, checking, sequence numbers | RFC 5880 sections 4.4, 6.7 |
//! | [`settings`] | what can be chosen for a session | RFC 5880 section 6.8.1 |
//! | [`machine`] | a session: states, timers, polls | RFC 5880 section 6.8 |
//! | [`demultiplexer`] | which session a packet is for | RFC 5880 section 6.3, RFC 5881 section 3, RFC 5883 section 3 |
//!
//! Demand mode is never asked for but heeded when the neighbour asks; the Echo function is not
//! offered (Required Min Echo RX Interval is 0).

pub mod auth;
pub mod demultiplexer;
pub mod machine;
pub mod packet;
pub mod settings;

pub use auth::{Auth, AuthKind, Key};
pub use demultiplexer::{Demultiplexer, Hops, Path};
pub use machine::{Change, Input, Output, PathState, Session};
pub use packet::{Diagnostic, Packet, State};
pub use settings::{Settings, SettingsError};

#[cfg(test)]
mod tests;
