//! Any octets as beats of an election: no panic, what is accepted is written back as it means, and a
//! machine that believes everybody survives it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::ownership::beat::{Assembly, Beat, Datagram};
use openelb_announce::ownership::{
    Group, GroupName, Input, KeyRing, Machine, NodeId, Output, Settings, Standing,
};
use openelb_announce::{Machine as _, Time};
use std::time::Duration;

fuzz_target!(|octets: &[u8]| {
    let mut machine = listener();
    let mut now = Time::ZERO;
    // Several datagrams, so that pieces of longer beats meet: the first octet of each is its length.
    let mut assembly = Assembly::default();
    let mut rest = octets;
    while let Some((length, more)) = rest.split_first() {
        let (octets, more) = more.split_at(more.len().min(usize::from(*length) * 4));
        rest = more;
        if let Ok(datagram) = Datagram::decode(octets)
            && let Some(Ok(beat)) = datagram.whole().or_else(|| assembly.add(&datagram))
        {
            check(&beat);
        }
        let datagram = Input::Datagram { octets, hop_limit: 255, received: now };
        machine.handle_input(datagram, now);
        now += Duration::from_millis(100);
        machine.handle_timeout(now);
        while let Some(output) = machine.poll_output() {
            if let Output::Transmit(octets) = output {
                assert!(octets.len() <= 1400);
                let datagram = Datagram::decode(&octets).expect("it wrote a datagram");
                datagram.whole().transpose().expect("it wrote a beat");
            }
        }
    }
    machine.status(now);
});

/// What is written of a beat is read as the same.
fn check(beat: &Beat) {
    let mut assembly = Assembly::default();
    let mut read = None;
    for octets in beat.datagrams(&KeyRing::unsigned()) {
        let datagram = Datagram::decode(&octets).expect("it wrote a datagram");
        read = datagram.whole().or_else(|| assembly.add(&datagram));
    }
    assert_eq!(read.as_ref(), Some(&Ok(beat.clone())));
}

/// A machine without keys.
fn listener() -> Machine {
    let node = NodeId::new("me").expect("it is short and plain");
    let settings = Settings::new(node, 1, KeyRing::unsigned());
    let group = |name, shards| Group {
        name: GroupName::new(name),
        shards,
        standing: Standing::default(),
    };
    let mut machine = Machine::new();
    let groups = [group("default", 8), group("other", 1)];
    machine.handle_input(Input::Configure(&settings, &groups), Time::ZERO);
    machine.handle_input(Input::Link { up: true }, Time::ZERO);
    machine
}
