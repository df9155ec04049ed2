//! What the nodes say that they do with an address.

use std::net::IpAddr;

use serde::Serialize;

use crate::api::{AnnouncedAddress, AnnouncementState, NodeAnnouncement, Protocol};

/// What one node does with an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// The node.
    pub node: String,
    /// `Announced`, `Standby`, `Waiting` or `Conflict`.
    pub state: &'static str,
    /// How: `layer2`, `vip`, `bgp` or `none`.
    pub protocol: &'static str,
    /// Interface, or peers; empty when the node does not say.
    pub place: String,
    /// Since when, as RFC 3339 text.
    pub since: String,
    /// One word why it is not announced; empty when it is.
    pub reason: String,
    /// Hardware address of another station that uses the address; empty when none was seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub station: String,
}

/// Every node that says something about the address of the Service; those that announce it first.
pub(super) fn of(service: &str, address: IpAddr, nodes: &[NodeAnnouncement]) -> Vec<Announcement> {
    let mut found: Vec<_> = nodes
        .iter()
        .flat_map(|node| {
            let entries = node.status.addresses.iter();
            let ours = entries.filter(|entry| is_of(entry, service, address));
            ours.map(|entry| announcement(&node.metadata.name, entry))
        })
        .collect();
    found.sort_by(|a, b| {
        let rank = |it: &Announcement| it.state != ANNOUNCED;
        (rank(a), &a.node).cmp(&(rank(b), &b.node))
    });
    found
}

fn is_of(entry: &AnnouncedAddress, service: &str, address: IpAddr) -> bool {
    entry.service == service && entry.address.parse() == Ok(address)
}

fn announcement(node: &str, entry: &AnnouncedAddress) -> Announcement {
    Announcement {
        node: node.to_owned(),
        state: match entry.state {
            AnnouncementState::Announced => ANNOUNCED,
            AnnouncementState::Standby => "Standby",
            AnnouncementState::Waiting => "Waiting",
            AnnouncementState::Conflict => "Conflict",
        },
        protocol: match entry.protocol {
            Protocol::Bgp => "bgp",
            Protocol::Layer2 => "layer2",
            Protocol::Vip => "vip",
            Protocol::None => "none",
        },
        place: if entry.interface.is_empty() {
            entry.peers.join(", ")
        } else {
            entry.interface.clone()
        },
        since: entry.since.clone(),
        reason: entry.reason.clone(),
        station: entry.station.clone(),
    }
}

const ANNOUNCED: &str = "Announced";
