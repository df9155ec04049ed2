//! The page, line by line.

use openelb_announce::bgp::asn::Asn;
use openelb_announce::bgp::family::PerFamily;
use openelb_announce::bgp::session::Counters;
use openelb_announce::bgp::status::PeerStatus;

use super::{Noted, Ordering, Pods, Present, Problem, Shown, Sight, State, page};
use crate::problem::Reason;

#[test]
fn openelb_52_a_session_is_up_or_not_and_every_address_is_told() {
    let mut sight = Sight::default();
    let mut up = peer("tor", State::Established);
    up.families.ipv4.enabled = true;
    up.families.ipv4.advertised = 2;
    up.flaps = 3;
    sight.bgp.peers = vec![up, peer("spine", State::Active)];
    let shown = Shown {
        announced: ["192.0.2.1", "2001:db8::1"]
            .map(|it| it.parse().unwrap())
            .into(),
        counts: [(("bgp", "announced"), 2), (("layer2", "conflict"), 1)].into(),
        ..Shown::default()
    };
    let noted = Noted::default();
    noted.conflicts.store(4, Ordering::Relaxed);
    let page = page(&Present {
        shown: &shown,
        sight: &sight,
        noted: &noted,
        problems: &[problem(Reason::Invalid), problem(Reason::Ignored)],
        pods: &Pods::default(),
        interrupted: &["Service"],
        former_names: None,
    });
    for line in [
        r#"openelb_bgp_session_up{peer="tor"} 1.0"#,
        r#"openelb_bgp_session_up{peer="spine"} 0.0"#,
        r#"openelb_bgp_session_flaps_total{peer="tor"} 3"#,
        r#"openelb_bgp_advertised_routes{peer="tor",family="ipv4-unicast"} 2.0"#,
        r#"openelb_announcements{protocol="bgp",state="announced"} 2.0"#,
        r#"openelb_announcements{protocol="layer2",state="conflict"} 1.0"#,
        r#"openelb_announced_address{address="192.0.2.1"} 1.0"#,
        r#"openelb_announced_address{address="2001:db8::1"} 1.0"#,
        "openelb_conflicts_total 4",
        r#"openelb_objects_refused{kind="Eip"} 1.0"#,
        r#"openelb_watch_interrupted{kind="Service"} 1.0"#,
    ] {
        assert!(page.lines().any(|it| it == line), "{line}\n{page}");
    }
    assert_eq!(
        page.matches("openelb_bgp_advertised_routes{").count(),
        1,
        "of families that are spoken alone"
    );
}

fn problem(reason: Reason) -> Problem {
    Problem {
        kind: "Eip",
        name: "edge".to_owned(),
        key: "spec.address".to_owned(),
        reason,
        message: "it cannot be".to_owned(),
        next: "write another".to_owned(),
    }
}

fn peer(name: &str, state: State) -> PeerStatus {
    let identifier = "10.0.0.1".parse().unwrap();
    PeerStatus {
        name: name.into(),
        description: None,
        remote: "10.0.0.254".into(),
        address: None,
        group: None,
        state,
        waiting: None,
        retry_in: None,
        local_as: Asn(65000),
        local_id: identifier,
        session: None,
        families: PerFamily::default(),
        counters: Counters::default(),
        last_error: None,
        flaps: 0,
        graceful_shutdown: false,
        hint: None,
    }
}
