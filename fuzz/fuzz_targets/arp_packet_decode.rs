//! Any octets as ARP packet and as frame: no panic, and what is accepted is written back as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::arp::Arp;
use openelb_announce::arp::packet::{Packet, Repr};
use openelb_announce::claim::NeighborProtocol;
use openelb_announce::wire::{Mac, Writer};

fuzz_target!(|octets: &[u8]| {
    let _ = Packet::decode(octets);
    let _ = Arp::hear(octets, Mac::new([2, 0, 0, 0, 0, 1]));
    if let Ok(repr) = Repr::decode(octets) {
        let mut written = [0xa5; Repr::LENGTH];
        repr.emit(&mut Writer::new(&mut written))
            .expect("the buffer is as long as a packet");
        assert_eq!(written, octets[..Repr::LENGTH]);
    }
});
