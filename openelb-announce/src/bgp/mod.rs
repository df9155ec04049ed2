//! BGP-4: the vocabulary, the messages, and what speaks them (RFC 4271 and its extensions).
//!
//! Each module imports only those to its left: [`asn`], [`family`], [`prefix`], [`community`],
//! [`next_hop`], [`attribute`], [`message`], [`route`], [`policy`], [`rib`],
//! [`config`], [`session`], [`peer`], [`status`], [`speaker`].

pub mod asn;
pub mod attribute;
pub mod community;
pub mod config;
pub mod family;
pub mod message;
pub mod next_hop;
pub mod peer;
pub mod policy;
pub mod prefix;
pub mod rib;
pub mod route;
pub mod session;
pub mod speaker;
pub mod status;

pub use asn::{Asn, RouterId};
pub use attribute::{AsPath, Attributes, Origin};
pub use community::{Community, CommunitySet, ExtendedCommunity, LargeCommunity};
pub use family::{Family, FamilySet, PerFamily};
pub use next_hop::{ExtendedNextHop, NextHop};
pub use prefix::{Nlri, Prefix};

/// Serialises a value as the text that its `Display` writes and its `FromStr` reads.
macro_rules! serde_as_text {
    ($($name:ty),+ $(,)?) => {$(
        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        #[cfg(feature = "serde")]
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;
