//! Tests of the traffic.

use super::{address, frame};
use crate::wire::{Mac, capture};

#[test]
fn a_frame_tells_the_address_it_is_meant_for() {
    for text in ["192.0.2.1", "2001:db8::1"] {
        let wanted = text.parse().unwrap();
        let frame = frame(Mac::new([2; 6]), Mac::new([4; 6]), wanted);
        assert_eq!(address(&frame), Some(wanted));
    }
}

#[test]
fn frames_of_other_protocols_are_not_traffic() {
    assert_eq!(address(&capture::octets(capture::ARP_REPLY)), None);
    assert_eq!(address(&[0; 20]), None);
}
