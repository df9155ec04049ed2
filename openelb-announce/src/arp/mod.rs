//! The Address Resolution Protocol for IPv4 (RFC 826) and address conflict detection (RFC 5227).

pub mod packet;
