//! Tests of router discovery messages.

use pnet_packet::Packet as _;
use pnet_packet::icmpv6::ndp::{NdpOptionTypes, RouterAdvertPacket, RouterSolicitPacket};
use proptest::prelude::*;

use super::*;
use crate::wire::ip::{ALL_NODES, ALL_ROUTERS};

const MAC: Mac = Mac::new([0x02, 0, 0x5e, 0x10, 0, 0x0a]);
const ROUTER: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 1);

#[test]
fn an_advertisement_is_read_as_it_was_written_and_as_another_reader_reads_it() {
    for source_mac in [None, Some(MAC)] {
        let advertisement = Repr::Advertisement {
            lifetime: 1800,
            source_mac,
        };
        let octets = emitted(advertisement, ALL_NODES);
        assert_eq!(parse(&octets, ROUTER), Ok(advertisement));
        let foreign = RouterAdvertPacket::new(&octets).unwrap();
        assert_eq!((foreign.get_hop_limit(), foreign.get_lifetime()), (0, 1800));
        assert_eq!(foreign.get_reachable_time(), 0);
        let option = foreign.get_options_iter().next();
        assert_eq!(option.is_some(), source_mac.is_some());
    }
}

#[test]
fn a_solicitation_is_read_as_it_was_written_and_as_another_reader_reads_it() {
    for source_mac in [None, Some(MAC)] {
        let solicitation = Repr::Solicitation { source_mac };
        let octets = emitted(solicitation, ALL_ROUTERS);
        assert_eq!(parse(&octets, ROUTER), Ok(solicitation));
        let foreign = RouterSolicitPacket::new(&octets).unwrap();
        if let Some(option) = foreign.get_options_iter().next() {
            assert_eq!(option.get_option_type(), NdpOptionTypes::SourceLLAddr);
            assert_eq!(option.payload(), MAC.octets());
        } else {
            assert_eq!(source_mac, None);
        }
    }
}

#[test]
fn an_advertisement_must_come_from_a_link_local_address() {
    let octets = emitted(ADVERTISEMENT, ALL_NODES);
    let global: Ipv6Addr = "2001:db8::1".parse().unwrap();
    assert_eq!(
        parse(&octets, global),
        Err(DecodeRouterError::Source(global))
    );
}

#[test]
fn a_solicitation_from_nobody_names_no_hardware_address() {
    let octets = emitted(
        Repr::Solicitation {
            source_mac: Some(MAC),
        },
        ALL_ROUTERS,
    );
    let nobody = Ipv6Addr::UNSPECIFIED;
    assert_eq!(parse(&octets, nobody), Err(DecodeRouterError::NobodysMac));
}

#[test]
fn every_shorter_message_is_refused() {
    for message in [
        ADVERTISEMENT,
        Repr::Solicitation {
            source_mac: Some(MAC),
        },
    ] {
        let octets = emitted(message, ALL_NODES);
        // Options may be absent altogether, so the fixed part alone is a message.
        let fixed = octets.len() - RawOption::LENGTH;
        for length in (0..octets.len()).filter(|length| *length != fixed) {
            let cut = octets.get(..length).unwrap();
            let refused = Message::decode_verified(cut)
                .map_err(DecodeRouterError::from)
                .and_then(|message| Repr::parse(&message, ROUTER));
            assert!(refused.is_err(), "{length} octets");
        }
    }
}

#[test]
fn other_codes_and_other_messages_are_refused() {
    let mut octets = emitted(ADVERTISEMENT, ALL_NODES);
    octets[1] = 1;
    assert_eq!(parse(&octets, ROUTER), Err(DecodeRouterError::Code(1)));
    octets[..2].copy_from_slice(&[135, 0]);
    assert_eq!(
        parse(&octets, ROUTER),
        Err(DecodeRouterError::OtherMessage(135))
    );
}

#[test]
fn options_that_we_do_not_know_are_passed_over() {
    let mut octets = emitted(
        Repr::Advertisement {
            lifetime: 0,
            source_mac: None,
        },
        ALL_NODES,
    );
    // An MTU option of 1500, then the hardware address.
    octets.extend([
        5, 1, 0, 0, 0, 0, 5, 0xdc, 1, 1, 0x02, 0, 0x5e, 0x10, 0, 0x0a,
    ]);
    assert_eq!(parse(&octets, ROUTER), Ok(ADVERTISEMENT));
}

proptest! {
    #[test]
    fn any_octets_are_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..64)) {
        if let Ok(message) = Message::decode_verified(&octets) {
            let _ = Repr::parse(&message, ROUTER);
        }
    }
}

fn emitted(message: Repr, destination: Ipv6Addr) -> Vec<u8> {
    let mut octets = vec![0xa5; message.length()];
    message
        .emit(&mut Writer::new(&mut octets), ROUTER, destination)
        .unwrap();
    // The checksum that the kernel would check.
    Message::decode(&octets, ROUTER, destination).unwrap();
    octets
}

fn parse(octets: &[u8], source: Ipv6Addr) -> Result<Repr, DecodeRouterError> {
    Repr::parse(&Message::decode_verified(octets).unwrap(), source)
}

const ADVERTISEMENT: Repr = Repr::Advertisement {
    lifetime: 0,
    source_mac: Some(MAC),
};
