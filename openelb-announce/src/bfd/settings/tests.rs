//! Tests of the bounds of settings.

use super::{Settings, SettingsError};
use std::time::Duration;

fn millis(min_tx: u64, min_rx: u64) -> Settings {
    Settings {
        min_tx: Duration::from_millis(min_tx),
        min_rx: Duration::from_millis(min_rx),
        ..Settings::default()
    }
}

#[test]
fn intervals_are_accepted_from_ten_milliseconds_to_a_minute() {
    for good in [millis(10, 60_000), millis(60_000, 10), Settings::default()] {
        assert_eq!(good.validate(), Ok(()));
    }
    for (bad, field) in [
        (millis(9, 300), "min_tx"),
        (millis(60_001, 300), "min_tx"),
        (millis(300, 9), "min_rx"),
        (millis(300, 60_001), "min_rx"),
    ] {
        let error = bad.validate().unwrap_err();
        assert!(error.to_string().contains(field), "{error}");
    }
}

#[test]
fn a_multiplier_below_two_is_refused() {
    for (multiplier, is_good) in [(0, false), (1, false), (2, true), (255, true)] {
        let settings = Settings {
            multiplier,
            ..Settings::default()
        };
        assert_eq!(settings.validate().is_ok(), is_good, "{multiplier}");
    }
}

#[test]
fn a_minimum_ttl_is_between_one_and_254() {
    for (ttl, is_good) in [(0, false), (1, true), (254, true), (255, false)] {
        let settings = Settings {
            multihop: Some(ttl),
            ..Settings::default()
        };
        let expected = if is_good {
            Ok(())
        } else {
            Err(SettingsError::MinimumTtl(ttl))
        };
        assert_eq!(settings.validate(), expected);
    }
}

#[test]
fn the_debug_form_shows_no_secret() {
    let key = super::super::Key::new(b"correct horse").unwrap();
    let kind = super::super::AuthKind::KeyedSha1;
    let settings = Settings {
        auth: Some(super::Auth {
            kind,
            key_id: 1,
            key,
        }),
        ..Settings::default()
    };
    assert!(!format!("{settings:?}").contains("horse"));
}
