//! The Address Resolution Protocol for IPv4 (RFC 826) and address conflict detection (RFC 5227).

pub mod machine;
pub mod packet;

pub use machine::{Arp, Machine};
