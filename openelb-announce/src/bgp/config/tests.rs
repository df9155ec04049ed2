//! Tests of defaults, of every refusal, and of what a change costs.

use super::{
    Config, Dynamic, FamilySettings, GracefulRestart, Liveness, Neighbor, Password, PasswordError,
    Peer, Remote, RemoteAs, SessionKind, Settings, Transport,
};
use crate::bgp::asn::{Asn, RouterId};
use crate::bgp::family::{FamilySet, PerFamily};
use std::net::IpAddr;
use std::time::Duration;

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn speaker(peers: impl IntoIterator<Item = Peer>) -> Config {
    let mut config = Config::new(Asn(64_512), RouterId::new(1).unwrap());
    config.listen = vec!["[::]:179".parse().unwrap()];
    config.peers = peers.into_iter().collect();
    config
}

fn peer(name: &str, remote: Remote, settings: Settings) -> Peer {
    Peer {
        name: name.into(),
        remote,
        settings,
    }
}

fn at(address: &str) -> Remote {
    Remote::from(address.parse::<IpAddr>().unwrap())
}

fn leaf(settings: Settings) -> Config {
    speaker([peer("leaf1", at("192.0.2.1"), settings)])
}

fn members(ranges: &[&str], limit: u32) -> Dynamic {
    Dynamic {
        name: "servers".into(),
        ranges: ranges.iter().map(|range| range.parse().unwrap()).collect(),
        limit,
        settings: Settings::default(),
    }
}

/// What is wrong with a configuration, in words.
fn words(config: &Config) -> String {
    config
        .validate()
        .map_or_else(|error| error.to_string(), |()| "valid".to_owned())
}

fn set(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

fn timers(hold: Option<u64>, keepalive: Option<u64>) -> Settings {
    set(|settings| {
        settings.timers.hold = hold.map(seconds);
        settings.timers.keepalive = keepalive.map(seconds);
    })
}

fn transport(change: impl FnOnce(&mut Transport)) -> Settings {
    set(|settings| change(&mut settings.transport))
}

fn families(change: impl FnOnce(&mut PerFamily<FamilySettings>)) -> Settings {
    set(|settings| change(&mut settings.families))
}

fn restart_time(span: Duration) -> Settings {
    set(|settings| {
        settings.graceful_restart = Some(GracefulRestart {
            restart_time: span,
            ..GracefulRestart::default()
        });
    })
}

/// Each of the settings is refused with these words behind the peer's name.
fn assert_faults<const N: usize>(faults: [(Settings, &str); N]) {
    for (settings, reason) in faults {
        let found = words(&leaf(settings));
        let begins = found.starts_with(&format!("peer leaf1: {reason}"));
        assert!(begins, "{found} instead of {reason}");
    }
}

#[test]
fn defaults_announce_both_families_and_survive_a_restart() {
    let settings = Settings::default();
    assert_eq!(settings.enabled_families(), FamilySet::ALL);
    let restart = settings.graceful_restart.unwrap();
    assert_eq!(restart.restart_time, seconds(120));
    assert!(restart.notification && !restart.helper_only);
    assert_eq!(settings.timers.hold_time(), seconds(90));
    assert_eq!(
        settings.timers.keepalive_time(seconds(90)),
        Some(seconds(30))
    );
    assert_eq!(settings.transport.port, 179);
    assert_eq!(words(&leaf(settings)), "valid");
}

#[test]
fn a_hold_time_and_a_keepalive_time_each_follow_from_the_other() {
    let hold_only = timers(Some(9), None).timers;
    assert_eq!(
        hold_only.keepalive_time(hold_only.hold_time()),
        Some(seconds(3))
    );
    let keepalive_only = timers(None, Some(5)).timers;
    assert_eq!(keepalive_only.hold_time(), seconds(15));
    let neither = timers(Some(0), Some(0));
    assert_eq!(neither.timers.keepalive_time(Duration::ZERO), None);
    assert_eq!(words(&leaf(neither)), "valid");
}

#[test]
fn a_shorter_hold_time_of_the_peer_makes_keepalives_more_frequent() {
    let timers = timers(Some(90), Some(30)).timers;
    assert_eq!(timers.keepalive_time(seconds(9)), Some(seconds(3)));
    assert_eq!(timers.send_hold_time(seconds(9)), seconds(480));
    assert_eq!(timers.send_hold_time(seconds(300)), seconds(600));
}

#[test]
fn as_numbers_that_nobody_may_have_are_refused() {
    let remote_as = |asn| set(|settings| settings.remote_as = RemoteAs::Exactly(Asn(asn)));
    assert_faults([
        (
            set(|settings| settings.local_as = Some(Asn(0))),
            "local_as: AS 0 is reserved",
        ),
        (remote_as(0), "remote_as: AS 0 is reserved"),
        (remote_as(23_456), "remote_as: AS 23456 is reserved"),
    ]);
}

#[test]
fn multihop_is_for_external_peers_and_without_gtsm() {
    let internal = |remote_as| {
        set(|settings| {
            settings.remote_as = remote_as;
            settings.transport.multihop = Some(2);
        })
    };
    let is_ours = "multihop: is for external peers, but AS 64512 is ours";
    let both = transport(|transport| (transport.gtsm, transport.multihop) = (Some(1), Some(2)));
    assert_faults([
        (internal(RemoteAs::Internal), is_ours),
        (internal(RemoteAs::Exactly(Asn(64_512))), is_ours),
        (both, "multihop: excludes gtsm"),
    ]);
    assert_eq!(
        words(&leaf(internal(RemoteAs::Exactly(Asn(64_513))))),
        "valid"
    );
}

#[test]
fn settings_of_the_connection_that_no_kernel_takes_are_refused() {
    let source = |address: &str| {
        let address = address.parse().unwrap();
        transport(|transport| transport.source = Some(address))
    };
    assert_faults([
        (
            transport(|t| t.multihop = Some(0)),
            "multihop: 0 is out of range; use 1 to 255",
        ),
        (
            transport(|t| t.gtsm = Some(255)),
            "gtsm: 255 is out of range; use 1 to 254",
        ),
        (transport(|t| t.port = 0), "port: must not be zero"),
        (
            transport(|t| t.local_port = Some(0)),
            "local_port: must not be zero",
        ),
        (
            transport(|t| t.tcp_mss = Some(87)),
            "tcp_mss: 87 is out of range; use 88 to 32767",
        ),
        (
            transport(|t| t.bind_interface = Some("a/b".into())),
            "bind_interface: `a/b` is no interface name",
        ),
        (
            source("2001:db8::1"),
            "source: 2001:db8::1 and the peer's 192.0.2.1 are of different families",
        ),
        (
            source("192.0.2.1"),
            "source: 192.0.2.1 is the peer's own address",
        ),
        (source("0.0.0.0"), "source: 0.0.0.0 is no unicast address"),
    ]);
}

#[test]
fn times_that_cannot_work_are_refused() {
    let send_hold = set(|settings| settings.timers.send_hold = Some(seconds(90)));
    let retry = set(|settings| settings.timers.connect_retry = Duration::ZERO);
    let pause = set(|settings| settings.timers.idle_hold = Duration::ZERO);
    let both_or_none = "keepalive: must be zero exactly when the hold time is";
    assert_faults([
        (
            timers(Some(2), None),
            "hold: 2s is too short; RFC 4271 allows 0 s or at least 3 s",
        ),
        (
            timers(Some(65_536), None),
            "hold: 65536 is out of range; use 0 to 65535",
        ),
        (
            timers(Some(9), Some(10)),
            "keepalive: 10s is longer than the hold time of 9s",
        ),
        (timers(Some(9), Some(0)), both_or_none),
        (timers(Some(0), Some(3)), both_or_none),
        (
            send_hold,
            "send_hold: 90s must be longer than the hold time of 90s",
        ),
        (retry, "connect_retry: must not be zero"),
        (pause, "idle_hold: must not be zero"),
    ]);
}

#[test]
fn offers_that_no_open_can_hold_are_refused() {
    let none = families(|families| {
        families.ipv4.enabled = false;
        families.ipv6.enabled = false;
    });
    let long_lived = |span| families(|families| families.ipv4.long_lived = Some(seconds(span)));
    let mut alone = long_lived(60);
    alone.graceful_restart = None;
    assert_faults([
        (none, "families: none is enabled"),
        (
            families(|f| f.ipv6.add_path_send_max = Some(0)),
            "add_path_send_max: must not be zero",
        ),
        (
            long_lived(1 << 24),
            "long_lived: 16777216 is out of range; use 0 to 16777215",
        ),
        (alone, "long_lived: needs graceful_restart"),
        (
            restart_time(seconds(4_096)),
            "restart_time: 4096 is out of range; use 0 to 4095",
        ),
        (
            restart_time(Duration::from_millis(1_500)),
            "restart_time: 1.5s is not in whole seconds",
        ),
        (
            set(|settings| settings.prefix_limit = Some(0)),
            "prefix_limit: must not be zero",
        ),
        (
            set(|settings| settings.admin_down = Some("x".repeat(256))),
            "admin_down: 256 octets",
        ),
    ]);
}

#[test]
fn remotes_that_are_no_host_on_a_known_link_are_refused() {
    let zone = |address: &str, interface: &str| Remote::Address {
        address: address.parse().unwrap(),
        interface: Some(interface.to_owned()),
    };
    for (remote, reason) in [
        (at("0.0.0.0"), "0.0.0.0 is no unicast address"),
        (
            at("255.255.255.255"),
            "255.255.255.255 is no unicast address",
        ),
        (at("ff02::1"), "ff02::1 is no unicast address"),
        (
            at("::ffff:192.0.2.1"),
            "::ffff:192.0.2.1 is no unicast address",
        ),
        (
            at("fe80::1"),
            "fe80::1 exists on every link; add the interface",
        ),
        (
            zone("2001:db8::1", "eth0"),
            "2001:db8::1 needs no interface",
        ),
        (zone("fe80::1", ""), "`` is no interface name"),
        (
            Remote::Interface("sixteen-letters!".into()),
            "`sixteen-letters!` is no interface name",
        ),
    ] {
        let found = words(&speaker([peer("leaf1", remote, Settings::default())]));
        assert!(
            found.starts_with(&format!("peer leaf1: remote: {reason}")),
            "{found}"
        );
    }
    for remote in [
        zone("fe80::1", "eth0"),
        Remote::Interface("swp1".into()),
        at("127.0.0.1"),
    ] {
        assert_eq!(
            words(&speaker([peer("leaf1", remote, Settings::default())])),
            "valid"
        );
    }
}

#[test]
fn two_peers_cannot_share_a_name_or_a_remote() {
    let one = peer("leaf1", at("192.0.2.1"), Settings::default());
    let same_remote = peer("leaf2", at("192.0.2.1"), Settings::default());
    let found = words(&speaker([one.clone(), same_remote]));
    assert!(found.starts_with("peer leaf2: remote: 192.0.2.1 is the remote of peer leaf1 too"));
    let same_name = peer("leaf1", at("192.0.2.2"), Settings::default());
    assert_eq!(
        words(&speaker([one, same_name])),
        "peer leaf1: name: leaf1 is there twice; remove one"
    );
    let nameless = peer("", at("192.0.2.2"), Settings::default());
    assert_eq!(words(&speaker([nameless])), "peer : name: is empty");
}

#[test]
fn all_faults_are_told_at_once() {
    let mut config = speaker([
        peer("leaf1", at("192.0.2.1"), timers(Some(1), None)),
        peer(
            "leaf2",
            at("192.0.2.2"),
            transport(|transport| transport.port = 0),
        ),
    ]);
    config.asn = Asn(0);
    let error = config.validate().unwrap_err();
    assert_eq!(error.faults.len(), 3);
    let found = error.to_string();
    assert!(
        found.starts_with("speaker: asn: AS 0 is reserved"),
        "{found}"
    );
    assert!(
        found.contains("; peer leaf1: hold: 1s is too short"),
        "{found}"
    );
    assert!(
        found.contains("; peer leaf2: port: must not be zero"),
        "{found}"
    );
}

#[test]
fn peers_that_must_connect_need_somebody_who_listens() {
    let mut passive = leaf(set(|settings| settings.passive = true));
    assert_eq!(words(&passive), "valid");
    passive.listen.clear();
    assert!(words(&passive).starts_with("peer leaf1: passive: nothing listens"));
    let mut dynamic = speaker([]);
    dynamic.dynamic = vec![members(&["192.0.2.0/24"], 10)];
    dynamic.listen.clear();
    assert!(words(&dynamic).starts_with("dynamic neighbors servers: listen: nothing listens"));
    passive.listen = vec!["[::]:179".parse().unwrap(); 2];
    assert_eq!(
        words(&passive),
        "speaker: listen: [::]:179 is there twice; remove one"
    );
}

#[test]
fn dynamic_ranges_are_clean_limited_and_do_not_overlap() {
    let with = |group: Dynamic| {
        let mut config = speaker([]);
        config.dynamic = vec![group];
        words(&config)
    };
    assert_eq!(
        with(members(&["192.0.2.0/24", "2001:db8::/64"], 1)),
        "valid"
    );
    for (group, reason) in [
        (members(&[], 1), "ranges: is empty"),
        (members(&["192.0.2.0/24"], 0), "limit: must not be zero"),
        (
            members(&["192.0.2.1/24"], 1),
            "ranges: 192.0.2.1/24 has bits behind its prefix length; write 192.0.2.0/24",
        ),
        (
            members(&["192.0.2.0/24", "192.0.2.128/25"], 1),
            "ranges: 192.0.2.128/25 overlaps 192.0.2.0/24 of servers",
        ),
        (
            members(&["192.0.2.128/25", "192.0.2.0/24"], 1),
            "ranges: 192.0.2.0/24 overlaps 192.0.2.128/25 of servers",
        ),
    ] {
        let found = with(group);
        assert!(
            found.starts_with(&format!("dynamic neighbors servers: {reason}")),
            "{found}"
        );
    }
}

#[test]
fn strict_bfd_is_not_for_neighbors_that_nobody_knows_yet() {
    let mut group = members(&["192.0.2.0/24"], 1);
    group.settings.liveness = Some(Liveness { strict: false });
    let mut config = speaker([]);
    config.dynamic = vec![group.clone()];
    assert_eq!(words(&config), "valid");
    group.settings.liveness = Some(Liveness { strict: true });
    config.dynamic = vec![group];
    let found = words(&config);
    assert!(
        found.starts_with("dynamic neighbors servers: liveness: a dynamic neighbor is known"),
        "{found}"
    );
}

#[test]
fn a_configured_next_hop_has_the_family_of_its_routes() {
    let with = |family: fn(&mut PerFamily<Option<IpAddr>>) -> &mut Option<IpAddr>,
                address: &str| {
        let mut settings = Settings::default();
        *family(&mut settings.next_hop) = Some(address.parse().unwrap());
        settings
    };
    let v6_for_v4 = with(|hops| &mut hops.ipv4, "2001:db8::1");
    let refused = "peer leaf1: next_hop: 2001:db8::1 is no next hop for ipv4-unicast routes; turn on extended_next_hop";
    assert!(words(&leaf(v6_for_v4.clone())).starts_with(refused));
    let mut extended = v6_for_v4;
    extended.extended_next_hop = true;
    assert_eq!(words(&leaf(extended)), "valid");
    let v4_for_v6 = with(|hops| &mut hops.ipv6, "192.0.2.9");
    assert!(words(&leaf(v4_for_v6)).starts_with(
        "peer leaf1: next_hop: 192.0.2.9 is no next hop for ipv6-unicast routes; give an IPv6 address"
    ));
}

#[test]
fn a_password_has_1_to_80_octets_and_is_never_printed() {
    assert_eq!(Password::new(""), Err(PasswordError::Empty));
    assert_eq!(
        Password::new("x".repeat(81)),
        Err(PasswordError::TooLong(81))
    );
    let password = Password::new("x".repeat(80)).unwrap();
    assert_eq!(password.reveal().len(), 80);
    let secret = Password::new("geheim").unwrap();
    let settings = set(|settings| settings.password = Some(secret));
    assert!(!format!("{settings:?}").contains("geheim"));
}

fn neighbor(settings: Settings) -> Neighbor {
    let config = leaf(settings);
    config.neighbor(config.peers.first().unwrap())
}

#[test]
fn what_the_opens_or_the_connection_said_needs_a_new_session() {
    let before = neighbor(Settings::default());
    let after = |settings| before.session_differs(&neighbor(settings));
    for (settings, field) in [
        (set(|s| s.remote_as = RemoteAs::Internal), "remote_as"),
        (set(|s| s.local_as = Some(Asn(64_999))), "local_as"),
        (transport(|t| t.multihop = Some(2)), "transport"),
        (set(|s| s.password = Password::new("x").ok()), "password"),
        (timers(Some(30), None), "hold"),
        (timers(Some(90), Some(10)), "keepalive"),
        (families(|f| f.ipv6.enabled = false), "families"),
        (families(|f| f.ipv4.add_path_send_max = Some(4)), "families"),
        (set(|s| s.graceful_restart = None), "graceful_restart"),
        (set(|s| s.extended_messages = true), "extended_messages"),
        (set(|s| s.extended_next_hop = true), "extended_next_hop"),
        (set(|s| s.route_refresh = false), "route_refresh"),
    ] {
        assert_eq!(after(settings), Some(field));
    }
    let mut moved = before.clone();
    moved.remote = at("192.0.2.2");
    assert_eq!(before.session_differs(&moved), Some("remote"));
    let mut renumbered = before.clone();
    renumbered.router_id = RouterId::new(2).unwrap();
    assert_eq!(before.session_differs(&renumbered), Some("router_id"));
}

#[test]
fn everything_else_applies_to_the_session_as_it_is() {
    let before = neighbor(Settings::default());
    for settings in [
        set(|s| s.timers.connect_retry = seconds(5)),
        set(|s| s.timers.idle_hold = seconds(5)),
        set(|s| s.timers.min_advertisement = seconds(5)),
        set(|s| s.timers.send_hold = Some(seconds(500))),
        // Says what the default says already.
        timers(Some(90), None),
        set(|s| s.local_as = Some(Asn(64_512))),
        set(|s| s.passive = true),
        set(|s| s.admin_down = Some("maintenance".into())),
        set(|s| s.prefix_limit = Some(7)),
        set(|s| s.keep_received = true),
        set(|s| s.enforce_first_as = false),
        set(|s| s.liveness = Some(Liveness::default())),
        set(|s| s.graceful_shutdown = true),
        set(|s| s.description = Some("top of rack".into())),
        set(|s| s.next_hop.ipv4 = "192.0.2.9".parse().ok()),
    ] {
        assert_eq!(before.session_differs(&neighbor(settings)), None);
    }
}

#[test]
fn a_family_that_is_off_may_change_in_any_other_way() {
    let off = |long_lived| {
        families(|f| {
            f.ipv6 = FamilySettings {
                enabled: false,
                long_lived,
                ..FamilySettings::default()
            };
        })
    };
    assert_eq!(off(None).session_differs(&off(Some(seconds(60)))), None);
}

#[test]
fn a_dynamic_neighbor_is_passive_and_named_after_its_group_and_address() {
    let config = speaker([]);
    let group = members(&["fe80::/64"], 4);
    let neighbor = config.dynamic_neighbor(&group, "fe80::7".parse().unwrap(), Some("eth1"));
    assert_eq!(neighbor.name.as_str(), "servers/fe80::7");
    assert_eq!(neighbor.remote.to_string(), "fe80::7%eth1");
    assert!(neighbor.settings.passive);
    let global = config.dynamic_neighbor(&group, "2001:db8::7".parse().unwrap(), Some("eth1"));
    assert_eq!(global.remote.to_string(), "2001:db8::7");
}

#[test]
fn only_the_expected_as_is_accepted() {
    let ours = Asn(64_512);
    let other = Asn(64_513);
    for (remote_as, internal, external) in [
        (RemoteAs::Internal, Some(SessionKind::Internal), None),
        (RemoteAs::External, None, Some(SessionKind::External)),
        (RemoteAs::Exactly(ours), Some(SessionKind::Internal), None),
        (RemoteAs::Exactly(other), None, Some(SessionKind::External)),
    ] {
        let neighbor = neighbor(set(|settings| settings.remote_as = remote_as));
        assert_eq!(neighbor.accepts(ours), internal);
        assert_eq!(neighbor.accepts(other), external);
    }
    let exact = neighbor(set(|settings| {
        settings.remote_as = RemoteAs::Exactly(other);
    }));
    assert_eq!(exact.accepts(Asn(64_514)), None);
}

#[test]
fn packets_to_an_external_peer_live_for_one_hop_unless_it_is_further_away() {
    let hop_limit = |settings| neighbor(settings).hop_limit();
    assert_eq!(hop_limit(Settings::default()), Some(1));
    assert_eq!(hop_limit(transport(|t| t.multihop = Some(3))), Some(3));
    assert_eq!(hop_limit(transport(|t| t.gtsm = Some(1))), Some(255));
    let with_as = |asn| set(|s| s.remote_as = RemoteAs::Exactly(Asn(asn)));
    assert_eq!(hop_limit(with_as(64_512)), None);
    assert_eq!(hop_limit(with_as(64_513)), Some(1));
    assert_eq!(hop_limit(set(|s| s.remote_as = RemoteAs::Internal)), None);
    assert!(neighbor(transport(|t| t.multihop = Some(3))).is_multihop());
}
