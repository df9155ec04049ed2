//! Who answers for an address: the election of owners among the nodes of one segment.
//!
//! Nodes beat: several times a second each says to all others on the link that carries the addresses
//! whom it hears, what it offers and what it owns. What is owned is a [`Shard`]; every [unit](units)
//! of addresses that must move together belongs to one. A shard belongs to the node that ranks first
//! for it among those that are alive, hear each other and are eligible.
//!
//! | module | holds |
//! |---|---|
//! | [`Machine`] | the election as a sans-IO machine, one for each interface of a node |
//! | [`Settings`], [`Timing`], [`Profile`] | what can be chosen |
//! | [`Group`], [`Standing`], [`Shard`] | what is elected, and for whom a node stands |
//! | [`Key`], [`KeyRing`] | what signs beats |
//! | [`Status`] | what is known, for people |
//!
//! There is no RFC for it. It keeps what VRRP (RFC 9568) promises, the takeover within three intervals,
//! and adds what VRRP lacks: a node that hears nobody does not take everything; a frozen node
//! falls silent by itself; a planned move loses nothing; and the load is spread.

pub mod beat;
pub mod fence;
mod keys;
mod machine;
mod name;
mod ranking;
mod roll;
mod settings;
mod shard;
mod status;
mod terms;
mod units;

pub use keys::{Key, KeyError, KeyId, KeyRing};
pub use machine::Machine;
pub use name::{GroupId, GroupName, NodeId, NodeIdError};
pub use settings::{Group, ParseProfileError, Profile, Settings, Standing, Timing, TimingError};
pub use shard::Shard;
pub use status::{Counters, GroupStatus, NodeStatus, Phase, Status};
pub use terms::{Event, How, Input, Mismatch, Output, Refusal, Why};
pub use units::units;
