//! The command line as a whole, and the values that are read from it.

use clap::CommandFactory;

use super::{Args, Listen, parse_duration, parse_metrics};

#[test]
fn the_command_line_is_consistent() {
    Args::command().debug_assert();
}

#[test]
fn durations_are_written_as_people_say_them() {
    assert_eq!(parse_duration("90s").unwrap().as_secs(), 90);
    assert_eq!(parse_duration("1h30m").unwrap().as_secs(), 5400);
    for wrong in ["", "10", "-5s", "soon"] {
        assert!(parse_duration(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn metrics_listen_on_an_address_or_not_at_all() {
    assert_eq!(parse_metrics("off"), Ok(Listen::Off));
    assert!(matches!(parse_metrics("[::1]:0"), Ok(Listen::At(_))));
    assert!(parse_metrics("7480").is_err());
}
