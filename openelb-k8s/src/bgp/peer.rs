//! A `BgpPeer` as the settings of one neighbour, or of a group of them.

use std::net::IpAddr;

use ipnet::IpNet;
use openelb_announce::bfd as announce_bfd;
use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::config::{Password, Remote, RemoteAs, Settings};
use openelb_announce::bgp::family::PerFamily;
use openelb_announce::bgp::route::PeerName;

use super::{Material, Node, PasswordSource, bfd, export_policy, families, session, template};
use crate::api::{BgpConf, BgpPeer, BgpPeerSpec, PeerAsType, PeerConf};
use crate::names;
use crate::problem::{Reason, Remarks};

/// What a peer is read against.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) peers: &'a [BgpPeer],
    pub(super) node: &'a Node,
    pub(super) material: &'a dyn Material,
    pub(super) conf: Option<&'a BgpConf>,
}

/// A peer that this node speaks with.
#[derive(Debug)]
pub(super) struct Spoken {
    pub(super) name: PeerName,
    pub(super) neighbor: Neighbor,
    pub(super) settings: Settings,
    pub(super) bfd: Option<announce_bfd::Settings>,
}

/// Where the other side is.
#[derive(Debug)]
pub(super) enum Neighbor {
    /// At one place.
    One(Remote),
    /// Anywhere in these ranges.
    Ranges { ranges: Vec<IpNet>, limit: u32 },
}

impl Place<'_> {
    /// `None` when the object is a template, is not for this node or the network plugin's, or was
    /// remarked on with an error.
    pub(super) fn read(&self, peer: &BgpPeer, remarks: &mut Remarks) -> Option<Spoken> {
        let is_foreign = peer.metadata.labels.contains_key(names::CNI_LABEL);
        if peer.spec.is_template || is_foreign {
            return None;
        }
        let spec = template::resolved(&peer.spec, self.peers, remarks)?;
        let is_here = |selector: &openelb_ipam::pool::Selector| selector.matches(&self.node.labels);
        let is_here = spec.node_selector.as_ref().is_none_or(is_here);
        let Some(conf) = &spec.conf else {
            let next = "add `conf:` with `neighborAddress` and `peerAs`";
            remarks.invalid("spec.conf", "the peer has no `conf`", next);
            return None;
        };
        refuse_unsupported(conf, remarks);
        let neighbor = neighbor(&spec, conf, remarks);
        let settings = self.settings(peer, &spec, conf, remarks);
        let bfd = bfd::settings(&spec, self.material, remarks);
        if remarks.has_error() || !is_here {
            return None;
        }
        Some(Spoken {
            name: PeerName::from(peer.metadata.name.as_str()),
            neighbor: neighbor?,
            settings,
            bfd,
        })
    }

    fn settings(
        &self,
        peer: &BgpPeer,
        spec: &BgpPeerSpec,
        conf: &PeerConf,
        remarks: &mut Remarks,
    ) -> Settings {
        let of_speaker = self
            .conf
            .and_then(|conf| conf.spec.graceful_restart.as_ref());
        let restart = session::restart(spec.graceful_restart.as_ref(), of_speaker, remarks);
        let mut families = families::of_peer(spec, self.conf, remarks);
        for (_, family) in families.iter_mut() {
            family.long_lived = restart.long_lived.filter(|_| family.enabled);
        }
        let is_unnumbered = !conf.neighbor_interface.is_empty();
        let down = format!("BgpPeer {} says adminDown", peer.metadata.name);
        let key = "spec.exportPolicy";
        Settings {
            remote_as: remote_as(conf, remarks),
            local_as: Some(conf.local_as).filter(|asn| *asn > 0).map(Asn),
            transport: session::transport(spec, remarks),
            password: self.password(spec, conf, remarks),
            passive: spec.transport.as_ref().is_some_and(|t| t.passive_mode),
            admin_down: conf.admin_down.then_some(down),
            timers: session::timers(spec, remarks),
            families,
            graceful_restart: restart.offered,
            extended_messages: spec.extended_messages,
            extended_next_hop: spec.extended_next_hop.unwrap_or(is_unnumbered),
            next_hop: PerFamily {
                ipv4: spec.next_hop.as_ref().and_then(|hops| hops.ipv4),
                ipv6: spec.next_hop.as_ref().and_then(|hops| hops.ipv6),
            },
            policy: export_policy(key, &spec.export_policy, self.material, remarks),
            prefix_limit: spec.prefix_limit,
            keep_received: spec.keep_received,
            liveness: bfd::liveness(spec),
            graceful_shutdown: spec.graceful_shutdown,
            description: Some(conf.description.clone()).filter(|text| !text.is_empty()),
            ..Settings::default()
        }
    }

    fn password(
        &self,
        spec: &BgpPeerSpec,
        conf: &PeerConf,
        remarks: &mut Remarks,
    ) -> Option<Password> {
        let file = spec.auth_password_file.as_str();
        let secret = spec.auth_password_secret.as_ref();
        let written = [
            (!conf.auth_password.is_empty(), "spec.conf.authPassword"),
            (!file.is_empty(), "spec.authPasswordFile"),
            (secret.is_some(), "spec.authPasswordSecret"),
        ];
        let mut keys = written.iter().filter(|(is, _)| *is).map(|(_, key)| *key);
        let key = keys.next()?;
        if let Some(other) = keys.next() {
            let message = format!("the password is in `{key}` too");
            remarks.invalid(other, message, "keep one of them");
            return None;
        }
        let source = match secret {
            Some(secret) => PasswordSource::Secret {
                name: &secret.name,
                key: &secret.key,
            },
            None => PasswordSource::File(file),
        };
        let octets = if conf.auth_password.is_empty() {
            self.material.password(source)
        } else {
            Ok(conf.auth_password.reveal().as_bytes().to_vec())
        };
        match octets {
            Ok(octets) => Password::new(octets)
                .map_err(|error| remarks.invalid_text(key, error))
                .ok(),
            Err(why) => {
                let (fact, next) = why
                    .rsplit_once("; ")
                    .unwrap_or((&why, "write the password there, or name another place"));
                remarks.add(Reason::Unresolved, key, fact, next);
                None
            }
        }
    }
}

/// Fields of OpenELB that only make sense for a speaker that passes on the routes of others.
fn refuse_unsupported(conf: &PeerConf, remarks: &mut Remarks) {
    let keep = matches!(conf.remove_private_as.as_str(), "" | "NONE");
    let why = "leave it out: the routes announced here begin here, none is passed on";
    let text = &conf.remove_private_as;
    remarks.unsupported(keep, "spec.conf.removePrivateAs", text, why);
    let no_damping = !conf.route_flap_damping;
    remarks.unsupported(no_damping, "spec.conf.routeFlapDamping", true, why);
    let own = conf.allow_own_as;
    remarks.unsupported(own == 0, "spec.conf.allowOwnAs", own, why);
    let no_replacing = !conf.replace_peer_as;
    remarks.unsupported(no_replacing, "spec.conf.replacePeerAs", true, why);
    let send = conf.send_community;
    let why =
        "leave it out: all kinds of communities are sent; a policy removes what is not wanted";
    remarks.unsupported(send == 0, "spec.conf.sendCommunity", send, why);
    let kind = conf.peer_type;
    let why = "leave it out: it follows from the AS numbers";
    remarks.unsupported(kind == 0, "spec.conf.peerType", kind, why);
    let group = &conf.peer_group;
    let why = "write `template:` with the name of a BgpPeer that says `isTemplate: true`";
    remarks.unsupported(group.is_empty(), "spec.conf.peerGroup", group, why);
    let vrf = &conf.vrf;
    let why = "write `transport.bindInterface:` with the VRF device";
    remarks.unsupported(vrf.is_empty(), "spec.conf.vrf", vrf, why);
}

fn remote_as(conf: &PeerConf, remarks: &mut Remarks) -> RemoteAs {
    let key = "spec.conf.peerAs";
    match (conf.peer_as, conf.peer_as_type) {
        (0, Some(PeerAsType::Internal)) => RemoteAs::Internal,
        (0, Some(PeerAsType::External)) => RemoteAs::External,
        (0, None) => {
            // A neighbour that is only known by its cable need not be known by its number.
            if conf.neighbor_interface.is_empty() {
                let next = "write the AS of the neighbour, or `peerAsType: external` or `internal`";
                remarks.invalid(key, "the peer has no AS", next);
            }
            RemoteAs::External
        }
        (asn, None) => RemoteAs::Exactly(Asn(asn)),
        (asn, Some(_)) => {
            let next = "keep one of `peerAs` and `peerAsType`";
            remarks.invalid(
                "spec.conf.peerAsType",
                format!("the peer has AS {asn} too"),
                next,
            );
            RemoteAs::Exactly(Asn(asn))
        }
    }
}

fn neighbor(spec: &BgpPeerSpec, conf: &PeerConf, remarks: &mut Remarks) -> Option<Neighbor> {
    let address = conf.neighbor_address.trim();
    let interface = conf.neighbor_interface.trim();
    let next =
        "write one of `conf.neighborAddress`, `conf.neighborInterface` and `dynamicNeighbors`";
    match (address, interface, &spec.dynamic_neighbors) {
        ("", "", None) => {
            let key = "spec.conf.neighborAddress";
            remarks.invalid(key, "nothing says where the peer is", next);
            None
        }
        (address, "", None) => remote(address, remarks).map(Neighbor::One),
        ("", interface, None) => Some(Neighbor::One(Remote::Interface(interface.to_owned()))),
        ("", "", Some(_)) => ranges(spec, remarks),
        _ => {
            let key = if address.is_empty() || interface.is_empty() {
                "spec.dynamicNeighbors"
            } else {
                "spec.conf.neighborInterface"
            };
            remarks.invalid(key, "the peer is said to be at several places", next);
            None
        }
    }
}

fn remote(text: &str, remarks: &mut Remarks) -> Option<Remote> {
    let (address, interface) = match text.split_once('%') {
        Some((address, interface)) => (address, Some(interface.to_owned())),
        None => (text, None),
    };
    if let Ok(address) = address.parse::<IpAddr>() {
        return Some(Remote::Address { address, interface });
    }
    let message = format!("`{text}` is no address");
    let next = "write an address such as 192.0.2.1, 2001:db8::1 or fe80::1%eth0; names are not \
                looked up";
    remarks.invalid("spec.conf.neighborAddress", message, next);
    None
}

fn ranges(spec: &BgpPeerSpec, remarks: &mut Remarks) -> Option<Neighbor> {
    let written = spec.dynamic_neighbors.as_ref()?;
    let mut ranges = Vec::new();
    for (index, text) in written.prefixes.iter().enumerate() {
        match text.trim().parse() {
            Ok(range) => ranges.push(range),
            Err(_) => remarks.invalid(
                format!("spec.dynamicNeighbors.prefixes[{index}]"),
                format!("`{text}` is no prefix"),
                "write one such as 192.0.2.0/24 or 2001:db8::/64",
            ),
        }
    }
    Some(Neighbor::Ranges {
        ranges,
        limit: written.limit.unwrap_or(DYNAMIC_LIMIT),
    })
}

/// Far more routers than a rack has; a limit at all, because each session costs memory.
const DYNAMIC_LIMIT: u32 = 100;
