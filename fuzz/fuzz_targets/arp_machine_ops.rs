//! Any operations on the ARP machine: it speaks for valid claims only, and always comes to rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::arp::Arp;
use openelb_fuzz::{Op, run};
use std::net::Ipv4Addr;

fuzz_target!(|input: (u64, Vec<Op>)| {
    run::<Arp>(input.0, input.1, |number| {
        Ipv4Addr::new(192, 0, 2, number + 1)
    });
});
