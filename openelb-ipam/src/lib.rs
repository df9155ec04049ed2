//! Which address belongs to whom.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

mod text;

pub mod family;
pub use family::{DualStack, Family};

pub mod count;
pub use count::AddressCount;

pub mod range;
pub use range::{AddressRange, RangeError};

pub mod range_set;
pub use range_set::RangeSet;
