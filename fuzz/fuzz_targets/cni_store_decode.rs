//! Any bytes as a page of the index and as the summary of the CNI plugin: an error, or something that reads
//! back as itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_cli::cni::{Page, Summary};

fuzz_target!(|bytes: &[u8]| {
    if let Some(summary) = Summary::decode(bytes) {
        let again = summary.encode();
        assert_eq!(Summary::decode(&again).map(|summary| summary.encode()), Some(again));
    }
    let _ = Page::decode(bytes, 0);
    // Almost no input has a fitting checksum, so each is also tried as the content of a page that has.
    let page = framed(bytes);
    if let Some(decoded) = Page::decode(&page, 0) {
        assert_eq!(Page::decode(&decoded.encode(0), 0), Some(decoded));
    }
});

/// A page around a body, with its checksum.
fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut body = vec![0; 4];
    body.extend_from_slice(bytes);
    body.resize(Page::SIZE - 8, 0);
    let mut page = b"OEAI".to_vec();
    page.extend_from_slice(&crc32(&body).to_le_bytes());
    page.append(&mut body);
    page
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
