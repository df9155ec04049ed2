//! What the routers of one link advertise: each router's prefixes with their lifetimes, as a machine.
//!
//! The table is per router and per prefix, because routers are independent: of two that advertise,
//! one may give a prefix up (preferred lifetime 0) while the other goes on with its own.
//!
//! Lifetimes are taken as they come. The rule of RFC 4862 section 5.5.3, that an advertisement cannot
//! cut the rest of an address's valid lifetime below two hours, protects the connections of a host
//! from a forged message. Here it would hide the very news that is wanted: a router that renumbers
//! says so with short lifetimes (RFC 9096 section 3.3). What a forged message could do is bounded
//! elsewhere: by the list of routers that are listened to, and by whoever follows the prefixes, who
//! serves a former one for a grace period of its own.
//!
//! A prefix that later advertisements leave out stays until its lifetime ends: they need not repeat
//! everything (RFC 4861 section 6.2.3). So does one of a router that fell silent or that is no
//! longer a default router: neither says anything about prefixes.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv6Addr;
use std::time::Duration;

use ipnet::Ipv6Net;

pub use crate::ndp::router::Input;

use super::is_wanted;
use crate::machine::Machine;
use crate::ndp::router::{PrefixInformation, Repr};
use crate::time::Time;
use crate::wire::Mac;
use crate::wire::icmpv6::Message;
use crate::wire::ip::ALL_ROUTERS;

/// The routers of one link and what they advertise.
///
/// At most [`MOST_ROUTERS`] with [`MOST_PREFIXES`] prefixes each are kept; those that come when the
/// table is full are left out and counted, so that a flood of forged ones neither fills the memory
/// nor displaces what is known. Every operation costs at most one look at each row.
///
/// ```
/// use openelb_announce::upstream::routers::{Input, Output, Routers};
/// use openelb_announce::{Machine, Time};
///
/// let mut routers = Routers::new([]);
/// routers.handle_input(Input::Up { address: "fe80::2".parse()?, mac: None }, Time::ZERO);
/// assert!(matches!(routers.poll_output(), Some(Output::Transmit { .. })), "it asks at once");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Routers {
    /// Those that are listened to; empty: all.
    only: Vec<Ipv6Addr>,
    link: Option<Link>,
    table: BTreeMap<Ipv6Addr, BTreeMap<Ipv6Net, Row>>,
    /// The next question, and how many are left.
    next_question: Option<Time>,
    questions: u32,
    left_out: u64,
    outputs: VecDeque<Output>,
}

/// What the table wants done or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send an ICMPv6 message with a hop limit of 255.
    Transmit {
        /// To this group.
        destination: Ipv6Addr,
        /// From its type on, with its checksum.
        octets: Vec<u8>,
    },
    /// A router advertises a prefix, for the first time or again.
    Advertised(Advertised),
    /// It does so no longer: the valid lifetime ended or was declared to.
    Ended {
        /// The router.
        router: Ipv6Addr,
        /// The prefix.
        prefix: Ipv6Net,
    },
}

/// A prefix and its lifetimes as one router has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertised {
    /// The router's link-local address.
    pub router: Ipv6Addr,
    /// The prefix.
    pub prefix: Ipv6Net,
    /// For how long new connections should use it, from now on; `None`: for ever. Zero: it is
    /// deprecated.
    pub preferred: Option<Duration>,
    /// For how long it may be used, from now on, never zero; `None`: for ever.
    pub valid: Option<Duration>,
}

impl Routers {
    /// An empty table for these routers; for all, if none is named.
    pub fn new(only: impl IntoIterator<Item = Ipv6Addr>) -> Self {
        Self {
            only: only.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Everything that is valid at `now`, by router and prefix.
    pub fn advertised(&self, now: Time) -> impl Iterator<Item = Advertised> + '_ {
        self.table.iter().flat_map(move |(router, rows)| {
            let valid = rows.iter().filter(move |(_, row)| !row.is_over(now));
            valid.map(move |(prefix, row)| row.told(*router, *prefix, now))
        })
    }

    /// How many routers and prefixes found no place in the table.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    fn take_link(&mut self, link: Link, now: Time) {
        if self.link == Some(link) {
            return;
        }
        self.link = Some(link);
        self.questions = MOST_QUESTIONS;
        self.ask(now);
    }

    /// RFC 4861 section 6.3.7: up to three times, four seconds apart. Its random delay before the
    /// first is for hosts that a power failure starts together, and the driver waits for the link
    /// instead.
    fn ask(&mut self, now: Time) {
        let Some(link) = self.link else { return };
        let source_mac = link.mac;
        let question = Repr::Solicitation { source_mac };
        self.outputs.push_back(Output::Transmit {
            destination: ALL_ROUTERS,
            octets: question.to_octets(link.address, ALL_ROUTERS),
        });
        self.questions = self.questions.saturating_sub(1);
        self.next_question = (self.questions > 0).then(|| now + QUESTION_INTERVAL);
    }

    fn receive(&mut self, source: Ipv6Addr, octets: &[u8], now: Time) {
        let is_heard = self.only.is_empty() || self.only.contains(&source);
        let Ok(message) = Message::decode_verified(octets) else {
            return;
        };
        let Ok(Repr::Advertisement { .. }) = Repr::parse(&message, source) else {
            return;
        };
        if !is_heard {
            return;
        }
        // Somebody answers: no more questions.
        self.next_question = None;
        self.forget_what_is_over(now);
        for information in PrefixInformation::all(&message) {
            if is_advertised(&information) {
                self.put(source, &information, now);
            }
        }
    }

    fn put(&mut self, router: Ipv6Addr, information: &PrefixInformation, now: Time) {
        let prefix = information.prefix;
        if information.valid == Some(Duration::ZERO) {
            let rows = self.table.get_mut(&router);
            if rows.is_some_and(|rows| rows.remove(&prefix).is_some()) {
                self.outputs.push_back(Output::Ended { router, prefix });
            }
            self.table.retain(|_, rows| !rows.is_empty());
            return;
        }
        let is_full = self.table.len() >= MOST_ROUTERS && !self.table.contains_key(&router);
        let rows = self.table.get(&router);
        let is_long =
            rows.is_some_and(|rows| rows.len() >= MOST_PREFIXES && !rows.contains_key(&prefix));
        if is_full || is_long {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let row = Row {
            preferred_until: information.preferred.map(|span| now + span),
            valid_until: information.valid.map(|span| now + span),
        };
        self.table.entry(router).or_default().insert(prefix, row);
        let told = row.told(router, prefix, now);
        self.outputs.push_back(Output::Advertised(told));
    }

    fn forget_what_is_over(&mut self, now: Time) {
        let outputs = &mut self.outputs;
        self.table.retain(|router, rows| {
            rows.retain(|prefix, row| {
                if row.is_over(now) {
                    let (router, prefix) = (*router, *prefix);
                    outputs.push_back(Output::Ended { router, prefix });
                }
                !row.is_over(now)
            });
            !rows.is_empty()
        });
    }
}

impl Machine for Routers {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        match input {
            Input::Up { address, mac } => self.take_link(Link { address, mac }, now),
            Input::Down => (self.link, self.next_question) = (None, None),
            Input::Received { source, octets } => self.receive(source, octets, now),
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        self.forget_what_is_over(now);
        if self.next_question.is_some_and(|at| at <= now) {
            self.ask(now);
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        let rows = self.table.values().flat_map(BTreeMap::values);
        let ends = rows.filter_map(|row| row.valid_until);
        ends.chain(self.next_question).min()
    }
}

/// Our addresses on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    address: Ipv6Addr,
    mac: Option<Mac>,
}

/// When a prefix of a router ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    preferred_until: Option<Time>,
    valid_until: Option<Time>,
}

impl Row {
    fn is_over(&self, now: Time) -> bool {
        self.valid_until.is_some_and(|until| until <= now)
    }

    fn told(&self, router: Ipv6Addr, prefix: Ipv6Net, now: Time) -> Advertised {
        Advertised {
            router,
            prefix,
            preferred: self.preferred_until.map(|until| until - now),
            valid: self.valid_until.map(|until| until - now),
        }
    }
}

/// Whether hosts may do anything with the prefix. An option without L and A says nothing about where
/// its addresses are, one whose preferred lifetime is the longer one contradicts itself (RFC 4862
/// section 5.5.3), and link-local addresses are everybody's.
fn is_advertised(information: &PrefixInformation) -> bool {
    let is_of_use = information.flags.on_link || information.flags.autonomous;
    let is_sound = match (information.preferred, information.valid) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(preferred), Some(valid)) => preferred <= valid,
    };
    is_of_use && is_sound && is_wanted(information.prefix)
}

/// Links have one or two routers; a few more are kept for those that change their address.
pub const MOST_ROUTERS: usize = 16;
/// More than fit into one advertisement of 1,500 octets.
pub const MOST_PREFIXES: usize = 64;
/// `MAX_RTR_SOLICITATIONS` and `RTR_SOLICITATION_INTERVAL` of RFC 4861 section 10.
const MOST_QUESTIONS: u32 = 3;
const QUESTION_INTERVAL: Duration = Duration::from_secs(4);

#[cfg(test)]
mod tests;
