use super::{Export, Verdict};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::Attributes;
use crate::bgp::community::Community;
use crate::bgp::family::{FamilySet, PerFamily};
use crate::bgp::message::LIMIT;
use crate::bgp::next_hop::NextHop;
use crate::bgp::policy::{
    Action, Condition, Disposition, Edit, MatchAny, Policy, PrefixRange, PrefixSet, PrependAsn,
    SetNextHop, Statement,
};
use crate::bgp::prefix::Prefix;
use crate::bgp::rib::{Rib, Terms};
use crate::bgp::route::{PeerName, Route};
use std::sync::Arc;

fn terms() -> Terms {
    Terms {
        peer: PeerName::from("leaf"),
        group: None,
        remote: None,
        families: FamilySet::ALL,
        ibgp: false,
        local_as: Asn(64_512),
        four_octet_as: true,
        message_limit: LIMIT,
        add_path: PerFamily::default(),
        extended_next_hop: None,
        own_next_hop: PerFamily {
            ipv4: NextHop::v4([192, 0, 2, 1].into()).map_err(Into::into),
            ipv6: NextHop::v6("2001:db8::1".parse().unwrap()).map_err(Into::into),
        },
        policy: Arc::default(),
        peer_policy: Arc::default(),
        graceful_shutdown: false,
        enhanced_refresh: true,
    }
}

fn acting(name: &str, conditions: Vec<Condition>, actions: Vec<Action>) -> Arc<Policy> {
    let statement = Statement {
        name: name.into(),
        conditions,
        actions,
        disposition: None,
    };
    Arc::new(Policy::new(vec![statement], Disposition::Accept).unwrap())
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// What is announced of a plain route to `text`.
fn announced(terms: Terms, text: &str) -> (Attributes, NextHop) {
    let mut rib = Rib::new();
    let _ = rib.upsert(Route::to(prefix(text)));
    let mut export = Export::new(terms);
    let verdict = export.verdict(&rib, rib.group_id(0), &prefix(text));
    let Verdict::Announce(block) = verdict else {
        panic!("{verdict:?}");
    };
    let encoded = export.block(block).unwrap();
    (encoded.attributes.clone(), encoded.next_hop)
}

#[test]
fn a_policy_sees_the_path_with_our_as_and_prepends_before_it() {
    let prepend = |asn| vec![Action::Prepend { asn, times: 1 }];
    let other = Terms {
        policy: acting("p", Vec::new(), prepend(PrependAsn::Asn(Asn(9)))),
        ..terms()
    };
    let last = Terms {
        policy: acting("p", Vec::new(), prepend(PrependAsn::LastAs)),
        ..terms()
    };
    let path = |terms| announced(terms, "192.0.2.1/32").0.as_path.to_string();
    assert_eq!(
        (path(other), path(last)),
        ("9 64512".into(), "64512 64512".into())
    );
}

#[test]
fn the_peers_policy_sees_what_the_speakers_made_of_a_route() {
    let tag = |low| Community::of(64_512, low);
    let both = Terms {
        policy: acting(
            "one",
            Vec::new(),
            vec![Action::Communities(Edit::Add, vec![tag(1)])],
        ),
        peer_policy: acting(
            "two",
            Vec::new(),
            vec![Action::Communities(Edit::Replace, vec![tag(2)])],
        ),
        ..terms()
    };
    let (attributes, _) = announced(both, "192.0.2.1/32");
    assert_eq!(attributes.communities.as_slice(), [tag(2)]);
}

#[test]
fn a_local_preference_set_by_a_policy_reaches_internal_peers_only() {
    let set = |ibgp| Terms {
        ibgp,
        policy: acting("p", Vec::new(), vec![Action::LocalPref(7)]),
        ..terms()
    };
    let local_pref = |ibgp| announced(set(ibgp), "192.0.2.1/32").0.local_pref;
    assert_eq!((local_pref(true), local_pref(false)), (Some(7), None));
}

#[test]
fn a_policy_gives_a_route_another_next_hop_of_its_family_or_none() {
    let towards = |text: &str| Terms {
        policy: acting(
            "p",
            Vec::new(),
            vec![Action::NextHop(SetNextHop::Address(text.parse().unwrap()))],
        ),
        ..terms()
    };
    let (_, next_hop) = announced(towards("198.51.100.1"), "192.0.2.1/32");
    assert_eq!(next_hop.to_string(), "198.51.100.1");
    let mut rib = Rib::new();
    let _ = rib.upsert(Route::to(prefix("2001:db8::1/128")));
    let mut export = Export::new(towards("198.51.100.1"));
    let verdict = export.verdict(&rib, rib.group_id(0), &prefix("2001:db8::1/128"));
    assert!(matches!(verdict, Verdict::Refused(_)));
}

#[test]
fn prefixes_of_one_group_that_a_policy_tells_apart_have_blocks_of_their_own() {
    let set = Arc::new(PrefixSet {
        name: "set".into(),
        ranges: vec![PrefixRange::new(prefix("192.0.2.0/24"), 32..=32).unwrap()],
    });
    let inside = Condition::Prefixes {
        set,
        how: MatchAny::Any,
    };
    let tag = Action::Communities(Edit::Add, vec![Community::of(64_512, 1)]);
    let mut rib = Rib::new();
    let hosts = ["192.0.2.1/32", "192.0.2.2/32", "198.51.100.1/32"].map(prefix);
    let _ = rib.replace(hosts.map(Route::to).to_vec());
    assert_eq!(rib.groups(), 1);
    let mut export = Export::new(Terms {
        policy: acting("p", vec![inside], vec![tag]),
        ..terms()
    });
    let [one, two, other] = hosts.map(|host| export.verdict(&rib, rib.group_id(0), &host));
    assert_eq!(one, two);
    assert_ne!(one, other);
}

#[test]
fn what_was_made_of_groups_that_are_gone_is_forgotten() {
    let mut rib = Rib::new();
    let mut export = Export::new(terms());
    for med in 0..5_000 {
        let _ = rib.upsert(Route {
            attributes: Arc::new(Attributes {
                med: Some(med),
                ..Attributes::default()
            }),
            ..Route::to(prefix("192.0.2.1/32"))
        });
        export.tidy(&rib);
        let verdict = export.verdict(&rib, rib.group_id(0), &prefix("192.0.2.1/32"));
        let Verdict::Announce(block) = verdict else {
            panic!("{verdict:?}");
        };
        assert_eq!(export.block(block).unwrap().attributes.med, Some(med));
        assert!(export.blocks.len() <= 1_100 && export.plain.len() <= 10);
    }
}

#[test]
fn a_route_that_names_a_group_is_for_all_its_members() {
    let mut rib = Rib::new();
    let mut route = Route::to(prefix("192.0.2.10/32"));
    route.peers = ["servers"].into_iter().collect();
    let _ = rib.upsert(route);
    let hears = |peer: &str, group: Option<&str>| {
        let mut export = Export::new(Terms {
            peer: PeerName::from(peer),
            group: group.map(PeerName::from),
            ..terms()
        });
        let verdict = export.verdict(&rib, rib.group_id(0), &prefix("192.0.2.10/32"));
        matches!(verdict, Verdict::Announce(_))
    };
    assert!(hears("servers/192.0.2.7", Some("servers")));
    assert!(!hears("others/192.0.2.7", Some("others")));
    assert!(!hears("leaf", None));
}
