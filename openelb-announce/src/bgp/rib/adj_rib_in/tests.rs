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
