//! What a stream of questions reports.

use super::{Answer, read_answer, report};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 241));

fn answer(question: u64, at_ms: u64, host: &str) -> Answer {
    Answer {
        question,
        at: Duration::from_millis(at_ms),
        host: host.to_owned(),
    }
}

#[test]
fn a_move_is_measured_between_the_last_answer_of_one_host_and_the_first_of_the_next() {
    let answers = [
        answer(0, 1, "a"),
        answer(1, 5, "a"),
        answer(2, 7, "b"),
        answer(3, 8, "b"),
    ];
    let report = report(ADDRESS, Duration::from_millis(1), 4, &answers);
    assert_eq!((report.answered, report.lost), (4, 0));
    assert_eq!(report.switch_gap_us, Some(2_000));
    assert_eq!(report.longest_gap_us, 4_000);
    let hosts: Vec<_> = report
        .answers
        .iter()
        .map(|share| share.host.as_str())
        .collect();
    assert_eq!(hosts, ["a", "b"]);
}

#[test]
fn a_question_answered_twice_hides_no_loss() {
    let answers = [answer(0, 1, "a"), answer(0, 2, "b")];
    let report = report(ADDRESS, Duration::from_millis(1), 2, &answers);
    assert_eq!((report.answered, report.lost), (1, 1));
}

#[test]
fn silence_is_all_loss_and_no_gap() {
    let report = report(ADDRESS, Duration::from_millis(1), 3, &[]);
    assert_eq!((report.answered, report.lost), (0, 3));
    assert_eq!((report.longest_gap_us, report.switch_gap_us), (0, None));
}

#[test]
fn an_answer_is_the_question_and_a_name() {
    let read = read_answer(b"\0\0\0\0\0\0\0\x07node-b", Duration::ZERO).unwrap();
    assert_eq!((read.question, read.host.as_str()), (7, "node-b"));
    assert!(read_answer(b"short", Duration::ZERO).is_none());
}
