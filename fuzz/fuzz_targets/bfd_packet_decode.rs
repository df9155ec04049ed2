//! Any octets as BFD packet: no panic, what is accepted is written back as it came, nothing is taken
//! for signed that is not, and a session survives it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_announce::bfd::auth::Authenticator;
use openelb_announce::bfd::{Auth, AuthKind, Input, Key, Packet, Session, Settings, State};
use openelb_announce::wire::Writer;
use openelb_announce::{Machine, Time};
use std::num::NonZeroU32;

fuzz_target!(|octets: &[u8]| {
    let Ok(received) = Packet::decode(octets) else {
        return;
    };
    if received.auth.is_none() {
        let mut written = [0xa5; Packet::LENGTH];
        received
            .packet
            .emit(0, &mut Writer::new(&mut written))
            .expect("the buffer is as long as a packet");
        let mut expected = [0; Packet::LENGTH];
        expected.copy_from_slice(&octets[..Packet::LENGTH]);
        // The Length field may have covered octets that nobody knows.
        expected[3] = 24;
        assert_eq!(written, expected);
    }
    for kind in [AuthKind::KeyedSha1, AuthKind::MeticulousKeyedSha1] {
        // Nobody has signed anything with this key.
        let key = Key::new(b"a secret of nobody").expect("it is short enough");
        let auth = Auth { kind, key_id: 1, key };
        assert!(Authenticator::new(auth, 0).verify(&received).is_err());
    }
    let discriminator = NonZeroU32::MIN;
    let mut session = Session::new(Settings::default(), discriminator, 1);
    session.handle_input(Input::Enable, Time::ZERO);
    let received = &received;
    session.handle_input(Input::Packet { received, ttl: 254 }, Time::ZERO);
    assert_eq!(session.state(), State::Down, "it came from too far");
    session.handle_input(Input::Packet { received, ttl: 255 }, Time::ZERO);
    while session.poll_output().is_some() {}
    for _ in 0..10 {
        let Some(at) = session.poll_timeout() else { break };
        session.handle_timeout(at);
        while session.poll_output().is_some() {}
    }
});
