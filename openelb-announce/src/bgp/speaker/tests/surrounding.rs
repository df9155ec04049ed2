//! What the speaker asks of the host.

use super::{Bench, Input, Output, config, group, ip, open, peer, plain, set, unnumbered};
use crate::bgp::config::{Liveness, Password};
use crate::bgp::peer::{self, State, Stop};
use std::collections::{BTreeMap, BTreeSet};

fn names<T: Ord>(names: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    names.into_iter().collect()
}

#[test]
fn keys_are_asked_for_before_the_listeners_that_they_guard() {
    let secret = Password::new("geheim").unwrap();
    let keyed = || set(|settings| settings.password = Some(secret.clone()));
    let mut with_keys = config([
        peer("leaf1", ip("192.0.2.9"), keyed()),
        plain("leaf2", "192.0.2.10"),
    ]);
    let mut servers = group("2001:db8::/64", 4);
    servers.settings = keyed();
    with_keys.dynamic = vec![servers];
    let mut bench = Bench::with(with_keys);
    let outputs = bench.take();
    let keys = outputs
        .iter()
        .position(|output| matches!(output, Output::Keys(_)))
        .unwrap();
    let listen = outputs
        .iter()
        .position(|output| matches!(output, Output::Listen(_)))
        .unwrap();
    assert!(keys < listen);
    let Output::Keys(keys) = &outputs[keys] else {
        unreachable!("it was found as such");
    };
    let remotes: Vec<String> = keys.iter().map(|key| key.remote.to_string()).collect();
    assert_eq!(remotes, ["192.0.2.9/32", "2001:db8::/64"]);
    assert!(!format!("{outputs:?}").contains("geheim"));
}

#[test]
fn only_what_differs_is_asked_for_again() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    bench.take();
    let mut elsewhere = config([plain("leaf1", "192.0.2.9")]);
    elsewhere.listen = vec!["[::]:1790".parse().unwrap()];
    bench.configure(elsewhere);
    assert_eq!(
        bench.take(),
        [Output::Listen(names(["[::]:1790".parse().unwrap()]))]
    );
}

#[test]
fn an_unnumbered_peer_is_dialled_once_its_router_is_found() {
    let mut bench = Bench::with(config([unnumbered("leaf1", "swp1")]));
    let outputs = bench.take();
    assert!(outputs.contains(&Output::Discover(names(["swp1".to_owned()]))));
    assert!(
        !outputs
            .iter()
            .any(|output| matches!(output, Output::Connect { .. }))
    );
    let waiting = bench.status()[0].waiting.clone().unwrap();
    assert_eq!(waiting, "a router advertisement on swp1");
    let address = "fe80::9".parse().unwrap();
    bench.input(Input::Discovered {
        interface: "swp2",
        address,
    });
    assert!(bench.dial().is_none());
    bench.input(Input::Discovered {
        interface: "swp1",
        address,
    });
    let (connection, target) = bench.dial().unwrap();
    assert_eq!(target.address, ip("fe80::9"));
    assert_eq!(target.interface.as_deref(), Some("swp1"));
    bench.open(connection, "fe80::9", &open(9));
    assert_eq!(bench.states(), [State::Established]);
    // The session stays when the advertisements do not: the hold timer decides.
    bench.input(Input::Lost { interface: "swp1" });
    assert_eq!(bench.states(), [State::Established]);
}

#[test]
fn a_router_that_was_found_before_is_known_to_a_peer_that_comes_later() {
    let mut bench = Bench::with(config([unnumbered("leaf1", "swp1")]));
    let address = "fe80::9".parse().unwrap();
    bench.input(Input::Discovered {
        interface: "swp1",
        address,
    });
    bench.take();
    bench.configure(config([unnumbered("spine", "swp1")]));
    let (_, target) = bench.dial().unwrap();
    assert_eq!(target.address, ip("fe80::9"));
}

#[test]
fn a_held_dial_that_is_given_up_is_nobody_elses_business() {
    let mut bench = Bench::with(config([unnumbered("leaf1", "swp1")]));
    bench.run(600);
    assert!(
        !bench
            .take()
            .iter()
            .any(|output| matches!(output, Output::Connect { .. } | Output::Close { .. }))
    );
    assert!(bench.speaker.connections() <= 1);
}

#[test]
fn bfd_is_asked_to_watch_the_peers_that_want_it_and_ends_their_sessions() {
    let watched = set(|settings| settings.liveness = Some(Liveness::default()));
    let all = [
        peer("leaf1", ip("192.0.2.9"), watched),
        plain("leaf2", "192.0.2.10"),
    ];
    let mut bench = Bench::with(config(all));
    let watch = |outputs: &[Output]| {
        outputs.iter().rev().find_map(|output| match output {
            Output::Watch(watch) => Some(watch.clone()),
            _ => None,
        })
    };
    let outputs = bench.take();
    let first = watch(&outputs).unwrap();
    assert_eq!(first.len(), 1);
    let leaf1 = &first["leaf1"];
    assert_eq!(
        (leaf1.remote, leaf1.local, leaf1.multihop),
        (ip("192.0.2.9"), None, false)
    );
    let connection = outputs.iter().find_map(|output| match output {
        Output::Connect { connection, target } if target.address == ip("192.0.2.9") => {
            Some(*connection)
        }
        _ => None,
    });
    bench.open(connection.unwrap(), "192.0.2.9", &open(9));
    // The session says which of our addresses it is.
    let second = watch(&bench.take()).unwrap();
    assert_eq!(second["leaf1"].local, Some(ip("192.0.2.1")));
    let name = "leaf1".into();
    for liveness in [peer::Liveness::Up, peer::Liveness::Down] {
        bench.input(Input::Liveness {
            peer: &name,
            liveness,
        });
    }
    let status = &bench.status()[0];
    assert_ne!(status.state, State::Established);
    assert_eq!(status.last_error.as_ref().unwrap().code, Some((6, 10)));
    bench.speaker.stop(&Stop::Removal, bench.now);
    bench.drain();
    assert_eq!(watch(&bench.take()), Some(BTreeMap::new()));
}

#[test]
fn a_dynamic_neighbor_is_watched_as_its_group_says_while_it_is_here() {
    let mut servers = group("192.0.2.0/24", 4);
    servers.settings.liveness = Some(Liveness::default());
    let mut with_group = config([]);
    with_group.dynamic = vec![servers];
    let mut bench = Bench::with(with_group);
    bench.take();
    let accepted = bench.accept("192.0.2.10", None).unwrap();
    bench.open(accepted.connection, "192.0.2.10", &open(9));
    let outputs = bench.take();
    let watch = outputs.iter().rev().find_map(|output| match output {
        Output::Watch(watch) => Some(watch),
        _ => None,
    });
    let member = &watch.unwrap()["servers/192.0.2.10"];
    assert_eq!(member.remote, ip("192.0.2.10"));
    // The settings of BFD are known by the name of the group.
    assert_eq!(member.group.as_ref().unwrap().as_str(), "servers");
}

#[test]
fn a_strict_peer_waits_for_bfd() {
    let strict = set(|settings| settings.liveness = Some(Liveness { strict: true }));
    let mut bench = Bench::with(config([peer("leaf1", ip("192.0.2.9"), strict)]));
    assert!(bench.dial().is_none());
    assert_eq!(
        bench.status()[0].waiting.as_deref(),
        Some("BFD to come up (strict mode)")
    );
    let (name, liveness) = ("leaf1".into(), peer::Liveness::Up);
    bench.input(Input::Liveness {
        peer: &name,
        liveness,
    });
    assert!(bench.dial().is_some());
}

#[test]
fn addresses_that_change_before_the_session_is_up_count_in_it() {
    let mut bench = Bench::with(config([plain("leaf1", "192.0.2.9")]));
    let routes = vec![
        super::route("198.51.100.1/32"),
        super::route("2001:db8:1::1/128"),
    ];
    bench.speaker.announce(routes, bench.now);
    let (connection, _) = bench.dial().unwrap();
    let remote = std::net::SocketAddr::new(ip("192.0.2.9"), 179);
    let mut addresses = super::addresses();
    bench.input(Input::Opened {
        connection,
        addresses,
        remote,
    });
    (addresses.v6_global, addresses.v6_link_local) = (None, None);
    bench.input(Input::Addresses {
        connection,
        addresses,
    });
    bench.establish(connection, &open(9));
    let refused = |bench: &Bench| bench.status()[0].families.ipv6.refused;
    assert_eq!(refused(&bench), 1);
    addresses.v6_global = "2001:db8::1".parse().ok();
    bench.input(Input::Addresses {
        connection,
        addresses,
    });
    bench.transmit(connection);
    assert_eq!(
        (refused(&bench), bench.status()[0].families.ipv6.advertised),
        (0, 1)
    );
}
