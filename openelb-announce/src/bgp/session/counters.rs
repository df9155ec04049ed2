//! How many messages of each type went by.

use crate::bgp::message::MessageKind;

/// Messages by type, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Counters {
    /// What the peer sent.
    pub received: Messages,
    /// What was handed to TCP.
    pub sent: Messages,
    /// UPDATEs whose routes counted as withdrawn because of a fault (RFC 7606).
    pub treated_as_withdraw: u64,
    /// UPDATEs with attributes that were passed over because of a fault (RFC 7606).
    pub attribute_discarded: u64,
}

/// Messages by type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Messages {
    /// OPEN.
    pub open: u64,
    /// UPDATE, End-of-RIB among them.
    pub update: u64,
    /// NOTIFICATION.
    pub notification: u64,
    /// KEEPALIVE.
    pub keepalive: u64,
    /// ROUTE-REFRESH.
    pub route_refresh: u64,
}

impl Messages {
    /// All types together.
    pub const fn total(&self) -> u64 {
        self.open + self.update + self.notification + self.keepalive + self.route_refresh
    }

    /// Counts a message of this kind.
    pub(super) const fn count(&mut self, kind: MessageKind) {
        let counter = match kind {
            MessageKind::Open => &mut self.open,
            MessageKind::Update => &mut self.update,
            MessageKind::Notification => &mut self.notification,
            MessageKind::Keepalive => &mut self.keepalive,
            MessageKind::RouteRefresh => &mut self.route_refresh,
            MessageKind::Unknown(_) => return,
        };
        *counter += 1;
    }

    /// Counts every message in `octets`, which are whole ones.
    pub(in crate::bgp) fn count_all(&mut self, mut octets: &[u8]) {
        while let Some((header, _)) = octets.split_first_chunk::<HEADER>() {
            let [.., high, low, kind] = *header;
            let length = usize::from(u16::from_be_bytes([high, low])).max(HEADER);
            self.count(MessageKind::from(kind));
            octets = octets.get(length..).unwrap_or_default();
        }
    }
}

/// Marker, length and type.
const HEADER: usize = 19;
