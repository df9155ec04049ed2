//! The octets that the protocols share: addresses, headers, checksums.

pub mod mac;

pub use mac::Mac;

use smallvec::SmallVec;

/// A complete Ethernet frame without its check sequence.
///
/// 96 octets hold the longest frame that this crate builds (a Neighbor Solicitation with a nonce, 94
/// octets) without allocating.
pub type Frame = SmallVec<[u8; 96]>;
