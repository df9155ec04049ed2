//! The octets that the protocols share: addresses, headers, checksums.
//!
//! Every file pairs a decoder with an encoder. Decoders read length before content, never panic and
//! keep values that they do not know. Encoders write into a buffer of the caller's.

pub mod checksum;
pub mod ethernet;
pub mod icmpv6;
pub mod ip;
pub mod ipv4;
pub mod mac;
pub mod reader;
pub mod writer;

pub use mac::Mac;
pub use reader::{Reader, Truncated};
pub use writer::{NoRoom, Writer};

use smallvec::SmallVec;

/// A complete Ethernet frame without its check sequence.
///
/// 96 octets hold the longest frame that this crate builds (a Neighbor Solicitation with a nonce, 94
/// octets) without allocating.
pub type Frame = SmallVec<[u8; 96]>;

/// A number on the wire with names for some of its values; all others survive as `Unknown`.
macro_rules! wire_enum {
    (
        $(#[$doc:meta])*
        pub enum $name:ident($repr:ty) {
            $($(#[$value_doc:meta])* $variant:ident = $value:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $variant,)+
            /// A value without a name here, as it came.
            Unknown($repr),
        }

        impl From<$repr> for $name {
            fn from(value: $repr) -> Self {
                match value {
                    $($value => Self::$variant,)+
                    _ => Self::Unknown(value),
                }
            }
        }

        impl From<$name> for $repr {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => $value,)+
                    $name::Unknown(value) => value,
                }
            }
        }
    };
}
pub(crate) use wire_enum;

/// Frames that Linux 6.18 sent on a veth pair, and the bare hexadecimal reader for them.
#[cfg(test)]
pub(crate) mod capture;
