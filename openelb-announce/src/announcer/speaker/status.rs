//! How a running speaker stands.

pub use super::listener::ListenerStatus;
pub use super::neighbors::InterfaceStatus;
use crate::announcer::liveness::SessionStatus;
use crate::bgp::status::PeerStatus;

/// How a speaker stands: its peers, and what it has of the host.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SpeakerStatus {
    /// The peers, by name.
    pub peers: Vec<PeerStatus>,
    /// The listeners, by address.
    pub listeners: Vec<ListenerStatus>,
    /// The interfaces on which a peer without configured address is looked for.
    pub interfaces: Vec<InterfaceStatus>,
    /// TCP segments that the kernel dropped for their MD5 signature since this speaker started, of all
    /// peers and of strangers: it does not tell whose they were.
    pub refused_segments: u64,
    /// The BFD sessions, by neighbour.
    pub bfd: Vec<SessionStatus>,
}
