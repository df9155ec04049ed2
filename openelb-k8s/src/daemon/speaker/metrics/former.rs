//! Sessions under the names that `OpenELB` gave to their metrics, with the values that the names
//! promise.
//!
//! Its counters of ARP for each address are not here: nobody counts by address.

use openelb_announce::bgp::peer::State;
use openelb_announce::bgp::status::{FamilyStatus, PeerStatus};
use prometheus_client::registry::Registry;

use super::{Sight, flag, gauges, number, set};

/// Adds them to a page of this node.
pub(super) fn sessions(registry: &mut Registry, sight: &Sight, node: &str) {
    for metric in &METRICS {
        let gauges = gauges(registry, metric.name, metric.help);
        for peer in &sight.bgp.peers {
            let address = peer.address.map(|address| address.to_string());
            let labels = [
                ("peerIP", address.unwrap_or_else(|| peer.remote.clone())),
                ("nodeName", node.to_owned()),
            ];
            set(&gauges, labels, (metric.value)(peer));
        }
    }
}

struct Metric {
    name: &'static str,
    help: &'static str,
    value: fn(&PeerStatus) -> f64,
}

fn of_families(peer: &PeerStatus, count: fn(&FamilyStatus) -> usize) -> f64 {
    number(peer.families.iter().map(|(_, family)| count(family)).sum())
}

#[expect(clippy::cast_precision_loss, reason = "metrics are 64-bit floats")]
fn updates(peer: &PeerStatus) -> f64 {
    peer.counters.received.update as f64
}

const METRICS: [Metric; 4] = [
    Metric {
        name: "session_up",
        // OpenELB showed the number of the state.
        help: "1 when the session with a peer is established",
        value: |peer| flag(peer.state == State::Established),
    },
    Metric {
        name: "updates_total",
        help: "UPDATE messages that came from a peer",
        value: updates,
    },
    Metric {
        name: "announced_prefixes_total",
        help: "Prefixes that a peer has been told of",
        value: |peer| of_families(peer, |family| family.advertised),
    },
    Metric {
        name: "pending_prefixes_total",
        help: "Prefixes that a peer is still to be told of, or of their end",
        value: |peer| of_families(peer, |family| family.pending),
    },
];
