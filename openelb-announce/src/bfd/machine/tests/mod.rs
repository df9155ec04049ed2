//! Tests of the session: a rule of RFC 5880 each, on a virtual clock.

mod authentication;
mod driven;
mod intervals;
mod properties;
mod states;
