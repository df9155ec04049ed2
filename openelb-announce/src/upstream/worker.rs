//! The thread that hears what the network tells.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::eventfd::EventFd;

use super::host::Host;
use super::listener::Listener;
use super::opener::Opener;
use super::sighting::{Event, Wanted};
use crate::driver::clock;
use crate::driver::poller::Poller;
use crate::link::prefix_monitor::PrefixMonitor;
use crate::time::Time;

/// Where events go.
pub(super) type Sink = Box<dyn FnMut(Event) + Send>;

/// What a handle and its threads share.
#[derive(Debug)]
pub(super) struct Shared {
    /// Raised when there is something to look at: the word to stop, or an answer of the opener.
    pub(super) wake: Arc<EventFd>,
    pub(super) stop: AtomicBool,
}

/// Everything that the thread owns.
pub(super) struct Worker {
    shared: Arc<Shared>,
    poller: Poller,
    monitor: PrefixMonitor,
    host: Host,
    listeners: Vec<Listener>,
    opener: Opener,
    sink: Sink,
}

impl Worker {
    /// Subscribes to the kernel's news.
    pub(super) fn new(
        wanted: Vec<Wanted>,
        shared: Arc<Shared>,
        opener: Opener,
        sink: Sink,
    ) -> io::Result<Self> {
        let poller = Poller::new()?;
        let monitor = PrefixMonitor::open()?;
        poller.watch(&shared.wake, WAKE)?;
        poller.watch(&monitor, KERNEL)?;
        let listener = |(index, wanted): (usize, &Wanted)| match wanted {
            Wanted::Advertisements { interface, routers } => {
                Some(Listener::new(index, interface.clone(), routers.clone()))
            }
            Wanted::Addresses { .. } | Wanted::Routes(_) => None,
        };
        Ok(Self {
            listeners: wanted.iter().enumerate().filter_map(listener).collect(),
            host: Host::new(wanted),
            shared,
            poller,
            monitor,
            opener,
            sink,
        })
    }

    /// Hears until it is told to stop or the kernel's news break off.
    pub(super) fn run(&mut self) -> io::Result<()> {
        while !self.shared.stop.load(Ordering::Acquire) {
            self.poller.wait(self.deadline())?;
            let now = clock::now();
            let mut place = 0;
            while let Some(token) = self.poller.ready(place) {
                place += 1;
                self.feed(token, now)?;
            }
            self.handle_timeout(now);
        }
        Ok(())
    }

    fn deadline(&self) -> Time {
        let due = self.listeners.iter().filter_map(Listener::poll_timeout);
        due.min().unwrap_or_else(|| clock::now() + LONGEST_WAIT)
    }

    fn feed(&mut self, token: u64, now: Time) -> io::Result<()> {
        match token {
            WAKE => {
                let _ = self.shared.wake.read();
                self.take_answers(now);
                self.follow(now);
            }
            KERNEL => {
                self.monitor.receive()?;
                while let Some(news) = self.monitor.poll_news() {
                    self.host.take_in(news, now);
                }
                self.host.look(now);
                while let Some(event) = self.host.poll_event() {
                    (self.sink)(event);
                }
                self.follow(now);
            }
            token => {
                for listener in &mut self.listeners {
                    if listener.token() == token {
                        listener.feed(now).into_iter().for_each(&mut self.sink);
                    }
                }
            }
        }
        Ok(())
    }

    fn take_answers(&mut self, now: Time) {
        while let Some(answer) = self.opener.answer() {
            let token = super::listener::FIRST_TOKEN + answer.wanted as u64;
            let asker = self.listeners.iter_mut().find(|it| it.token() == token);
            let events = asker.map(|it| it.take(answer.index, answer.socket, &self.poller, now));
            events.into_iter().flatten().for_each(&mut self.sink);
        }
    }

    fn follow(&mut self, now: Time) {
        if !self.host.is_known() {
            return;
        }
        for listener in &mut self.listeners {
            let events = listener.follow(&self.host, &self.opener, now);
            events.into_iter().for_each(&mut self.sink);
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        for listener in &mut self.listeners {
            let events = listener.handle_timeout(now);
            events.into_iter().for_each(&mut self.sink);
        }
        if self.listeners.iter().any(|listener| listener.is_due(now)) {
            self.follow(now);
        }
    }
}

const WAKE: u64 = 0;
const KERNEL: u64 = 1;
/// Nothing is due after it; epoll wants a number.
const LONGEST_WAIT: Duration = Duration::from_hours(1);
