//! Tells the network where an address lives: ARP and NDP as sans-IO machines.

pub mod arp;
pub mod claim;
pub mod machine;
pub mod ndp;
pub mod random;
pub mod time;
pub mod timer;
pub mod wire;

pub use machine::Machine;
pub use time::Time;
