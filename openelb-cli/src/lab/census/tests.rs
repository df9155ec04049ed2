//! What is asked, what counts as an answer, and what the answers say.

use super::frame::{ROUNDS, answer, question};
use super::tally::{Overlap, Tenure};
use super::{Answer, Tally};
use openelb_announce::arp::packet::{Operation, Repr as Arp};
use openelb_announce::ndp::packet::{Datagram, Repr as Ndp};
use openelb_announce::wire::Mac;
use openelb_announce::wire::ethernet::{EtherType, Header};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const ASKER: Mac = Mac::new([2, 0, 0, 0, 2, 1]);
const A: Mac = Mac::new([2, 0, 0, 0, 0, 0xa]);
const B: Mac = Mac::new([2, 0, 0, 0, 0, 0xb]);
const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 241));

/// What a host that has `address` sends back.
fn reply(asked: &[u8], own: Mac) -> Vec<u8> {
    let (header, payload) = Header::split(asked).unwrap();
    let header = Header {
        source: own,
        destination: header.source,
        ..header
    };
    if header.ethertype == EtherType::Arp {
        let request = Arp::decode(payload).unwrap();
        let reply = Arp {
            operation: Operation::Reply,
            sender_mac: own,
            sender: request.target,
            target_mac: request.sender_mac,
            target: request.sender,
        };
        return header.frame(Arp::LENGTH, |out| reply.emit(out)).to_vec();
    }
    let asked = Datagram::decode(payload).unwrap();
    let target = asked.message.target();
    let reply = Datagram {
        source: target,
        destination: asked.source,
        message: Ndp::Advertisement {
            target,
            target_mac: Some(own),
            router: false,
            solicited: true,
            overriding: true,
        },
    };
    header.frame(reply.length(), |out| reply.emit(out)).to_vec()
}

#[test]
fn an_answer_of_either_family_names_the_question_that_it_answers() {
    for address in [ADDRESS, "2001:db8::f1".parse().unwrap()] {
        for round in [0, 7, ROUNDS - 1] {
            let asked = question(address, round, ASKER);
            let answered = answer(&reply(&asked, A), ASKER);
            assert_eq!(answered, Some((address, round, A)));
            // The question itself is none, and neither is an answer to somebody else.
            assert_eq!(answer(&asked, ASKER), None);
            assert_eq!(answer(&reply(&asked, A), B), None);
        }
    }
}

/// Asked every 20 ms; each round says who answers.
fn tally(rounds: &[&[Mac]]) -> Tally {
    let at = |round: usize| Duration::from_millis(20 * round as u64);
    let mut answers = Vec::new();
    for (round, hosts) in rounds.iter().enumerate() {
        answers.extend(hosts.iter().map(|&from| Answer {
            address: ADDRESS,
            round: u32::try_from(round).unwrap(),
            from,
            at: at(round),
        }));
    }
    Tally::new(vec![ADDRESS], (0..rounds.len()).map(at).collect(), answers)
}

#[test]
fn a_move_without_a_pause_is_two_tenures_and_no_silence() {
    let tally = tally(&[&[A], &[A], &[B], &[B]]);
    let since = Duration::from_millis;
    let expected = [(A, since(0)), (B, since(40))].map(|(host, since)| Tenure { host, since });
    assert_eq!(tally.tenures(ADDRESS), expected);
    assert_eq!(tally.longest_silence(ADDRESS), Duration::ZERO);
    assert!(tally.overlaps(|_, _| true).is_empty());
}

#[test]
fn silence_lasts_from_the_first_unanswered_question_to_the_next_answered_one() {
    let until_answered = tally(&[&[A], &[], &[], &[B], &[], &[B]]);
    assert_eq!(
        until_answered.longest_silence(ADDRESS),
        Duration::from_millis(40)
    );
    let to_the_end = tally(&[&[A], &[], &[], &[]]);
    assert_eq!(
        to_the_end.longest_silence(ADDRESS),
        Duration::from_millis(40)
    );
    assert_eq!(tally(&[]).longest_silence(ADDRESS), Duration::ZERO);
}

#[test]
fn a_host_that_answers_what_was_asked_after_another_took_over_overlaps_with_it() {
    let tally = tally(&[&[A], &[A, B], &[A, B]]);
    let overlap = Overlap {
        address: ADDRESS,
        asked: Duration::from_millis(40),
    };
    assert_eq!(tally.overlaps(|_, _| true), [overlap]);
    let early = Duration::from_millis(30);
    assert!(tally.overlaps(|asked, _| asked < early).is_empty());
}

#[test]
fn a_question_that_the_next_host_finds_in_its_sockets_is_no_overlap() {
    assert!(
        tally(&[&[A], &[A, B], &[B]])
            .overlaps(|_, _| true)
            .is_empty()
    );
}
