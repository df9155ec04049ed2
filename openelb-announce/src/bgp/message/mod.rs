//! The five messages of BGP, their framing and their errors (RFC 4271 sections 4 and 6).

pub mod capability;
