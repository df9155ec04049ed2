//! What objects mean, and what is said about those that cannot be used.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::config::{Password, Remote, RemoteAs, Settings};
use openelb_announce::bgp::family::Family;

use super::{Material, Node, PasswordSource, Problem, Reason, Speaker, pool_routes, speaker};
use crate::api::{BgpConf, BgpPeer, Eip};

/// Files and policies of a test.
struct Shelf;

impl Material for Shelf {
    fn password(&self, source: PasswordSource<'_>) -> Result<Vec<u8>, String> {
        match source {
            PasswordSource::File("tor.key") => Ok(b"swordfish".to_vec()),
            PasswordSource::File(name) => Err(format!("there is no file {name}")),
            PasswordSource::Secret {
                name: "bgp",
                key: "password",
            } => Ok(b"swordfish".to_vec()),
            PasswordSource::Secret { name, key } => Err(format!("Secret {name} has no {key}")),
        }
    }

    fn policy(&self, config_map: &str) -> Result<String, String> {
        match config_map {
            "empty" => Ok(String::new()),
            "broken" => Ok("[zebra]\n".to_owned()),
            other => Err(format!("there is no ConfigMap `{other}`")),
        }
    }
}

fn node() -> Node {
    Node {
        name: "node-a".to_owned(),
        addresses: vec!["2001:db8::5".parse().unwrap(), "192.0.2.5".parse().unwrap()],
        labels: [("zone", "a")].into(),
    }
}

fn conf(spec: &str) -> BgpConf {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpConf, metadata: {{name: default}}, \
         spec: {spec}}}"
    );
    serde_saphyr::from_str(&text).expect("a BgpConf")
}

fn peer(name: &str, spec: &str) -> BgpPeer {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpPeer, metadata: {{name: {name}}}, \
         spec: {spec}}}"
    );
    serde_saphyr::from_str(&text).expect("a BgpPeer")
}

fn meant(peers: &[BgpPeer]) -> Speaker {
    speaker(Some(&conf("{as: 65000}")), peers, &node(), &Shelf)
}

/// The settings of the only peer; nothing may be wrong with it.
fn settings(spec: &str) -> Settings {
    let meant = meant(&[peer("tor", spec)]);
    let errors: Vec<_> = meant.problems.iter().filter(|p| p.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    let peers = meant.config.expect("a speaker").peers;
    peers.into_iter().next().expect("a peer").settings
}

/// The only error about the only peer.
fn error(spec: &str) -> Problem {
    let meant = meant(&[peer("tor", spec)]);
    assert_eq!(
        meant
            .config
            .expect("the speaker itself is right")
            .peers
            .len(),
        0,
        "{spec}"
    );
    let mut errors: Vec<_> = meant
        .problems
        .into_iter()
        .filter(Problem::is_error)
        .collect();
    assert_eq!(errors.len(), 1, "{spec}: {errors:?}");
    errors.remove(0)
}

const TOR: &str = "conf: {neighborAddress: 192.0.2.1, peerAs: 65001}";

#[test]
fn a_peer_has_the_defaults_that_users_of_openelb_know() {
    let settings = settings(&format!("{{{TOR}}}"));
    assert_eq!(settings.remote_as, RemoteAs::Exactly(Asn(65001)));
    assert_eq!(settings.transport.port, 179);
    assert_eq!(settings.timers.hold_time(), Duration::from_secs(90));
    assert_eq!(settings.timers.connect_retry, Duration::from_mins(2));
    let restart = settings.graceful_restart.expect("it is offered");
    assert_eq!(restart.restart_time, Duration::from_mins(2));
    assert!(restart.notification);
    for family in Family::ALL {
        let family = settings.families[family];
        assert!(family.enabled && family.graceful_restart);
        assert_eq!(family.add_path_send_max, Some(10));
    }
}

#[test]
fn every_field_of_a_peer_arrives() {
    let settings = settings(
        "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001, localAs: 64999, description: tor, \
         adminDown: true, authPassword: swordfish}, \
         ebgpMultihop: {enabled: true, multihopTtl: 3}, \
         timers: {config: {connectRetry: '30', holdTime: 9, minimumAdvertisementInterval: '2', \
         delayOpen: 5}}, extendedMessages: true, \
         transport: {passiveMode: true, remotePort: 1790, tcpMss: 1400, mtuDiscovery: false, \
         localAddress: 192.0.2.5, bindInterface: eth1, localPort: 1791}, \
         gracefulRestart: {restartTime: 60, notificationEnabled: false, longlivedEnabled: true, \
         staleRoutesTime: 3600}, \
         afiSafis: [{config: {family: {afi: AFI_IP6, safi: SAFI_UNICAST}}, \
         addPaths: {config: {sendMax: 4}}}], \
         exportPolicy: empty, keepReceived: true, prefixLimit: 100, gracefulShutdown: true, \
         nextHop: {ipv6: '2001:db8::9'}, bfd: {strict: true}}",
    );
    assert_eq!(settings.local_as, Some(Asn(64999)));
    assert_eq!(settings.description.as_deref(), Some("tor"));
    assert!(settings.admin_down.is_some() && settings.passive && settings.keep_received);
    assert_eq!(
        settings.password.as_ref().map(Password::reveal),
        Some(&b"swordfish"[..])
    );
    assert_eq!(settings.timers.delay_open, Some(Duration::from_secs(5)));
    assert!(settings.extended_messages);
    assert_eq!(settings.transport.multihop, Some(3));
    assert_eq!(settings.transport.tcp_mss, Some(1400));
    assert!(!settings.transport.mtu_discovery);
    assert_eq!(
        settings.transport.source,
        Some("192.0.2.5".parse::<IpAddr>().unwrap())
    );
    assert_eq!(settings.transport.bind_interface.as_deref(), Some("eth1"));
    assert_eq!(
        (settings.transport.port, settings.transport.local_port),
        (1790, Some(1791))
    );
    assert_eq!(settings.timers.min_advertisement, Duration::from_secs(2));
    assert_eq!(
        settings.timers.keepalive_time(settings.timers.hold_time()),
        Some(Duration::from_secs(3))
    );
    let restart = settings.graceful_restart.unwrap();
    assert_eq!(
        (restart.restart_time.as_secs(), restart.notification),
        (60, false)
    );
    assert!(!settings.families[Family::Ipv4Unicast].enabled);
    let ipv6 = settings.families[Family::Ipv6Unicast];
    assert_eq!(
        (ipv6.add_path_send_max, ipv6.long_lived),
        (Some(4), Some(Duration::from_hours(1)))
    );
    assert_eq!(settings.prefix_limit, Some(100));
    assert!(settings.policy.is_some() && settings.graceful_shutdown);
    assert_eq!(
        settings.next_hop.ipv6,
        Some("2001:db8::9".parse::<IpAddr>().unwrap())
    );
    assert!(settings.liveness.expect("BFD is asked").strict);
}

#[test]
fn unsupported_fields_are_named_with_what_to_do_and_the_other_peers_go_on() {
    let fields = [
        ("peerGroup: routers", "spec.conf.peerGroup"),
        ("vrf: red", "spec.conf.vrf"),
        ("peerType: 1", "spec.conf.peerType"),
        ("sendCommunity: 3", "spec.conf.sendCommunity"),
        ("routeFlapDamping: true", "spec.conf.routeFlapDamping"),
        ("allowOwnAs: 1", "spec.conf.allowOwnAs"),
        ("replacePeerAs: true", "spec.conf.replacePeerAs"),
        ("removePrivateAs: ALL", "spec.conf.removePrivateAs"),
    ];
    for (field, key) in fields {
        let wrong = format!("{{conf: {{neighborAddress: 192.0.2.1, peerAs: 65001, {field}}}}}");
        let right = peer(
            "other",
            "{conf: {neighborAddress: 192.0.2.2, peerAs: 65001}}",
        );
        let meant = meant(&[peer("tor", &wrong), right]);
        assert_eq!(meant.config.unwrap().peers.len(), 1);
        let [problem] = &meant.problems[..] else {
            panic!("{field}: {:?}", meant.problems);
        };
        assert_eq!(problem.key, key);
        assert_eq!(problem.reason, Reason::UnsupportedField);
        assert!(!problem.next.is_empty(), "{problem}");
    }
}

#[test]
fn zero_values_of_unsupported_fields_are_accepted() {
    let spec = "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001, removePrivateAs: NONE, peerType: 0, \
                sendCommunity: 0, allowOwnAs: 0, vrf: '', peerGroup: ''}}";
    assert_eq!(settings(spec).remote_as, RemoteAs::Exactly(Asn(65001)));
}

#[test]
fn state_that_leaked_into_the_schema_is_a_warning() {
    let spec = format!(
        "{{{TOR}, transport: {{remoteAddress: 192.0.2.1}}, gracefulRestart: {{mode: helper, \
         peerRestarting: true, localRestarting: true, peerRestartTime: 5}}}}"
    );
    let meant = meant(&[peer("tor", &spec)]);
    assert_eq!(meant.config.unwrap().peers.len(), 1);
    assert_eq!(meant.problems.len(), 5, "{:?}", meant.problems);
    assert!(
        meant
            .problems
            .iter()
            .all(|p| p.reason == Reason::Ignored && !p.is_error())
    );
}

/// The checks that `MetalLB` makes of a peer, each with an error of its own.
#[test]
fn metallb_66_every_wrong_peer_has_its_own_error() {
    let cases = [
        ("{conf: {neighborAddress: 192.0.2.1}}", "spec.conf.peerAs"),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001, peerAsType: external}}",
            "spec.conf.peerAsType",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65000}, ebgpMultihop: {enabled: true}}",
            "spec.ebgpMultihop",
        ),
        ("{conf: {peerAs: 65001}}", "spec.conf.neighborAddress"),
        (
            "{conf: {peerAs: 65001, neighborAddress: 192.0.2.1, neighborInterface: eth0}}",
            "spec.conf.neighborInterface",
        ),
        (
            "{conf: {peerAs: 65001, neighborAddress: tor.example}}",
            "spec.conf.neighborAddress",
        ),
        (
            "{conf: {peerAs: 65001, neighborAddress: 'fe80::1'}}",
            "spec.conf.neighborAddress",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 23456}}",
            "spec.conf.peerAs",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001}, transport: {localAddress: here}}",
            "spec.transport.localAddress",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001}, timers: {config: {holdTime: 2}}}",
            "spec.timers.config.holdTime",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001}, timers: {config: {holdTime: 9, \
             keepaliveInterval: 10}}}",
            "spec.timers.config.keepaliveInterval",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001, authPassword: a}, \
             authPasswordFile: tor.key}",
            "spec.authPasswordFile",
        ),
        (
            "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001}, \
             authPasswordSecret: {name: bgp, key: other}}",
            "spec.authPasswordSecret",
        ),
        ("{}", "spec.conf"),
    ];
    for (spec, key) in cases {
        let problem = error(spec);
        assert_eq!(problem.key, key, "{problem}");
        assert!(!problem.next.is_empty());
    }
}

#[test]
fn metallb_66_a_password_beside_a_secret_is_an_error() {
    let twice = error(
        "{conf: {neighborAddress: 192.0.2.1, peerAs: 65001, authPassword: a}, \
         authPasswordSecret: {name: bgp, key: password}}",
    );
    assert_eq!(twice.key, "spec.authPasswordSecret");
}

#[test]
fn metallb_66_a_kind_of_neighbour_that_there_is_not_is_no_object() {
    let text = "{apiVersion: network.kubesphere.io/v1alpha2, kind: BgpPeer, metadata: {name: tor}, \
                spec: {conf: {neighborAddress: 192.0.2.1, peerAsType: foo}}}";
    let error = serde_saphyr::from_str::<BgpPeer>(text).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("foo") && error.contains("external"),
        "{error}"
    );
}

#[test]
fn metallb_66_a_wrong_speaker_has_its_own_error() {
    let speaker = speaker(Some(&conf("{}")), &[], &node(), &Shelf);
    assert_eq!(speaker.problems[0].key, "spec.as");
    let wrong = conf("{as: 65000, routerId: here}");
    let speaker = super::speaker(Some(&wrong), &[], &node(), &Shelf);
    assert_eq!(speaker.problems[0].key, "spec.routerId");
}

#[test]
fn metallb_66_one_timer_gives_the_other() {
    let of = |text: &str| settings(&format!("{{{TOR}, timers: {{config: {{{text}}}}}}}")).timers;
    let nine = of("holdTime: 9");
    assert_eq!(
        nine.keepalive_time(nine.hold_time()),
        Some(Duration::from_secs(3))
    );
    assert_eq!(
        of("keepaliveInterval: 5").hold_time(),
        Duration::from_secs(15)
    );
    let endless = of("holdTime: 0, keepaliveInterval: 0");
    assert_eq!(endless.hold_time(), Duration::ZERO);
    assert_eq!(endless.keepalive_time(Duration::ZERO), None);
}

#[test]
fn metallb_69_bfd_keeps_its_bounds() {
    for (field, key) in [
        ("multiplier: 1", "spec.bfd.multiplier"),
        ("multiplier: 256", "spec.bfd.multiplier"),
        ("minTxMs: 9", "spec.bfd.minTxMs"),
        ("minRxMs: 60001", "spec.bfd.minRxMs"),
        ("minimumTtl: 255", "spec.bfd.minimumTtl"),
        ("minimumTtl: 0", "spec.bfd.minimumTtl"),
    ] {
        assert_eq!(error(&format!("{{{TOR}, bfd: {{{field}}}}}")).key, key);
    }
    let md5 = format!("{{{TOR}, bfd: {{auth: {{type: keyed-md5, keyId: 1, key: a}}}}}}");
    assert_eq!(error(&md5).reason, Reason::UnsupportedField);
}

#[test]
fn openelb_45_a_peer_without_a_speaker_waits_and_is_not_lost() {
    let peers = [peer("tor", &format!("{{{TOR}}}"))];
    let before = speaker(None, &peers, &node(), &Shelf);
    assert_eq!(before.config, None);
    assert_eq!(before.problems[0].reason, Reason::Waiting);
    assert_eq!(meant(&peers).config.unwrap().peers.len(), 1);
}

#[test]
fn openelb_46_an_empty_router_id_is_the_address_of_the_node() {
    let id = |node: &Node| {
        let meant = speaker(Some(&conf("{as: 65000}")), &[], node, &Shelf);
        meant.config.unwrap().router_id.to_string()
    };
    assert_eq!(id(&node()), "192.0.2.5");
    let mut without = node();
    without.addresses.truncate(1);
    let derived = id(&without);
    assert_eq!(derived, id(&without), "the same after every restart");
    without.name = "node-b".to_owned();
    assert_ne!(derived, id(&without), "another on every node");
}

#[test]
fn openelb_46_the_rack_gives_the_as_and_takes_the_router_id() {
    let racks = conf("{as: 65000, routerId: 192.0.2.99, asPerRack: {a: 65010}}");
    let mut node = node();
    let config = |node: &Node| speaker(Some(&racks), &[], node, &Shelf).config.unwrap();
    assert_eq!(
        (config(&node).asn, config(&node).router_id.to_string()),
        (Asn(65000), "192.0.2.99".into())
    );
    node.labels
        .insert("openelb.kubesphere.io/rack".to_owned(), "a".to_owned());
    assert_eq!(
        (config(&node).asn, config(&node).router_id.to_string()),
        (Asn(65010), "192.0.2.5".into())
    );
}

#[test]
fn openelb_46_a_selector_that_stops_matching_takes_the_peer_away() {
    let peers = [peer(
        "tor",
        &format!("{{{TOR}, nodeSelector: {{matchLabels: {{zone: a}}}}}}"),
    )];
    let mut node = node();
    let count = |node: &Node| {
        speaker(Some(&conf("{as: 65000}")), &peers, node, &Shelf)
            .config
            .unwrap()
            .peers
            .len()
    };
    assert_eq!(count(&node), 1);
    node.labels.insert("zone".to_owned(), "b".to_owned());
    assert_eq!(count(&node), 0);
}

#[test]
fn openelb_47_a_password_is_in_no_debug_form_and_no_error() {
    let spec = format!("{{{TOR}, authPasswordFile: tor.key}}");
    let meant = meant(&[peer("tor", &spec)]);
    assert!(!format!("{meant:?}").contains("swordfish"));
    let long = "swordfish".repeat(9);
    let problem = error(&format!(
        "{{conf: {{neighborAddress: 192.0.2.1, peerAs: 65001, authPassword: {long}}}}}"
    ));
    assert_eq!(problem.key, "spec.conf.authPassword");
    assert!(!problem.to_string().contains("swordfish"), "{problem}");
}

#[test]
fn families_are_numbers_of_two_kinds_or_words() {
    for (list, expected) in [
        ("[0]", (true, false)),
        ("[131073]", (false, true)),
        ("[65537, 1]", (true, true)),
    ] {
        let conf = conf(&format!("{{as: 65000, families: {list}}}"));
        let peers = [peer("tor", &format!("{{{TOR}}}"))];
        let config = speaker(Some(&conf), &peers, &node(), &Shelf)
            .config
            .unwrap();
        let families = &config.peers[0].settings.families;
        assert_eq!(
            (families.ipv4.enabled, families.ipv6.enabled),
            expected,
            "{list}"
        );
    }
    let evpn = conf("{as: 65000, families: [4]}");
    let problem = &speaker(Some(&evpn), &[], &node(), &Shelf).problems[0];
    assert_eq!(
        (problem.key.as_str(), problem.reason),
        ("spec.families[0]", Reason::UnsupportedField)
    );
    let evpn = format!(
        "{{{TOR}, afiSafis: [{{config: {{family: {{afi: AFI_L2VPN, safi: SAFI_EVPN}}}}}}]}}"
    );
    assert_eq!(error(&evpn).key, "spec.afiSafis[0].config.family");
}

#[test]
fn a_template_gives_what_a_peer_does_not_say() {
    let template = peer(
        "tors",
        "{isTemplate: true, conf: {peerAs: 65001, authPassword: swordfish}, \
         timers: {config: {holdTime: 9}}, transport: {passiveMode: true}}",
    );
    let spec =
        "{template: tors, conf: {neighborAddress: 192.0.2.1}, transport: {remotePort: 1790}}";
    let meant = meant(&[template, peer("tor", spec)]);
    assert!(meant.problems.is_empty(), "{:?}", meant.problems);
    let config = meant.config.unwrap();
    let [peer] = &config.peers[..] else {
        panic!("a template is no peer: {config:?}");
    };
    assert_eq!(
        peer.remote,
        Remote::from("192.0.2.1".parse::<IpAddr>().unwrap())
    );
    assert_eq!(peer.settings.timers.hold_time(), Duration::from_secs(9));
    assert!(peer.settings.passive && peer.settings.transport.port == 1790);
    assert!(peer.settings.password.is_some());
    let lost = error(&format!("{{template: nobody, {TOR}}}"));
    assert_eq!(
        (lost.key.as_str(), lost.reason),
        ("spec.template", Reason::Unresolved)
    );
}

#[test]
fn unnumbered_and_dynamic_neighbours_are_told_apart() {
    let interface = meant(&[peer("tor", "{conf: {neighborInterface: eth0}}")])
        .config
        .unwrap();
    assert_eq!(
        interface.peers[0].remote,
        Remote::Interface("eth0".to_owned())
    );
    assert_eq!(interface.peers[0].settings.remote_as, RemoteAs::External);
    assert!(interface.peers[0].settings.extended_next_hop);
    let spec =
        "{conf: {peerAsType: external}, dynamicNeighbors: {prefixes: ['2001:db8::/64'], limit: 2}}";
    let dynamic = meant(&[peer("rack", spec)]).config.unwrap();
    assert_eq!((dynamic.peers.len(), dynamic.dynamic[0].limit), (0, 2));
}

#[test]
fn two_peers_at_one_address_are_refused_by_name() {
    let spec = format!("{{{TOR}}}");
    let meant = meant(&[peer("first", &spec), peer("second", &spec)]);
    assert_eq!(meant.config.unwrap().peers.len(), 1);
    assert_eq!(meant.problems[0].name, "second");
    assert!(
        meant.problems[0].message.contains("first"),
        "{}",
        meant.problems[0]
    );
}

#[test]
fn a_policy_that_is_not_there_or_not_understood_stops_the_speaker_with_words() {
    for (policy, word) in [("lost", "there is no ConfigMap"), ("broken", "zebra")] {
        let conf = conf(&format!("{{as: 65000, policy: {policy}}}"));
        let meant = speaker(Some(&conf), &[], &node(), &Shelf);
        assert_eq!(meant.config, None);
        assert_eq!(meant.problems[0].key, "spec.policy");
        assert!(
            meant.problems[0].message.contains(word),
            "{}",
            meant.problems[0]
        );
    }
}

fn eip(bgp: &str) -> Eip {
    let text = format!(
        "{{apiVersion: network.kubesphere.io/v1alpha2, kind: Eip, metadata: {{name: edge}}, \
         spec: {{address: '198.51.100.0/24, 2001:db8::/64', bgp: {bgp}}}}}"
    );
    serde_saphyr::from_str(&text).expect("an Eip")
}

#[test]
fn metallb_58_advertisements_carry_lengths_preferences_and_sorted_communities() {
    let eip = eip(
        "{advertisements: [{localPref: 100, communities: ['65000:200', '65000:100']}, \
         {aggregationLength: 24, aggregationLengthV6: 64, localPref: 1000, med: 5, prepend: 2, \
         peers: [tor]}]}",
    );
    let routes = pool_routes(&eip, &BTreeMap::new(), &node(), &[]);
    assert!(routes.problems.is_empty(), "{:?}", routes.problems);
    let [host, net] = &routes.advertisements[..] else {
        panic!("{routes:?}");
    };
    assert_eq!((host.aggregation.ipv4, host.aggregation.ipv6), (32, 128));
    let communities: Vec<_> = host
        .attributes
        .communities
        .iter()
        .map(|one| one.to_string())
        .collect();
    assert_eq!(communities, ["65000:100", "65000:200"]);
    assert_eq!(
        (net.aggregation.ipv4, net.aggregation.ipv6, net.prepend),
        (24, 64, 2)
    );
    assert_eq!(
        (net.attributes.local_pref, net.attributes.med),
        (Some(1000), Some(5))
    );
    assert!(net.peers.selects(&"tor".into()) && !net.peers.selects(&"other".into()));
}

#[test]
fn metallb_60_an_aggregate_stays_within_its_pool() {
    for (bgp, is_right) in [
        ("{advertisements: [{aggregationLength: 26}]}", true),
        ("{advertisements: [{aggregationLength: 23}]}", false),
        ("{advertisements: [{aggregationLength: 33}]}", false),
        ("{advertisements: [{aggregationLengthV6: 129}]}", false),
    ] {
        let routes = pool_routes(&eip(bgp), &BTreeMap::new(), &node(), &[]);
        assert_eq!(
            routes.problems.is_empty(),
            is_right,
            "{bgp}: {:?}",
            routes.problems
        );
        assert_eq!(routes.advertisements.is_empty(), !is_right);
    }
}

#[test]
fn metallb_63_an_advertisement_that_does_not_select_the_node_makes_no_route_here() {
    let bgp = "{advertisements: [{nodeSelectors: [{matchLabels: {zone: b}}]}]}";
    let routes = pool_routes(&eip(bgp), &BTreeMap::new(), &node(), &[]);
    assert!(!routes.advertisements[0].nodes.selects("node-a"));
}

#[test]
fn metallb_67_communities_are_numbers_or_names_that_exist() {
    let aliases = BTreeMap::from([("blue".to_owned(), "65000:7".to_owned())]);
    let read = |text: &str| {
        let bgp = format!("{{advertisements: [{{communities: ['{text}']}}]}}");
        pool_routes(&eip(&bgp), &aliases, &node(), &[])
    };
    for right in ["65000:100", "large:64500:1:2", "no-export", "blue"] {
        assert!(
            read(right).problems.is_empty(),
            "{right}: {:?}",
            read(right).problems
        );
    }
    for wrong in ["65536:1", "1:2:3", "12345", "larg:1:2:3", ""] {
        let problems = read(wrong).problems;
        assert!(problems[0].is_error(), "{wrong}");
        assert_eq!(problems[0].key, "spec.bgp.advertisements[0].communities[0]");
    }
    assert_eq!(read("green").problems[0].reason, Reason::Unresolved);
}
