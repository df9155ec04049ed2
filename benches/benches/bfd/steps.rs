//! What one step of a session costs, without sockets.

use std::num::NonZeroU32;
use std::time::Duration;

use openelb_announce::bfd::{Auth, AuthKind, Input, Key, Output, Packet, Session, Settings, State};
use openelb_announce::{Machine, Time};
use openelb_benches::meter::repeated;

use super::table::Table;

/// Adds the cost of hearing a packet and of sending one, with and without authentication.
pub(crate) fn measure(table: &mut Table) {
    let key = Key::new(b"a shared secret").unwrap();
    let kind = AuthKind::KeyedSha1;
    let auth = Auth {
        kind,
        key_id: 1,
        key,
    };
    for (words, auth, goal) in [("", None, Some(200.0)), (", keyed SHA1", Some(auth), None)] {
        let ([mut session, mut other], mut now) = pair(auth);
        let octets = periodic(&mut other);
        let hear = repeated(BUDGET, || {
            let received = Packet::decode(&octets).unwrap();
            let (received, ttl) = (&received, 255);
            session.handle_input(Input::Packet { received, ttl }, now);
            assert!(session.poll_output().is_none());
        });
        table.add(
            &format!("hearing a packet while up{words}, ns"),
            [Some(hear), None, None],
            goal,
        );
        // Nobody is heard meanwhile, so the session is kept from noticing by its own clock.
        let say = repeated(BUDGET, || {
            let received = Packet::decode(&octets).unwrap();
            let (received, ttl) = (&received, 255);
            session.handle_input(Input::Packet { received, ttl }, now);
            now = session.poll_timeout().unwrap();
            session.handle_timeout(now);
            assert!(matches!(session.poll_output(), Some(Output::Transmit(_))));
        });
        table.add(
            &format!("hearing and sending a packet{words}, ns"),
            [Some(say), None, None],
            goal.map(|goal| goal * 2.0),
        );
    }
}

/// Two sessions that are up, and the instant.
fn pair(auth: Option<Auth>) -> ([Session; 2], Time) {
    let settings = Settings {
        auth,
        ..Settings::default()
    };
    let session = |number| {
        let discriminator = NonZeroU32::new(number).unwrap();
        Session::new(settings.clone(), discriminator, number.into())
    };
    let mut sessions = [session(1), session(2)];
    let mut now = Time::ZERO;
    for session in &mut sessions {
        session.handle_input(Input::Enable, now);
    }
    // Long enough for the handshake and every poll.
    for _ in 0..100 {
        let [one, two] = &mut sessions;
        exchange(one, two, now);
        exchange(two, one, now);
        now += Duration::from_millis(100);
        for session in &mut sessions {
            session.handle_timeout(now);
        }
    }
    assert!(sessions.iter().all(|it| it.state() == State::Up));
    for session in &mut sessions {
        while session.poll_output().is_some() {}
    }
    (sessions, now)
}

fn exchange(from: &mut Session, to: &mut Session, now: Time) {
    while let Some(output) = from.poll_output() {
        if let Output::Transmit(octets) = output {
            let received = Packet::decode(&octets).unwrap();
            let (received, ttl) = (&received, 255);
            to.handle_input(Input::Packet { received, ttl }, now);
        }
    }
}

/// The next packet that the timer of `session` sends.
fn periodic(session: &mut Session) -> Vec<u8> {
    loop {
        let at = session.poll_timeout().unwrap();
        session.handle_timeout(at);
        while let Some(output) = session.poll_output() {
            if let Output::Transmit(octets) = output {
                return octets.to_vec();
            }
        }
    }
}

const BUDGET: Duration = Duration::from_millis(200);
