use proptest::prelude::*;

use super::*;

fn network(text: &str) -> Result<Network, Error> {
    Network::read(text.as_bytes())
}

/// What a configuration with this `ipam` hands out.
fn ipam(ipam: &str) -> Result<Addressing, Error> {
    whole(&format!(r#""ipam": {{{ipam}}}"#), "")
}

fn whole(fields: &str, arguments: &str) -> Result<Addressing, Error> {
    let text = format!(r#"{{"cniVersion": "1.1.0", "name": "pods", {fields}}}"#);
    network(&text)?.addressing(&Arguments(arguments.to_owned()))
}

/// Ranges and gateways of every set, as text.
fn spans(addressing: &Addressing) -> Vec<String> {
    let text = |span: &Span| match span.gateway {
        Some(gateway) => format!("{} in {} via {gateway}", span.addresses, span.subnet),
        None => format!("{} in {}", span.addresses, span.subnet),
    };
    let sets = addressing.sets.iter();
    sets.map(|set| set.spans().iter().map(text).collect::<Vec<_>>().join(", "))
        .collect()
}

#[test]
fn a_subnet_alone_has_host_locals_defaults() {
    let read = |subnet: &str| spans(&ipam(&format!(r#""subnet": "{subnet}""#)).unwrap()).remove(0);
    assert_eq!(
        read("10.1.0.0/24"),
        "10.1.0.1-10.1.0.254 in 10.1.0.0/24 via 10.1.0.1"
    );
    assert_eq!(
        read("fd00::/64"),
        "fd00::1-fd00::ffff:ffff:ffff:ffff in fd00::/64 via fd00::1"
    );
    assert_eq!(
        read("10.1.0.0/30"),
        "10.1.0.1-10.1.0.2 in 10.1.0.0/30 via 10.1.0.1"
    );
}

#[test]
fn subnets_of_one_and_two_addresses_hand_out_all_of_them() {
    let read = |subnet: &str| spans(&ipam(&format!(r#""subnet": "{subnet}""#)).unwrap()).remove(0);
    assert_eq!(read("10.1.0.4/31"), "10.1.0.4/31 in 10.1.0.4/31");
    assert_eq!(read("10.1.0.4/32"), "10.1.0.4 in 10.1.0.4/32");
    assert_eq!(read("fd00::4/127"), "fd00::4/127 in fd00::4/127");
    assert_eq!(read("fd00::4/128"), "fd00::4 in fd00::4/128");
}

#[test]
fn sets_come_in_host_locals_order() {
    let addressing = whole(
        r#""ipam": {"subnet": "10.2.0.0/24", "ranges": [[{"subnet": "10.3.0.0/24"}]]},
           "runtimeConfig": {"ipRanges": [[{"subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.9"}]]}"#,
        "",
    );
    let sets: Vec<_> = addressing
        .unwrap()
        .sets
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        sets,
        ["10.1.0.9", "10.2.0.1-10.2.0.254", "10.3.0.1-10.3.0.254"]
    );
}

#[test]
fn keys_are_read_in_any_case_and_unknown_ones_passed_over() {
    let addressing = ipam(
        r#""Subnet": "10.1.0.0/24", "rangestart": "10.1.0.7", "gateway": "", "daemonSocketPath": 7"#,
    );
    assert_eq!(
        spans(&addressing.unwrap()),
        ["10.1.0.7-10.1.0.254 in 10.1.0.0/24 via 10.1.0.1"]
    );
}

#[test]
fn a_gateway_may_lie_outside_the_subnet() {
    let addressing = ipam(r#""subnet": "10.1.0.0/24", "gateway": "169.254.1.1""#).unwrap();
    assert_eq!(
        spans(&addressing),
        ["10.1.0.1-10.1.0.254 in 10.1.0.0/24 via 169.254.1.1"]
    );
}

#[test]
fn every_refusal_names_the_key_and_what_to_write() {
    for (fields, at) in [
        (r#""subnet": "10.1.0.5/24""#, "ipam.subnet: "),
        (r#""subnet": "10.1.0.5""#, "ipam.subnet: "),
        (r#""subnet": "here/24""#, "ipam.subnet: "),
        (r#""subnet": 7"#, "ipam.subnet: "),
        (
            r#""subnet": "10.1.0.0/24", "rangeStart": "10.2.0.1""#,
            "ipam.rangeStart: ",
        ),
        (
            r#""subnet": "10.1.0.0/24", "rangeEnd": "fd00::1""#,
            "ipam.rangeEnd: ",
        ),
        (
            r#""subnet": "10.1.0.0/24", "rangeStart": "10.1.0.9", "rangeEnd": "10.1.0.3""#,
            "ipam.subnet: ",
        ),
        (
            r#""subnet": "10.1.0.0/24", "gateway": "fd00::1""#,
            "ipam.subnet: ",
        ),
        (r#""ranges": {}"#, "ipam.ranges: "),
        (r#""ranges": [[]]"#, "ipam.ranges[0]: "),
        (
            r#""ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.0/33"}]]"#,
            "ipam.ranges[1][0].subnet: ",
        ),
        (
            r#""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "fd00::/64"}]]"#,
            "ipam.ranges[0]: ",
        ),
        (
            r#""ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.1.0.128/25"}]]"#,
            "ipam.ranges[0]: ",
        ),
        (
            r#""ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.1.0.128/25"}]]"#,
            "range set 1 ",
        ),
        (r#""ranges": [[{}]]"#, "a range has no subnet"),
        (r#""ranges": []"#, "ipam names no addresses"),
        (
            r#""subnet": "10.1.0.0/24", "routes": [{"gw": "10.1.0.1"}]"#,
            "ipam.routes[0]: ",
        ),
        (
            r#""subnet": "10.1.0.0/24", "routes": [{"dst": "0.0.0.0/0", "mtu": "x"}]"#,
            "ipam.routes[0].mtu: ",
        ),
    ] {
        let error = ipam(fields).unwrap_err();
        assert_eq!(error.code(), Code::Configuration, "{fields}");
        assert!(
            error.message().starts_with(at) && !error.next_step().is_empty(),
            "{fields}: {error}"
        );
    }
}

#[test]
fn requests_of_all_three_kinds_are_gathered_once_each() {
    let fields = r#""ipam": {"subnet": "10.1.0.0/24"}, "args": {"cni": {"ips": ["10.1.0.6", "10.1.0.5"]}},
        "runtimeConfig": {"ips": ["10.1.0.7/24", "::ffff:10.1.0.6"]}"#;
    let requested = whole(fields, "IP=10.1.0.5/24;IgnoreUnknown=1;K8S_POD_NAME=x")
        .unwrap()
        .requested;
    let requested: Vec<_> = requested.iter().map(ToString::to_string).collect();
    assert_eq!(requested, ["10.1.0.5", "10.1.0.6", "10.1.0.7"]);
}

#[test]
fn arguments_that_nobody_knows_are_a_fault_of_the_environment() {
    for arguments in [
        "K8S_POD_NAME=x",
        "IP",
        "IP=x",
        "IP=10.1.0.5/x",
        "IgnoreUnknown=2",
        "IP=10.1.0.5;ip=10.1.0.6",
    ] {
        let error = whole(r#""ipam": {"subnet": "10.1.0.0/24"}"#, arguments).unwrap_err();
        assert_eq!(error.code(), Code::Environment, "{arguments}");
    }
}

#[test]
fn a_network_is_known_by_name_and_folder_whatever_its_ranges_are() {
    let text = r#"{"cniVersion": "0.4.0", "name": "a.b-c", "ipam": {"subnet": "nonsense", "dataDir": "/run/x"}}"#;
    let place = network(text).unwrap().place().clone();
    assert_eq!(
        (place.network.as_str(), place.data_dir.to_str()),
        ("a.b-c", Some("/run/x"))
    );
    let text = r#"{"name": "a", "ipam": {}}"#;
    let network = network(text).unwrap();
    assert_eq!(network.version(), Version::V0_1_0);
    assert_eq!(
        network.place().data_dir.to_str(),
        Some("/var/lib/cni/networks")
    );
}

#[test]
fn names_that_are_paths_are_refused() {
    for name in [
        "../etc",
        "..",
        ".",
        ".openelb-cni",
        "a/b",
        "",
        "a\\u0000",
        "-a",
        &"a".repeat(256),
    ] {
        let text = format!(r#"{{"cniVersion": "1.0.0", "name": "{name}", "ipam": {{}}}}"#);
        assert_eq!(
            network(&text).unwrap_err().code(),
            Code::Configuration,
            "{name}"
        );
    }
}

#[test]
fn broken_json_and_unknown_versions_have_codes_of_their_own() {
    let code = |text| network(text).unwrap_err().code();
    assert_eq!(code("{"), Code::Decode);
    assert_eq!(code("[]"), Code::Decode);
    assert_eq!(
        code(r#"{"cniVersion": "9.0.0", "name": "n", "ipam": {}}"#),
        Code::Version
    );
    assert_eq!(
        code(r#"{"cniVersion": "1.0.0", "name": "n"}"#),
        Code::Configuration
    );
}

#[test]
fn garbage_collection_without_its_list_frees_nothing() {
    let with = |list: &str| {
        network(&format!(
            r#"{{"cniVersion": "1.1.0", "name": "n", "ipam": {{}}{list}}}"#
        ))
        .unwrap()
    };
    assert!(with("").valid_attachments().is_err());
    let one = r#"[{"containerID": "a", "ifname": "eth0"}]"#;
    let attachments = with(&format!(r#", "cni.dev/valid-attachments": {one}"#))
        .valid_attachments()
        .unwrap();
    assert_eq!(attachments, [Attachment::new("a", "eth0").unwrap()]);
    assert_eq!(
        with(&format!(r#", "cni.dev/attachments": {one}"#))
            .valid_attachments()
            .unwrap(),
        attachments
    );
    let broken = with(r#", "cni.dev/valid-attachments": [{"containerID": "a"}]"#)
        .valid_attachments()
        .unwrap_err();
    assert!(
        broken
            .message()
            .starts_with("cni.dev/valid-attachments[0]: "),
        "{broken}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}", arguments in "[A-Za-z=;./:0-9]{0,40}") {
        if let Ok(network) = Network::read(text.as_bytes()) {
            let _ = network.addressing(&Arguments(arguments));
        }
    }

    #[test]
    fn every_subnet_without_host_bits_is_read_as_itself(bits: u128, length in 0..=128_u8, v4 in any::<bool>()) {
        let address = if v4 { IpAddr::V4(std::net::Ipv4Addr::from_bits((bits >> 96) as u32)) } else { IpAddr::V6(bits.into()) };
        let subnet = ipnet::IpNet::new(address, if v4 { length % 33 } else { length }).unwrap().trunc();
        // Mapped IPv4 is refused by name: an address of it would be of the other family.
        prop_assume!(v4 || !matches!(subnet.addr(), IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()));
        let addressing = ipam(&format!(r#""subnet": "{subnet}""#)).unwrap();
        let span = &addressing.sets[0].spans()[0];
        prop_assert_eq!(span.subnet, subnet);
        prop_assert!(openelb_ipam::AddressRange::from(subnet).contains(span.addresses.first()));
        prop_assert!(openelb_ipam::AddressRange::from(subnet).contains(span.addresses.last()));
    }
}
