//! Tests of the agreement of several servers.

use proptest::prelude::*;

use super::*;

#[test]
fn two_that_agree_outvote_one_that_does_not() {
    let answers = said(&["2001:db8:a::1", "2001:db8:b::1", "2001:db8:a::2"]);
    let expected = "2001:db8:a::/64".parse().unwrap();
    assert_eq!(agree(&answers, 64, 2), Ok(expected));
}

#[test]
fn one_that_is_down_leaves_two() {
    let mut answers = said(&["2001:db8:a::1", "2001:db8:a::1"]);
    answers.push(Err("https://c.example: connection refused".to_owned()));
    assert!(agree(&answers, 64, 2).is_ok());
}

#[test]
fn one_alone_is_no_agreement_whatever_the_others_say() {
    for others in [
        vec![],
        vec!["2001:db8:b::1"],
        vec!["192.0.2.1", "fd00::1", "hello"],
    ] {
        let mut answers = said(&others);
        answers.extend(said(&["2001:db8:a::1"]));
        let error = agree(&answers, 64, 2).unwrap_err().to_string();
        assert!(error.starts_with("2 servers must agree"), "{error}");
        assert!(error.contains("1 of 2001:db8:a::/64"), "{error}");
    }
}

#[test]
fn two_pairs_that_contradict_each_other_are_no_agreement() {
    let two = [
        "2001:db8:a::1",
        "2001:db8:a::1",
        "2001:db8:b::1",
        "2001:db8:b::1",
    ];
    assert!(agree(&said(&two), 64, 2).is_err());
    assert!(
        agree(&said(&two), 32, 2).is_ok(),
        "a shorter prefix holds both"
    );
}

#[test]
fn nobody_who_answers_is_told_as_such() {
    let error = agree(&[], 64, 2).unwrap_err().to_string();
    assert_eq!(error, "2 servers must agree, and they said: nothing");
}

#[test]
fn answers_that_are_no_global_ipv6_address_say_what_they_are() {
    for (text, expected) in [
        ("", AnswerError::NoAddress(String::new())),
        ("198.51.100.7", AnswerError::Ipv4),
        (
            "fd00::1",
            AnswerError::NotGlobal("fd00::1".parse().unwrap()),
        ),
        (
            "fe80::1",
            AnswerError::NotGlobal("fe80::1".parse().unwrap()),
        ),
        (
            "::ffff:192.0.2.1",
            AnswerError::NotGlobal("::ffff:192.0.2.1".parse().unwrap()),
        ),
        (
            "64:ff9b::1",
            AnswerError::NotGlobal("64:ff9b::1".parse().unwrap()),
        ),
    ] {
        assert_eq!(answer(text), Err(expected), "{text}");
    }
    let page = answer(&"<html>".repeat(100)).unwrap_err().to_string();
    assert!(page.len() < 100, "{page}");
}

proptest! {
    /// Whatever some servers invent, a prefix needs as many votes as are asked for.
    #[test]
    fn fewer_liars_than_the_quorum_change_nothing(
        lies in prop::collection::vec(any::<u128>(), 0..4), quorum in 2_usize..5,
    ) {
        let truth = "2001:db8:a::1".parse().unwrap();
        let mut answers: Vec<_> = lies.iter().take(quorum - 1).map(|lie| Ok(Ipv6Addr::from(*lie))).collect();
        answers.extend(std::iter::repeat_n(Ok(truth), quorum));
        prop_assert_eq!(agree(&answers, 64, quorum), Ok("2001:db8:a::/64".parse().unwrap()));
    }
}

fn said(answers: &[&str]) -> Vec<Result<Ipv6Addr, String>> {
    let said = |text: &&str| answer(text).map_err(|error| error.to_string());
    answers.iter().map(said).collect()
}
