//! Tests of the client: its neighbor cache follows the rules of Linux.

use super::{Client, Neighbor, Reachability};
use crate::arp::machine::Arp;
use crate::claim::{Config, NeighborProtocol, Question};
use crate::ndp::machine::Ndp;
use crate::ndp::packet::{Datagram, Repr};
use crate::sim::data;
use crate::time::Time;
use crate::wire::ethernet::{EtherType, Header};
use crate::wire::ip::ALL_NODES;
use crate::wire::{Frame, Mac};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const CLIENT: Mac = Mac::new([2, 0, 0, 0, 0, 9]);
const A: Mac = Mac::new([2, 0, 0, 0, 0, 1]);
const B: Mac = Mac::new([2, 0, 0, 0, 0, 2]);
const V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

struct Host {
    client: Client,
    now: Time,
}

impl Host {
    fn new() -> Self {
        Self {
            client: Client::new(CLIENT, 1, 1),
            now: Time::ZERO,
        }
    }

    /// A client that holds a confirmed entry for `address` at `A`.
    fn knowing(address: IpAddr) -> Self {
        let mut host = Self::new();
        host.client.send(address, host.now);
        host.answer(address, A);
        host.client.take_frames();
        host
    }

    fn answer(&mut self, address: IpAddr, mac: Mac) {
        let frame = match address {
            IpAddr::V4(target) => {
                let sender = Some(self.client.ipv4);
                let question = Question {
                    target,
                    sender,
                    mac: CLIENT,
                    nonce: None,
                };
                Arp.answer(&question, mac)
            }
            IpAddr::V6(target) => {
                let sender = Some(self.client.ipv6);
                let question = Question {
                    target,
                    sender,
                    mac: CLIENT,
                    nonce: None,
                };
                Ndp::new(&Config::default()).answer(&question, mac)
            }
        };
        self.client.receive(&frame, self.now);
    }

    fn announce(&mut self, address: IpAddr, mac: Mac, form: u8) {
        let frame = match address {
            IpAddr::V4(address) => Arp.announcement(address, mac, form),
            IpAddr::V6(address) => Ndp::new(&Config::default()).announcement(address, mac, form),
        };
        self.client.receive(&frame, self.now);
    }

    fn run_seconds(&mut self, seconds: u64) -> Vec<Frame> {
        let end = self.now + std::time::Duration::from_secs(seconds);
        while let Some(wake) = self.client.poll_timeout().filter(|wake| *wake <= end) {
            self.now = wake;
            self.client.handle_timeout(wake);
        }
        self.now = end;
        self.client.take_frames()
    }

    fn is(&self, address: IpAddr, reachability: Reachability, mac: Mac) -> bool {
        self.client.neighbor(address) == Some(Neighbor { mac, reachability })
    }
}

fn both() -> [IpAddr; 2] {
    [V4.into(), V6.into()]
}

#[test]
fn an_unknown_neighbor_is_asked_for_three_times_and_then_given_up() {
    for address in both() {
        let mut host = Host::new();
        host.client.send(address, host.now);
        let asked = host.client.take_frames().len() + host.run_seconds(10).len();
        assert_eq!(asked, 3);
        assert!(host.is(address, Reachability::Failed, Mac::ZERO));
    }
}

#[test]
fn an_answer_lets_the_waiting_traffic_go() {
    for address in both() {
        let mut host = Host::new();
        host.client.send(address, host.now);
        host.client.take_frames();
        host.answer(address, A);
        assert_eq!(host.client.take_frames(), [data::frame(CLIENT, A, address)]);
        assert!(host.is(address, Reachability::Reachable, A));
    }
}

#[test]
fn a_neighbor_in_use_is_asked_alone_once_it_is_old_and_stays_when_it_answers() {
    for address in both() {
        let mut host = Host::knowing(address);
        host.run_seconds(50);
        assert!(host.is(address, Reachability::Stale, A));
        host.client.send(address, host.now);
        assert!(host.is(address, Reachability::Delay, A));
        host.client.take_frames();
        let asked = host.run_seconds(6);
        let (header, _) = Header::split(&asked[0]).unwrap();
        assert_eq!(header.destination, A);
        host.answer(address, A);
        assert!(host.is(address, Reachability::Reachable, A));
    }
}

#[test]
fn a_neighbor_in_use_that_does_not_answer_is_given_up() {
    for address in both() {
        let mut host = Host::knowing(address);
        host.run_seconds(50);
        host.client.send(address, host.now);
        host.run_seconds(10);
        assert!(host.is(address, Reachability::Failed, Mac::ZERO));
    }
}

#[test]
fn announcements_create_no_entry() {
    for address in both() {
        let mut host = Host::new();
        host.announce(address, A, 0);
        assert_eq!(host.client.neighbor(address), None);
    }
}

#[test]
fn an_announcement_of_another_station_moves_a_known_neighbor_at_once() {
    for address in both() {
        let mut host = Host::knowing(address);
        host.announce(address, B, 0);
        assert!(host.is(address, Reachability::Stale, B));
    }
}

#[test]
fn the_reply_form_of_arp_moves_a_known_neighbor_a_second_after_its_last_change() {
    let address = V4.into();
    let mut host = Host::knowing(address);
    host.announce(address, B, 1);
    assert!(host.is(address, Reachability::Reachable, A));
    host.run_seconds(1);
    host.announce(address, B, 1);
    assert!(host.is(address, Reachability::Stale, B));
}

#[test]
fn an_advertisement_without_override_moves_nothing_and_only_casts_doubt() {
    let address = V6.into();
    let mut host = Host::knowing(address);
    let message = Repr::Advertisement {
        target: V6,
        target_mac: Some(B),
        router: false,
        solicited: false,
        overriding: false,
    };
    let datagram = Datagram {
        source: V6,
        destination: ALL_NODES,
        message,
    };
    let to_all = Mac::of_group(ALL_NODES);
    let header = Header {
        destination: to_all,
        source: B,
        ethertype: EtherType::Ipv6,
    };
    let frame = header.frame(datagram.length(), |out| datagram.emit(out));
    host.client.receive(&frame, host.now);
    assert!(host.is(address, Reachability::Stale, A));
}

#[test]
fn an_announcement_of_the_same_station_changes_nothing() {
    for address in both() {
        let mut host = Host::knowing(address);
        host.announce(address, A, 0);
        assert!(host.is(address, Reachability::Reachable, A));
    }
}
