//! Tests of what a `DynamicPrefix` means.

use std::time::Duration;

use openelb_announce::upstream::RouteKind;
use openelb_ipam::dynamic_prefix::{Derivation, Part, Scope, Settings};

use super::*;

fn read(spec: &str) -> Meaning {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: DynamicPrefix, metadata: {{name: home}}, \
         spec: {spec}}}"
    );
    followed(&serde_saphyr::from_str(&text).unwrap())
}

fn sources(written: &str) -> Vec<Source> {
    let meant = read(&format!("{{sources: [{written}]}}"));
    assert_eq!(meant.problems, []);
    meant.prefix.unwrap().sources
}

/// The only error about a list of sources.
fn fault(spec: &str) -> String {
    let meant = read(spec);
    assert_eq!(meant.prefix, None, "{spec}");
    let errors: Vec<_> = meant.problems.iter().filter(|it| it.is_error()).collect();
    let [error] = errors[..] else {
        panic!("{spec}: {errors:?}");
    };
    error.to_string()
}

#[test]
fn an_object_with_one_source_has_every_default() {
    let meant = read("{sources: [{address: {interface: wan0}}]}")
        .prefix
        .unwrap();
    assert_eq!(&*meant.name, "home");
    assert_eq!(meant.settings, Settings::default());
    let interface = "wan0".to_owned();
    assert_eq!(meant.sources, [Source::Address { interface }]);
}

#[test]
fn every_setting_is_taken_over() {
    let meant = read(
        "{sources: [{file: {path: '-'}}], holdDown: 20s, grace: 2h, generations: 0, \
         scope: UniqueLocal, subnet: {length: 60, keep: 48, override: '0:0:0:cd0::'}}",
    );
    let settings = meant.prefix.unwrap().settings;
    assert_eq!(settings.hold_down, Duration::from_secs(20));
    assert_eq!(settings.grace, Duration::from_hours(2));
    assert_eq!(
        (settings.generations, settings.scope),
        (0, Scope::UniqueLocal)
    );
    let bits = "0:0:0:cd0::".parse().unwrap();
    let expected = Derivation {
        length: 60,
        part: Part::Override { keep: 48, bits },
    };
    assert_eq!(settings.derivation, expected);
}

#[test]
fn metallb_71_a_prefix_kept_to_56_and_overridden_with_cd() {
    let sources = "sources: [{static: {prefix: '2001:db8:aaaa:bb11::/64'}}]";
    for bits in ["0:0:0:cd::", "0:0:0:00cd::"] {
        let meant = read(&format!(
            "{{{sources}, subnet: {{keep: 56, override: '{bits}'}}}}"
        ));
        let meant = meant.prefix.unwrap();
        let [Source::Static { prefix }] = &meant.sources[..] else {
            panic!("one static source");
        };
        let derived = meant.settings.derivation.derive(*prefix).unwrap();
        assert_eq!(derived.to_string(), "2001:db8:aaaa:bbcd::/64");
    }
}

#[test]
fn metallb_73_bits_outside_the_field_are_refused() {
    for (keep, bits) in [(56, "0:0:0:cd00::"), (56, "0:0:0:1cd::"), (56, "::1")] {
        let subnet = format!("subnet: {{keep: {keep}, override: '{bits}'}}");
        let fault = fault(&format!(
            "{{sources: [{{dns: {{name: a.example}}}}], {subnet}}}"
        ));
        assert!(
            fault.starts_with("DynamicPrefix home, spec.subnet: "),
            "{fault}"
        );
    }
    let fault = fault("{sources: [{dns: {name: a.example}}], subnet: {keep: 64, override: '::'}}");
    assert!(fault.contains("keeping 64 bits"), "{fault}");
}

#[test]
fn each_kind_of_source_is_read() {
    let route = "{route: {type: blackhole, table: 100, protocol: 16}}";
    let expected = Source::Route(Routes {
        kind: RouteKind::Blackhole,
        interface: None,
        table: 100,
        protocol: Some(16),
    });
    assert_eq!(sources(route), [expected]);
    let advertisement = "{routerAdvertisement: {interface: wan0, routers: ['fe80::1']}}";
    let expected = Source::RouterAdvertisement {
        interface: "wan0".to_owned(),
        routers: vec!["fe80::1".parse().unwrap()],
    };
    assert_eq!(sources(advertisement), [expected]);
    let http = "{http: {urls: ['https://a.example', 'https://b.example'], every: 1m, length: 56}}";
    let expected = Source::Http {
        urls: vec![
            "https://a.example".to_owned(),
            "https://b.example".to_owned(),
        ],
        quorum: 2,
        every: Duration::from_mins(1),
        length: 56,
    };
    assert_eq!(sources(http), [expected]);
    let expected = Source::Dns {
        name: "host.example.org".to_owned(),
        every: Duration::from_mins(5),
        length: 64,
    };
    assert_eq!(sources("{dns: {name: host.example.org}}"), [expected]);
    let files = "{file: {path: '-'}}, {file: {path: /run/prefix}}";
    let expected = [
        Source::File { path: None },
        Source::File {
            path: Some("/run/prefix".into()),
        },
    ];
    assert_eq!(sources(files), expected);
    let prefix = "2001:db8::/56".parse().unwrap();
    assert_eq!(
        sources("{static: {prefix: '2001:db8::1/56'}}"),
        [Source::Static { prefix }]
    );
}

#[test]
fn a_lease_file_is_where_its_program_writes_it_unless_it_says_otherwise() {
    for (lease, path) in [
        (
            "format: dhcpcd, interface: wan0",
            "/var/lib/dhcpcd/wan0.lease6",
        ),
        ("format: dnsmasq", "/var/lib/misc/dnsmasq.leases"),
        ("format: kea", "/var/lib/kea/kea-leases6.csv"),
        ("format: odhcp6c, path: /run/odhcp6c", "/run/odhcp6c"),
    ] {
        let sources = sources(&format!("{{lease: {{{lease}}}}}"));
        let [Source::Lease { path: found, .. }] = &sources[..] else {
            panic!("{sources:?}");
        };
        assert_eq!(found.to_str(), Some(path));
    }
}

#[test]
fn a_fault_names_the_key_and_the_next_step() {
    for (written, said) in FAULTS {
        let fault = fault(&format!("{{sources: [{written}]}}"));
        assert!(
            fault.starts_with(&format!("DynamicPrefix home, {said}")),
            "{fault}"
        );
    }
}

#[test]
fn a_web_server_without_encryption_is_used_and_remarked_on() {
    let meant = read("{sources: [{http: {urls: ['http://a.example', 'https://b.example']}}]}");
    assert!(meant.prefix.is_some());
    let [problem] = &meant.problems[..] else {
        panic!("{:?}", meant.problems);
    };
    assert_eq!(problem.key, "spec.sources[0].http.urls[0]");
    assert!(!problem.is_error());
}

#[test]
fn a_name_that_pools_cannot_write_is_refused() {
    let mut object = DynamicPrefix::new("my.home", Vec::new());
    object.spec.sources = vec![crate::api::PrefixSource::default()];
    let meant = followed(&object);
    assert_eq!(meant.problems[0].key, "metadata.name");
    assert_eq!(meant.prefix, None);
}

#[test]
fn nodes_look_at_what_is_theirs_and_one_asks_the_outside() {
    let all = sources(
        "{address: {interface: a}}, {lease: {format: kea}}, {file: {path: /a}}, \
         {dns: {name: a.example}}, {static: {prefix: '2001:db8::/56'}}",
    );
    let of_node: Vec<bool> = all.iter().map(Source::is_of_node).collect();
    assert_eq!(of_node, [true, true, true, false, false]);
}

/// What is written as the list of sources, and what is said about it.
const FAULTS: &[(&str, &str)] = &[
    ("", "spec.sources: no source; write one, such as "),
    (
        "{}",
        "spec.sources[0]: nothing says what to look at; write one of ",
    ),
    (
        "{dns: {name: a.example}, file: {path: /a}}",
        "spec.sources[0]: 2 sources in one entry; ",
    ),
    (
        "{address: {}}",
        "spec.sources[0].address.interface: `` is no name of an interface; ",
    ),
    (
        "{address: {interface: a-very-long-name}}",
        "spec.sources[0].address.interface: ",
    ),
    (
        "{route: {type: unicast}}",
        "spec.sources[0].route: every route of the table ",
    ),
    (
        "{routerAdvertisement: {interface: a, routers: ['2001:db8::1']}}",
        "spec.sources[0].routerAdvertisement.routers[0]: `2001:db8::1` is no link-local address; ",
    ),
    (
        "{lease: {format: networkd}}",
        "spec.sources[0].lease: nothing says where the file is; ",
    ),
    (
        "{http: {urls: ['https://a.example']}}",
        "spec.sources[0].http.quorum: 2 servers must agree, and 1 are asked; name one more",
    ),
    (
        "{http: {urls: ['https://a.example', 'https://a.example', 'https://b.example']}}",
        "spec.sources[0].http.urls[1]: `https://a.example` is listed twice; ask another provider",
    ),
    (
        "{http: {urls: [ftp://a.example, 'https://b.example']}}",
        "spec.sources[0].http.urls[0]: `ftp://a.example` is no web address; ",
    ),
    (
        "{dns: {name: 'a b'}}",
        "spec.sources[0].dns.name: `a b` is no name; ",
    ),
    (
        "{dns: {name: a.example, every: 1s}}",
        "spec.sources[0].dns.every: every 1s is a burden ",
    ),
    (
        "{file: {path: prefix}}",
        "spec.sources[0].file.path: `prefix` is no absolute path; ",
    ),
    (
        "{file: {path: '-'}}, {file: {path: '-'}}",
        "spec.sources: standard input is listed twice; ",
    ),
    (
        "{static: {prefix: 192.0.2.0/24}}",
        "spec.sources[0].static.prefix: `192.0.2.0/24` is no ",
    ),
];
