//! Addresses whose prefix the network may change: host bits beside the name of a prefix.
//!
//! **The ledger never sees a renumbering.** A pool entry `home/::1000-::1fff` is kept under addresses
//! that belong to nobody ([`ledger_space`]), so that pins, stickiness, quarantine and snapshots work
//! as for any address. What the world sees is a [`Projection`]: the same host bits in the prefix that
//! is preferred now, and in those that are leaving.
//!
//! ```
//! use openelb_ipam::dynamic_prefix::{Generation, Generations};
//! use openelb_ipam::relative::{Projection, RelativeRange, Shown};
//! use openelb_ipam::Time;
//!
//! let range: RelativeRange = "home/::1000-::1fff".parse()?;
//! let given = range.in_ledger().first(); // what an allocator gave
//!
//! let mut projection = Projection::default();
//! projection.insert(range.prefix().clone(), Generations::default())?;
//! assert_eq!(projection.show(given).current(), None, "home is not known yet");
//!
//! let known = Generations {
//!     preferred: Some(Generation::new("2001:db8:b::/64".parse()?, Time(9))),
//!     deprecated: vec![Generation::new("2001:db8:a::/64".parse()?, Time(1))],
//! };
//! projection.insert(range.prefix().clone(), known)?;
//! let Shown::Following(shown) = projection.show(given) else { unreachable!() };
//! assert_eq!(shown.relative.to_string(), "home/::1000");
//! assert_eq!(shown.current, Some("2001:db8:b::1000".parse()?));
//! assert_eq!(shown.former[0].address, "2001:db8:a::1000".parse::<core::net::Ipv6Addr>()?);
//!
//! // What people write finds the way back.
//! assert_eq!(projection.read("2001:db8:a::1000")?, given);
//! assert_eq!(projection.read("home/::1000")?, given);
//! assert_eq!(projection.read("::1000")?, given);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

mod ledger;
mod name;
mod overlap;
mod projection;
mod range;

#[cfg(test)]
mod tests;

pub use self::ledger::{
    Collision, DoesNotFit, HOST_BITS, Names, is_ledger, ledger_space, project, unproject,
};
pub use self::name::{ParsePrefixNameError, PrefixName};
pub use self::overlap::Overlap;
pub use self::projection::{Following, Former, Projection, ReadError, Shown};
pub use self::range::{HostProblem, RelativeProblem, RelativeRange, RelativeRangeError};
