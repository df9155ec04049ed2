//! TCP as a speaker of BGP sees it: two ordered pipes of octets, each with a delay and a window.

use crate::time::Time;
use std::collections::VecDeque;
use std::time::Duration;

/// One end of a [`Connection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Side {
    /// The one that dialled.
    Dialler,
    /// The one that was dialled.
    Listener,
}

impl Side {
    pub(super) const fn other(self) -> Self {
        match self {
            Self::Dialler => Self::Listener,
            Self::Listener => Self::Dialler,
        }
    }
}

/// What comes out of a pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Octets, cut anywhere.
    Octets(Vec<u8>),
    /// Nothing comes after this: why, in the operating system's words.
    End(&'static str),
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    delay: Duration,
    window: usize,
    to_dialler: Pipe,
    to_listener: Pipe,
}

/// What is on its way to one end, or waits there to be read.
#[derive(Debug, Default)]
struct Pipe {
    arrivals: VecDeque<(Time, Arrival)>,
    /// Octets in `arrivals`.
    octets: usize,
    /// Nothing may be added.
    is_ended: bool,
    /// Nothing comes out: the cable is cut, and nobody noticed.
    is_cut: bool,
}

impl Connection {
    /// Octets need `delay`; at most `window` of them are under way or unread in each direction.
    pub(super) fn new(delay: Duration, window: usize) -> Self {
        Self {
            delay,
            window,
            to_dialler: Pipe::default(),
            to_listener: Pipe::default(),
        }
    }

    /// How many octets `side` may send now.
    pub(super) fn room(&self, side: Side) -> usize {
        let pipe = self.pipe(side.other());
        if pipe.is_ended {
            return 0;
        }
        self.window.saturating_sub(pipe.octets)
    }

    /// Sends octets from `side`, of which there are at most [`room`](Self::room). Says when they
    /// arrive.
    pub(super) fn send(&mut self, side: Side, octets: Vec<u8>, now: Time) -> Time {
        let at = now + self.delay;
        let pipe = self.pipe_mut(side.other());
        if !pipe.is_ended {
            pipe.octets += octets.len();
            pipe.arrivals.push_back((at, Arrival::Octets(octets)));
        }
        at
    }

    /// Ends what `side` sends, after what is under way. Says when the other end notices.
    pub(super) fn close(&mut self, side: Side, why: &'static str, now: Time) -> Time {
        let at = now + self.delay;
        let pipe = self.pipe_mut(side.other());
        if !pipe.is_ended {
            pipe.is_ended = true;
            pipe.arrivals.push_back((at, Arrival::End(why)));
        }
        at
    }

    /// Ends both directions; what is under way is lost. Says when both ends notice.
    pub(super) fn reset(&mut self, now: Time) -> Time {
        self.to_dialler = Pipe::default();
        self.to_listener = Pipe::default();
        self.close(Side::Dialler, RESET, now);
        self.close(Side::Listener, RESET, now);
        now + self.delay
    }

    /// From now on nothing comes through, in either direction, and nobody is told.
    pub(super) fn cut(&mut self) {
        self.to_dialler.is_cut = true;
        self.to_listener.is_cut = true;
    }

    /// The next thing for `side` to read, if it has arrived: of octets at most `most`.
    pub(super) fn read(&mut self, side: Side, most: usize, now: Time) -> Option<Arrival> {
        let pipe = self.pipe_mut(side);
        if pipe.is_cut {
            return None;
        }
        let (at, arrival) = pipe.arrivals.front_mut()?;
        if *at > now {
            return None;
        }
        if let Arrival::Octets(octets) = arrival
            && octets.len() > most.max(1)
        {
            let rest = octets.split_off(most.max(1));
            let first = std::mem::replace(octets, rest);
            pipe.octets -= first.len();
            return Some(Arrival::Octets(first));
        }
        let (_, arrival) = pipe.arrivals.pop_front()?;
        if let Arrival::Octets(octets) = &arrival {
            pipe.octets -= octets.len();
        }
        Some(arrival)
    }

    /// How long octets need.
    pub(super) const fn delay(&self) -> Duration {
        self.delay
    }

    const fn pipe(&self, reader: Side) -> &Pipe {
        match reader {
            Side::Dialler => &self.to_dialler,
            Side::Listener => &self.to_listener,
        }
    }

    const fn pipe_mut(&mut self, reader: Side) -> &mut Pipe {
        match reader {
            Side::Dialler => &mut self.to_dialler,
            Side::Listener => &mut self.to_listener,
        }
    }
}

/// What Linux says about it.
const RESET: &str = "connection reset by peer";

#[cfg(test)]
mod tests;
