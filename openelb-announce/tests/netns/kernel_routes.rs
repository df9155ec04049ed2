//! Routes that are kept in the kernel: every form of them, whoever else meddles, and what stays when
//! their keeper goes.

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use ipnet::IpNet;
use openelb_announce::announcer::kernel_routes::{
    Ending, Event, KernelRoutes, Options, Refusal, Status, sweep,
};
use openelb_announce::forwarding::{GatewayV4, GatewayV6, Route};

use super::process::this_program;
use super::world::{Host, Running, eventually, pause, with_hosts};

/// Routes that are kept on a host, and what is said about them.
struct Kept {
    routes: KernelRoutes,
    events: Receiver<Event>,
}

impl Kept {
    fn start(host: &Host) -> Self {
        let (sender, events) = channel();
        let sink = move |event| drop(sender.send(event));
        let routes = host.run(|| KernelRoutes::start(Options::default(), sink).unwrap());
        Self { routes, events }
    }

    /// Makes these the wanted routes, all of them, and waits until they were tried.
    fn set(&self, routes: &[Route]) -> Status {
        self.routes.set(routes.to_vec()).unwrap();
        self.routes.synced().unwrap();
        self.routes.status().unwrap()
    }

    fn events(&self) -> Vec<Event> {
        self.events.try_iter().collect()
    }
}

fn v4(destination: &str, gateways: &[&str]) -> Route {
    let gateways = gateways.iter().map(|it| match it.parse() {
        Ok(address) => GatewayV4::V4(address),
        Err(_) => GatewayV4::V6(gateway(it)),
    });
    Route::v4(destination.parse().unwrap(), gateways)
}

fn v6(destination: &str, gateways: &[&str]) -> Route {
    let gateways = gateways.iter().map(|it| gateway(it));
    Route::v6(destination.parse().unwrap(), gateways)
}

/// `2001:db8::2` or `fe80::2%eth0`.
fn gateway(text: &str) -> GatewayV6 {
    match text.split_once('%') {
        Some((address, interface)) => {
            GatewayV6::link_local(address.parse().unwrap(), interface).unwrap()
        }
        None => GatewayV6::global(text.parse().unwrap()).unwrap(),
    }
}

/// Our routes in the kernel, both families, a line each without its settings.
fn installed(host: &Host) -> Vec<String> {
    ["-4", "-6"]
        .iter()
        .flat_map(|family| {
            let all = host.sh(&format!("ip -o {family} route show proto 112"));
            let lines = all.lines().map(|line| {
                let words = line.replace('\\', " ");
                let words: Vec<&str> = words.split_whitespace().collect();
                words.join(" ").replace(" pref medium", "")
            });
            lines.collect::<Vec<_>>()
        })
        .collect()
}

const BOTH: [&str; 2] = ["10.244.1.0/24", "2001:db8:1::/64"];

/// A route of each family through host 2.
fn both() -> [Route; 2] {
    [v4(BOTH[0], &["192.0.2.2"]), v6(BOTH[1], &["2001:db8::2"])]
}

const BOTH_INSTALLED: [&str; 2] = [
    "10.244.1.0/24 via 192.0.2.2 dev eth0 metric 2048",
    "2001:db8:1::/64 via 2001:db8::2 dev eth0 metric 2048",
];

#[test]
fn kube_router_7_every_form_of_a_gateway_is_installed_and_all_go_with_the_keeper() {
    with_hosts(|_, [host]| {
        let kept = Kept::start(&host);
        let status = kept.set(&[
            v4("10.244.1.0/24", &["192.0.2.2"]),
            v4("10.244.2.0/24", &["192.0.2.2", "192.0.2.3"]),
            v4("10.244.3.0/24", &["fe80::2%eth0"]),
            v4("10.244.4.0/24", &["192.0.2.2", "2001:db8::3"]),
            v6("2001:db8:1::/64", &["2001:db8::2"]),
            v6("2001:db8:2::/64", &["2001:db8::2", "fe80::3%eth0"]),
        ]);
        assert_eq!((status.wanted, status.installed), (6, 6), "{status:?}");
        assert!(status.refused.is_empty(), "{status:?}");
        assert_eq!(
            installed(&host),
            [
                "10.244.1.0/24 via 192.0.2.2 dev eth0 metric 2048",
                "10.244.2.0/24 metric 2048 nexthop via 192.0.2.2 dev eth0 weight 1 \
                 nexthop via 192.0.2.3 dev eth0 weight 1",
                "10.244.3.0/24 via inet6 fe80::2 dev eth0 metric 2048",
                "10.244.4.0/24 metric 2048 nexthop via 192.0.2.2 dev eth0 weight 1 \
                 nexthop via inet6 2001:db8::3 dev eth0 weight 1",
                "2001:db8:1::/64 via 2001:db8::2 dev eth0 metric 2048",
                "2001:db8:2::/64 metric 2048 nexthop via 2001:db8::2 dev eth0 weight 1 \
                 nexthop via fe80::3 dev eth0 weight 1",
            ]
        );
        kept.routes.stop(Ending::Remove);
        assert!(installed(&host).is_empty());
    });
}

#[test]
fn packets_follow_an_installed_route_of_either_family_and_through_the_other_one() {
    with_hosts(|_, [host, router]| {
        router.sh("ip addr add 10.244.1.1/32 dev lo");
        router.sh("ip addr add 10.244.3.1/32 dev lo");
        router.sh("ip addr add 2001:db8:1::1/128 dev lo");
        let link_local = router.sh("ip -6 -o addr show dev eth0 scope link");
        let link_local = link_local.split_whitespace().nth(3).unwrap();
        let link_local = link_local.split('/').next().unwrap();
        let kept = Kept::start(&host);
        let [one, two] = both();
        kept.set(&[
            one,
            two,
            v4("10.244.3.0/24", &[&format!("{link_local}%eth0")]),
        ]);
        for target in ["10.244.1.1", "10.244.3.1", "2001:db8:1::1"] {
            eventually(&format!("{target} answers"), || {
                host.try_sh(&format!("ping -c 1 -W 1 {target}"))
                    .status
                    .success()
            });
        }
    });
}

#[test]
fn gateways_come_and_go_without_a_moment_that_has_none() {
    with_hosts(|_, [host]| {
        let kept = Kept::start(&host);
        let of = |prefix: &str, lasts: &[u8]| -> Vec<String> {
            let name = |last: &u8| format!("{prefix}{last}");
            lasts.iter().map(name).collect()
        };
        let mut before: &[u8] = &[];
        for lasts in [&[2, 3][..], &[3], &[4], &[2, 3, 4], &[2]] {
            let monitor = Monitor::start(&host);
            let (four, six) = (of("192.0.2.", lasts), of("2001:db8::", lasts));
            let (four, six): (Vec<_>, Vec<_>) = (
                four.iter().map(String::as_str).collect(),
                six.iter().map(String::as_str).collect(),
            );
            let status = kept.set(&[v4(BOTH[0], &four), v6(BOTH[1], &six)]);
            assert_eq!((status.installed, status.refused.len()), (2, 0));
            let said = monitor.end();
            for destination in BOTH {
                let mut lines = said.lines().filter(|line| line.contains(destination));
                let comes_first = lines.next().is_none_or(|line| !line.starts_with("Deleted"));
                // In IPv6 a neighbour is taken away alone, and others are there.
                let is_less = lasts.iter().all(|last| before.contains(last));
                assert!(
                    comes_first || is_less && destination == BOTH[1],
                    "{lasts:?}\n{said}"
                );
            }
            before = lasts;
            let shown = installed(&host);
            for (line, gateways) in shown.iter().zip([four, six]) {
                let vias: Vec<_> = line.split("via ").skip(1).collect();
                let mut vias: Vec<_> = vias
                    .iter()
                    .map(|it| it.split(' ').next().unwrap())
                    .collect();
                vias.sort_unstable();
                assert_eq!(vias, gateways, "{line}");
            }
        }
    });
}

#[test]
fn a_route_that_somebody_removes_comes_back() {
    with_hosts(|_, [host]| {
        let kept = Kept::start(&host);
        kept.set(&both());
        for line in [
            "ip route del 10.244.1.0/24 proto 112",
            "ip -6 route del 2001:db8:1::/64 proto 112",
            "ip route flush proto 112",
        ] {
            host.sh(line);
            eventually("it is back", || installed(&host) == BOTH_INSTALLED);
        }
        eventually("it was told", || {
            kept.events()
                .iter()
                .any(|it| matches!(it, Event::Restored(1)))
        });
    });
}

#[test]
fn routes_over_a_link_that_was_down_come_back_with_it() {
    with_hosts(|_, [host]| {
        let kept = Kept::start(&host);
        kept.set(&both());
        host.sh("ip link set eth0 down");
        eventually("they are refused", || {
            let refused = kept.routes.status().unwrap().refused;
            !refused.is_empty() && refused.iter().all(|it| !it.is_installed)
        });
        assert!(installed(&host).is_empty());
        host.sh("ip link set eth0 up");
        // The kernel has dropped the address with the link.
        host.sh("ip addr replace 2001:db8::1/64 dev eth0 nodad");
        eventually("they are back", || installed(&host) == BOTH_INSTALLED);
        let recovered = |event: &Event| matches!(event, Event::Recovered(_));
        eventually("it was told", || kept.events().iter().any(recovered));
    });
}

#[test]
fn a_route_of_somebody_else_is_never_touched_and_makes_room_when_it_goes() {
    with_hosts(|_, [host]| {
        host.sh("ip route add 10.244.1.0/24 via 192.0.2.9 metric 2048 proto 77");
        host.sh("ip -6 route add 2001:db8:1::/64 via 2001:db8::9 metric 2048 proto 77");
        host.sh("ip route add 10.244.2.0/24 via 192.0.2.9 proto static");
        let foreign = || {
            let (v4, v6) = (
                host.sh("ip route show proto 77"),
                host.sh("ip -6 route show proto 77"),
            );
            v4 + &v6 + &host.sh("ip route show proto static")
        };
        let before = foreign();
        let kept = Kept::start(&host);
        let [one, two] = both();
        let status = kept.set(&[one, two, v4("10.244.2.0/24", &["192.0.2.2"])]);
        let refused: Vec<_> = status.refused.iter().map(|it| it.why.clone()).collect();
        assert_eq!(refused, [Refusal::Foreign, Refusal::Foreign]);
        // With another metric there is room beside it; the lower one counts.
        assert_eq!(
            installed(&host),
            ["10.244.2.0/24 via 192.0.2.2 dev eth0 metric 2048"]
        );
        assert_eq!(foreign(), before);
        host.sh("ip route del 10.244.1.0/24 proto 77");
        host.sh("ip -6 route del 2001:db8:1::/64 proto 77");
        eventually("ours are there instead", || installed(&host).len() == 3);
        kept.routes.stop(Ending::Remove);
        assert!(
            host.sh("ip route show proto static")
                .contains("10.244.2.0/24")
        );
    });
}

#[test]
fn a_gateway_that_is_no_neighbor_is_refused_by_name_and_taken_once_it_is_one() {
    with_hosts(|_, [host]| {
        let kept = Kept::start(&host);
        let status = kept.set(&[v4("10.244.1.0/24", &["198.51.100.2"])]);
        assert_eq!(
            status.refused[0].why.to_string(),
            "gateway 198.51.100.2 is on no subnet of this host; let the peer announce itself as \
             next hop on a shared link"
        );
        host.sh("ip addr add 198.51.100.1/24 dev eth0");
        eventually("it is installed", || {
            installed(&host) == ["10.244.1.0/24 via 198.51.100.2 dev eth0 metric 2048"]
        });
    });
}

#[test]
fn what_the_kernel_objects_to_is_told_and_tried_again() {
    with_hosts(|_, [host]| {
        // An address whose subnet is not on the link, as far as the kernel is concerned.
        host.sh("ip addr add 198.51.100.1/24 dev eth0 noprefixroute");
        let kept = Kept::start(&host);
        let [one, _] = both();
        let status = kept.set(&[v4("10.244.9.0/24", &["198.51.100.2"]), one]);
        assert_eq!((status.wanted, status.installed), (2, 1), "{status:?}");
        let [refused] = status.refused.as_slice() else {
            panic!("{status:?}");
        };
        assert_eq!(refused.destination.to_string(), "10.244.9.0/24");
        let words = refused.why.to_string();
        assert!(
            words.starts_with("the kernel refuses it: Network is unreachable"),
            "{words}"
        );
        host.sh("ip route add 198.51.100.0/24 dev eth0");
        eventually("it is installed", || {
            installed(&host).contains(&"10.244.9.0/24 via 198.51.100.2 dev eth0 metric 2048".into())
        });
    });
}

#[test]
fn a_keeper_that_is_killed_costs_no_route_and_what_nobody_wants_goes_in_the_end() {
    with_hosts(|_, [host]| {
        let first = keep(&host, "10.244.1.0/24 10.244.2.0/24 2001:db8:1::/64");
        eventually("all are installed", || installed(&host).len() == 3);
        let monitor = Monitor::start(&host);
        first.signal("KILL");
        drop(first);
        let kept = Kept::start(&host);
        // Not all is known yet: one route is wanted, and through one more gateway.
        let [_, two] = both();
        kept.routes.set(vec![two.clone()]).unwrap();
        let status = kept.routes.status().unwrap();
        assert_eq!((status.installed, status.leftovers), (1, 2));
        assert_eq!(kept.events(), [Event::Found(3)]);
        let said = monitor.end();
        assert!(!said.contains("Deleted"), "{said}");

        let monitor = Monitor::start(&host);
        let [one, two] = both();
        let status = kept.set(&[one, two]);
        assert_eq!((status.installed, status.leftovers), (2, 0));
        assert_eq!(kept.events(), [Event::Swept(1)]);
        assert_eq!(installed(&host), BOTH_INSTALLED);
        let said = monitor.end();
        assert_eq!(said.matches("Deleted").count(), 1, "{said}");
        assert!(said.contains("Deleted 10.244.2.0/24"), "{said}");
    });
}

#[test]
fn dropping_the_handle_leaves_the_routes_to_the_next_one() {
    with_hosts(|_, [host]| {
        let kept = Kept::start(&host);
        kept.set(&both());
        drop(kept);
        assert_eq!(installed(&host), BOTH_INSTALLED);
        let kept = Kept::start(&host);
        kept.set(&[]);
        assert!(installed(&host).is_empty());
    });
}

#[test]
fn another_table_metric_and_protocol_can_be_chosen() {
    with_hosts(|_, [host]| {
        let options = Options {
            protocol: 200,
            table: 4242,
            metric: 7.try_into().unwrap(),
            ..Options::default()
        };
        let routes = host.run(|| KernelRoutes::start(options, |_| {}).unwrap());
        routes.set(both().to_vec()).unwrap();
        assert_eq!(routes.status().unwrap().installed, 2);
        let shown = host.sh("ip route show table 4242 proto 200");
        assert!(shown.contains("10.244.1.0/24 via 192.0.2.2 dev eth0 metric 7"));
        assert!(installed(&host).is_empty());
        routes.stop(Ending::Remove);
        // A table without routes does not exist.
        assert!(!host.sh("ip route show table all").contains("10.244"));
        let kernels = Options {
            protocol: 2,
            ..options
        };
        let refused = KernelRoutes::start(kernels, |_| {}).unwrap_err();
        assert!(
            refused.to_string().contains("the kernel's own"),
            "{refused}"
        );
    });
}

#[test]
fn what_a_killed_process_left_in_tables_that_nobody_keeps_is_swept_and_nothing_else() {
    with_hosts(|_, [host]| {
        for table in ["main", "100", "4242"] {
            host.sh(&format!(
                "ip route add 10.244.1.0/24 via 192.0.2.2 proto 112 table {table}"
            ));
            host.sh(&format!(
                "ip -6 route add 2001:db8:1::/64 via 2001:db8::2 proto 112 metric 7 table {table}"
            ));
        }
        host.sh("ip route add blackhole 10.244.9.0/24 proto 112 table 100");
        host.sh("ip route add 10.244.2.0/24 via 192.0.2.2 proto 77 table 100");
        let ours = |table: &str| {
            let shown =
                |family| host.sh(&format!("ip {family} route show table {table} proto 112"));
            (shown("-4") + &shown("-6")).lines().count()
        };
        let swept = |kept| host.run(|| sweep(112, kept)).unwrap();
        assert_eq!(swept(Some(100)), 4);
        assert_eq!(["main", "100", "4242"].map(ours), [0, 3, 0]);
        assert_eq!(swept(None), 3);
        assert_eq!(ours("100"), 0);
        assert_eq!(swept(None), 0);
        assert!(host.sh("ip route show table 100").contains("10.244.2.0/24"));
        assert!(host.sh("ip route show").contains("192.0.2.0/24 dev eth0"));
        assert!(sweep(2, None).is_err(), "the kernel's own");
    });
}

#[test]
fn the_thread_has_cap_net_admin_and_nothing_else() {
    with_hosts(|_, [host]| {
        let _kept = Kept::start(&host);
        let capabilities = super::privileges::capabilities(std::process::id(), "openelb-fib");
        assert_eq!(capabilities, Some(CAP_NET_ADMIN));
    });
}

#[test]
fn ten_thousand_routes_are_installed_found_again_and_removed() {
    with_hosts(|_, [host]| {
        let routes: Vec<Route> = (0..10_000_u32)
            .map(|number| {
                let [.., high, low] = number.to_be_bytes();
                match number % 2 {
                    0 => v4(
                        &format!("10.{high}.{low}.0/24"),
                        &["192.0.2.2", "192.0.2.3"],
                    ),
                    _ => v6(&format!("2001:db8:{high:x}:{low:x}::/64"), &["2001:db8::2"]),
                }
            })
            .collect();
        let kept = Kept::start(&host);
        timed("10,000 routes installed", || {
            assert_eq!(kept.set(&routes).installed, 10_000);
        });
        timed("the same again", || {
            assert_eq!(kept.set(&routes).installed, 10_000);
        });
        timed("one of them changed", || {
            let mut routes = routes.clone();
            routes[0] = v4("10.0.0.0/24", &["192.0.2.4"]);
            assert_eq!(kept.set(&routes).installed, 10_000);
        });
        assert_eq!(host.sh("ip -o route show proto 112").lines().count(), 5_000);
        timed("10,000 routes removed", || {
            kept.routes.stop(Ending::Remove);
        });
        assert!(installed(&host).is_empty());
    });
}

/// Says how long something takes; nothing depends on it.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "it is printed for people and decides nothing"
)]
fn timed(what: &str, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    println!("{what}: {:?}", start.elapsed());
}

/// `ip monitor route` on a host.
struct Monitor<'a> {
    host: &'a Host,
    said: Arc<Mutex<String>>,
    _process: Running,
}

impl<'a> Monitor<'a> {
    /// Returns when it hears.
    fn start(host: &'a Host) -> Self {
        let mut process = host.spawn("stdbuf -oL ip -o monitor route");
        let heard = BufReader::new(process.0.stdout.take().unwrap());
        let said = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in heard.lines().map_while(Result::ok) {
                let mut written = written.lock().unwrap();
                written.push_str(&line);
                written.push('\n');
            }
        });
        let monitor = Self {
            host,
            said,
            _process: process,
        };
        monitor.see("192.0.2.254");
        monitor
    }

    /// What was said from the start to now, without the marks.
    fn end(self) -> String {
        self.see("192.0.2.253");
        let said = self.said.lock().unwrap();
        let lines = said.lines().filter(|line| !line.contains("blackhole"));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Makes a route and deletes it until the monitor has said so: then it has said all before it.
    fn see(&self, mark: &str) {
        let line = format!("Deleted blackhole {mark}");
        while !self.said.lock().unwrap().contains(&line) {
            self.host.sh(&format!("ip route add blackhole {mark}/32"));
            self.host.sh(&format!("ip route del blackhole {mark}/32"));
            pause();
        }
    }
}

/// Starts a process on `host` that keeps routes to these destinations through host 2.
fn keep(host: &Host, destinations: &str) -> Running {
    let destinations = destinations.replace(' ', ",");
    let program = this_program();
    host.spawn(&format!(
        "env {DESTINATIONS}={destinations} {program} --exact kernel_routes::keeps_routes_if_asked_to --nocapture"
    ))
}

/// No test of its own: what [`keep`] starts.
#[test]
fn keeps_routes_if_asked_to() {
    let Ok(destinations) = std::env::var(DESTINATIONS) else {
        return;
    };
    let routes = destinations.split(',').map(|it| match it.parse() {
        Ok(IpNet::V6(_)) => v6(it, &["2001:db8::2"]),
        _ => v4(it, &["192.0.2.2"]),
    });
    let kept = KernelRoutes::start(Options::default(), |event| println!("{event}")).unwrap();
    kept.set(routes.collect()).unwrap();
    loop {
        std::thread::park();
    }
}

const CAP_NET_ADMIN: u64 = 1 << 12;
const DESTINATIONS: &str = "OPENELB_TEST_DESTINATIONS";
