//! Which address belongs to whom: IPv4 and IPv6 allocation for controllers, daemons and tools.
//!
//! Give the ledger pools, ask it for addresses, store what changed. It answers in well under a
//! microsecond, at any pool size up to `::/0` and any fill, and it can always say why.
//!
//! ```
//! use openelb_ipam::{Family, Fence, Ipam, Owner, PoolSpec, Request, Time};
//!
//! let mut ipam = Ipam::new();
//!
//! // Pools are edited by plan: look at what an edit means, then apply it.
//! let plan = ipam.plan_pools(&[PoolSpec::new("public".parse()?, ["192.0.2.0/24", "2001:db8::/64"])])?;
//! assert_eq!(plan.to_string(), "+ pool public");
//! ipam.apply_pools(plan, Time(0))?;
//!
//! // An owner asks. Asking again changes nothing: addresses stick.
//! let web: Owner = "service/default/web".parse()?;
//! let allocation = ipam.allocate(&web, &Request::dual_stack(), Time(1))?;
//! assert_eq!(allocation.to_string(), "192.0.2.1, 2001:db8::1");
//!
//! // What to write to a store, and what a store gives back after a crash.
//! let changes = ipam.changes_since(0)?;
//! assert_eq!((changes.to, changes.puts.len()), (2, 2));
//! let mut ipam = Ipam::restore(ipam.snapshot())?;
//!
//! // A refusal says what was tried and what would help.
//! let refused = ipam.explain(&"service/default/db".parse()?, &Request::default().pin("192.0.2.1".parse()?), Time(2));
//! assert!(refused.to_string().contains("pool public has given 192.0.2.1 to service/default/web"));
//!
//! ipam.release(&web.key, Fence::Any, Time(3))?;
//! assert!(ipam.usage("public", Family::V4).unwrap().used.is_zero());
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # The five types to know
//!
//! - [`Ipam`], the ledger: every operation is a method of it.
//! - [`PoolSpec`], a pool as its user writes it; [`Pool`], the same once checked.
//! - [`Owner`], who asks: `kind/namespace/name`, and a uid that tells incarnations apart.
//! - [`Request`], what is asked: families, pinned addresses, a pool, permission to share.
//! - [`Changes`] and [`Snapshot`], the state as [rows](row::Row): what stores keep and watchers see.
//!
//! # What it promises
//!
//! - An address has one owner, or several that agreed to share it.
//! - **Stickiness**: an allocation changes only when a request contradicts it. Restarts, better
//!   pools, disabled pools and moved defaults renumber nobody; pool edits only by their stated
//!   [policy](pool::OnShrink).
//! - A dual-stack pair is complete or not given; a changed request is an exchange, never a gap.
//! - Repeating an operation changes nothing, not even the generation.
//! - Any rows, however damaged, are a consistent ledger or an error; never a panic.
//!
//! Each is held by property tests, a model checker and fuzzers; [`Ipam::audit`] checks all of them.
//!
//! # What it does not do
//!
//! No sockets, files, clocks, threads or `unsafe`: time is an [argument](Time), storage is yours, and
//! one writer owns a ledger. It does not announce addresses (that is `openelb-announce`) and knows
//! nothing of Kubernetes, although its words are those of `Service` objects.
//!
//! # Cost
//!
//! | operation | cost |
//! |---|---|
//! | [`allocate`](Ipam::allocate) again, nothing to do | one hash look-up |
//! | [`allocate`](Ipam::allocate), [`reserve`](Ipam::reserve) | O(pools), then a few look-ups and a fixed number of index steps |
//! | [`release`](Ipam::release), [`commit`](Ipam::commit), [`abort`](Ipam::abort) | a few look-ups; O(waiting owners) if any wait |
//! | an exhausted pool's answer | O(1): a counter |
//! | [`whois`](Ipam::whois), pinned addresses | O(pools × log ranges) |
//! | [`usage`](Ipam::usage) | O(1) |
//! | [`changes_since`](Ipam::changes_since) | O(changed rows) |
//! | [`plan_pools`](Ipam::plan_pools), [`apply_pools`](Ipam::apply_pools) | O(addresses in use) |
//! | [`snapshot`](Ipam::snapshot) | O(n log n); [`restore`](Ipam::restore) O(n) |
//! | memory | about 115 bytes per dual-stack owner with a 29-byte key, among a million |
//!
//! # Features
//!
//! `std` (default) and `serde` (default): human-readable forms of every value. Without `std` the
//! crate needs only `alloc`. `roaring`: conversions to that crate's bitmaps.

// Tests have the standard library whatever the features are.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

// The order is that of dependence: a module knows only those above it.
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

pub mod dynamic_prefix;

pub mod relative;

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

/// The crate page's example is compiled and run like any other.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
