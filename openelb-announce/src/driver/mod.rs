//! Moves bytes and time between machines and the host: one loop, on one thread of its own.
//!
//! The thread never waits for anything but [`Poller::wait`]; whatever needs a capability or may
//! block is done by the opener thread ([`opener`]).

pub(crate) mod clock;
pub(crate) mod opener;
pub(crate) mod poller;
pub(crate) mod port;
pub(crate) mod privileges;
mod pulse;

use std::io;
use std::time::Duration;

use poller::Poller;
use pulse::Pulse;

use crate::time::Time;

/// What the loop serves: machines, their sockets, and whoever commands them.
pub(crate) trait Host {
    /// Is there nothing left to do?
    fn is_finished(&self) -> bool;

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    fn poll_timeout(&self) -> Option<Time>;

    /// How long the thread may be kept from running before it must be told.
    fn longest_pause(&self) -> Duration;

    /// The thread did not run for `pause`: throw away what waits, then start every claim again.
    fn fence(&mut self, pause: Duration, now: Time) -> io::Result<()>;

    /// The thread runs. Called in every round before anything is read.
    fn renew(&mut self, now: Time);

    /// The descriptor watched as `token` can be read.
    fn feed(&mut self, token: u64, poller: &Poller) -> io::Result<()>;

    /// Must the descriptor watched as `token` be read before others?
    fn is_urgent(&self, token: u64) -> bool;

    /// It is `now`.
    fn handle_timeout(&mut self, now: Time) -> io::Result<()>;
}

/// Serves `host` until it is finished.
pub(crate) fn run(host: &mut impl Host, poller: &mut Poller) -> io::Result<()> {
    let mut pulse = Pulse::new(clock::now());
    while !host.is_finished() {
        let longest_pause = host.longest_pause();
        let next_beat = pulse.next_beat(longest_pause);
        let wake_up = host
            .poll_timeout()
            .map_or(next_beat, |at| at.min(next_beat));
        poller.wait(wake_up)?;
        let now = clock::now();
        // Before anything is read: after a pause the queues hold questions to a former owner.
        if let Some(pause) = pulse.beat(now, longest_pause) {
            host.fence(pause, now)?;
        }
        host.renew(now);
        for urgent in [true, false] {
            let mut place = 0;
            while let Some(token) = poller.ready(place) {
                place += 1;
                if host.is_urgent(token) == urgent {
                    host.feed(token, poller)?;
                }
            }
        }
        host.handle_timeout(clock::now())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
