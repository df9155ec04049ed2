//! Any advertisements at any times: no panic, the table stays bounded, and nothing outlives its end.
#![no_main]

use std::net::Ipv6Addr;
use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use openelb_announce::upstream::routers::{
    Input, MOST_PREFIXES, MOST_ROUTERS, Output, Routers,
};
use openelb_announce::{Machine, Time};

#[derive(Arbitrary, Debug)]
enum Op {
    Hear(u8, Vec<u8>),
    /// The same, with the fixed part of an advertisement in front.
    Advertise(u8, Vec<u8>),
    Up(u8),
    Down,
    Wait(u16),
}

fuzz_target!(|operations: Vec<Op>| {
    let (mut routers, mut now) = (Routers::default(), Time::ZERO);
    for operation in operations {
        let link_local = |number| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, u16::from(number));
        match operation {
            Op::Hear(from, octets) => {
                let source = link_local(from);
                routers.handle_input(Input::Received { source, octets: &octets }, now);
            }
            Op::Advertise(from, options) => {
                let mut octets = vec![134, 0, 0, 0, 0, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0];
                octets.extend(options);
                let source = link_local(from);
                routers.handle_input(Input::Received { source, octets: &octets }, now);
            }
            Op::Up(address) => {
                let address = link_local(address);
                routers.handle_input(Input::Up { address, mac: None }, now);
            }
            Op::Down => routers.handle_input(Input::Down, now),
            Op::Wait(seconds) => {
                now += Duration::from_secs(seconds.into());
                routers.handle_timeout(now);
                assert!(routers.poll_timeout().is_none_or(|at| at > now), "it comes to rest");
            }
        }
        while let Some(output) = routers.poll_output() {
            if let Output::Advertised(told) = output {
                assert_ne!(told.valid, Some(Duration::ZERO));
            }
        }
        assert!(routers.advertised(now).count() <= MOST_ROUTERS * MOST_PREFIXES);
    }
});
