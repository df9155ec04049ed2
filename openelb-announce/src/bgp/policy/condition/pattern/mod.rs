//! Patterns of communities and AS paths: the forms of `GoBGP`'s regular expressions that are in use.

use crate::bgp::asn::Asn;
use crate::bgp::attribute::AsPath;
use crate::bgp::community::Community;
use std::str::FromStr;

/// Communities that a condition looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommunityPattern {
    /// This one.
    Exactly(Community),
    /// All with this number in their first half.
    OfAs(u16),
}

impl CommunityPattern {
    pub(super) fn matches(self, community: Community) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == community,
            Self::OfAs(asn) => community.0 >> 16 == u32::from(asn),
        }
    }
}

impl FromStr for CommunityPattern {
    type Err = ParseCommunityPatternError;

    /// Reads a community, or a number with `:*`; also between `^` and `$`, and with `.*` for `*`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text.strip_prefix('^').unwrap_or(text);
        let bare = bare.strip_suffix('$').unwrap_or(bare);
        let wild = [":.*", ":[0-9]+", ":*"];
        let high = wild.iter().find_map(|wild| bare.strip_suffix(wild));
        let pattern = match high {
            Some(high) => high.parse().ok().map(Self::OfAs),
            None => bare.parse().ok().map(Self::Exactly),
        };
        pattern.ok_or_else(|| ParseCommunityPatternError {
            text: text.to_owned(),
        })
    }
}

/// A text is no pattern of communities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no community pattern of this speaker; write a community as in 64512:1 or all of \
     one AS as in 64512:*"
)]
pub struct ParseCommunityPatternError {
    text: String,
}

/// AS paths that a condition looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AsPathPattern {
    /// `^65001_`: it was received from this AS.
    From(Asn),
    /// `_65001$`: it began in this AS.
    Origin(Asn),
    /// `_65001_`: it went through this AS.
    Includes(Asn),
    /// `^65001$`: it began in this AS and was received from it.
    Only(Asn),
}

impl AsPathPattern {
    pub(super) fn matches(self, path: &AsPath) -> bool {
        match self {
            Self::From(asn) => path.first_as() == Some(asn),
            Self::Origin(asn) => path.origin_as() == Some(asn),
            Self::Includes(asn) => path.contains(asn),
            Self::Only(asn) => path.length() == 1 && path.first_as() == Some(asn),
        }
    }
}

impl FromStr for AsPathPattern {
    type Err = ParseAsPathPatternError;

    /// Reads the four forms that the variants name.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let forms: [Form; 4] = [
            ('^', '_', Self::From),
            ('_', '$', Self::Origin),
            ('_', '_', Self::Includes),
            ('^', '$', Self::Only),
        ];
        let read = |(open, close, form): Form| {
            let number = text.strip_prefix(open)?.strip_suffix(close)?;
            number.parse().ok().map(form)
        };
        let found = forms.into_iter().find_map(read);
        found.ok_or_else(|| ParseAsPathPatternError {
            text: text.to_owned(),
        })
    }
}

/// What a number stands between, and what it means there.
type Form = (char, char, fn(Asn) -> AsPathPattern);

/// A text is no pattern of AS paths.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no AS path pattern of this speaker; write ^65001_, _65001$, _65001_ or ^65001$"
)]
pub struct ParseAsPathPatternError {
    text: String,
}
