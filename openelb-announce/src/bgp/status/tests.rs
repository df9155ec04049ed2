//! Tests of the form that programs read.

use super::{State, state_text};
use serde::de::value::{Error, StrDeserializer};
use std::fmt;

/// A state as it is written.
struct Written(State);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        state_text::serialize(&self.0, f)
    }
}

fn read(text: &str) -> Result<State, Error> {
    state_text::deserialize(StrDeserializer::new(text))
}

#[test]
fn a_state_is_written_and_read_by_the_name_of_the_standard() {
    assert_eq!(Written(State::OpenConfirm).to_string(), "OpenConfirm");
    for state in State::ALL {
        assert_eq!(read(&Written(state).to_string()), Ok(state));
    }
    let refused = read("established").unwrap_err();
    assert_eq!(refused.to_string(), "`established` is no state of a peer");
}
