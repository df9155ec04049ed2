//! Tests of what is told of addresses and routes.

use super::*;

const WAN: u32 = 2;
const A: &str = "2001:db8:a::/64";

#[test]
fn an_address_tells_its_prefix_with_what_is_left_of_its_lifetimes() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 0);
    assert_eq!(host.told(0), ["worked", "seen wan0 2001:db8:a::/64 60 120"]);
}

#[test]
fn the_same_lifetimes_read_a_second_later_are_no_news_and_renewed_ones_are() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 0);
    host.told(0);
    host.put(address("2001:db8:a::5/64", Some(49), Some(109)), 10);
    assert_eq!(host.told(10), [""; 0]);
    host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 20);
    assert_eq!(host.told(20), ["seen wan0 2001:db8:a::/64 60 120"]);
}

#[test]
fn of_several_addresses_the_longest_lived_counts_but_not_a_configured_one_beside_it() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/64", Some(0), Some(120)), 0);
    host.put(address("2001:db8:a::6/64", Some(30), Some(90)), 0);
    host.put(address("2001:db8:a::7/64", None, None), 0);
    assert_eq!(host.told(0)[1..], ["seen wan0 2001:db8:a::/64 30 120"]);
    let mut host = addresses();
    host.put(address("2001:db8:a::7/64", None, None), 0);
    assert_eq!(host.told(0)[1..], ["seen wan0 2001:db8:a::/64 ever ever"]);
}

#[test]
fn temporary_addresses_are_passed_over_and_tentative_ones_count() {
    let mut host = addresses();
    let mut temporary = address("2001:db8:a::5/64", Some(60), Some(120));
    temporary.is_temporary = true;
    host.put(temporary, 0);
    assert_eq!(host.told(0), ["worked"]);
    let mut tentative = address("2001:db8:a::6/64", Some(60), Some(120));
    tentative.is_tentative = true;
    host.put(tentative, 0);
    assert_eq!(host.told(0), ["seen wan0 2001:db8:a::/64 60 120"]);
}

#[test]
fn link_local_and_single_addresses_tell_nothing() {
    let mut host = addresses();
    host.put(address("fe80::5/64", None, None), 0);
    host.put(address("2001:db8:a::5/128", Some(60), Some(120)), 0);
    host.put(address("2001:db8:a::5/127", Some(60), Some(120)), 0);
    assert_eq!(host.told(0), ["worked"]);
    assert_eq!(host.0.link_local(WAN), Some("fe80::5".parse().unwrap()));
}

#[test]
fn a_single_address_of_a_server_has_its_prefix_from_the_route_to_its_neighbours() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/128", Some(60), Some(120)), 0);
    host.route(route(RouteType::Unicast, A, 2, Some(300)), false, 0);
    assert_eq!(host.told(0)[1..], ["seen wan0 2001:db8:a::/64 300 300"]);
    // An address of the prefix knows better.
    host.put(address("2001:db8:a::6/64", Some(60), Some(120)), 0);
    assert_eq!(host.told(0), ["seen wan0 2001:db8:a::/64 60 120"]);
}

#[test]
fn an_address_that_is_deleted_while_the_link_is_up_is_gone() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 0);
    host.told(0);
    host.remove("2001:db8:a::5");
    assert_eq!(host.told(1), ["gone wan0 2001:db8:a::/64"]);
}

#[test]
fn what_goes_with_its_link_is_not_taken_back() {
    for with_link in [false, true] {
        let mut host = addresses();
        host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 0);
        host.told(0);
        let why = if with_link {
            host.0.take_in(News::NoLink { index: WAN }, at(1));
            "failed: there is no interface wan0"
        } else {
            host.link(false);
            host.remove("2001:db8:a::5");
            "failed: interface wan0 is down"
        };
        assert_eq!(host.told(1), [why]);
        host.link(true);
        assert_eq!(host.told(2), ["worked"]);
        host.put(address("2001:db8:a::5/64", Some(50), Some(110)), 3);
        assert_eq!(host.told(3), ["seen wan0 2001:db8:a::/64 50 110"]);
    }
}

#[test]
fn a_valid_lifetime_that_has_ended_needs_no_word() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 0);
    host.told(0);
    host.remove("2001:db8:a::5");
    assert_eq!(host.told(120), [""; 0]);
}

#[test]
fn nothing_is_missing_while_everything_is_read_anew() {
    let mut host = addresses();
    host.put(address("2001:db8:a::5/64", Some(60), Some(120)), 0);
    host.told(0);
    host.0.take_in(News::Beginning, at(1));
    assert_eq!(host.told(1), [""; 0]);
    host.link(true);
    host.put(address("2001:db8:a::5/64", Some(59), Some(119)), 1);
    host.0.take_in(News::Complete, at(1));
    assert_eq!(host.told(1), [""; 0]);
}

#[test]
fn aggregates_are_told_by_type_table_and_protocol() {
    let wanted = Routes {
        kind: RouteKind::Unreachable,
        interface: None,
        table: 254,
        protocol: Some(16),
    };
    let mut host = Test::of(Wanted::Routes(wanted));
    let mut other_table = route(RouteType::Unreachable, "2001:db8:1::/48", 16, None);
    other_table.table = 100;
    for other in [
        other_table,
        route(RouteType::BlackHole, "2001:db8:2::/48", 16, None),
        route(RouteType::Unreachable, "2001:db8:3::/48", 4, None),
        route(RouteType::Unreachable, "::/0", 16, None),
    ] {
        host.route(other, false, 0);
    }
    assert_eq!(host.told(0), ["worked"]);
    let aggregate = route(RouteType::Unreachable, "2001:db8::/56", 16, None);
    host.route(aggregate.clone(), false, 0);
    let expected = "seen route of protocol 16 2001:db8::/56 ever ever";
    assert_eq!(host.told(0), [expected]);
    host.0.take_in(News::NoRoute(aggregate), at(1));
    let expected = "gone route of protocol 16 2001:db8::/56";
    assert_eq!(host.told(1), [expected]);
}

#[test]
fn a_route_that_is_replaced_by_one_of_another_type_is_gone() {
    let mut host = Test::of(Wanted::Routes(aggregates()));
    host.route(route(RouteType::Unreachable, A, 16, None), false, 0);
    host.told(0);
    let mut elsewhere = route(RouteType::Unicast, A, 16, None);
    elsewhere.links = vec![WAN];
    host.route(elsewhere, true, 1);
    let expected = "gone route of protocol 16 2001:db8:a::/64";
    assert_eq!(host.told(1), [expected]);
}

#[test]
fn a_table_full_of_routes_is_a_failure_and_no_renumbering() {
    let mut host = Test::of(Wanted::Routes(aggregates()));
    for number in 0..1000 {
        let prefix = format!("2001:db8:{number:x}::/48");
        host.route(route(RouteType::Unreachable, &prefix, 186, None), false, 0);
    }
    let told = host.told(0);
    assert!(told[0].contains("name the protocol"), "{told:?}");
    assert_eq!(told.len(), 1);
}

/// A host with an interface `wan0` that is up.
struct Test(Host);

impl Test {
    fn of(wanted: Wanted) -> Self {
        let mut test = Self(Host::new(vec![wanted]));
        test.0.take_in(News::Beginning, at(0));
        test.link(true);
        test.0.take_in(News::Complete, at(0));
        test
    }

    fn link(&mut self, is_up: bool) {
        let news = News::Link {
            index: WAN,
            name: "wan0".to_owned(),
            is_up,
            mac: Some([2, 0, 0, 0, 0, 1]),
        };
        self.0.take_in(news, at(0));
    }

    fn put(&mut self, address: Address, second: u64) {
        self.0.take_in(News::Address(address), at(second));
    }

    fn remove(&mut self, address: &str) {
        let address = address.parse().unwrap();
        let news = News::NoAddress {
            index: WAN,
            address,
        };
        self.0.take_in(news, at(0));
    }

    fn route(&mut self, route: Route, replaces: bool, second: u64) {
        self.0.take_in(News::Route { route, replaces }, at(second));
    }

    fn told(&mut self, second: u64) -> Vec<String> {
        self.0.look(at(second));
        let left = |span: Option<Duration>| {
            span.map_or_else(|| "ever".to_owned(), |span| span.as_secs().to_string())
        };
        std::iter::from_fn(|| self.0.poll_event())
            .map(|event| match event {
                Event::Seen(seen) => {
                    let (preferred, valid) = (left(seen.preferred), left(seen.valid));
                    format!("seen {} {} {preferred} {valid}", seen.origin, seen.prefix)
                }
                Event::Gone { origin, prefix, .. } => format!("gone {origin} {prefix}"),
                Event::Failed { why, .. } => format!("failed: {why}"),
                Event::Worked { .. } => "worked".to_owned(),
            })
            .collect()
    }
}

fn addresses() -> Test {
    Test::of(Wanted::Addresses {
        interface: "wan0".to_owned(),
    })
}

fn aggregates() -> Routes {
    Routes {
        kind: RouteKind::Unreachable,
        interface: None,
        table: 254,
        protocol: None,
    }
}

fn address(text: &str, preferred: Option<u64>, valid: Option<u64>) -> Address {
    let net: Ipv6Net = text.parse().unwrap();
    Address {
        index: WAN,
        own: net.addr(),
        length: net.prefix_len(),
        is_temporary: false,
        is_tentative: false,
        preferred: preferred.map(Duration::from_secs),
        valid: valid.map(Duration::from_secs),
    }
}

fn route(kind: RouteType, prefix: &str, protocol: u8, expires: Option<u64>) -> Route {
    let is_unicast = kind == RouteType::Unicast;
    Route {
        kind,
        table: 254,
        prefix: prefix.parse().unwrap(),
        priority: 1024,
        protocol,
        links: vec![if is_unicast { WAN } else { 1 }],
        has_gateway: false,
        expires: expires.map(Duration::from_secs),
    }
}

fn at(second: u64) -> Time {
    Time::ZERO + Duration::from_secs(second)
}
