//! Any operations on the NDP machine: it speaks for valid claims only, and always comes to rest.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::ndp::Ndp;
use openelb_fuzz::{Op, run};
use std::net::Ipv6Addr;

// Eight addresses in four solicited-node groups, of which the machine may hold three.
fuzz_target!(|input: (u64, Vec<Op>)| {
    run::<Ndp>(input.0, input.1, |number| {
        Ipv6Addr::new(
            0x2001,
            0xdb8,
            0,
            u16::from(number / 4),
            0,
            0,
            0,
            u16::from(number % 4) + 1,
        )
    });
});
