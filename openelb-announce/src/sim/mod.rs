//! A deterministic network on a virtual clock: seed in, trace out.
//!
//! One switch, any number of speakers (which run the real machines) and clients (which behave as
//! Linux does), and cables that lose, delay, duplicate and reorder. The same seed and the same
//! calls give the same trace, so a failure that a property test finds can be run again.
//!
//! ```
//! use openelb_announce::claim::{Claim, Probe, Validity};
//! use openelb_announce::sim::{Network, Setup};
//! use std::time::Duration;
//!
//! let mut network = Network::new(Setup::default());
//! let (owner, client) = (network.add_speaker(), network.add_client());
//! let address = "192.0.2.10".parse()?;
//! network.claim(owner, Claim { address, probe: Probe::Fast, valid_until: Validity::Unlimited });
//! network.run(Duration::from_secs(1));
//! network.send(client, address);
//! network.run(Duration::from_secs(1));
//! assert_eq!(network.neighbor(client, address).map(|n| n.mac), Some(network.mac(owner)));
//! # Ok::<(), std::net::AddrParseError>(())
//! ```

pub mod bgp;
mod client;
mod clock;
mod data;
mod datagram;
mod netem;
mod network;
pub mod ownership;
mod speaker;
mod switch;
mod trace;

pub use client::{Neighbor, Reachability};
pub use clock::Clock;
pub use netem::Impairment;
pub use network::{HostId, Network, Setup};
pub use switch::SwitchOptions;
pub use trace::{Action, Record, Trace, describe};

#[cfg(test)]
mod tests;
