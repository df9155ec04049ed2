//! What the speaker learns from routers and from its own kind, as it stands in the kernel of its host
//! in the end.

use std::net::{IpAddr, Ipv4Addr};

use openelb_announce::announcer::kernel_routes::{KernelRoutes, Options, RefusedRoute};
use openelb_announce::bgp::route::Route;

use crate::kernel::RouteWatch;
use crate::lab::{Scratch, with_lab};
use crate::ours::Ours;
use crate::router::process::Process;
use crate::router::{Description, Family, Feature, Kind, Neighbor, Router};
use crate::routes::route;
use crate::row::OUR_AS;
use crate::world::{Host, pause};

/// Our speaker with the kernel's routes behind it.
struct Node {
    host: Host,
    ours: Ours,
    kernel: KernelRoutes,
}

impl Node {
    fn start(host: &Host, description: &Description, routes: Vec<Route>) -> Self {
        host.run(|| Self::start_here(host, description, routes))
    }

    fn start_here(host: &Host, description: &Description, routes: Vec<Route>) -> Self {
        Self {
            host: host.clone(),
            ours: Ours::start_here(description, routes),
            kernel: KernelRoutes::start(Options::default(), |_| {}).unwrap(),
        }
    }

    /// Hands what was learned over to the kernel, as a front end does.
    fn follow(&self) {
        let learned = self.ours.learned();
        let routes = learned.routes.into_iter().map(|it| it.route);
        self.kernel.set(routes.collect()).unwrap();
        if learned.is_complete {
            self.kernel.synced().unwrap();
        }
    }

    /// Follows until exactly these routes are in the kernel, settings left out.
    fn wait(&self, what: &str, routes: &[&str]) {
        for _ in 0..PATIENCE {
            self.follow();
            if self.installed() == routes {
                return;
            }
            pause();
        }
        panic!(
            "never: {what}: {routes:#?}\nbut {:#?}\n{:#?}\n{:#?}",
            self.installed(),
            self.ours.learned(),
            self.ours.peers()
        );
    }

    /// What is refused once everything was tried.
    fn refused(&self) -> Vec<RefusedRoute> {
        self.follow();
        self.kernel.status().unwrap().refused
    }

    /// Our routes in the kernel: `10.244.2.0/24 via 192.0.2.2`.
    fn installed(&self) -> Vec<String> {
        installed(&self.host)
    }
}

fn installed(host: &Host) -> Vec<String> {
    let shown = |flag| host.sh(&format!("ip -o {flag} route show proto 112"));
    let all = shown("-4") + &shown("-6");
    let short = |line: &str| {
        let words = line.replace('\\', " ");
        let mut words: Vec<&str> = words.split_whitespace().collect();
        let noise = ["dev", "metric", "weight", "pref"];
        while let Some(place) = words.iter().position(|word| noise.contains(word)) {
            words.drain(place..place + 2);
        }
        words.retain(|word| *word != "nexthop");
        let words = words.join(" ");
        let mut parts: Vec<&str> = words.split(" via ").collect();
        // IPv6 lists the neighbours as they came.
        parts[1..].sort_unstable();
        parts.join(" via ")
    };
    all.lines().map(short).collect()
}

/// The speaker on host 1 that peers with these hosts over addresses of `over`, for both families.
fn speaker(hosts: &[Host], over: Family, hold_time: u16, features: &[Feature]) -> Description {
    let description = Description::new(OUR_AS, Ipv4Addr::new(192, 0, 2, 1)).importing(&RANGES);
    hosts.iter().fold(description, |description, host| {
        let neighbor = Neighbor::new(their_as(host), &address(over, host.number));
        let neighbor = neighbor.families(&Family::ALL).hold_time(hold_time);
        let with = |neighbor: Neighbor, feature: &Feature| neighbor.with(*feature);
        let neighbor = features.iter().fold(neighbor, with);
        description.neighbor(neighbor.from(&address(over, 1)))
    })
}

/// A router that announces to host 1 what lies behind it.
fn router(
    kind: Kind,
    host: &Host,
    over: Family,
    features: &[Feature],
    networks: &[&str],
) -> Router {
    let id = Ipv4Addr::new(192, 0, 2, host.number);
    let neighbor = Neighbor::new(OUR_AS, &address(over, 1)).families(&Family::ALL);
    let with = |neighbor: Neighbor, feature: &Feature| neighbor.with(*feature);
    let neighbor = features.iter().fold(neighbor, with);
    let neighbor = neighbor.from(&address(over, host.number));
    let description = Description::new(their_as(host), id).neighbor(neighbor);
    Router::start(kind, host, description.announcing(networks))
}

fn their_as(host: &Host) -> u32 {
    64_500 + u32::from(host.number)
}

fn address(family: Family, number: u8) -> String {
    match family {
        Family::Ipv4 => format!("192.0.2.{number}"),
        Family::Ipv6 => format!("2001:db8::{number}"),
    }
}

const BEHIND_2: [&str; 3] = ["10.244.2.0/24", "fd00:10:244:2::/64", "203.0.113.0/24"];
const BEHIND_3: [&str; 3] = ["10.244.3.0/24", "fd00:10:244:3::/64", "2001:db8:f::/48"];
const BEHIND_BOTH: [&str; 2] = ["10.244.9.0/24", "fd00:10:244:9::/64"];

fn both_families_without_graceful_restart(over: Family) {
    with_lab(&[Kind::Frr, Kind::Bird], |_, hosts: [Host; 3]| {
        let description = speaker(&hosts[1..], over, 90, &[]);
        let own = ["10.244.1.0/24", "fd00:10:244:1::/64"];
        let mut node = Node::start(&hosts[0], &description, own.map(route).to_vec());
        node.ours
            .change(|peer| peer.settings.graceful_restart = None);
        let routers = [
            router(Kind::Frr, &hosts[1], over, &[], &BEHIND_2),
            router(Kind::Bird, &hosts[2], over, &[], &BEHIND_3),
        ];
        node.wait(
            "both families of both routers, and nothing outside the ranges",
            &[
                "10.244.2.0/24 via 192.0.2.2",
                "10.244.3.0/24 via 192.0.2.3",
                "fd00:10:244:2::/64 via 2001:db8::2",
                "fd00:10:244:3::/64 via 2001:db8::3",
            ],
        );
        assert!(node.refused().is_empty());
        let through: [Option<IpAddr>; 2] = Family::ALL.map(|it| address(it, 1).parse().ok());
        for router in routers {
            router.wait("it has ours, each through its own family", |it| {
                let heard = it.heard_from(&address(over, 1)).into_iter();
                let heard = heard.map(|it| (it.prefix.to_string(), it.next_hops.first().copied()));
                heard.eq(own.map(str::to_owned).into_iter().zip(through))
            });
        }
    });
}

#[test]
fn kube_router_2_a_session_over_ipv4_brings_both_families_without_graceful_restart() {
    both_families_without_graceful_restart(Family::Ipv4);
}

#[test]
fn kube_router_3_a_session_over_ipv6_brings_both_families_without_graceful_restart() {
    both_families_without_graceful_restart(Family::Ipv6);
}

#[test]
fn kube_router_6_a_peer_with_nothing_but_link_local_addresses_is_a_gateway_of_both_families() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        for host in &hosts {
            host.sh("ip addr flush dev eth0 scope global");
        }
        let describe = |host: &Host, own: u32, other: u32| {
            let id = Ipv4Addr::new(192, 0, 2, host.number);
            let neighbor = Neighbor::on(other, "eth0").with(Feature::ExtendedNextHop);
            Description::new(own, id).neighbor(neighbor)
        };
        let ours = describe(&hosts[0], OUR_AS, 64_502).importing(&RANGES);
        let node = Node::start(&hosts[0], &ours, Vec::new());
        let theirs = describe(&hosts[1], 64_502, OUR_AS).announcing(&BEHIND_2);
        let _frr = Router::start(Kind::Frr, &hosts[1], theirs);
        let shown = hosts[1].sh("ip -6 -o addr show dev eth0 scope link");
        let link_local = shown.split_whitespace().nth(3).unwrap();
        let link_local = link_local.split('/').next().unwrap();
        node.wait(
            "both families through the link-local address",
            &[
                &format!("10.244.2.0/24 via inet6 {link_local}"),
                &format!("fd00:10:244:2::/64 via {link_local}"),
            ],
        );
    });
}

#[test]
fn kube_router_7_ipv4_over_ipv6_is_installed_via_inet6_only_where_rfc_8950_was_negotiated() {
    with_lab(&[Kind::Frr, Kind::Bird], |_, hosts: [Host; 3]| {
        // Without IPv4 addresses routers have nothing but IPv6 to give as a next hop.
        for host in &hosts {
            host.sh("ip -4 addr flush dev eth0");
        }
        let extended = [Feature::ExtendedNextHop];
        let mut description = speaker(&hosts[1..2], Family::Ipv6, 90, &extended);
        let plain = speaker(&hosts[2..], Family::Ipv6, 90, &[]);
        description.neighbors.extend(plain.neighbors);
        let node = Node::start(&hosts[0], &description, Vec::new());
        let over = Family::Ipv6;
        let _frr = router(Kind::Frr, &hosts[1], over, &extended, &BEHIND_2);
        let bird = router(Kind::Bird, &hosts[2], over, &[], &BEHIND_3);
        bird.wait_established("2001:db8::1");
        node.wait(
            "IPv4 through IPv6 from the one, nothing of the kind from the other",
            &[
                "10.244.2.0/24 via inet6 2001:db8::2",
                "fd00:10:244:2::/64 via 2001:db8::2",
                "fd00:10:244:3::/64 via 2001:db8::3",
            ],
        );
    });
}

#[test]
fn two_routers_share_the_traffic_and_one_that_leaves_takes_only_its_part() {
    with_lab(&[Kind::Frr, Kind::Bird], |_, hosts: [Host; 3]| {
        let over = Family::Ipv4;
        let description = speaker(&hosts[1..], over, 90, &[]);
        let node = Node::start(&hosts[0], &description, Vec::new());
        let _frr = router(Kind::Frr, &hosts[1], over, &[], &BEHIND_BOTH);
        let mut bird = router(Kind::Bird, &hosts[2], over, &[], &BEHIND_BOTH);
        let shared = [
            "10.244.9.0/24 via 192.0.2.2 via 192.0.2.3",
            "fd00:10:244:9::/64 via 2001:db8::2 via 2001:db8::3",
        ];
        node.wait("both are used", &shared);
        bird.stop();
        node.wait(
            "the one that is left is used",
            &[
                "10.244.9.0/24 via 192.0.2.2",
                "fd00:10:244:9::/64 via 2001:db8::2",
            ],
        );
        bird.run();
        node.wait("both are used again", &shared);
    });
}

const VIA_2: [&str; 2] = [
    "10.244.2.0/24 via 192.0.2.2",
    "fd00:10:244:2::/64 via 2001:db8::2",
];

#[test]
fn routes_of_a_router_that_falls_silent_go_after_the_hold_time() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let description = speaker(&hosts[1..], Family::Ipv4, 3, &[]);
        let mut node = Node::start(&hosts[0], &description, Vec::new());
        node.ours
            .change(|peer| peer.settings.graceful_restart = None);
        let frr = router(Kind::Frr, &hosts[1], Family::Ipv4, &[], &BEHIND_2);
        node.wait("its routes are there", &VIA_2);
        frr.freeze();
        node.wait("they are gone", &[]);
        frr.thaw();
        node.wait("they are back", &VIA_2);
    });
}

#[test]
fn routes_of_a_router_that_bfd_misses_go_long_before_the_hold_time() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let bfd = [Feature::Bfd];
        // A hold time beyond the patience of this test.
        let description = speaker(&hosts[1..], Family::Ipv4, 3_600, &bfd);
        let mut node = Node::start(&hosts[0], &description, Vec::new());
        node.ours
            .change(|peer| peer.settings.graceful_restart = None);
        let frr = router(Kind::Frr, &hosts[1], Family::Ipv4, &bfd, &BEHIND_2);
        node.wait("its routes are there", &VIA_2);
        let is_up = |node: &Node| {
            let status = node.ours.peer("192.0.2.2");
            status.session.is_some() && frr.log().contains("Session Up")
        };
        for _ in 0..PATIENCE {
            if is_up(&node) {
                break;
            }
            pause();
        }
        frr.freeze();
        node.wait("they are gone", &[]);
        frr.thaw();
        node.wait("they are back", &VIA_2);
    });
}

#[test]
fn routes_of_a_router_that_restarts_gracefully_are_never_removed() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let graceful = [Feature::GracefulRestart];
        let description = speaker(&hosts[1..], Family::Ipv4, 90, &[]);
        let node = Node::start(&hosts[0], &description, Vec::new());
        let mut frr = router(Kind::Frr, &hosts[1], Family::Ipv4, &graceful, &BEHIND_2);
        node.wait("its routes are there", &VIA_2);
        let watch = RouteWatch::new(&hosts[0]);
        frr.kill();
        node.ours.wait("192.0.2.2", "the session is gone", |it| {
            it.session.is_none()
        });
        node.wait("the routes stay", &VIA_2);
        frr.run();
        node.ours.wait("192.0.2.2", "the session is back", |it| {
            it.session.is_some()
        });
        frr.wait_established("192.0.2.1");
        node.wait("the routes are confirmed", &VIA_2);
        watch.expect_no_deletion();
    });
}

#[test]
fn a_speaker_that_is_killed_and_comes_back_costs_no_route_in_its_own_kernel() {
    with_lab(&[Kind::Frr], |_, hosts: [Host; 2]| {
        let scratch = Scratch::new();
        let first = spawn(&hosts[0], &scratch);
        let graceful = [Feature::GracefulRestart];
        let frr = router(Kind::Frr, &hosts[1], Family::Ipv4, &graceful, &BEHIND_2);
        let become_installed = |what| {
            frr.wait(what, |_| installed(&hosts[0]) == VIA_2);
        };
        become_installed("the routes are there");
        let watch = RouteWatch::new(&hosts[0]);
        first.end("KILL");
        frr.wait("it has lost the session", |it| {
            !it.is_established("192.0.2.1")
        });
        become_installed("the routes stay while nobody keeps them");
        let _second = spawn(&hosts[0], &scratch);
        frr.wait_established("192.0.2.1");
        frr.wait("what was learned is complete", |_| {
            let said = std::fs::read_to_string(scratch.file("node"));
            said.is_ok_and(|said| said.matches("complete").count() == 2)
        });
        become_installed("the routes are the same");
        watch.expect_no_deletion();
    });
}

#[test]
fn kube_router_10_nodes_whose_primary_families_differ_peer_and_share_what_both_can_use() {
    with_lab(&[], |_, hosts: [Host; 2]| {
        // The second node has no IPv4; the first has both and thinks of IPv4 first.
        hosts[1].sh("ip -4 addr flush dev eth0");
        let describe = |own: u8, other: u8| {
            let neighbor = Neighbor::new(OUR_AS, &format!("2001:db8::{other}"));
            let neighbor = neighbor.families(&Family::ALL);
            Description::new(OUR_AS, Ipv4Addr::new(192, 0, 2, own))
                .importing(&RANGES)
                .neighbor(neighbor.from(&format!("2001:db8::{own}")))
        };
        let cidrs = |number: u8| {
            let both = [
                format!("10.244.{number}.0/24"),
                format!("fd00:10:244:{number}::/64"),
            ];
            both.map(|cidr| Route::to(cidr.parse().unwrap())).to_vec()
        };
        let one = Node::start(&hosts[0], &describe(1, 2), cidrs(1));
        let two = Node::start(&hosts[1], &describe(2, 1), cidrs(2));
        one.wait("IPv6 of the other", &["fd00:10:244:2::/64 via 2001:db8::2"]);
        two.wait("IPv6 of the one", &["fd00:10:244:1::/64 via 2001:db8::1"]);
        let refused = two.refused();
        assert_eq!(refused.len(), 1, "{refused:?}");
        assert_eq!(refused[0].destination.to_string(), "10.244.1.0/24");
        // What the second cannot be the next hop of it does not announce, and says so.
        let status = two.ours.peer("2001:db8::1");
        assert_eq!(status.families.ipv4.refused, 1, "{status:?}");
        assert_eq!(status.families.ipv6.refused, 0, "{status:?}");
    });
}

#[test]
fn what_a_node_of_a_mesh_learns_it_does_not_pass_on() {
    with_lab(&[], |_, hosts: [Host; 3]| {
        // The first and the third know only the second.
        let describe = |own: u8, others: &[u8]| {
            let id = Ipv4Addr::new(192, 0, 2, own);
            let description = Description::new(OUR_AS, id).importing(&RANGES);
            others.iter().fold(description, |description, other| {
                let neighbor = Neighbor::new(OUR_AS, &address(Family::Ipv4, *other));
                let neighbor = neighbor.families(&Family::ALL);
                description.neighbor(neighbor.from(&address(Family::Ipv4, own)))
            })
        };
        let start = |host: &Host, others: &[u8]| {
            let number = host.number;
            let cidr = format!("10.244.{number}.0/24").parse().unwrap();
            Node::start(host, &describe(number, others), vec![Route::to(cidr)])
        };
        let one = start(&hosts[0], &[2]);
        let two = start(&hosts[1], &[1, 3]);
        let three = start(&hosts[2], &[2]);
        let from_two = ["10.244.2.0/24 via 192.0.2.2"];
        two.wait(
            "both neighbours",
            &["10.244.1.0/24 via 192.0.2.1", "10.244.3.0/24 via 192.0.2.3"],
        );
        one.wait("only the neighbour", &from_two);
        three.wait("only the neighbour", &from_two);
        for node in [&one, &three] {
            let received = node.ours.peer("192.0.2.2").families.ipv4;
            assert_eq!(received.announcements, 1, "{received:?}");
        }
    });
}

/// Starts a node as a process on `host` that learns from host 2.
fn spawn(host: &Host, scratch: &Scratch) -> Process {
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "env {HOST}={} {} --exact learning::learns_if_asked_to --nocapture",
        host.namespace,
        program.display()
    );
    Process::start(host, &line, &scratch.path().join("node"))
}

/// No test of its own: what [`spawn`] starts. It ends with the test that started it.
#[test]
fn learns_if_asked_to() {
    let Ok(namespace) = std::env::var(HOST) else {
        return;
    };
    let host = |number| Host {
        namespace: namespace.clone(),
        number,
    };
    let description = speaker(&[host(2)], Family::Ipv4, 90, &[]);
    let node = Node::start_here(&host(1), &description, Vec::new());
    let mut is_told = false;
    loop {
        node.follow();
        if node.ours.learned().is_complete && !is_told {
            println!("complete");
            is_told = true;
        }
        pause();
    }
}

const RANGES: [&str; 2] = ["10.244.0.0/16", "fd00:10:244::/48"];
const HOST: &str = "OPENELB_TEST_LEARNER";
// Times 20 ms and what the check takes; only ever reached by a test that fails.
const PATIENCE: u32 = 1500;
