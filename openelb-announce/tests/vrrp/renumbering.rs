//! The addresses of a virtual router change while it is Active: those of a new prefix join those of
//! the former one, which leave later.

use openelb_announce::announcer::VirtualRouter;
use openelb_announce::vrrp::{Family, State};

use crate::capture::Capture;
use crate::node::{LINK_LOCAL, Node, VIP6, router};
use crate::other::{Kind, with_routers};
use crate::world::eventually;

/// The lists of a renumbering, each with its link-local address first (RFC 9568 section 5.2.9).
const LISTS: [&[&str]; 3] = [
    &[LINK_LOCAL, FORMER],
    &[LINK_LOCAL, NEW, FORMER],
    &[LINK_LOCAL, NEW],
];
const FORMER: &str = VIP6;
const NEW: &str = "2001:db8:b::100";

#[test]
fn addresses_of_a_new_prefix_join_and_those_of_the_former_leave_while_the_router_stays_active() {
    with_routers(|_, [node, peer, third, client]| {
        let capture = Capture::start(&client, "ip6 proto 112");
        let (family, own) = (Family::Ipv6, node.mac("eth0"));
        let ours = Node::start(&node, with_addresses(200, LISTS[0]));
        ours.until(family, State::Active);
        let backup = Node::start(&peer, with_addresses(100, LISTS[0]));
        // It has the former address alone, for good.
        let frr = Kind::Frr(family).start(&third, 50);
        backup.until(family, State::Backup);
        let hear = || {
            let before = backup.status(family).counters.received;
            eventually("the Backup hears more", || {
                backup.status(family).counters.received > before + 20
            });
        };
        hear();
        for addresses in &LISTS[1..] {
            ours.set(with_addresses(200, addresses));
            // Long enough to take over, if what is heard were another's.
            hear();
            backup.set(with_addresses(100, addresses));
            hear();
            for address in &addresses[1..] {
                eventually(&format!("{address} is found"), || {
                    client.resolve(address).as_deref() == Some(own.as_str())
                });
            }
            assert!(!frr.is_active(), "FRR goes by the priority alone");
        }
        assert!(!client.finds(FORMER));
        let (counters, others) = (ours.status(family).counters, backup.status(family).counters);
        assert_eq!((counters.became_active, others.became_active), (1, 0));
        assert_eq!((others.refused, others.strangers), (0, 0));

        let advert = format!("vrrp && eth.src == {own}");
        let mut said: Vec<_> = capture.frames(&advert, &["vrrp.ipv6_addr"]).concat();
        said.dedup();
        assert_eq!(said, LISTS.map(|addresses| addresses.join(",")));
        assert_eq!(capture.count(&format!("vrrp && eth.src != {own}")), 0);
        assert_eq!(capture.count("vrrp.prio == 0"), 0);
    });
}

fn with_addresses(priority: u8, addresses: &[&str]) -> Vec<VirtualRouter> {
    let mut router = router(Family::Ipv6, priority);
    let addresses = addresses.iter().map(|it| it.parse().unwrap());
    router.settings.addresses = addresses.collect();
    vec![router]
}
