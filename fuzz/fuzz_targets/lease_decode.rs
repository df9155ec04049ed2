//! Any octets as a file of leases, of any program, and as prefixes in text: no panic, and every lease
//! has a prefix without host bits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_ipam::Time;
use openelb_k8s::api::LeaseFormat;
use openelb_k8s::prefix::{agreement, lease, statement};

fuzz_target!(|input: (u64, &[u8])| {
    let (clock, octets) = input;
    for format in [
        LeaseFormat::Networkd,
        LeaseFormat::Dhcpcd,
        LeaseFormat::Dnsmasq,
        LeaseFormat::Kea,
        LeaseFormat::Odhcp6c,
    ] {
        let clocks = lease::Clocks { written: Time(clock), boot: Time(clock / 2) };
        if let Ok(leases) = lease::read(format, octets, None, clocks) {
            for lease in leases {
                assert_eq!(lease.prefix, lease.prefix.trunc());
            }
        }
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = statement::read(text, Time(clock));
        let _ = agreement::answer(text);
    }
});
