//! Why a peer's OPEN is refused: what to tell the peer, and what to tell users.

use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::config::RemoteAs;
use crate::bgp::family::FamilySet;
use crate::bgp::message::{ErrorCode, Notification};

/// A fault of an OPEN that decodes but does not fit us (RFC 4271 section 6.2). The words name what to
/// check.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another AS than configured.
    #[error(
        "the peer is in AS {got}, but {} is configured for it; correct the peer's AS here, or its \
         own AS there", expected(*.wanted, *.local)
    )]
    PeerAs {
        /// What the settings ask for.
        wanted: RemoteAs,
        /// Our AS as this peer sees it.
        local: Asn,
        /// What the OPEN says.
        got: Asn,
    },
    /// An AS number that nobody may have (RFC 7607, RFC 6793).
    #[error("the peer calls itself AS {0}, which is reserved; give it an AS number of its own")]
    ReservedAs(Asn),
    /// An internal peer with our own BGP identifier (RFC 6286 section 2.2).
    #[error(
        "the peer has our own router id {0}; two speakers of one AS need different router ids: \
         change one of them, and check that this is not a session with ourselves"
    )]
    SameIdentifier(RouterId),
    /// No family that both sides know (RFC 4760 section 8, RFC 5492 section 5).
    #[error(
        "the peer offers {theirs}, and here {ours} is enabled; enable one family on both sides"
    )]
    NoCommonFamily {
        /// What we offered.
        ours: FamilySet,
        /// What the peer offered, as far as we know it.
        theirs: FamilySet,
    },
}

impl Refusal {
    /// What to tell the peer.
    pub fn notification(&self) -> Notification {
        match self {
            Self::PeerAs { .. } | Self::ReservedAs(_) => Notification::new(ErrorCode::BAD_PEER_AS),
            Self::SameIdentifier(_) => Notification::new(ErrorCode::BAD_BGP_IDENTIFIER),
            Self::NoCommonFamily { ours, .. } => unsupported(*ours),
        }
    }
}

/// RFC 5492 section 3: the data lists the capabilities that were missed, as an OPEN would.
fn unsupported(wanted: FamilySet) -> Notification {
    let mut data = Vec::new();
    for family in wanted.iter() {
        let [high, low] = family.afi().to_be_bytes();
        // RFC 4760 section 8: code 1, four octets, the third of them reserved.
        data.extend([1, 4, high, low, 0, family.safi()]);
    }
    Notification::with_data(ErrorCode::UNSUPPORTED_CAPABILITY, &data)
}

fn expected(wanted: RemoteAs, local: Asn) -> String {
    match wanted {
        RemoteAs::Exactly(asn) => format!("AS {asn}"),
        RemoteAs::External => format!("any AS but ours ({local})"),
        RemoteAs::Internal => format!("our own AS {local}"),
    }
}
