//! What is said about a route besides its next hop: the path attributes (RFC 4271 section 5).

mod as_path;

pub use as_path::{AsPath, Segment, SegmentKind};

use super::community::{Community, CommunitySet, ExtendedCommunity, LargeCommunity};
use std::fmt;
use std::str::FromStr;

/// How the first speaker learned of a route (RFC 4271 section 5.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// From inside its autonomous system.
    #[default]
    Igp,
    /// From EGP.
    Egp,
    /// In another way.
    Incomplete,
}

impl Origin {
    /// The value on the wire.
    pub const fn to_wire(self) -> u8 {
        match self {
            Self::Igp => 0,
            Self::Egp => 1,
            Self::Incomplete => 2,
        }
    }

    /// The origin of a value on the wire; `None` for an undefined one.
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Igp),
            1 => Some(Self::Egp),
            2 => Some(Self::Incomplete),
            _ => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Igp => "igp",
            Self::Egp => "egp",
            Self::Incomplete => "incomplete",
        })
    }
}

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "igp" => Ok(Self::Igp),
            "egp" => Ok(Self::Egp),
            "incomplete" => Ok(Self::Incomplete),
            _ => Err(ParseOriginError {
                text: text.to_owned(),
            }),
        }
    }
}

/// A text is no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no origin; write igp, egp or incomplete")]
pub struct ParseOriginError {
    text: String,
}

super::serde_as_text!(Origin);

/// The path attributes of routes that are announced together.
///
/// The next hop is not among them: it differs from session to session, and its kind belongs to the
/// family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Attributes {
    /// How the first speaker learned of the route.
    pub origin: Origin,
    /// The autonomous systems that the route went through, the nearest first.
    pub as_path: AsPath,
    /// Multi-exit discriminator: the smaller is preferred (RFC 4271 section 5.1.4).
    pub med: Option<u32>,
    /// The greater is preferred; inside an autonomous system only (RFC 4271 section 5.1.5).
    pub local_pref: Option<u32>,
    /// Standard communities (RFC 1997).
    pub communities: CommunitySet<Community>,
    /// Large communities (RFC 8092).
    pub large_communities: CommunitySet<LargeCommunity>,
    /// Extended communities (RFC 4360).
    pub extended_communities: CommunitySet<ExtendedCommunity>,
}

#[cfg(test)]
mod tests;
