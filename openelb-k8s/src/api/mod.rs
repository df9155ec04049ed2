//! The API objects, byte-compatible with OpenELB: same field names, same defaults on the wire.

mod eip;
mod status;
#[cfg(test)]
mod tests;

pub use eip::{Eip, EipSpec, ObjectMeta, OnShrink, Probe, Protocol, Quota, Strategy};
pub use status::EipStatus;
