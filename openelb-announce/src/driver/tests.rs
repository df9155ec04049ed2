//! Tests of the loop, with a host that notes what it is called for.

use super::*;
use nix::sys::eventfd::EventFd;

#[derive(Default)]
struct Notes {
    fed: Vec<u64>,
    turns: u32,
}

impl Host for Notes {
    fn is_finished(&self) -> bool {
        self.turns > 0
    }

    fn poll_timeout(&self) -> Option<Time> {
        None
    }

    fn longest_pause(&self) -> Duration {
        Duration::from_hours(1)
    }

    fn fence(&mut self, _: Duration, _: Time) -> io::Result<()> {
        Ok(())
    }

    fn renew(&mut self, _: Time) {}

    fn feed(&mut self, token: u64, _: &Poller) -> io::Result<()> {
        self.fed.push(token);
        Ok(())
    }

    fn is_urgent(&self, token: u64) -> bool {
        token >= 2
    }

    fn handle_timeout(&mut self, _: Time) -> io::Result<()> {
        self.turns += 1;
        Ok(())
    }
}

#[test]
fn what_is_urgent_is_read_before_everything_else_of_a_turn() {
    let mut poller = Poller::new().unwrap();
    let descriptors: Vec<EventFd> = (0..4).map(|_| EventFd::from_value(1).unwrap()).collect();
    for (token, descriptor) in (0..).zip(&descriptors) {
        poller.watch(descriptor, token).unwrap();
    }
    let mut notes = Notes::default();
    run(&mut notes, &mut poller).unwrap();
    assert_eq!(notes.fed, [2, 3, 0, 1]);
}
