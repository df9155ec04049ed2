use super::{AdjRibIn, Keep, PrefixLimitExceeded};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::{AsPath, Attributes};
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::message::{
    AttributeBlock, DecodeContext, Framer, Update, write_announcements, write_withdrawals,
};
use crate::bgp::next_hop::NextHop;
use crate::bgp::policy::{
    Action, Condition, Disposition, MatchAny, Policy, PrefixRange, PrefixSet, Statement,
};
use crate::bgp::prefix::{Nlri, Prefix};
use std::sync::Arc;

const FAMILY: Family = Family::Ipv4Unicast;

fn host(last: u8) -> Nlri {
    Prefix::host([192, 0, 2, last].into()).into()
}

fn announcement(hosts: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let attributes = Attributes {
        as_path: AsPath::sequence([Asn(65_001)]),
        ..Attributes::default()
    };
    let next_hop = NextHop::v4([192, 0, 2, 254].into()).unwrap();
    let block = AttributeBlock::new(&attributes, next_hop, true).unwrap();
    let mut out = Vec::new();
    let mut hosts = hosts.into_iter().map(host);
    write_announcements(&mut out, 4096, &block, &mut hosts).unwrap();
    out
}

fn withdrawal(hosts: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut hosts = hosts.into_iter().map(host);
    write_withdrawals(&mut out, 4096, FAMILY, &mut hosts).unwrap();
    out
}

fn hear(rib: &mut AdjRibIn, message: &[u8]) -> Result<(), PrefixLimitExceeded> {
    let mut framer = Framer::new();
    framer.feed(message);
    let message = framer.next_message().unwrap().unwrap();
    let context = DecodeContext {
        four_octet_as: true,
        families: FamilySet::ALL,
        ebgp: true,
        ..DecodeContext::default()
    };
    rib.apply(&Update::decode(message.body, &context).unwrap())
}

fn keeping(policy: Policy) -> Keep {
    Keep {
        routes: true,
        policy: Arc::new(policy),
        ..Keep::nothing("leaf".into())
    }
}

fn limited(limit: u32) -> Keep {
    Keep {
        prefix_limit: Some(limit),
        ..Keep::nothing("leaf".into())
    }
}

#[test]
fn received_routes_are_counted_and_not_kept() {
    let mut rib = AdjRibIn::new(Keep::nothing("leaf".into()));
    hear(&mut rib, &announcement(0..10)).unwrap();
    hear(&mut rib, &withdrawal(0..3)).unwrap();
    let counts = rib.counts()[FAMILY];
    assert_eq!((counts.announced, counts.withdrawn), (10, 3));
    assert_eq!((rib.routes().count(), rib.known.len()), (0, 0));
}

#[test]
fn routes_are_kept_only_when_a_policy_accepts_them() {
    let mut rejecting = AdjRibIn::new(keeping(Policy::reject_all()));
    hear(&mut rejecting, &announcement(0..10)).unwrap();
    assert_eq!(rejecting.routes().count(), 0);
    assert_eq!(rejecting.counts()[FAMILY].prefixes, 10);
    let mut accepting = AdjRibIn::new(keeping(Policy::accept_all()));
    hear(&mut accepting, &announcement(0..10)).unwrap();
    hear(&mut accepting, &withdrawal(0..3)).unwrap();
    assert_eq!(accepting.routes().count(), 7);
    let route = accepting.routes().next().unwrap();
    assert_eq!(route.attributes.as_path.to_string(), "65001");
    assert_eq!(route.next_hop.to_string(), "192.0.2.254");
}

#[test]
fn an_import_policy_changes_what_it_accepts() {
    let set = PrefixSet {
        name: "one".into(),
        ranges: vec![PrefixRange::exactly(host(1).prefix)],
    };
    let statement = Statement {
        name: "one".into(),
        conditions: vec![Condition::Prefixes {
            set: Arc::new(set),
            how: MatchAny::Any,
        }],
        actions: vec![Action::LocalPref(7)],
        disposition: Some(Disposition::Accept),
    };
    let policy = Policy::new(vec![statement], Disposition::Reject).unwrap();
    let mut rib = AdjRibIn::new(keeping(policy));
    hear(&mut rib, &announcement(0..10)).unwrap();
    let kept: Vec<_> = rib.routes().collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].nlri, kept[0].attributes.local_pref),
        (host(1), Some(7))
    );
}

#[test]
fn more_prefixes_than_the_limit_end_the_session() {
    let mut rib = AdjRibIn::new(limited(10));
    hear(&mut rib, &announcement(0..10)).unwrap();
    // The same again is no more.
    hear(&mut rib, &announcement(0..10)).unwrap();
    hear(&mut rib, &withdrawal([0])).unwrap();
    hear(&mut rib, &announcement([10])).unwrap();
    let exceeded = hear(&mut rib, &announcement([11])).unwrap_err();
    assert_eq!(
        exceeded.to_string(),
        "the peer announced more than 10 ipv4-unicast prefixes; raise its limit or filter there"
    );
    assert_eq!(rib.known.len(), 10);
}

#[test]
fn a_peer_that_restarts_keeps_its_routes_until_it_has_confirmed_them() {
    let mut rib = AdjRibIn::new(keeping(Policy::accept_all()));
    hear(&mut rib, &announcement(0..10)).unwrap();
    rib.mark_stale(FAMILY);
    assert!(rib.routes().all(|route| route.is_stale));
    hear(&mut rib, &announcement(0..4)).unwrap();
    hear(&mut rib, &withdrawal([9])).unwrap();
    let counts = rib.counts()[FAMILY];
    assert_eq!((counts.prefixes, counts.stale), (9, 5));
    assert_eq!(rib.sweep_stale(FAMILY), 5);
    assert_eq!(rib.routes().count(), 4);
    assert_eq!(rib.counts()[FAMILY].prefixes, 4);
}

#[test]
fn a_second_restart_does_not_keep_what_the_first_left_unconfirmed() {
    let mut rib = AdjRibIn::new(keeping(Policy::accept_all()));
    hear(&mut rib, &announcement(0..10)).unwrap();
    rib.mark_stale(FAMILY);
    hear(&mut rib, &announcement(0..4)).unwrap();
    rib.mark_stale(FAMILY);
    assert_eq!(rib.counts()[FAMILY].stale, 4);
    assert_eq!(rib.routes().count(), 4);
}

#[test]
fn a_session_that_ends_for_good_leaves_nothing() {
    let mut rib = AdjRibIn::new(keeping(Policy::accept_all()));
    hear(&mut rib, &announcement(0..10)).unwrap();
    rib.clear(FAMILY);
    assert_eq!(
        (rib.routes().count(), rib.counts()[FAMILY].prefixes),
        (0, 0)
    );
}

fn importing(range: &str) -> Keep {
    Keep {
        policy: Arc::new(Policy::default()),
        import: vec![PrefixRange::within(range.parse().unwrap())],
        ..Keep::nothing("leaf".into())
    }
}

/// The last octets of what changed, each once.
fn changed(rib: &mut AdjRibIn) -> Vec<u8> {
    let mut lasts: Vec<u8> = (0..=u8::MAX).collect();
    let changed = rib.take_changed();
    lasts.retain(|last| changed.contains(&host(*last).prefix));
    lasts
}

#[test]
fn only_routes_inside_the_imported_ranges_cost_memory() {
    let mut rib = AdjRibIn::new(importing("192.0.2.4/30"));
    hear(&mut rib, &announcement(0..10)).unwrap();
    assert_eq!((rib.routes().count(), rib.known.len()), (4, 4));
    assert_eq!(changed(&mut rib), [4, 5, 6, 7]);
    assert!(rib.imported(host(4).prefix).is_some());
    assert!(rib.imported(host(8).prefix).is_none());
    hear(&mut rib, &withdrawal(6..10)).unwrap();
    assert_eq!(changed(&mut rib), [6, 7]);
    assert_eq!(rib.counts()[FAMILY].prefixes, 2);
}

#[test]
fn routes_outside_the_imported_ranges_count_for_the_limit_all_the_same() {
    let mut keep = importing("192.0.2.4/30");
    keep.prefix_limit = Some(3);
    let mut rib = AdjRibIn::new(keep);
    assert!(hear(&mut rib, &announcement(0..3)).is_ok());
    assert!(hear(&mut rib, &announcement(4..5)).is_err());
}

#[test]
fn stale_routes_stay_imported_until_they_are_swept() {
    let mut rib = AdjRibIn::new(importing("192.0.2.0/24"));
    hear(&mut rib, &announcement(0..3)).unwrap();
    rib.take_changed();
    rib.mark_stale(FAMILY);
    assert_eq!(changed(&mut rib), [0_u8; 0]);
    assert!(rib.imported(host(1).prefix).is_some_and(|it| it.is_stale));
    hear(&mut rib, &announcement(1..2)).unwrap();
    rib.take_changed();
    assert_eq!(rib.sweep_stale(FAMILY), 2);
    assert_eq!(changed(&mut rib), [0, 2]);
}

#[test]
fn other_ranges_take_only_what_is_in_them_no_more() {
    let mut rib = AdjRibIn::new(importing("192.0.2.0/29"));
    hear(&mut rib, &announcement(0..8)).unwrap();
    rib.take_changed();
    rib.reconfigure(importing("192.0.2.4/30"));
    assert_eq!(changed(&mut rib), [0, 1, 2, 3]);
    assert_eq!(rib.counts()[FAMILY].prefixes, 4);
    rib.reconfigure(Keep::nothing("leaf".into()));
    assert_eq!(changed(&mut rib), [4, 5, 6, 7]);
    assert_eq!(rib.known.len(), 0);
}

#[test]
fn kept_routes_may_become_imported_ones_and_plain_ones_again() {
    let keeping = |import: &[&str]| Keep {
        routes: true,
        import: import
            .iter()
            .map(|range| PrefixRange::within(range.parse().unwrap()))
            .collect(),
        ..importing("192.0.2.0/24")
    };
    let mut rib = AdjRibIn::new(keeping(&[]));
    hear(&mut rib, &announcement(0..2)).unwrap();
    assert_eq!(changed(&mut rib), [0_u8; 0]);
    rib.reconfigure(keeping(&["192.0.2.1/32"]));
    assert_eq!(changed(&mut rib), [1]);
    rib.reconfigure(keeping(&[]));
    assert_eq!(changed(&mut rib), [1]);
    assert_eq!(rib.routes().count(), 2);
}

#[test]
fn a_cleared_session_takes_its_imported_routes_along() {
    let mut rib = AdjRibIn::new(importing("192.0.2.0/24"));
    hear(&mut rib, &announcement(0..2)).unwrap();
    rib.take_changed();
    rib.clear(FAMILY);
    assert_eq!(changed(&mut rib), [0, 1]);
    assert!(rib.imported(host(0).prefix).is_none());
}
