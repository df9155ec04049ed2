//! Faults that only show in the whole: what the speaker's own check says, in the objects' words.

use openelb_announce::bgp::config::{Fault, Place};

use super::{Problem, Speaker};
use crate::names;
use crate::problem::Reason;

/// Takes out what the speaker would refuse, and says why. What is left is accepted.
pub(super) fn drop_faulty(meant: &mut Speaker) {
    // Taking a peer out can cure another, never harm one: each round makes the list shorter.
    while let Some(config) = &mut meant.config {
        let Err(error) = config.validate() else {
            return;
        };
        let mut is_usable = true;
        for fault in &error.faults {
            let problem = problem(fault);
            match &fault.place {
                Place::Speaker => is_usable = false,
                Place::Peer(name) | Place::Dynamic(name) => {
                    config.peers.retain(|peer| peer.name != *name);
                    config.dynamic.retain(|group| group.name != *name);
                    meant.bfd.remove(name);
                }
            }
            meant.problems.push(problem);
        }
        if !is_usable {
            meant.config = None;
        }
    }
}

fn problem(fault: &Fault) -> Problem {
    let (kind, name) = match &fault.place {
        Place::Speaker => (names::BGP_CONF_KIND, names::DEFAULT_BGP_CONF.to_owned()),
        Place::Peer(name) | Place::Dynamic(name) => (names::BGP_PEER_KIND, name.to_string()),
    };
    let mut text = fault.reason.to_string();
    for (theirs, ours) in WORDS {
        text = text.replace(theirs, ours);
    }
    let (fact, next) = text
        .split_once("; ")
        .unwrap_or((&text, "correct the value"));
    let key = key_of(fault);
    let field = key.rsplit('.').next().unwrap_or(key);
    Problem {
        kind,
        name,
        reason: Reason::Invalid,
        key: key.to_owned(),
        message: format!("`{field}`: {fact}"),
        next: next.to_owned(),
    }
}

fn key_of(fault: &Fault) -> &'static str {
    match fault.field {
        "asn" => "spec.as",
        "listen" if fault.place == Place::Speaker => "spec.listenAddresses",
        "listen" => "spec.dynamicNeighbors",
        "name" => "metadata.name",
        "remote" => "spec.conf.neighborAddress",
        "local_as" => "spec.conf.localAs",
        "remote_as" => "spec.conf.peerAs",
        "source" => "spec.transport.localAddress",
        "port" => "spec.transport.remotePort",
        "local_port" => "spec.transport.localPort",
        "bind_interface" => "spec.transport.bindInterface",
        "tcp_mss" => "spec.transport.tcpMss",
        "passive" => "spec.transport.passiveMode",
        "multihop" => "spec.ebgpMultihop",
        "gtsm" => "spec.ttlSecurity.hops",
        "hold" => "spec.timers.config.holdTime",
        "keepalive" => "spec.timers.config.keepaliveInterval",
        "connect_retry" => "spec.timers.config.connectRetry",
        "families" => "spec.afiSafis",
        "add_path_send_max" => "spec.afiSafis",
        "long_lived" => "spec.gracefulRestart.staleRoutesTime",
        "restart_time" => "spec.gracefulRestart.restartTime",
        "next_hop" => "spec.nextHop",
        "prefix_limit" => "spec.prefixLimit",
        "liveness" => "spec.bfd.strict",
        "limit" => "spec.dynamicNeighbors.limit",
        "ranges" => "spec.dynamicNeighbors.prefixes",
        _ => "spec",
    }
}

/// Names of the speaker's fields that its texts mention, as the objects call them.
const WORDS: [(&str, &str); 4] = [
    ("extended_next_hop", "extendedNextHop"),
    ("graceful_restart", "gracefulRestart"),
    ("bind_interface", "transport.bindInterface"),
    ("gtsm", "ttlSecurity"),
];
