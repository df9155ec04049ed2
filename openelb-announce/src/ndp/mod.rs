//! Neighbor discovery for IPv6 (RFC 4861), with duplicate address detection (RFC 4862, RFC 7527).

pub mod machine;
pub mod option;
pub mod packet;
pub mod router;

pub use machine::{Machine, Ndp};
