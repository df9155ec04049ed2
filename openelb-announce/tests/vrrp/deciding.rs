//! Who is Active: equal priorities, preemption, several routers on one link, strangers.

use std::time::Duration;

use openelb_announce::announcer::{RouterName, VirtualRouter};
use openelb_announce::vrrp::{Event, Family, State, Vrid};

use crate::keepalived::{Instance, Keepalived};
use crate::node::{Node, router, until_found_at};
use crate::other::{Kind, with_routers};
use crate::world::{Host, eventually, pause};

const V4: Family = Family::Ipv4;

fn is_backup(event: &Event) -> bool {
    matches!(event, Event::Backup { .. })
}

/// The host hears no advertisement any more, until its table `cut` is deleted.
fn deafen(host: &Host) {
    host.sh("nft add table netdev cut");
    host.sh("nft add chain netdev cut in { type filter hook ingress device eth0 priority 0; }");
    host.sh("nft add rule netdev cut in ip protocol 112 drop");
}

#[test]
fn of_equal_priorities_the_greater_address_stays_active() {
    with_routers(|_, [first, second]| {
        let lower = Node::start(&first, vec![router(V4, 100)]);
        lower.until(V4, State::Active);
        let greater = Kind::Keepalived(V4).start(&second, 100);
        // Whoever is Active stays that: only two that both are would compare addresses.
        eventually("it is heard for a while", || {
            lower.status(V4).counters.sent > 20
        });
        assert!(lower.is(V4, State::Active) && !greater.is_active());
        // Cut apart both are Active; reunited the greater address is.
        deafen(&first);
        deafen(&second);
        greater.until_active(true);
        assert!(lower.is(V4, State::Active));
        first.sh("nft delete table netdev cut");
        lower.until(V4, State::Backup);
        second.sh("nft delete table netdev cut");
        assert!(greater.is_active());
    });
}

#[test]
fn without_preemption_a_lower_priority_stays_active() {
    with_routers(|_, [node, peer]| {
        let lower = Kind::Keepalived(V4).start(&peer, 50);
        lower.until_active(true);
        let mut patient = router(V4, 200);
        patient.settings.preempt = false;
        let ours = Node::start(&node, vec![patient]);
        eventually("it is heard for a while", || {
            ours.status(V4).counters.received > 15
        });
        assert!(ours.is(V4, State::Backup) && lower.is_active());
        lower.signal("TERM");
        ours.until(V4, State::Active);
    });
}

#[test]
fn preemption_waits_for_its_delay() {
    with_routers(|_, [node, peer]| {
        let lower = Kind::Keepalived(V4).start(&peer, 50);
        lower.until_active(true);
        let mut patient = router(V4, 200);
        patient.settings.preempt_delay = Duration::from_secs(1);
        let ours = Node::start(&node, vec![patient]);
        ours.until(V4, State::Active);
        lower.until_active(false);
        // Ten adverts are a second.
        assert!(ours.status(V4).counters.received >= 10);
    });
}

#[test]
fn routers_of_one_link_live_side_by_side() {
    with_routers(|_, [node, peer, client]| {
        let further = |number: u8, priority: u8| {
            let mut further = router(V4, priority);
            further.name = RouterName::new(&format!("further-{number}"));
            further.settings.vrid = Vrid::new(number).unwrap();
            further.settings.addresses = vec![format!("192.0.2.{number}").parse().unwrap()];
            further
        };
        let all = |priorities: [u8; 4]| -> Vec<VirtualRouter> {
            let [first, second, v4, v6] = priorities;
            vec![
                further(101, first),
                further(102, second),
                router(V4, v4),
                router(Family::Ipv6, v6),
            ]
        };
        let one = Node::start(&node, all([200, 100, 200, 100]));
        let other = Node::start(&peer, all([100, 200, 100, 200]));
        let active = |node: &Node| {
            let routers = node.announcer.routers().into_iter();
            let active = routers.filter(|it| it.state == State::Active);
            let mut names: Vec<_> = active.map(|it| (it.family, it.vrid.get())).collect();
            names.sort_unstable();
            names
        };
        eventually("they share the routers", || {
            active(&one) == [(V4, 51), (V4, 101)]
                && active(&other) == [(V4, 102), (Family::Ipv6, 51)]
        });
        for (address, host) in [("192.0.2.101", &node), ("192.0.2.102", &peer)] {
            eventually("it is where it belongs", || {
                client.resolve(address) == Some(host.mac("eth0"))
            });
        }
        // One of them goes, the others do not notice.
        one.events();
        one.set(all([200, 100, 200, 100]).split_off(1));
        eventually("the other has it too", || active(&other).len() == 3);
        assert_eq!(active(&one), [(V4, 51)]);
        let others = one.events();
        assert!(!others.iter().any(is_backup), "{others:?}");
    });
}

#[test]
fn a_stranger_with_our_vrid_is_reported_and_decides_nothing() {
    with_routers(|_, [node, peer]| {
        let mut instance = Instance::new(V4, 250);
        instance.addresses = vec!["192.0.2.77".to_owned()];
        let _stranger = Keepalived::start(&peer, &instance);
        eventually("the stranger is Active", || {
            peer.sh("ip -brief addr").contains("192.0.2.77/")
        });
        let ours = Node::start(&node, vec![router(V4, 100)]);
        eventually("it is counted", || ours.status(V4).counters.strangers > 10);
        // Listen before use: the VRID is taken.
        assert!(ours.is(V4, State::Backup));
        let source = "192.0.2.2".parse().unwrap();
        let told = ours.events();
        let told = told.iter();
        let duplicates = told.filter(|it| **it == Event::DuplicateVrid { source });
        assert_eq!(duplicates.count(), 1, "told once, counted always");
    });
}

#[test]
fn a_stranger_that_comes_later_does_not_end_a_working_router() {
    with_routers(|_, [node, peer, client]| {
        let ours = Node::start(&node, vec![router(V4, 100)]);
        ours.until(V4, State::Active);
        let mut instance = Instance::new(V4, 250);
        instance.addresses = vec!["192.0.2.77".to_owned()];
        // It is Active for its own addresses whatever we say.
        deafen(&peer);
        let _stranger = Keepalived::start(&peer, &instance);
        eventually("it is counted", || ours.status(V4).counters.strangers > 10);
        assert!(ours.is(V4, State::Active));
        until_found_at(&client, V4, &node.mac("eth0"));
    });
}

#[test]
fn a_node_that_joins_and_leaves_disturbs_nobody() {
    with_routers(|_, [node, peer]| {
        let ours = Node::start(&node, vec![router(V4, 200)]);
        ours.until(V4, State::Active);
        ours.events();
        for _ in 0..3 {
            let joiner = Node::start(&peer, vec![router(V4, 100)]);
            joiner.until(V4, State::Backup);
            pause();
        }
        assert_eq!(ours.events(), []);
    });
}

#[test]
fn of_two_routers_that_meet_on_a_link_with_one_vrid_the_second_stays_away_and_names_the_first() {
    with_routers(|_, [node, _]| {
        let first = router(V4, 100);
        let mut second = router(V4, 200);
        second.name = RouterName::new("second");
        // The set cannot tell that both mean one link: which links there are is known here alone.
        second.interface = "eth*".parse().unwrap();
        second.settings.addresses = vec!["192.0.2.101".parse().unwrap()];
        let ours = Node::start(&node, vec![first.clone(), second.clone()]);
        ours.until(V4, State::Active);
        let find = |name: &RouterName| {
            let mut statuses = ours.announcer.routers().into_iter();
            statuses.find(|status| status.name == *name)
        };
        let displaced = find(&second.name).expect("it is not passed over in silence");
        assert_eq!(displaced.state, State::Initialize);
        let problem = displaced.last_error.unwrap_or_default();
        assert!(
            problem.contains(&first.name.to_string()) && problem.contains("VRID 51 on eth0"),
            "{problem}"
        );
        ours.set(vec![second.clone()]);
        eventually("it has the link to itself", || {
            find(&second.name).is_some_and(|status| status.state == State::Active)
        });
    });
}
