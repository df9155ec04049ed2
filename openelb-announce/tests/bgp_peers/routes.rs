//! What the speaker announces, and how that has to look in a router's table.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use openelb_announce::bgp::attribute::Attributes;
use openelb_announce::bgp::community::{Community, LargeCommunity};
use openelb_announce::bgp::route::Route;

use crate::router::description::{COMMUNITY, LARGE_COMMUNITY, MED};
use crate::router::{Family, Heard, Router};
use crate::row::{OUR_AS, Row};

/// Routes of each kind, in both families.
pub(crate) fn assortment() -> Vec<Route> {
    let plain = ["203.0.113.1/32", "2001:db8:ffff::1/128"].map(route);
    let marked = ["203.0.113.2/32", "2001:db8:ffff::2/128"].map(|prefix| Route {
        attributes: Arc::new(marks()),
        ..route(prefix)
    });
    let prepended = ["203.0.113.16/28", "2001:db8:ffff:1::/64"].map(|prefix| Route {
        prepend: 2,
        ..route(prefix)
    });
    plain.into_iter().chain(marked).chain(prepended).collect()
}

/// A route without anything special.
pub(crate) fn route(prefix: &str) -> Route {
    Route::to(prefix.parse().unwrap())
}

/// So many host routes of each family.
pub(crate) fn many(count: u32) -> Vec<Route> {
    let ipv4 = (0..count).map(|number| {
        route(&format!(
            "10.{}.{}.{}/32",
            number >> 16,
            number >> 8 & 255,
            number & 255
        ))
    });
    let ipv6 = (0..count).map(|number| route(&format!("2001:db8:a::{number:x}/128")));
    ipv4.chain(ipv6).collect()
}

/// What differs between the routes that a router should have heard in a session between addresses
/// of the family `over`, and those that are in its table. Nothing: it is as it should be.
pub(crate) fn differences(
    table: &[Heard],
    row: &Row<'_>,
    over: Family,
    routes: &[Route],
) -> Vec<String> {
    let from = row.address(over, 1).parse().ok();
    let heard: Vec<&Heard> = table.iter().filter(|heard| heard.from == from).collect();
    let mut differences = Vec::new();
    let carried = row.families.unwrap_or_else(|| std::slice::from_ref(&over));
    let expected = routes
        .iter()
        .filter(|route| carried.contains(&family(route)));
    let expected: Vec<Heard> = expected.map(|route| expected_of(route, row)).collect();
    let mut paths: BTreeMap<IpNet, Vec<&Heard>> = BTreeMap::new();
    for heard in &heard {
        paths.entry(heard.prefix).or_default().push(heard);
    }
    for expected in &expected {
        match paths.get(&expected.prefix).map(Vec::as_slice) {
            Some([heard]) if is_as(heard, expected) => {}
            Some([heard]) => differences.push(format!("{heard:?} is not {expected:?}")),
            Some(_) => differences.push(format!("{} has several paths", expected.prefix)),
            None => differences.push(format!("{} is missing", expected.prefix)),
        }
    }
    if heard.len() > expected.len() {
        differences.push(format!("{} routes, not {}", heard.len(), expected.len()));
    }
    differences
}

/// Waits until every session of the router shows what it should.
pub(crate) fn wait_for_routes(router: &Router, row: &Row<'_>, routes: &[Route]) {
    for over in row.over {
        let mut last = Vec::new();
        let what = format!(
            "the routes heard over {} are as they should be",
            over.word()
        );
        let mut check = |router: &Router| {
            last = differences(&router.table(), row, *over, routes);
            last.is_empty()
        };
        let is_right = router.becomes(&mut check);
        last.truncate(5);
        router.insist(is_right, &format!("{what}: {last:#?}"));
    }
}

fn marks() -> Attributes {
    let mut marks = Attributes {
        med: Some(MED),
        local_pref: Some(200),
        ..Attributes::default()
    };
    let [global, local_1, local_2] = LARGE_COMMUNITY;
    marks
        .communities
        .insert(Community::of(COMMUNITY.0, COMMUNITY.1));
    marks.large_communities.insert(LargeCommunity {
        global,
        local_1,
        local_2,
    });
    marks
}

fn expected_of(route: &Route, row: &Row<'_>) -> Heard {
    let attributes = &route.attributes;
    let next_hop = row.next_hops.unwrap_or_else(|| family(route));
    let next_hop: IpAddr = row.address(next_hop, 1).parse().unwrap();
    let path = if row.is_internal {
        0
    } else {
        usize::from(route.prepend) + 1
    };
    Heard {
        prefix: IpNet::new(route.prefix.address(), route.prefix.length()).unwrap(),
        from: None,
        next_hops: vec![next_hop],
        as_path: vec![OUR_AS; path],
        communities: attributes.communities.iter().map(|it| it.0).collect(),
        large_communities: attributes
            .large_communities
            .iter()
            .map(|it| [it.global, it.local_1, it.local_2])
            .collect(),
        med: attributes.med,
        local_pref: row
            .is_internal
            .then(|| attributes.local_pref.unwrap_or(100)),
        is_stale: false,
    }
}

/// Is that what was expected? A link-local next hop may stand beside the global one, and external
/// routes have the local preference that their router gives them.
fn is_as(heard: &Heard, expected: &Heard) -> bool {
    let Some((first, others)) = heard.next_hops.split_first() else {
        return false;
    };
    let is_link_local = |it: &IpAddr| matches!(it, IpAddr::V6(it) if it.is_unicast_link_local());
    let heard = Heard {
        from: None,
        next_hops: vec![*first],
        local_pref: heard.local_pref.filter(|_| expected.local_pref.is_some()),
        ..heard.clone()
    };
    others.len() <= 1 && others.iter().all(is_link_local) && heard == *expected
}

fn family(route: &Route) -> Family {
    Family::of(route.prefix.address())
}
