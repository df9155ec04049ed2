//! The Virtual Router Redundancy Protocol: one of several routers is Active for some addresses
//! (RFC 9568 for both families, RFC 3768 for version 2).
//!
//! | module | holds | standard |
//! |---|---|---|
//! | [`vrid`] | names of virtual routers, and which one an address falls to | RFC 9568 sections 5.2.3, 7.3 |
//! | [`interval`] | the unit of every timer | RFC 9568 section 5.2.7, RFC 3768 section 5.3.7 |
//! | [`packet`] | advertisements, and the two ways to sum them | RFC 9568 section 5.2, RFC 3768 section 5.3 |
//! | [`settings`] | what can be chosen for a virtual router | RFC 9568 section 6.1 |
//! | [`machine`] | one virtual router: Initialize, Backup, Active | RFC 9568 section 6.4, RFC 3768 section 6.4 |
//!
//! IPv4 and IPv6 addresses never share a virtual router, whatever its VRID (RFC 9568 section 3).
//! Authentication of version 2 is not offered: RFC 3768 took it out because it gave no security.

pub mod interval;
pub mod machine;
pub mod packet;
pub mod settings;
pub mod vrid;

pub use interval::Interval;
pub use machine::{Event, Input, Machine, Output, State};
pub use packet::{Advert, ChecksumForm, Version};
pub use settings::{Checksum, Settings, SettingsError};
pub use vrid::{Family, Vrid, VridRange};

#[cfg(test)]
mod capture;
