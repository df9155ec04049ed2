//! Tells the network where an address lives: ARP and NDP as sans-IO machines.

#[cfg(feature = "driver")]
pub mod announcer;
pub mod arp;
pub mod claim;
#[cfg(feature = "driver")]
mod driver;
#[cfg(feature = "driver")]
pub mod link;
pub mod machine;
pub mod ndp;
pub mod random;
#[cfg(feature = "sim")]
pub mod sim;
pub mod time;
pub mod timer;
pub mod wire;

#[cfg(feature = "driver")]
pub use announcer::Announcer;
pub use machine::Machine;
pub use time::Time;
