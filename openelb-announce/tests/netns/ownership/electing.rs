//! Nodes that start together, join later, and see to it that exactly one of them answers.

use std::time::Duration;

use openelb_announce::announcer::{AnnounceError, Announcer, Options, Scheduling};
use openelb_announce::ownership::Profile;

use super::super::capture::Capture;
use super::super::world::{eventually, sh, with_hosts, with_root_and_hosts};
use super::census::Census;
use super::cluster::{Family, Plan, mac, segment, shares, until_mutual};

#[test]
fn of_three_nodes_exactly_one_answers_for_each_address_and_both_families_of_a_unit_are_together() {
    with_hosts(|_, [one, two, three, client]| {
        let plan = Plan::default();
        let census = Census::start(&client, &plan.addresses());
        let nodes = [&one, &two, &three].map(|host| plan.join(host));
        let owners = census.settled(&plan.addresses());
        assert_eq!(census.doubles(0), []);
        for service in 0..plan.services {
            let units: Vec<_> = plan
                .addresses_of(service)
                .iter()
                .map(|it| owners[it])
                .collect();
            assert_eq!(units[0], units[1], "service {service}");
        }
        let shares = shares(&owners);
        eprintln!("addresses of each node: {shares:?}");
        assert_eq!(shares.len(), 3, "nobody has nothing");
        until_mutual(&nodes.each_ref(), 2);
        // Nothing moves any more.
        census.ask_more(100);
        assert_eq!(census.settled(&plan.addresses()), owners);
        assert_eq!(census.doubles(0), []);
    });
}

#[test]
fn every_node_tells_the_same_owner_of_each_shard() {
    with_hosts(|_, [one, two]| {
        let plan = Plan::default();
        let nodes = [&one, &two].map(|host| plan.join(host));
        eventually("both know all owners, and they agree", || {
            let [one, two] = nodes.each_ref().map(|node| {
                let shards = node.segments().into_iter().flat_map(|it| it.shards);
                shards.map(|it| (it.shard, it.owner)).collect::<Vec<_>>()
            });
            let is_complete = one.iter().all(|(_, owner)| owner.is_some());
            is_complete && one.len() >= 10 && one == two
        });
        let own = segment(&nodes[0]);
        for shard in &own.shards {
            let is_own = shard.owner == own.status.node;
            assert_eq!(shard.owned_for.is_some(), is_own, "{shard:?}");
        }
    });
}

#[test]
fn a_node_that_joins_takes_its_share_after_the_hold_time_and_nobody_answers_twice() {
    with_hosts(|_, [one, two, client]| {
        let plan = Plan {
            hold: Duration::from_secs(1),
            services: 8,
            ..Plan::default()
        };
        let census = Census::start(&client, &plan.addresses());
        let first = plan.join(&one);
        let before = census.settled(&plan.addresses());
        assert_eq!(shares(&before).len(), 1);
        let joined = census.asked();
        let second = plan.join(&two);
        until_mutual(&[&first, &second], 1);
        eventually("the second has its share", || {
            let owners = census.settled(&plan.addresses());
            shares(&owners).contains_key(&mac(&two))
        });
        assert_eq!(census.doubles(0), []);
        let silences = plan.addresses().into_iter();
        let silences = silences.map(|address| census.longest_silence(joined, address));
        eprintln!("longest silence while moving: {:?} x 10 ms", silences.max());
    });
}

#[test]
fn a_lone_node_on_a_link_without_the_other_family_answers() {
    with_hosts(|_, [v4, v6, client]| {
        v4.sh("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1");
        let plan = Plan {
            families: &[Family::V4],
            services: 4,
            ..Plan::default()
        };
        let node = plan.join(&v4);
        let census = Census::start(&client, &plan.addresses());
        census.settled(&plan.addresses());
        drop((census, node));

        v6.sh("ip addr flush dev eth0 scope global");
        let plan = Plan {
            families: &[Family::V6],
            services: 4,
            ..Plan::default()
        };
        let _node = plan.join(&v6);
        let census = Census::start(&client, &plan.addresses());
        census.settled(&plan.addresses());
    });
}

#[test]
fn two_nodes_hear_each_other_over_either_family_alone() {
    for family in [Family::V4, Family::V6] {
        with_hosts(|_, [one, two, client]| {
            for host in [&one, &two] {
                match family {
                    Family::V4 => host.sh("sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1"),
                    Family::V6 => host.sh("ip -4 addr flush dev eth0"),
                };
            }
            let plan = Plan {
                services: 6,
                families: if family == Family::V4 {
                    &[Family::V4]
                } else {
                    &[Family::V6]
                },
                ..Plan::default()
            };
            let census = Census::start(&client, &plan.addresses());
            let nodes = [&one, &two].map(|host| plan.join(host));
            until_mutual(&nodes.each_ref(), 1);
            let owners = census.settled(&plan.addresses());
            assert_eq!(shares(&owners).len(), 2);
            assert_eq!(census.doubles(0), []);
        });
    }
}

#[test]
fn nodes_that_are_told_of_each_other_need_no_multicast() {
    with_root_and_hosts(|world, [one, two, client]| {
        let plan = Plan {
            peers: vec![
                "192.0.2.1".parse().unwrap(),
                "192.0.2.2".parse().unwrap(),
                "2001:db8::1".parse().unwrap(),
                "2001:db8::2".parse().unwrap(),
            ],
            ..Plan::default()
        };
        let capture = Capture::start(&client, "udp port 7947");
        world.on_switch("nft add table bridge t");
        world.on_switch("nft add chain bridge t f { type filter hook forward priority 0 ; }");
        world.on_switch("nft add rule bridge t f ip daddr 224.0.0.254 drop");
        world.on_switch("nft add rule bridge t f ip6 daddr ff02::114 drop");
        let census = Census::start(&client, &plan.addresses());
        let nodes = [&one, &two].map(|host| plan.join(host));
        until_mutual(&nodes.each_ref(), 1);
        let owners = census.settled(&plan.addresses());
        assert_eq!(shares(&owners).len(), 2);
        assert_eq!(census.doubles(0), []);
        assert_eq!(
            capture.count("ip.dst == 224.0.0.254 || ipv6.dst == ff02::114"),
            0
        );
    });
}

#[test]
fn a_node_that_is_told_of_nobody_but_itself_is_alone_and_answers() {
    with_hosts(|_, [one, client]| {
        let plan = Plan {
            peers: vec!["192.0.2.1".parse().unwrap()],
            services: 4,
            ..Plan::default()
        };
        let _node = plan.join(&one);
        let census = Census::start(&client, &plan.addresses());
        census.settled(&plan.addresses());
    });
}

#[test]
fn addresses_that_are_added_to_a_unit_are_answered_for_by_its_owner_alone() {
    with_hosts(|_, [one, two, client]| {
        let (both, half) = (
            Plan::default(),
            Plan {
                families: &[Family::V4],
                ..Plan::default()
            },
        );
        let census = Census::start(&client, &both.addresses());
        let nodes = [&one, &two].map(|host| half.join(host));
        until_mutual(&nodes.each_ref(), 1);
        let before = census.settled(&half.addresses());
        for (node, host) in nodes.iter().zip([&one, &two]) {
            node.set(both.desired(host.number)).unwrap();
        }
        let after = census.settled(&both.addresses());
        for service in 0..both.services {
            let [v4, v6] = both.addresses_of(service)[..] else {
                panic!("a service has two addresses");
            };
            assert_eq!((before[&v4], before[&v4]), (after[&v4], after[&v6]));
        }
        assert_eq!(census.doubles(0), []);
    });
}

#[test]
fn beats_leave_with_hop_limit_255_to_the_groups_of_rfc_4727_in_both_families() {
    with_root_and_hosts(|_, [one, client]| {
        let capture = Capture::start(&client, "udp port 7947");
        let _node = Plan::default().join(&one);
        let v4 = "ip.dst == 224.0.0.254 && ip.ttl == 255 && ip.src == 192.0.2.1";
        let v6 = "ipv6.dst == ff02::114 && ipv6.hlim == 255 && ipv6.src == fe80::/10";
        eventually("beats in both families", || {
            capture.count(v4) >= 3 && capture.count(v6) >= 3
        });
        assert_eq!(capture.count(&format!("udp && !({v4}) && !({v6})")), 0);
        assert_eq!(capture.count("udp.length > 1408"), 0);
    });
}

#[test]
fn a_node_without_capabilities_takes_part() {
    with_root_and_hosts(|_, [one, client]| {
        let program = format!("/tmp/{}-program", one.namespace);
        sh(&format!(
            "cp {} {program}",
            super::super::process::this_program()
        ));
        sh(&format!("chmod 755 {program}"));
        let plan = Plan::default();
        let census = Census::start(&client, &plan.addresses());
        let nobody = "setpriv --reuid 65534 --regid 65534 --clear-groups \
                      --inh-caps -all,+net_raw --ambient-caps +net_raw --bounding-set -all,+net_raw";
        let _process = plan.spawn(&one, nobody, &program);
        census.settled(&plan.addresses());
        sh(&format!("rm {program}"));
    });
}

#[test]
fn an_election_that_only_a_real_time_thread_can_keep_is_refused_without_one() {
    with_hosts(|_, [one]| {
        let ordinary = Options {
            priority: None,
            ..Options::default()
        };
        let announcer = one.run(|| Announcer::start(ordinary).unwrap());
        assert_eq!(*announcer.scheduling(), Scheduling::Ordinary);
        let fast = Plan {
            profile: Profile::Fast,
            ..Plan::default()
        };
        let error = announcer.set(fast.desired(1)).unwrap_err();
        assert!(
            matches!(error, AnnounceError::NeedsRealtime { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("priority"), "{error}");
        announcer.set(Plan::default().desired(1)).unwrap();
    });
}
