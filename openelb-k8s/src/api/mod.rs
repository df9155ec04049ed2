//! The API objects, byte-compatible with OpenELB: same field names, same defaults on the wire.

mod eip;
mod status;
#[cfg(test)]
mod tests;

pub use eip::{
    Eip, EipSpec, LabelSelector, ObjectMeta, OnShrink, Protocol, Quota, Requirement,
    SelectorOperator, Strategy,
};
pub use status::EipStatus;
