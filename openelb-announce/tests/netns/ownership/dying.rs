//! An owner dies: others take over what it had, and say so.

use super::super::capture::Capture;
use super::super::world::{Host, eventually, with_hosts, with_root_and_hosts};
use super::census::Census;
use super::cluster::{Plan, mac, shares, until_mutual};

#[test]
fn what_a_killed_node_had_is_answered_for_by_the_others_and_by_one_of_them_alone() {
    with_hosts(|_, [one, two, three, client]| {
        let plan = Plan::default();
        let census = Census::start(&client, &plan.addresses());
        let victim = plan.spawn_plain(&one);
        let nodes = [&two, &three].map(|host| plan.join(host));
        until_mutual(&nodes.each_ref(), 2);
        let before = census.settled(&plan.addresses());
        let killed = census.asked();
        victim.signal("KILL");
        let dead = mac(&one);
        eventually("others answer for everything", || {
            !shares(&census.settled(&plan.addresses())).contains_key(&dead)
        });
        let after = census.settled(&plan.addresses());
        assert_eq!(census.doubles(0), []);
        for (address, owner) in &before {
            let silence = census.longest_silence(killed, *address);
            if *owner == dead {
                eprintln!("{address}: silent for about {} ms", silence * 10);
            } else {
                assert_eq!(after[address], *owner, "{address} had no reason to move");
            }
        }
        assert!(before.values().any(|owner| *owner == dead));
    });
}

#[test]
fn openelb_42_a_takeover_is_announced_three_times_at_least_and_then_refreshed() {
    with_root_and_hosts(|_, [one, two, client]| {
        let plan = Plan::default();
        let census = Census::start(&client, &plan.addresses());
        let victim = plan.spawn_plain(&one);
        let heir = plan.join(&two);
        until_mutual(&[&heir], 1);
        let before = census.settled(&plan.addresses());
        let inherited: Vec<_> = (0..plan.services)
            .map(|service| plan.addresses_of(service))
            .filter(|unit| before[&unit[0]] == mac(&one))
            .collect();
        let capture = Capture::start(&client, "arp or icmp6");
        victim.signal("KILL");
        let unit = inherited
            .first()
            .expect("each of two nodes has a share of twelve");
        let announcement = |host: &Host| {
            let (v4, v6) = (unit[0], unit[1]);
            let from = format!("eth.src == {}", host.mac("eth0"));
            [
                format!(
                    "{from} && arp.opcode == 1 && arp.isannouncement && arp.src.proto_ipv4 == {v4}"
                ),
                format!(
                    "{from} && icmpv6.nd.na.target_address == {v6} && icmpv6.nd.na.flag.s == 0 \
                     && ipv6.dst == ff02::1"
                ),
            ]
        };
        for announcement in announcement(&two) {
            // Three rounds belong to the takeover; the fourth is the first refresh.
            eventually("three announcements and a refresh", || {
                capture.count(&announcement) >= 4
            });
        }
    });
}
