//! Tests of prefixes as people write them.

use proptest::prelude::*;

use super::*;

#[test]
fn lifetimes_count_from_when_the_file_was_written_and_all_ones_are_for_ever() {
    let text = "2001:db8::5/56 valid 3600 preferred 1800\n2001:db8:1::/64 valid 4294967295";
    let [one, other] = &read(text, Time(10_000)).unwrap()[..] else {
        panic!("two lines");
    };
    assert_eq!(one.prefix, "2001:db8::/56".parse().unwrap());
    assert_eq!(one.preferred_until, Some(Time(1_810_000)));
    assert_eq!(one.valid_until, Some(Time(3_610_000)));
    assert_eq!((other.preferred_until, other.valid_until), (None, None));
}

#[test]
fn nothing_is_preferred_for_longer_than_it_is_valid() {
    for text in [
        "2001:db8::/56 valid 60",
        "2001:db8::/56 valid 60 preferred 90",
    ] {
        let lease = read(text, Time(0)).unwrap().remove(0);
        assert_eq!(lease.preferred_until, Some(Time(60_000)), "{text}");
    }
}

#[test]
fn an_empty_file_tells_that_there_is_no_prefix() {
    assert_eq!(read("\n# none\n", Time(0)), Ok(Vec::new()));
}

#[test]
fn of_two_lines_about_one_prefix_the_last_counts() {
    let leases = read("2001:db8::/56\n2001:db8::/56 valid 0", Time(7)).unwrap();
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].valid_until, Some(Time(7)));
}

#[test]
fn a_line_at_fault_is_named_with_what_to_write() {
    for (text, said) in [
        ("\n2001:db8::1", "line 2: `2001:db8::1` is no IPv6 prefix; "),
        ("192.0.2.0/24", "line 1: `192.0.2.0/24` is no IPv6 prefix; "),
        ("2001:db8::/56 3600", "line 1: `3600` is not known; "),
        (
            "2001:db8::/56 valid -1",
            "line 1: `-1` is no number of seconds; ",
        ),
        (
            "2001:db8::/56 valid",
            "line 1: `` is no number of seconds; ",
        ),
    ] {
        let error = read(text, Time(0)).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
    let many: Vec<_> = (0..65).map(|n| format!("2001:db8:{n:x}::/48")).collect();
    assert_eq!(
        read(&many.join("\n"), Time(0)).unwrap_err().problem,
        Problem::TooMany
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String, written: u64) {
        let _ = read(&text, Time(written));
    }
}
