//! Sessions come up, whoever dials, and routes arrive.

use openelb_announce::bgp::Asn;
use openelb_announce::bgp::config::{Config, Dynamic, Peer, RemoteAs};

use crate::lab::with_lab;
use crate::node::{Node, config, peer, settings};
use crate::router::{Description, Family, Feature, Kind, Neighbor, Router};
use crate::world::{Host, with_hosts};

#[test]
fn frr_hears_both_families_over_either_session_and_forgets_what_is_withdrawn() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        let neighbors = ["192.0.2.1", "2001:db8::1"];
        let frr = neighbors.map(|address| {
            Neighbor::new(64512, address)
                .families(&Family::ALL)
                .hold_time(9)
        });
        let frr = frr
            .into_iter()
            .fold(described(&theirs), Description::neighbor);
        let frr = Router::start(Kind::Frr, &theirs, frr);
        let node = Node::start(
            &ours,
            config(&ours, [peer("v4", "192.0.2.2"), peer("v6", "2001:db8::2")]),
        );
        node.announce(&["203.0.113.7/32", "2001:db8:7::7/128"]);
        for name in ["v4", "v6"] {
            node.wait_established(name);
        }
        for neighbor in neighbors {
            frr.wait("both routes are heard", |frr| {
                frr.heard_from(neighbor).len() == 2
            });
            for heard in frr.heard_from(neighbor) {
                let expected = match heard.family() {
                    Family::Ipv4 => "192.0.2.1",
                    Family::Ipv6 => "2001:db8::1",
                };
                assert_eq!(
                    heard.next_hops[0],
                    expected.parse::<std::net::IpAddr>().unwrap()
                );
                assert_eq!(heard.as_path, [64512]);
            }
        }
        node.announce(&["2001:db8:7::7/128"]);
        for neighbor in neighbors {
            frr.wait("one route is left", |frr| {
                frr.heard_from(neighbor).len() == 1
            });
        }
    });
}

#[test]
fn two_speakers_that_dial_each_other_at_once_end_up_with_one_session() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        let near = Node::start(&one, config(&one, [peer("far", "192.0.2.2")]));
        let far = Node::start(&two, other(&two, [peer("near", "192.0.2.1")]));
        for (node, name) in [(&near, "far"), (&far, "near")] {
            node.wait_established(name);
        }
        near.wait("one connection is left", |_| connections(&one) == 1);
        assert_eq!((near.peer("far").flaps, far.peer("near").flaps), (0, 0));
    });
}

#[test]
fn either_side_may_be_passive() {
    with_hosts(|_, [one, two]: [Host; 2]| {
        for is_passive in [true, false] {
            let mut near = peer("far", "2001:db8::2");
            let mut far = peer("near", "2001:db8::1");
            (near.settings.passive, far.settings.passive) = (is_passive, !is_passive);
            let near = Node::start(&one, config(&one, [near]));
            let far = Node::start(&two, other(&two, [far]));
            near.wait_established("far");
            far.wait_established("near");
            let session = near.peer("far").session.unwrap();
            assert_eq!(session.incoming, is_passive);
        }
    });
}

#[test]
fn frr_may_be_passive_and_we_may_be() {
    with_lab(&[Kind::Frr], |_, [ours, theirs]: [Host; 2]| {
        for is_passive in [true, false] {
            let mut neighbor = Neighbor::new(64512, "192.0.2.1");
            let mut ours_of_it = peer("frr", "192.0.2.2");
            if is_passive {
                neighbor = neighbor.with(Feature::Passive);
            } else {
                ours_of_it.settings.passive = true;
            }
            let frr = Router::start(Kind::Frr, &theirs, described(&theirs).neighbor(neighbor));
            let node = Node::start(&ours, config(&ours, [ours_of_it]));
            node.wait_established("frr");
            frr.wait_established("192.0.2.1");
        }
    });
}

#[test]
fn whoever_dials_out_of_a_range_is_a_peer_and_others_are_refused() {
    with_hosts(|_, [center, one, two, stranger]: [Host; 4]| {
        let mut open = config(&center, []);
        open.dynamic = vec![Dynamic {
            name: "racks".into(),
            ranges: vec![
                "192.0.2.0/30".parse().unwrap(),
                "2001:db8::/64".parse().unwrap(),
            ],
            limit: 2,
            settings: settings(),
        }];
        let center = Node::start(&center, open);
        let first = Node::start(&one, other(&one, [peer("center", "192.0.2.1")]));
        let second = Node::start(&two, other(&two, [peer("center", "2001:db8::1")]));
        first.wait_established("center");
        second.wait_established("center");
        let third = Node::start(&stranger, other(&stranger, [peer("center", "192.0.2.1")]));
        center.wait_event("no peer has this address");
        assert!(!third.is_established("center"));
        assert_eq!(center.status().peers.len(), 2);
    });
}

/// A speaker in AS 64513 for which AS 64512 is the peer.
pub(crate) fn other(host: &Host, peers: impl IntoIterator<Item = Peer>) -> Config {
    let mut config = config(host, peers);
    config.asn = Asn(64513);
    for peer in &mut config.peers {
        peer.settings.remote_as = RemoteAs::Exactly(Asn(64512));
    }
    config
}

/// FRR in AS 64513 on `host`.
pub(crate) fn described(host: &Host) -> Description {
    Description::new(64513, std::net::Ipv4Addr::new(10, 0, 0, host.number))
}

/// How many TCP connections of BGP are up on `host`.
fn connections(host: &Host) -> usize {
    host.sh("ss -Htn state established ( sport = 179 or dport = 179 )")
        .lines()
        .count()
}
