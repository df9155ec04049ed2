//! What the host itself has for a virtual router: a link with the virtual MAC, accepted addresses.

use std::net::IpAddr;
use std::time::Duration;

use crate::driver::opener::{Opener, Request};
use crate::link::configure::{LIFETIME, Macvlan, Order};
use crate::time::Time;

/// Numbers what the opener is asked to change, so that each answer finds its asker.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    next: u64,
}

impl Orders {
    fn place(&mut self, opener: &Opener, orders: Vec<Order>) -> u64 {
        let number = self.next;
        self.next += 1;
        opener.ask(Request::Configure(number, orders));
        number
    }
}

/// The link and the addresses of one virtual router on this host.
///
/// The link is made with the router and stays down; while the router is Active it is up, and has the
/// addresses that accept mode is about.
#[derive(Debug)]
pub(crate) struct Presence {
    parent: u32,
    link: Link,
    /// What accept mode is about; empty without it.
    accepted: Vec<IpAddr>,
    /// The orders that must be carried out before the addresses may be announced.
    awaited: Option<u64>,
    /// While serving: when the lifetime of the addresses must be renewed.
    renew_at: Option<Time>,
    is_serving: bool,
    problem: Option<String>,
}

#[derive(Debug)]
enum Link {
    /// The parent serves: answers carry its own MAC.
    Parent,
    /// The opener was asked to make it, by the order with this number.
    Making(Macvlan, u64),
    /// It exists, and has been seen among the host's links or not yet.
    Made {
        macvlan: Macvlan,
        index: u32,
        is_seen: bool,
    },
    /// It could not be made, or is to be made; when to try.
    Missing(Macvlan, Time),
}

/// What an answer to an order means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing for this router.
    None,
    /// The link has come or gone.
    Link,
    /// Packets to the addresses are accepted: they may be announced.
    Serving,
}

impl Presence {
    /// On `parent`, with a link of its own if that is what the router has.
    pub(crate) const fn new(parent: u32, macvlan: Option<Macvlan>) -> Self {
        let link = match macvlan {
            None => Link::Parent,
            Some(macvlan) => Link::Missing(macvlan, Time::ZERO),
        };
        Self {
            parent,
            link,
            accepted: Vec::new(),
            awaited: None,
            renew_at: None,
            is_serving: false,
            problem: None,
        }
    }

    /// May the router take part? Only with its link can it receive what it attracts.
    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.link, Link::Parent | Link::Made { .. })
    }

    /// What went wrong last.
    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// From now on accept mode is about these addresses.
    pub(crate) fn accept(
        &mut self,
        accepted: Vec<IpAddr>,
        orders: &mut Orders,
        opener: &Opener,
        now: Time,
    ) {
        if accepted == self.accepted {
            return;
        }
        let before = std::mem::replace(&mut self.accepted, accepted);
        if let Some(index) = self.device().filter(|_| self.is_serving) {
            let is_gone = |address: &&IpAddr| !self.accepted.contains(address);
            let gone = before.iter().filter(is_gone);
            let removals = gone.map(|address| Order::RemoveAddress {
                index,
                address: *address,
            });
            let changes = removals.chain(self.puts(index)).collect();
            orders.place(opener, changes);
            self.renew_at = (!self.accepted.is_empty()).then(|| now + RENEWAL);
        }
    }

    /// The router is Active. True when its addresses may be announced at once; otherwise that is
    /// [`Progress::Serving`], some tenths of a millisecond later (they are announced when they work).
    pub(crate) fn arrive(&mut self, orders: &mut Orders, opener: &Opener, now: Time) -> bool {
        self.is_serving = true;
        let Some(index) = self.device() else {
            return true;
        };
        let mut changes = Vec::new();
        if let Link::Made { .. } = self.link {
            changes.push(Order::SetUp { index, up: true });
        }
        changes.extend(self.puts(index));
        self.renew_at = (!self.accepted.is_empty()).then(|| now + RENEWAL);
        if changes.is_empty() {
            return true;
        }
        self.awaited = Some(orders.place(opener, changes));
        false
    }

    /// The router is Active no longer.
    pub(crate) fn depart(&mut self, orders: &mut Orders, opener: &Opener) {
        self.awaited = None;
        self.renew_at = None;
        let was_serving = std::mem::take(&mut self.is_serving);
        let Some(index) = self.device().filter(|_| was_serving) else {
            return;
        };
        let removals = self.accepted.iter().map(|address| Order::RemoveAddress {
            index,
            address: *address,
        });
        let mut changes: Vec<Order> = removals.collect();
        if let Link::Made { .. } = self.link {
            changes.push(Order::SetUp { index, up: false });
        }
        if !changes.is_empty() {
            orders.place(opener, changes);
        }
    }

    /// Takes away everything that was made.
    pub(crate) fn close(&mut self, orders: &mut Orders, opener: &Opener) {
        self.depart(orders, opener);
        match self.link {
            Link::Made { macvlan, .. } | Link::Making(macvlan, _) => {
                orders.place(opener, vec![Order::Remove(macvlan)]);
            }
            Link::Parent | Link::Missing(..) => {}
        }
    }

    /// Takes an answer, if it is to an order of this router.
    pub(crate) fn take(
        &mut self,
        number: u64,
        answer: &Result<Option<u32>, String>,
        now: Time,
    ) -> Progress {
        if let Link::Making(macvlan, asked) = self.link
            && asked == number
        {
            self.link = match answer {
                Ok(Some(index)) => Link::Made {
                    macvlan,
                    index: *index,
                    is_seen: false,
                },
                _ => Link::Missing(macvlan, now + RETRY),
            };
            self.problem = answer.as_ref().err().cloned();
            return Progress::Link;
        }
        if self.awaited != Some(number) {
            return Progress::None;
        }
        self.awaited = None;
        // Announced all the same: where packets are forwarded on, they need not be accepted here.
        self.problem = answer.as_ref().err().cloned();
        Progress::Serving
    }

    /// Notices that somebody removed the link: it is made again.
    pub(crate) fn look(&mut self, exists: impl Fn(u32) -> bool, now: Time) {
        if let Link::Made {
            macvlan,
            index,
            is_seen,
        } = &mut self.link
        {
            if exists(*index) {
                *is_seen = true;
            } else if *is_seen {
                self.link = Link::Missing(*macvlan, now);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) must be called next.
    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        match self.link {
            Link::Missing(_, retry_at) => Some(retry_at),
            _ => self.renew_at,
        }
    }

    /// Makes the link if it is time for that, and renews the lifetime of the addresses.
    pub(crate) fn handle_timeout(&mut self, orders: &mut Orders, opener: &Opener, now: Time) {
        if let Link::Missing(macvlan, retry_at) = self.link
            && retry_at <= now
        {
            let number = orders.place(opener, vec![Order::Make(macvlan)]);
            self.link = Link::Making(macvlan, number);
        }
        if self.renew_at.is_some_and(|at| at <= now)
            && let Some(index) = self.device()
        {
            let puts = self.puts(index).collect();
            orders.place(opener, puts);
            self.renew_at = Some(now + RENEWAL);
        }
    }

    /// The link that packets to the addresses come in on.
    const fn device(&self) -> Option<u32> {
        match self.link {
            Link::Parent => Some(self.parent),
            Link::Made { index, .. } => Some(index),
            Link::Making(..) | Link::Missing(..) => None,
        }
    }

    fn puts(&self, index: u32) -> impl Iterator<Item = Order> {
        let put = move |address: &IpAddr| Order::PutAddress {
            index,
            address: *address,
        };
        self.accepted.iter().map(put)
    }
}

// Two renewals may be lost before an address goes.
const RENEWAL: Duration = LIFETIME.checked_div(3).expect("three is not zero");
const RETRY: Duration = Duration::from_secs(5);
