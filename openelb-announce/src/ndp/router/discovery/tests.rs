//! Tests of two routers that find each other.

use super::*;
use crate::wire::icmpv6::Type;

const MAC: Mac = Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0a]);

#[test]
fn two_routers_find_each_other_whoever_comes_first() {
    for pause in [Duration::ZERO, Duration::from_hours(1)] {
        let (mut first, mut second) = (Discovery::new(), Discovery::new());
        first.handle_input(up(1), Time::ZERO);
        let unheard = drain(&mut first);
        assert!(!unheard.is_empty());
        let now = Time::ZERO + pause;
        while first.poll_timeout().is_some_and(|at| at < now) {
            first.handle_timeout(first.poll_timeout().unwrap());
            drain(&mut first);
        }
        second.handle_input(up(2), now);
        exchange(&mut first, &mut second, now);
        // Who was asked within a second of its last word answers after that second.
        let later = now + Duration::from_secs(1);
        first.handle_timeout(later);
        exchange(&mut first, &mut second, later);
        assert_eq!(first.neighbor(), Some(address(2)));
        assert_eq!(second.neighbor(), Some(address(1)));
    }
}

#[test]
fn a_link_that_comes_up_is_asked_and_told_at_once_then_fast_then_seldom() {
    let mut discovery = Discovery::new();
    assert_eq!(discovery.poll_timeout(), None);
    discovery.handle_input(up(1), Time::ZERO);
    let [asked, told] = &drain(&mut discovery)[..] else {
        panic!("one question and one advertisement");
    };
    assert_eq!(kind(asked), (ALL_ROUTERS, Type::RouterSolicitation));
    assert_eq!(kind(told), (ALL_NODES, Type::RouterAdvertisement));
    let mut instants = Vec::new();
    for _ in 0..4 {
        let at = discovery.poll_timeout().unwrap();
        instants.push((at - Time::ZERO).as_secs());
        discovery.handle_timeout(at);
        let sent = drain(&mut discovery);
        assert_eq!(sent.iter().map(kind).collect::<Vec<_>>(), [kind(told)]);
    }
    assert_eq!(instants, [1, 2, 12, 22]);
}

#[test]
fn our_advertisements_make_nobody_take_us_as_default_router() {
    let mut discovery = Discovery::new();
    discovery.handle_input(up(1), Time::ZERO);
    let Some(Output::Transmit { octets, .. }) = drain(&mut discovery).pop() else {
        panic!("an advertisement");
    };
    let message = Message::decode(&octets, address(1), ALL_NODES).unwrap();
    let expected = Repr::Advertisement {
        lifetime: 0,
        source_mac: Some(MAC),
    };
    assert_eq!(Repr::parse(&message, address(1)), Ok(expected));
}

#[test]
fn a_neighbor_is_reported_once_and_again_when_it_is_another() {
    let mut discovery = started();
    for (number, expected) in [(2, 1), (2, 0), (3, 1), (3, 0)] {
        discovery.handle_input(advertisement_of(number).input(), Time::ZERO);
        let found = drain(&mut discovery);
        assert_eq!(found, vec![Output::Found(address(number)); expected]);
    }
}

#[test]
fn a_link_that_goes_down_loses_its_neighbor_and_sends_nothing_more() {
    let mut discovery = started();
    discovery.handle_input(advertisement_of(2).input(), Time::ZERO);
    drain(&mut discovery);
    discovery.handle_input(Input::Down, Time::ZERO);
    assert_eq!(drain(&mut discovery), [Output::Lost]);
    assert_eq!(discovery.poll_timeout(), None);
    discovery.handle_input(Input::Down, Time::ZERO);
    discovery.handle_input(advertisement_of(2).input(), Time::ZERO);
    assert_eq!(drain(&mut discovery), []);
    discovery.handle_input(up(1), Time::ZERO);
    assert_eq!(drain(&mut discovery).len(), 2);
}

#[test]
fn our_own_messages_that_come_back_are_not_a_neighbor() {
    let mut discovery = started();
    discovery.handle_input(advertisement_of(1).input(), Time::ZERO);
    assert_eq!(drain(&mut discovery), []);
}

#[test]
fn questions_are_answered_but_not_more_than_once_a_second() {
    let mut discovery = started();
    let question = Heard {
        source: address(2),
        octets: vec![133, 0, 0, 0, 0, 0, 0, 0],
    };
    let mut answered = Vec::new();
    for tenths in 1..=30 {
        let now = Time::ZERO + Duration::from_millis(100) * tenths;
        discovery.handle_input(question.input(), now);
        if !drain(&mut discovery).is_empty() {
            answered.push(tenths);
        }
    }
    assert_eq!(answered, [10, 20, 30]);
}

#[test]
fn the_same_link_told_again_changes_nothing_and_a_new_address_starts_again() {
    let mut discovery = started();
    discovery.handle_input(up(1), Time::ZERO);
    assert_eq!(drain(&mut discovery), []);
    discovery.handle_input(up(9), Time::ZERO);
    assert_eq!(drain(&mut discovery).len(), 2);
}

struct Heard {
    source: Ipv6Addr,
    octets: Vec<u8>,
}

impl Heard {
    fn input(&self) -> Input<'_> {
        Input::Received {
            source: self.source,
            octets: &self.octets,
        }
    }
}

fn started() -> Discovery {
    let mut discovery = Discovery::new();
    discovery.handle_input(up(1), Time::ZERO);
    drain(&mut discovery);
    discovery
}

fn exchange(first: &mut Discovery, second: &mut Discovery, now: Time) {
    for _ in 0..4 {
        for (from, to, source) in [(0, 1, address(1)), (1, 0, address(2))] {
            let outputs = drain([&mut *first, &mut *second][from]);
            for output in outputs {
                if let Output::Transmit { octets, .. } = output {
                    let heard = Heard { source, octets };
                    [&mut *first, &mut *second][to].handle_input(heard.input(), now);
                }
            }
        }
    }
}

fn advertisement_of(number: u16) -> Heard {
    let mut router = Discovery::new();
    router.handle_input(up(number), Time::ZERO);
    let Some(Output::Transmit { octets, .. }) = drain(&mut router).pop() else {
        panic!("an advertisement");
    };
    Heard {
        source: address(number),
        octets,
    }
}

fn up(number: u16) -> Input<'static> {
    Input::Up {
        address: address(number),
        mac: Some(MAC),
    }
}

fn address(number: u16) -> Ipv6Addr {
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, number)
}

fn kind(output: &Output) -> (Ipv6Addr, Type) {
    let Output::Transmit {
        destination,
        octets,
    } = output
    else {
        panic!("{output:?}");
    };
    (*destination, octets[0].into())
}

fn drain(discovery: &mut Discovery) -> Vec<Output> {
    std::iter::from_fn(|| discovery.poll_output()).collect()
}
