//! Compact sets of addresses: any bytes are an error or a set that reads back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_ipam::codec::CompactSet;
use openelb_ipam::{Family, Occupancy};

fuzz_target!(|bytes: &[u8]| {
    // Almost no input has a fitting checksum and count, so each is also tried within a frame that
    // claims no addresses: everything but the last comparison runs.
    let _ = CompactSet::decode(bytes);
    for family in Family::ALL {
        let framed = framed(family, bytes);
        if let Ok(set) = CompactSet::decode(&framed) {
            assert_eq!(CompactSet::decode(&set.encode()), Ok(set.clone()));
            let everything = openelb_ipam::AddressRange::all(family).into();
            let mut index = Occupancy::new(family, &everything);
            assert_eq!(set.take_into(&mut index), set.count());
            assert_eq!(CompactSet::of(&index), set);
        }
    }
});

/// A frame around a body. Its count is what stands in the body's first sixteen bytes.
fn framed(family: Family, bytes: &[u8]) -> Vec<u8> {
    let (count, body) = bytes.split_at(bytes.len().min(16));
    let mut framed = b"OEAS".to_vec();
    framed.extend([1, if family == Family::V4 { 4 } else { 6 }, 0, 0]);
    let mut count = count.to_vec();
    count.resize(16, 0);
    let checksum = crc32(&[&framed, &count, body].concat());
    framed.extend(checksum.to_le_bytes());
    framed.extend(count);
    framed.extend(body);
    framed
}

/// CRC-32 (IEEE), bit by bit: a second opinion on the one in the crate.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                crc >> 1 ^ 0xedb8_8320
            } else {
                crc >> 1
            }
        })
    })
}
