//! Tests of the frames that carry a virtual MAC; what sockets do is shown in network namespaces.

use super::*;

const MAC: Mac = Mac::new([0x00, 0x00, 0x5e, 0x00, 0x01, 51]);

fn framed(source: &str, destination: &str) -> Option<Frame> {
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    frame(MAC, source, destination, b"advert")
}

#[test]
fn an_independent_decoder_reads_the_frames_of_both_families() {
    for (source, group, mac) in [
        ("192.0.2.1", "224.0.0.18", [0x01, 0x00, 0x5e, 0, 0, 0x12]),
        ("fe80::1", "ff02::12", [0x33, 0x33, 0, 0, 0, 0x12]),
    ] {
        let frame = framed(source, group).unwrap();
        let read = etherparse::SlicedPacket::from_ethernet(&frame).unwrap();
        let Some(etherparse::LinkSlice::Ethernet2(ethernet)) = read.link else {
            panic!("{:?}", read.link);
        };
        assert_eq!(ethernet.source(), MAC.octets());
        assert_eq!(ethernet.destination(), mac);
        let payload = match read.net.unwrap() {
            etherparse::NetSlice::Ipv4(v4) => {
                assert_eq!(v4.header().ttl(), 255);
                v4.payload().clone()
            }
            etherparse::NetSlice::Ipv6(v6) => {
                assert_eq!(v6.header().hop_limit(), 255);
                v6.payload().clone()
            }
            other @ etherparse::NetSlice::Arp(_) => panic!("{other:?}"),
        };
        assert_eq!(payload.ip_number.0, 112);
        assert_eq!(payload.payload, b"advert");
    }
}

#[test]
fn families_do_not_mix() {
    assert_eq!(framed("192.0.2.1", "ff02::12"), None);
    assert_eq!(framed("fe80::1", "224.0.0.18"), None);
}
