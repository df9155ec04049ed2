//! Tests of the Ethernet header.

use super::{EtherType, Header};
use crate::wire::capture::{ARP_REPLY, octets};
use crate::wire::{Mac, Truncated, Writer};

const HEADER: Header = Header {
    destination: Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0a]),
    source: Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0b]),
    ethertype: EtherType::Arp,
};

#[test]
fn a_captured_frame_splits_into_header_and_payload() {
    let frame = octets(ARP_REPLY);
    assert_eq!(Header::split(&frame), Ok((HEADER, &frame[14..])));
}

#[test]
fn a_written_header_is_the_captured_one_and_touches_nothing_else() {
    let mut buffer = [0xa5; 15];
    HEADER.emit(&mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(buffer[..14], octets(ARP_REPLY)[..14]);
    assert_eq!(buffer[14], 0xa5);
}

#[test]
fn an_unknown_ethertype_survives_a_round_trip() {
    let header = Header {
        ethertype: EtherType::Unknown(0x88cc),
        ..HEADER
    };
    let mut buffer = [0xa5; Header::LENGTH];
    header.emit(&mut Writer::new(&mut buffer)).unwrap();
    assert_eq!(Header::split(&buffer), Ok((header, &[][..])));
}

#[test]
fn every_frame_shorter_than_a_header_is_refused() {
    let frame = octets(ARP_REPLY);
    for length in 0..Header::LENGTH {
        assert!(Header::split(&frame[..length]).is_err(), "{length} octets");
    }
    assert_eq!(Header::split(&frame[..13]), Err(Truncated { missing: 1 }));
}

#[test]
fn etherparse_reads_the_same_header() {
    let frame = octets(ARP_REPLY);
    let theirs = etherparse::Ethernet2HeaderSlice::from_slice(&frame).unwrap();
    assert_eq!(theirs.source(), HEADER.source.octets());
    assert_eq!(theirs.destination(), HEADER.destination.octets());
    assert_eq!(theirs.ether_type().0, u16::from(HEADER.ethertype));
}

#[test]
fn a_frame_is_its_header_and_its_payload() {
    let captured = octets(ARP_REPLY);
    let frame = HEADER.frame(28, |out| out.octets(&captured[14..]));
    assert_eq!(frame[..], captured[..]);
    assert!(!frame.spilled());
}
