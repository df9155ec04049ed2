use super::{
    Action, AsPathPattern, CommunityPattern, Comparison, Condition, Decision, Disposition, Edit,
    MatchAll, MatchAny, Med, NeighborSet, Policy, PolicyError, PrefixRange, PrefixSet, PrependAsn,
    SetNextHop, Statement, Subject, Subjected,
};
use crate::bgp::asn::Asn;
use crate::bgp::attribute::{AsPath, Attributes};
use crate::bgp::community::Community;
use crate::bgp::family::{Family, FamilySet};
use crate::bgp::prefix::Prefix;
use crate::bgp::route::PeerName;
use proptest::prelude::*;
use std::sync::Arc;

const US: Asn = Asn(64_512);

fn statement(name: &str, conditions: Vec<Condition>, actions: Vec<Action>) -> Statement {
    Statement {
        name: name.into(),
        conditions,
        actions,
        disposition: None,
    }
}

fn deciding(conditions: Vec<Condition>, disposition: Disposition) -> Statement {
    Statement {
        disposition: Some(disposition),
        ..statement("decides", conditions, Vec::new())
    }
}

fn policy(statements: Vec<Statement>) -> Policy {
    Policy::new(statements, Disposition::Accept).unwrap()
}

fn doing(actions: Vec<Action>) -> Policy {
    policy(vec![statement("acts", Vec::new(), actions)])
}

/// Asks about a route on an external session with the peer `leaf` of the group `leaves` at 192.0.2.2.
fn ask(policy: &Policy, prefix: &str, attributes: Attributes) -> (Disposition, Subjected) {
    let (decision, route) = ask_on(policy, prefix, attributes, false);
    (decision.disposition, route)
}

fn ask_on(
    policy: &Policy,
    prefix: &str,
    attributes: Attributes,
    ibgp: bool,
) -> (Decision, Subjected) {
    let prefix: Prefix = prefix.parse().unwrap();
    let subject = Subject {
        peer: &PeerName::from("leaf"),
        group: Some(&PeerName::from("leaves")),
        remote: "192.0.2.2".parse().ok(),
        family: prefix.family(),
        matches: policy.prefix_matches(&prefix),
        local_as: US,
        ibgp,
    };
    let mut route = Subjected {
        attributes,
        next_hop: None,
    };
    (policy.evaluate(&subject, &mut route), route)
}

fn after(policy: &Policy, attributes: Attributes) -> Attributes {
    ask(policy, "192.0.2.10/32", attributes).1.attributes
}

fn holds(condition: Condition, attributes: Attributes) -> bool {
    let policy = policy(vec![deciding(vec![condition], Disposition::Reject)]);
    ask(&policy, "192.0.2.10/32", attributes).0 == Disposition::Reject
}

fn carrying(communities: &[(u16, u16)]) -> Attributes {
    let communities = communities
        .iter()
        .map(|(high, low)| Community::of(*high, *low));
    Attributes {
        communities: communities.collect(),
        ..Attributes::default()
    }
}

fn along(path: &[u32]) -> Attributes {
    Attributes {
        as_path: AsPath::sequence(path.iter().copied().map(Asn)),
        ..Attributes::default()
    }
}

fn set(ranges: &[(&str, u8, u8)]) -> Arc<PrefixSet> {
    let range = |(prefix, from, to): &(&str, u8, u8)| {
        PrefixRange::new(prefix.parse().unwrap(), *from..=*to).unwrap()
    };
    Arc::new(PrefixSet {
        name: "set".into(),
        ranges: ranges.iter().map(range).collect(),
    })
}

fn inside(set: &Arc<PrefixSet>, how: MatchAny) -> Condition {
    Condition::Prefixes {
        set: Arc::clone(set),
        how,
    }
}

#[test]
fn routes_are_announced_unless_a_policy_says_otherwise_and_not_kept_unless_one_does() {
    let (announced, _) = ask(&Policy::default(), "192.0.2.10/32", Attributes::default());
    let (kept, _) = ask(
        &Policy::reject_all(),
        "192.0.2.10/32",
        Attributes::default(),
    );
    assert_eq!(
        (announced, kept),
        (Disposition::Accept, Disposition::Reject)
    );
}

#[test]
fn the_first_statement_that_decides_ends_the_list() {
    let policy = policy(vec![
        Statement {
            actions: vec![Action::Med(Med::Set(1))],
            ..deciding(Vec::new(), Disposition::Accept)
        },
        statement("never-asked", Vec::new(), vec![Action::Med(Med::Set(2))]),
    ]);
    let (decision, route) = ask_on(&policy, "192.0.2.10/32", Attributes::default(), false);
    assert_eq!(decision.statement.as_deref(), Some("decides"));
    assert_eq!(route.attributes.med, Some(1));
}

#[test]
fn a_statement_that_decides_nothing_hands_the_changed_route_on() {
    let tagged = Condition::Communities {
        name: "tag".into(),
        patterns: vec!["64512:1".parse().unwrap()],
        how: MatchAll::Any,
    };
    let tag = Action::Communities(Edit::Add, vec![Community::of(64_512, 1)]);
    let policy = policy(vec![
        statement("tags", Vec::new(), vec![tag]),
        deciding(vec![tagged], Disposition::Reject),
    ]);
    let (disposition, _) = ask(&policy, "192.0.2.10/32", Attributes::default());
    assert_eq!(disposition, Disposition::Reject);
}

#[test]
fn prefix_sets_match_by_prefix_and_length() {
    let set = set(&[("192.0.2.0/24", 25, 32), ("2001:db8::/32", 128, 128)]);
    let policy = policy(vec![deciding(
        vec![inside(&set, MatchAny::Any)],
        Disposition::Reject,
    )]);
    let rejected = |prefix| ask(&policy, prefix, Attributes::default()).0 == Disposition::Reject;
    assert!(rejected("192.0.2.10/32") && rejected("2001:db8::1/128"));
    assert!(!rejected("192.0.2.0/24") && !rejected("198.51.100.1/32"));
    assert!(!rejected("2001:db8::/64"));
}

#[test]
fn inverted_prefix_sets_match_the_rest() {
    let (ours, host) = (
        set(&[("192.0.2.0/24", 24, 32)]),
        set(&[("0.0.0.0/0", 32, 32)]),
    );
    let conditions = vec![
        inside(&host, MatchAny::Any),
        inside(&ours, MatchAny::Invert),
    ];
    let policy = policy(vec![deciding(conditions, Disposition::Reject)]);
    let rejected = |prefix| ask(&policy, prefix, Attributes::default()).0 == Disposition::Reject;
    assert!(rejected("198.51.100.1/32"));
    assert!(!rejected("192.0.2.1/32") && !rejected("198.51.100.0/24"));
}

#[test]
fn neighbors_match_by_name_or_network() {
    let neighbors = |peers: &[&str], networks: &[&str], how| Condition::Neighbors {
        set: Arc::new(NeighborSet {
            name: "set".into(),
            peers: peers.iter().copied().map(PeerName::from).collect(),
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        }),
        how,
    };
    let any = Attributes::default;
    assert!(holds(neighbors(&["leaf"], &[], MatchAny::Any), any()));
    assert!(holds(neighbors(&["leaves"], &[], MatchAny::Any), any()));
    assert!(holds(
        neighbors(&[], &["192.0.2.0/24"], MatchAny::Any),
        any()
    ));
    assert!(!holds(
        neighbors(&["spine"], &["10.0.0.0/8"], MatchAny::Any),
        any()
    ));
    assert!(holds(neighbors(&["spine"], &[], MatchAny::Invert), any()));
}

#[test]
fn communities_match_any_all_or_none() {
    let wanted = |how| Condition::Communities {
        name: "set".into(),
        patterns: vec!["64512:1".parse().unwrap(), "^65000:.*$".parse().unwrap()],
        how,
    };
    let (one, both, none) = (
        carrying(&[(65_000, 7)]),
        carrying(&[(64_512, 1), (65_000, 7)]),
        carrying(&[(64_512, 2)]),
    );
    assert!(holds(wanted(MatchAll::Any), one.clone()));
    assert!(!holds(wanted(MatchAll::All), one.clone()));
    assert!(holds(wanted(MatchAll::All), both));
    assert!(!holds(wanted(MatchAll::Invert), one));
    assert!(holds(wanted(MatchAll::Invert), none));
}

#[test]
fn as_paths_match_by_their_ends_members_and_length() {
    let wanted = |pattern: &str| Condition::AsPaths {
        name: "set".into(),
        patterns: vec![pattern.parse().unwrap()],
        how: MatchAll::Any,
    };
    let path = || along(&[1, 2, 3]);
    assert!(holds(wanted("^1_"), path()) && !holds(wanted("^2_"), path()));
    assert!(holds(wanted("_3$"), path()) && !holds(wanted("_2$"), path()));
    assert!(holds(wanted("_2_"), path()) && !holds(wanted("_4_"), path()));
    assert!(holds(wanted("^1$"), along(&[1])) && !holds(wanted("^1$"), path()));
    let length = |comparison, length| Condition::AsPathLength { comparison, length };
    assert!(holds(length(Comparison::Equal, 3), path()));
    assert!(holds(length(Comparison::AtLeast, 2), path()));
    assert!(!holds(length(Comparison::AtMost, 2), path()));
}

#[test]
fn families_match() {
    let only = |ipv4, ipv6| Condition::Families(FamilySet::new(ipv4, ipv6));
    assert!(holds(only(true, false), Attributes::default()));
    assert!(!holds(only(false, true), Attributes::default()));
}

#[test]
fn patterns_of_unknown_form_are_refused_by_name() {
    assert_eq!("64512:*".parse(), Ok(CommunityPattern::OfAs(64_512)));
    assert_eq!("_65001_".parse(), Ok(AsPathPattern::Includes(Asn(65_001))));
    let community = "^6451[0-9]:1$".parse::<CommunityPattern>().unwrap_err();
    assert!(
        community
            .to_string()
            .starts_with("`^6451[0-9]:1$` is no community pattern")
    );
    assert!("65001".parse::<AsPathPattern>().is_err());
    assert!("_".parse::<AsPathPattern>().is_err());
}

#[test]
fn communities_are_added_removed_and_replaced() {
    let listed = vec![Community::of(1, 1), Community::of(1, 2)];
    let edit = |edit, attributes| {
        let policy = doing(vec![Action::Communities(edit, listed.clone())]);
        let edited = after(&policy, attributes);
        edited
            .communities
            .iter()
            .map(|community| community.0 & 0xffff)
            .collect::<Vec<_>>()
    };
    let before = || carrying(&[(1, 2), (1, 3)]);
    assert_eq!(edit(Edit::Add, before()), [1, 2, 3]);
    assert_eq!(edit(Edit::Remove, before()), [3]);
    assert_eq!(edit(Edit::Replace, before()), [1, 2]);
}

#[test]
fn a_med_is_set_raised_and_lowered_within_its_bounds() {
    let med = |change, med| {
        let attributes = Attributes {
            med,
            ..Attributes::default()
        };
        after(&doing(vec![Action::Med(change)]), attributes).med
    };
    assert_eq!(med(Med::Set(7), Some(1)), Some(7));
    assert_eq!(med(Med::Add(7), None), Some(7));
    assert_eq!(med(Med::Add(7), Some(u32::MAX)), Some(u32::MAX));
    assert_eq!(med(Med::Subtract(7), Some(3)), Some(0));
}

#[test]
fn paths_are_prepended_with_an_as_or_the_last_one() {
    let prepend = |asn| doing(vec![Action::Prepend { asn, times: 2 }]);
    let path = |policy: &Policy, path| after(policy, along(path)).as_path.to_string();
    assert_eq!(path(&prepend(PrependAsn::Asn(Asn(9))), &[1]), "9 9 1");
    assert_eq!(path(&prepend(PrependAsn::LastAs), &[1, 2]), "1 1 1 2");
    assert_eq!(path(&prepend(PrependAsn::LastAs), &[]), "");
}

#[test]
fn our_own_as_is_never_prepended_towards_an_internal_peer() {
    let policy = doing(vec![Action::Prepend {
        asn: PrependAsn::Asn(US),
        times: 2,
    }]);
    let path = |ibgp| {
        ask_on(&policy, "192.0.2.10/32", along(&[]), ibgp)
            .1
            .attributes
            .as_path
    };
    assert_eq!(path(false).length(), 2);
    assert_eq!(path(true).length(), 0);
}

#[test]
fn a_next_hop_is_asked_for_and_local_preference_set() {
    let address = "198.51.100.1".parse().unwrap();
    let actions = vec![
        Action::NextHop(SetNextHop::Address(address)),
        Action::LocalPref(7),
    ];
    let (_, route) = ask(&doing(actions), "192.0.2.10/32", Attributes::default());
    assert_eq!(route.next_hop, Some(SetNextHop::Address(address)));
    assert_eq!(route.attributes.local_pref, Some(7));
}

fn refusal(statements: Vec<Statement>) -> String {
    let refused = Policy::new(statements, Disposition::Accept);
    refused.unwrap_err().to_string()
}

#[test]
fn a_policy_that_cannot_be_meant_is_refused_by_name() {
    let acting = |action| vec![statement("s", Vec::new(), vec![action])];
    let prepend = |asn, times| Action::Prepend {
        asn: PrependAsn::Asn(Asn(asn)),
        times,
    };
    let towards = |text: &str| Action::NextHop(SetNextHop::Address(text.parse().unwrap()));
    assert_eq!(
        refusal(acting(prepend(1, 0))),
        "statement `s`: prepends 0 times; write 1 to 100"
    );
    assert_eq!(
        refusal(acting(prepend(23_456, 1))),
        "statement `s`: AS 23456 is reserved; prepend another"
    );
    assert_eq!(
        refusal(acting(towards("127.0.0.1"))),
        "statement `s`: next hop 127.0.0.1 is a loopback address; name an address of a router"
    );
    let named = || statement("s", Vec::new(), Vec::new());
    assert_eq!(
        refusal(vec![named(), named()]),
        "two statements are called `s`; rename one"
    );
    let empty = inside(&set(&[]), MatchAny::Any);
    assert_eq!(
        refusal(vec![statement("s", vec![empty], Vec::new())]),
        "statement `s`: the prefix set `set` is empty; give it a member"
    );
}

#[test]
fn more_prefix_sets_than_bits_are_refused() {
    let hosts = (0..=64_u8).map(|last| {
        let prefix = format!("192.0.2.{last}/32");
        let set = set(&[(prefix.as_str(), 32, 32)]);
        statement(&prefix, vec![inside(&set, MatchAny::Any)], Vec::new())
    });
    let statements: Vec<_> = hosts.collect();
    assert!(Policy::new(statements[..64].to_vec(), Disposition::Accept).is_ok());
    let refused = Policy::new(statements, Disposition::Accept);
    assert_eq!(refused, Err(PolicyError::TooManyPrefixSets(65)));
}

#[test]
fn lengths_that_no_member_prefix_has_are_refused() {
    let prefix: Prefix = "192.0.2.0/24".parse().unwrap();
    let refused = PrefixRange::new(prefix, 16..=33).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "mask length range 16..33 does not fit 192.0.2.0/24; write 24..32 or less"
    );
    assert!(PrefixRange::new("::/0".parse().unwrap(), 0..=128).is_ok());
}

proptest! {
    #[test]
    fn prefix_bits_decide_as_the_sets_themselves_would(
        members in prop::collection::vec((0..4_u8, 25..=32_u8), 1..6),
        inverted: Vec<bool>,
        last in 0..4_u8,
        length in 24..=32_u8,
    ) {
        let prefix = Prefix::truncate([192, 0, 2, last].into(), length).unwrap();
        let how = |index: usize| match inverted.get(index) {
            Some(true) => MatchAny::Invert,
            _ => MatchAny::Any,
        };
        let sets: Vec<_> = members
            .iter()
            .map(|(last, length)| {
                let member = Prefix::truncate([192, 0, 2, *last].into(), *length).unwrap();
                set(&[(&member.to_string(), *length, 32)])
            })
            .collect();
        let conditions = sets.iter().enumerate().map(|(index, set)| inside(set, how(index)));
        let policy = policy(vec![deciding(conditions.collect(), Disposition::Reject)]);
        let expected = sets
            .iter()
            .enumerate()
            .all(|(index, set)| set.contains(&prefix) == (how(index) == MatchAny::Any));
        let (disposition, _) = ask(&policy, &prefix.to_string(), Attributes::default());
        prop_assert_eq!(disposition == Disposition::Reject, expected);
        prop_assert_eq!(prefix.family(), Family::Ipv4Unicast);
    }
}
