//! What a speaker shows of itself.

use std::time::Duration;

use jiff::Timestamp;
use openelb_announce::announcer::{AddressStatus, Place, State};
use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::family::PerFamily;
use openelb_announce::bgp::peer;
use openelb_announce::bgp::session::Counters;
use openelb_announce::bgp::status::{PeerStatus, SessionStatus};
use serde_json::{Value, json};

use super::super::record::{MOST_SHOWN, Record, Seen, peer_status};
use super::{Cluster, cluster};
use crate::api::{AnnouncementState, NodeAnnouncementStatus};

const EARLY: &str = "2026-01-01T00:00:00Z";
const LATE: &str = "2026-01-01T00:00:09Z";

fn on_link(address: &str, state: State) -> AddressStatus {
    AddressStatus {
        address: address.parse().unwrap(),
        selectors: Vec::new(),
        places: vec![Place {
            interface: "eth0".into(),
            state,
        }],
        missing: Vec::new(),
        warnings: Vec::new(),
    }
}

fn peer(name: &str, state: peer::State) -> PeerStatus {
    let session = SessionStatus {
        uptime: Duration::from_mins(1),
        peer_as: Asn(65001),
        peer_id: "10.0.0.254".parse().unwrap(),
        local: "10.0.0.1".parse().unwrap(),
        remote: "10.0.0.254:179".parse().unwrap(),
        incoming: false,
        hold_time: Duration::from_secs(90),
        negotiated: String::new(),
        host_name: None,
        is_complete: true,
    };
    PeerStatus {
        name: name.into(),
        description: None,
        remote: "10.0.0.254".into(),
        address: Some("10.0.0.254".parse().unwrap()),
        group: None,
        state,
        waiting: None,
        retry_in: None,
        local_as: Asn(65000),
        local_id: "10.0.0.1".parse().unwrap(),
        session: (state == peer::State::Established).then_some(session),
        families: PerFamily::default(),
        counters: Counters::default(),
        last_error: None,
        flaps: 0,
        graceful_shutdown: false,
        hint: None,
    }
}

/// An object that is applied without fields where it had some becomes `null` in the API server,
/// which no schema of ours takes.
fn assert_has_no_empty_object(value: &Value, at: &str) {
    let Value::Object(fields) = value else {
        assert!(!value.is_null(), "{at} is null");
        return;
    };
    assert!(!fields.is_empty(), "{at} is empty");
    for (name, value) in fields {
        assert_has_no_empty_object(value, &format!("{at}.{name}"));
    }
}

/// A service of each kind of pool.
fn both() -> Cluster {
    let mut cluster = cluster();
    cluster.put_service("routed", "edge", &["192.0.2.1"], json!({}));
    cluster.put_service("linked", "lan", &["198.51.100.1"], json!({}));
    cluster.put_ready("routed", &["n1"]);
    cluster.put_ready("linked", &["n1"]);
    cluster
}

#[test]
fn an_entry_says_where_and_to_whom_an_address_is_announced_and_since_when() {
    let desired = both().on("n1");
    let seen = Seen {
        addresses: vec![on_link(
            "198.51.100.1",
            State::Announced { contested_by: None },
        )],
        peers: vec![peer("tor", peer::State::Established)],
        ..Seen::default()
    };
    let shown = Record::default().show(&desired, &seen, EARLY);
    let [routed, linked] = &shown.addresses[..] else {
        panic!("{shown:?}");
    };
    assert_eq!((&*routed.service, &*routed.eip), ("shop/routed", "edge"));
    assert_eq!(routed.peers, ["tor"]);
    assert_eq!(linked.interface, "eth0");
    for entry in [routed, linked] {
        assert_eq!(entry.state, AnnouncementState::Announced);
        assert_eq!(entry.since, EARLY);
    }
}

#[test]
fn what_is_wanted_and_not_yet_seen_waits_for_a_reason() {
    let desired = both().on("n1");
    let seen = Seen {
        addresses: vec![on_link("198.51.100.1", State::Standby)],
        peers: vec![peer("tor", peer::State::Connect)],
        ..Seen::default()
    };
    let shown = Record::default().show(&desired, &seen, EARLY);
    let told: Vec<_> = shown
        .addresses
        .iter()
        .map(|it| (it.state, &*it.reason))
        .collect();
    let expected = [
        (AnnouncementState::Waiting, "NoSession"),
        (AnnouncementState::Standby, ""),
    ];
    assert_eq!(told, expected);
}

/// Also before anything was seen of it: the speaker has just been told.
#[test]
fn metallb_52_an_address_whose_interface_is_missing_waits_and_names_the_reason() {
    let address = "198.51.100.1";
    let nowhere = AddressStatus {
        places: Vec::new(),
        ..on_link(address, State::Standby)
    };
    for addresses in [vec![nowhere], vec![on_link(address, State::NoInterface)]] {
        let seen = Seen {
            addresses,
            ..Seen::default()
        };
        let shown = Record::default().show(&both().on("n1"), &seen, EARLY);
        let mut entries = shown.addresses.iter();
        let entry = entries.find(|it| it.address == address).unwrap();
        let told = (entry.state, &*entry.reason);
        assert_eq!(told, (AnnouncementState::Waiting, "NoInterface"));
    }
}

/// RFC 5227 and duplicate address detection: somebody else has it.
#[test]
fn metallb_80_an_address_that_another_station_has_is_shown_first_and_as_a_conflict() {
    let mac = Some("02:00:00:00:00:66".parse().unwrap());
    let seen = Seen {
        addresses: vec![on_link("198.51.100.1", State::Conflict { mac })],
        peers: vec![peer("tor", peer::State::Established)],
        ..Seen::default()
    };
    let shown = Record::default().show(&both().on("n1"), &seen, EARLY);
    let mut entries = shown.addresses.iter();
    let entry = entries.find(|it| it.service == "shop/linked").unwrap();
    let told = (entry.state, &*entry.reason);
    assert_eq!(told, (AnnouncementState::Conflict, "AddressInUse"));
    assert_eq!(entry.station, "02:00:00:00:00:66");
    assert_eq!(shown.counts[&("layer2", "conflict")], 1);
}

#[test]
fn an_address_that_no_node_has_because_there_are_too_many_groups_is_not_on_standby() {
    let address = "198.51.100.1";
    let seen = Seen {
        addresses: vec![on_link(address, State::Standby)],
        left_out: [address.parse().unwrap()].into(),
        ..Seen::default()
    };
    let shown = Record::default().show(&both().on("n1"), &seen, EARLY);
    let mut entries = shown.addresses.iter();
    let entry = entries.find(|it| it.address == address).unwrap();
    assert_eq!(
        (entry.state, &*entry.reason),
        (AnnouncementState::Waiting, "TooManyGroups")
    );
}

#[test]
fn the_time_of_a_state_changes_with_the_state_only_and_outlives_the_process() {
    let desired = both().on("n1");
    let announced = Seen {
        addresses: vec![on_link(
            "198.51.100.1",
            State::Announced { contested_by: None },
        )],
        ..Seen::default()
    };
    let mut record = Record::default();
    let first = record.show(&desired, &announced, EARLY);
    assert_eq!(record.show(&desired, &announced, LATE), first);
    let status = NodeAnnouncementStatus {
        addresses: first.addresses.clone(),
        ..NodeAnnouncementStatus::default()
    };
    let mut successor = Record::continued(&status);
    assert_eq!(successor.show(&desired, &announced, LATE), first);
    let moved = successor.show(&desired, &Seen::default(), LATE);
    let linked = moved
        .addresses
        .iter()
        .find(|it| it.service == "shop/linked");
    assert_eq!(linked.unwrap().since, LATE);
}

#[test]
fn of_too_many_entries_those_that_matter_most_are_shown_and_all_are_counted() {
    let mut cluster = cluster();
    cluster.put_eip("edge", json!({"address": "192.0.0.0/16"}));
    let local = json!({"spec": {"externalTrafficPolicy": "Local"}});
    for number in 0..MOST_SHOWN + 10 {
        let address = format!("192.0.{}.{}", number / 256, number % 256);
        let name = format!("s{number:05}");
        cluster.put_service(&name, "edge", &[&address], local.clone());
        let node = if number == MOST_SHOWN + 9 { "n1" } else { "n2" };
        cluster.put_ready(&name, &[node]);
    }
    let seen = Seen {
        peers: vec![peer("tor", peer::State::Established)],
        ..Seen::default()
    };
    let shown = Record::default().show(&cluster.on("n1"), &seen, EARLY);
    assert_eq!(
        (shown.addresses.len(), shown.total()),
        (MOST_SHOWN, MOST_SHOWN + 10)
    );
    let mut announced = shown.addresses.iter().filter(|it| !it.peers.is_empty());
    assert!(
        announced.next().is_some(),
        "the one that is announced is shown"
    );
}

#[test]
fn openelb_47_a_session_is_shown_under_the_old_keys_without_password_and_stands_still() {
    let cluster = both();
    let config = cluster.on("n1").bgp.config.unwrap();
    let settings = Some(&config.peers[0].settings);
    let early: Timestamp = EARLY.parse().unwrap();
    let up = peer("tor", peer::State::Established);
    let first = peer_status(&up, settings, None, early);
    assert_eq!(first.peer_state.session_state, "ESTABLISHED");
    assert_eq!(first.peer_state.admin_state, "UP");
    assert_eq!(
        (first.peer_state.peer_as, first.peer_state.peer_type),
        (65001, 1)
    );
    assert_eq!(first.timers_state.uptime, "2025-12-31T23:59:00Z");
    assert_eq!(first.timers_state.negotiated_hold_time.0, 90);
    let mut later = up.clone();
    later.session.as_mut().unwrap().uptime += Duration::from_secs(9);
    let late: Timestamp = LATE.parse().unwrap();
    let second = peer_status(&later, settings, Some(&first), late);
    assert_eq!(second, first);
    let text = serde_json::to_string(&first).unwrap();
    assert!(
        !text.contains("authPassword") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn a_session_that_has_sent_nothing_yet_has_no_object_without_fields() {
    let now: Timestamp = EARLY.parse().unwrap();
    for state in [peer::State::Connect, peer::State::Established] {
        let status = peer_status(&peer("tor", state), None, None, now);
        let status = serde_json::to_value(status).unwrap();
        assert_has_no_empty_object(&status, "status");
    }
    let mut up = peer("tor", peer::State::Established);
    up.counters.received.keepalive = 1;
    up.families.ipv4.pending = 2;
    let status = serde_json::to_value(peer_status(&up, None, None, now)).unwrap();
    assert_has_no_empty_object(&status, "status");
    let state = &status["peerState"];
    assert_eq!(
        state["messages"],
        json!({"received": {"keepalive": "1", "total": "1"}})
    );
    assert_eq!(state["queues"], json!({"output": 2}));
}
