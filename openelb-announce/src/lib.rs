//! Tells the network where an address lives: ARP, NDP, VRRP, BGP and BFD as sans-IO machines.
//!
//! A machine is a value. It is told what happens and what time it is, and says which frames to send,
//! which groups to join, what to report and when to be woken:
//!
//! ```
//! use openelb_announce::claim::{Claim, Config, Input, Output, Probe, Validity};
//! use openelb_announce::{Machine, Time, arp};
//!
//! let mut machine = arp::Machine::new(Config::default());
//! let claim = Claim { address: "192.0.2.10".parse()?, probe: Probe::Skip, valid_until: Validity::Unlimited };
//! machine.handle_input(Input::Link { mac: "02:00:5e:10:00:01".parse()?, up: true }, Time::ZERO);
//! machine.handle_input(Input::Claim(claim), Time::ZERO);
//! assert!(matches!(machine.poll_output(), Some(Output::Transmit(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | protocol | standards | module |
//! |---|---|---|
//! | ARP, with address conflict detection | RFC 826, RFC 5227 | [`arp`] |
//! | NDP, with duplicate address detection | RFC 4861, RFC 4862, RFC 7527, RFC 9131 | [`ndp`] |
//! | VRRP: which of several routers is Active | RFC 9568, RFC 3768 | [`vrrp`] |
//! | BGP-4, both families | RFC 4271, RFC 4760, RFC 7606 and more | [`bgp`] |
//! | BFD: is the path to a neighbour alive | RFC 5880, RFC 5881, RFC 5883 | [`bfd`] |
//! | who answers for an address: election among the nodes of a segment | none; see the module | [`ownership`] |
//! | which IPv6 prefixes the network gives this host | RFC 4861, RFC 4862 | [`upstream`] |
//! | what ARP and NDP share: the life of an address | RFC 5227 section 2, RFC 4862 section 5.4 | [`claim`] |
//!
//! With the feature `driver`, on Linux, `Announcer` runs them on real interfaces: hand it the whole
//! set of addresses that should be announced. With the feature `speaker`,
//! `announcer::speaker::Speaker` does the same with routes, and `announcer::kernel_routes` installs
//! those that peers announced, as far as it is told to. With the feature `sim`, `sim::Network` and
//! `sim::bgp` run them in a network made of numbers.
//!
//! What the crate does not do: decide which address belongs to whom, configure addresses on
//! interfaces, or forward traffic.

#[cfg(feature = "driver")]
pub mod announcer;
pub mod arp;
pub mod bfd;
pub mod bgp;
pub mod claim;
#[cfg(feature = "driver")]
mod driver;
pub mod forwarding;
#[cfg(feature = "driver")]
pub mod link;
pub mod machine;
pub mod ndp;
pub mod ownership;
pub mod random;
#[cfg(feature = "sim")]
pub mod sim;
pub mod time;
pub mod timer;
pub mod upstream;
pub mod vrrp;
pub mod wire;

#[cfg(feature = "driver")]
pub use announcer::Announcer;
pub use machine::Machine;
pub use time::Time;
