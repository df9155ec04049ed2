//! Tests of selecting interfaces.

use super::super::topology::tests::ethernet;
use super::*;

/// A host with lo, eth0 (with addresses of both families), eth1 in the bridge br0, tun0 and noarp0.
fn host() -> Topology {
    let mut topology = Topology::default();
    let unfit = |index, name, media| Link {
        media,
        mac: None,
        ..ethernet(index, name)
    };
    topology.put_link(unfit(1, "lo", Media::Loopback));
    topology.put_link(ethernet(2, "eth0"));
    topology.put_link(Link {
        master: Some(4),
        ..ethernet(3, "eth1")
    });
    topology.put_link(ethernet(4, "br0"));
    topology.put_link(unfit(5, "tun0", Media::PointToPoint));
    topology.put_link(unfit(6, "noarp0", Media::NoArp));
    for (index, net) in [
        (1, "127.0.0.1/8"),
        (2, "192.0.2.1/24"),
        (2, "2001:db8::1/64"),
        (4, "198.51.100.1/24"),
        (5, "203.0.113.1/32"),
    ] {
        topology.put_address(index, net.parse().unwrap());
    }
    topology
}

fn resolve(text: &str) -> Result<Vec<u32>, String> {
    let selector: InterfaceSelector = text.parse().unwrap();
    let mut route = |target: IpAddr| match target.to_string().as_str() {
        "192.0.2.254" => Ok(2),
        "198.51.100.9" => Ok(3),
        "192.0.2.1" => Err(RouteError::Local),
        "203.0.113.9" => Ok(5),
        _ => Err(RouteError::Unreachable),
    };
    let excluded = [Pattern::new("docker*")];
    selector
        .resolve(&host(), &excluded, &mut route)
        .map(|indices| indices.into_iter().collect())
        .map_err(|error| error.to_string())
}

#[test]
fn an_exact_name_selects_that_interface() {
    assert_eq!(resolve("eth0"), Ok(vec![2]));
}

#[test]
fn metallb_56_a_port_stands_for_its_master() {
    assert_eq!(resolve("eth1"), Ok(vec![4]));
    assert_eq!(resolve("eth*"), Ok(vec![2, 4]));
}

#[test]
fn a_prefix_selects_the_interfaces_with_an_address_in_it_in_both_families() {
    assert_eq!(resolve("192.0.2.0/24"), Ok(vec![2]));
    assert_eq!(resolve("2001:db8::/32"), Ok(vec![2]));
    assert_eq!(resolve("0.0.0.0/0"), Ok(vec![2, 4]));
}

#[test]
fn metallb_56_all_leaves_out_loopback_noarp_and_point_to_point() {
    assert_eq!(resolve("all"), Ok(vec![2, 4]));
}

#[test]
fn can_reach_asks_the_routing_table() {
    assert_eq!(resolve("can_reach:192.0.2.254"), Ok(vec![2]));
    assert_eq!(resolve("can_reach:198.51.100.9"), Ok(vec![4]));
}

#[test]
fn openelb_39_can_reach_never_means_the_host_itself() {
    let error = resolve("can_reach:192.0.2.1").unwrap_err();
    assert!(
        error.contains("192.0.2.1") && error.contains("this host itself"),
        "{error}"
    );
    for text in [
        "can_reach:127.0.0.1",
        "can_reach:::1",
        "can_reach:0.0.0.0",
        "can_reach:ff02::1",
    ] {
        assert!(text.parse::<InterfaceSelector>().is_err(), "{text}");
    }
}

#[test]
fn a_route_over_a_point_to_point_link_is_refused() {
    let error = resolve("can_reach:203.0.113.9").unwrap_err();
    assert!(
        error.contains("tun0") && error.contains("point-to-point"),
        "{error}"
    );
}

#[test]
fn metallb_52_a_list_is_a_union_and_survives_a_part_that_means_nothing() {
    assert_eq!(resolve("eth0, br0"), Ok(vec![2, 4]));
    assert_eq!(resolve("eth9,eth0"), Ok(vec![2]));
    assert!(resolve("eth9,eth8").unwrap_err().contains("eth9"));
}

#[test]
fn an_unknown_name_is_refused_with_what_exists() {
    let error = resolve("eth9").unwrap_err();
    assert_eq!(
        error,
        "there is no interface \"eth9\"; this host has lo, eth0, eth1, br0, tun0, noarp0"
    );
}

#[test]
fn unfit_interfaces_are_refused_by_name_with_the_reason() {
    assert!(resolve("lo").unwrap_err().contains("loopback"));
    assert!(resolve("noarp0").unwrap_err().contains("NOARP"));
    assert!(resolve("tun0").unwrap_err().contains("point-to-point"));
}

#[test]
fn metallb_56_excluded_names_are_passed_over_by_patterns_but_not_by_name() {
    let mut topology = host();
    topology.put_link(ethernet(7, "docker0"));
    let excluded = [Pattern::new("docker*")];
    let mut no_route = |_: IpAddr| Err(RouteError::Unreachable);
    let all = InterfaceSelector::All
        .resolve(&topology, &excluded, &mut no_route)
        .unwrap();
    assert!(!all.contains(&7));
    let exact = InterfaceSelector::Name("docker0".to_owned());
    assert!(
        exact
            .resolve(&topology, &excluded, &mut no_route)
            .unwrap()
            .contains(&7)
    );
}

#[test]
fn openelb_39_text_that_selects_nothing_is_refused_with_its_reason() {
    for (text, reason) in [
        ("", "empty"),
        ("eth0,", "empty"),
        ("haha:x", "colon"),
        ("can_reach:bad", "needs an IP address"),
        ("192.0.2.0/33", "not a prefix"),
        ("an-interface-name", "15 octets"),
        ("eth 0", "blank"),
    ] {
        let error = text.parse::<InterfaceSelector>().unwrap_err().to_string();
        assert!(
            error.contains(reason) && error.contains(&format!("{text:?}")),
            "{error}"
        );
    }
}

#[test]
fn patterns_match_whole_names() {
    for (pattern, name, expected) in [
        ("eth*", "eth0", true),
        ("eth*", "eth", true),
        ("eth*", "veth0", false),
        ("*0", "eth0.100", true),
        ("*0", "eth01", false),
        ("b?nd0", "bond0", true),
        ("b?nd0", "bnd0", false),
        ("*a*b*c", "xaybzc", true),
        ("*a*b*c", "xaybzcd", false),
        ("", "", true),
    ] {
        assert_eq!(
            Pattern::new(pattern).matches(name),
            expected,
            "{pattern} {name}"
        );
    }
}

#[test]
fn a_loop_of_masters_ends() {
    let mut topology = Topology::default();
    topology.put_link(Link {
        master: Some(3),
        ..ethernet(2, "a")
    });
    topology.put_link(Link {
        master: Some(2),
        ..ethernet(3, "b")
    });
    let mut no_route = |_: IpAddr| Err(RouteError::Unreachable);
    assert!(
        InterfaceSelector::All
            .resolve(&topology, &[], &mut no_route)
            .is_ok()
    );
}
