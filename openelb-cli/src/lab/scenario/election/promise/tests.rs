//! Each broken promise is told, and what is tolerated is not.

use super::super::watch::View;
use super::{answered_within, nothing_lost, one_answers, served_by, served_by_another, silent};
use crate::lab::capture::{Message, Sighting};
use crate::lab::census::{Answer, Tally};
use crate::lab::cluster;
use crate::lab::probe::{Answering, StreamReport};
use openelb_announce::wire::Mac;
use std::ops::Range;
use std::time::Duration;

const A: Mac = Mac::new([2, 0, 0, 0, 0, 0xa]);
const B: Mac = Mac::new([2, 0, 0, 0, 0, 0xb]);
const NEVER: Range<Duration> = Duration::ZERO..Duration::ZERO;

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A round a second for every address; each says who answers.
fn view(rounds: &[&[Mac]]) -> View {
    let addresses = cluster::addresses();
    let mut answers = Vec::new();
    for (round, hosts) in (0..).zip(rounds) {
        for &address in &addresses {
            answers.extend(hosts.iter().map(|&from| Answer {
                address,
                round,
                from,
                at: ms(1_000 * u64::from(round)),
            }));
        }
    }
    let asked = (0..rounds.len() as u64).map(|round| ms(1_000 * round));
    View {
        client: "client",
        streams: Vec::new(),
        tally: Tally::new(addresses, asked.collect(), answers),
        heard: Vec::new(),
    }
}

fn stream(lost: usize, longest_gap_us: u64, hosts: &[&str]) -> StreamReport {
    let answers = (1..).zip(hosts).map(|(at, host)| Answering {
        host: (*host).to_owned(),
        answers: 1,
        first_us: at,
        last_us: at,
    });
    StreamReport {
        address: cluster::watched()[0],
        interval_us: 1_000,
        sent: 100,
        answered: 100 - lost,
        lost,
        longest_gap_us,
        switch_gap_us: None,
        answers: answers.collect(),
    }
}

#[test]
fn two_hosts_that_answer_at_a_time_break_the_promise_outside_of_what_is_tolerated() {
    let contested = view(&[&[A], &[A, B], &[A, B], &[B], &[B]]);
    let broken = one_answers(&contested, &NEVER).unwrap_err();
    assert!(broken.to_string().contains("2.000 s"), "{broken}");
    assert!(one_answers(&contested, &(ms(500)..ms(2_500))).is_ok());
    // Neither before what is tolerated nor after it.
    assert!(one_answers(&contested, &(ms(2_500)..ms(3_500))).is_err());
    assert!(one_answers(&contested, &(ms(500)..ms(600))).is_err());
    assert!(one_answers(&view(&[&[A], &[B]]), &NEVER).is_ok());
}

#[test]
fn an_address_without_an_answer_breaks_the_promise_after_the_bound_and_a_stall() {
    let mute = view(&[&[A], &[], &[], &[], &[B]]);
    assert!(answered_within(&mute, ms(1_500)).is_err());
    assert!(answered_within(&mute, ms(2_500)).is_ok());
}

#[test]
fn a_client_that_is_not_served_again_breaks_the_promise_although_somebody_answers() {
    let mut astray = view(&[&[A], &[B]]);
    astray.streams = vec![stream(50, 5_000_000, &["node-a"])];
    assert!(answered_within(&astray, ms(1_333)).is_err());
    assert!(nothing_lost(&astray).is_err());
    assert!(served_by_another(&astray, "node-a").is_err());
    assert!(served_by(&astray, "node-a").is_ok());
}

#[test]
fn who_serves_is_who_answered_last() {
    let mut moved = view(&[&[A], &[B]]);
    moved.streams = vec![stream(0, 1_000, &["node-a", "node-b"])];
    assert!(served_by(&moved, "node-b").is_ok());
    assert!(served_by(&moved, "node-a").is_err());
    assert!(nothing_lost(&moved).is_ok());
}

#[test]
fn a_stale_answer_and_a_stale_announcement_are_both_heard() {
    let during = ms(500)..ms(1_500);
    assert!(silent(&view(&[&[A], &[B]]), A, "node-a", &during).is_ok());
    assert!(silent(&view(&[&[B], &[A]]), A, "node-a", &during).is_err());
    let mut announced = view(&[&[B], &[B]]);
    announced.heard.push(Sighting {
        at: ms(600),
        from: A,
        message: Message::Announcement,
        address: cluster::watched()[1],
    });
    assert!(silent(&announced, A, "node-a", &during).is_err());
    // Asking claims nothing.
    announced.heard[0].message = Message::Probe;
    assert!(silent(&announced, A, "node-a", &during).is_ok());
}
