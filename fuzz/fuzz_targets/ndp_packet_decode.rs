//! Any octets as neighbor discovery packet and as frame: no panic, and what is accepted reads back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::claim::NeighborProtocol;
use openelb_announce::ndp::Ndp;
use openelb_announce::ndp::option::Options;
use openelb_announce::ndp::packet::{Datagram, Repr};
use openelb_announce::ndp::router::PrefixInformation;
use openelb_announce::wire::icmpv6::{Message, Type};
use openelb_announce::wire::{Mac, Writer};

fuzz_target!(|octets: &[u8]| {
    let _ = Ndp::hear(octets, Mac::new([2, 0, 0, 0, 0, 1]));
    let _ = Options::new(octets).count();
    // Without this the checksum would keep nearly all inputs from the parser.
    for kind in [Type::NeighborSolicitation, Type::NeighborAdvertisement] {
        let _ = Repr::parse(&Message {
            kind,
            code: 0,
            body: octets,
        });
    }
    let advertisement = Message {
        kind: Type::RouterAdvertisement,
        code: 0,
        body: octets,
    };
    for information in PrefixInformation::all(&advertisement) {
        let mut written = [0; PrefixInformation::LENGTH];
        information
            .emit(&mut Writer::new(&mut written))
            .expect("the buffer is as long as the option");
        let read = Options::new(&written).find_map(|option| PrefixInformation::parse(&option.ok()?));
        assert_eq!(read, Some(information));
    }
    if let Ok(datagram) = Datagram::decode(octets) {
        let mut written = vec![0xa5; datagram.length()];
        datagram
            .emit(&mut Writer::new(&mut written))
            .expect("the buffer is as long as the packet");
        assert_eq!(Datagram::decode(&written), Ok(datagram));
    }
});
