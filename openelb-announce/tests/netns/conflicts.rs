//! Somebody else uses an address: it is seen, reported, and not fought over blindly.

use openelb_announce::announcer::{Event, State};
use openelb_announce::claim::{self, ConflictPhase, Probe};

use super::announcing::{announced, probed, start, state, until_announced, until_event};
use super::world::{eventually, with_hosts};

const VIP4: &str = "192.0.2.100";
const VIP6: &str = "2001:db8::100";

#[test]
fn an_address_that_somebody_uses_is_reported_and_not_announced_until_it_is_free() {
    with_hosts(|_, [node, owner, client]| {
        owner.sh(&format!("ip addr add {VIP4}/24 dev eth0"));
        owner.sh(&format!("ip addr add {VIP6}/64 dev eth0 nodad"));
        let announcer = start(&node);
        let owner_mac = owner.mac("eth0");
        for address in [VIP4, VIP6] {
            announcer
                .announce(probed("eth0", &[address], Probe::Fast))
                .unwrap();
            let mac = until_event(
                &announcer,
                "the conflict is reported",
                |event| match event {
                    Event::Address {
                        event: claim::Event::Conflict { mac, phase, .. },
                        ..
                    } => {
                        assert_eq!(*phase, ConflictPhase::Probing);
                        Some(*mac)
                    }
                    _ => None,
                },
            );
            assert_eq!(mac.to_string(), owner_mac);
            assert_eq!(state(&announcer), State::Conflict { mac: Some(mac) });
            assert_eq!(client.resolve(address), Some(owner_mac.clone()));
        }
        owner.sh(&format!("ip addr del {VIP6}/64 dev eth0"));
        until_announced(&announcer);
        assert_eq!(client.resolve(VIP6), Some(node.mac("eth0")));
    });
}

#[test]
fn somebody_who_takes_an_announced_address_is_reported_and_answered_with_an_announcement() {
    with_hosts(|_, [node, thief, client]| {
        let announcer = announced(&node, &[VIP4]);
        thief.sh(&format!("ip addr add {VIP4}/24 dev eth0"));
        // The thief announces itself, as a host does that comes up.
        thief.sh(&format!("arping -q -A -c 1 -I eth0 {VIP4}"));
        let mac = until_event(
            &announcer,
            "the conflict is reported",
            |event| match event {
                Event::Address {
                    event: claim::Event::Conflict { mac, phase, .. },
                    ..
                } => {
                    assert_eq!(*phase, ConflictPhase::Defended);
                    Some(*mac)
                }
                _ => None,
            },
        );
        assert_eq!(mac.to_string(), thief.mac("eth0"));
        eventually("the status names the other station", || {
            state(&announcer)
                == State::Announced {
                    contested_by: Some(mac),
                }
        });
        assert!(announcer.interfaces()[0].arp.conflicts >= 1);
        drop(client);
    });
}
