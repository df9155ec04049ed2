//! Tests of the trace's text.

use super::describe;
use crate::wire::capture::{self, octets};

#[test]
fn captured_frames_read_as_a_person_would_say_them() {
    let said = |capture| {
        describe(&octets(capture))
            .split_once(": ")
            .unwrap()
            .1
            .to_owned()
    };
    assert_eq!(
        said(capture::ARP_REQUEST),
        "arp who has 192.0.2.2? tell 192.0.2.1"
    );
    assert_eq!(
        said(capture::ARP_REPLY),
        "arp reply: 192.0.2.2 is at 02:00:5e:10:00:0b"
    );
    assert_eq!(said(capture::ARP_PROBE), "arp probe for 192.0.2.9");
    assert_eq!(
        said(capture::SOLICITATION),
        "nd who has 2001:db8::2? tell 2001:db8::1"
    );
    assert_eq!(
        said(capture::ADVERTISEMENT),
        "nd to 2001:db8::1: 2001:db8::2 is at 02:00:5e:10:00:0b [SO]"
    );
    assert_eq!(said(capture::DAD_SOLICITATION), "nd probe for 2001:db8::2");
}

#[test]
fn octets_that_are_no_frame_are_said_to_be_none() {
    assert_eq!(describe(&[1, 2, 3]), "3 octets that are no frame");
}
