//! Names of nodes and groups, and the hash that gives every one of them a number.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::random::mix;

/// The name of a node: 1 to 63 octets of letters, digits, `.`, `-` and `_`, the same for the life of the node.
///
/// Two nodes of a segment must not share a name; the machine reports it when they do
/// ([`Event::DuplicateNode`](super::Event::DuplicateNode)).
///
/// ```
/// use openelb_announce::ownership::NodeId;
///
/// assert_eq!(NodeId::new("node-1.example")?.as_str(), "node-1.example");
/// assert!(NodeId::new("").is_err());
/// assert!(NodeId::new("node 1").is_err());
/// # Ok::<(), openelb_announce::ownership::NodeIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Arc<str>);

impl NodeId {
    /// The longest name, in octets: the longest label of a host name (RFC 1123 section 2.1).
    pub const MOST: usize = 63;

    /// Takes over a name.
    pub fn new(name: &str) -> Result<Self, NodeIdError> {
        let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b".-_".contains(&octet);
        if name.is_empty() || name.len() > Self::MOST {
            return Err(NodeIdError::Length(name.len()));
        }
        match name
            .chars()
            .find(|it| !u8::try_from(*it).is_ok_and(is_known))
        {
            Some(odd) => Err(NodeIdError::Character(odd)),
            None => Ok(Self(name.into())),
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number that stands for the name in heard lists and in the ranking.
    pub(super) fn key(&self) -> NodeKey {
        NodeKey(hash(self.0.as_bytes()))
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for NodeId {
    type Err = NodeIdError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::new(name)
    }
}

/// Why a text names no node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeIdError {
    /// It is empty or too long.
    #[error("a node's name has 1 to 63 octets, not {0}; choose another one")]
    Length(usize),
    /// It holds something that is no part of a host name.
    #[error("a node's name holds letters, digits, `.`, `-` and `_`, not {0:?}; choose another one")]
    Character(char),
}

/// A node's name as a number: two names of a segment share one with a chance of about 2^-50.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeKey(pub(super) u64);

/// The name of a group: of units that share one eligibility, such as one health check.
///
/// Only its number travels ([`GroupName::id`]), so any text will do; it must be the same on every node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(Arc<str>);

impl GroupName {
    /// Takes over a name.
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number that stands for the name on the wire.
    pub fn id(&self) -> GroupId {
        GroupId(hash(self.0.as_bytes()))
    }
}

impl Default for GroupName {
    /// `default`: the group of everything that has no eligibility of its own.
    fn default() -> Self {
        Self::new("default")
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A group's name as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub(super) u64);

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// The hash of every name: FNV-1a over the octets, then the finaliser of `SplitMix64`, because FNV
/// alone leaves the high bits of short texts nearly alike.
///
/// It is part of the wire format: nodes that hash differently would each own what the other owns.
pub(super) fn hash(octets: &[u8]) -> u64 {
    let fold = |hash: u64, octet: &u8| (hash ^ u64::from(*octet)).wrapping_mul(FNV_PRIME);
    mix(octets.iter().fold(FNV_OFFSET_BASIS, fold))
}

const FNV_OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

#[cfg(test)]
mod tests;
