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

pub mod occupancy;
pub use occupancy::Occupancy;

pub mod codec;

mod time;
pub use time::Time;

mod name;
pub use name::{ParsePoolNameError, PoolName};

pub mod owner;
pub use owner::{Owner, OwnerKey, ParseOwnerKeyError, Uid};

pub mod request;
pub use request::{
    Addresses, Families, FamilyPolicy, InvalidRequest, Labels, ParseAddressesError, ParsePortError,
    Port, PortSet, Protocol, Request, Sharing, Wanted, parse_addresses,
};

pub mod pool;
pub use pool::{Pool, PoolSpec, PoolSpecError};

pub mod row;
pub use row::{Changes, Row, RowKey};

pub mod ipam;
pub use ipam::{
    AllocateError, Allocation, Explanation, Fence, Hint, Ipam, PoolPlan, Reason, Refusal, Rule,
    Usage,
};

pub mod snapshot;
pub use snapshot::{RestoreError, Snapshot};
