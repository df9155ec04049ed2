//! Finds the router at the other end of a link, and is found by it, without any configured address.
//!
//! Routers that peer over a link name each other by link-local address and learn it from Router
//! Advertisements. Ours have a lifetime of zero: hosts on the link never take us as default router
//! (RFC 4861 section 4.2).

use std::collections::VecDeque;
use std::net::Ipv6Addr;
use std::time::Duration;

use super::Repr;
use crate::machine::Machine;
use crate::time::Time;
use crate::wire::Mac;
use crate::wire::icmpv6::Message;
use crate::wire::ip::{ALL_NODES, ALL_ROUTERS};

/// Discovery on one link.
///
/// After the link comes up it asks and advertises at once, advertises [`FAST_COUNT`] times a second
/// apart and every [`INTERVAL`] from then on. A question is answered at once, or a second after the
/// last advertisement.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    link: Option<Link>,
    neighbor: Option<Ipv6Addr>,
    next: Option<Time>,
    last: Option<Time>,
    sent: u32,
    outputs: VecDeque<Output>,
}

/// What can happen on a link, as routers on it and those who listen to them see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The link is up, and these are our addresses on it.
    Up {
        /// Our link-local address.
        address: Ipv6Addr,
        /// Our hardware address, where the link has such.
        mac: Option<Mac>,
    },
    /// The link is down, or has no link-local address.
    Down,
    /// An ICMPv6 message arrived with a hop limit of 255 and a correct checksum.
    Received {
        /// Who sent it.
        source: Ipv6Addr,
        /// The message from its type on.
        octets: &'a [u8],
    },
}

/// What discovery wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send an ICMPv6 message with a hop limit of 255.
    Transmit {
        /// To this group.
        destination: Ipv6Addr,
        /// From its type on, with its checksum.
        octets: Vec<u8>,
    },
    /// This router is at the other end; when it has changed, the former one is gone.
    Found(Ipv6Addr),
    /// The link went down, and with it whoever was known.
    Lost,
}

impl Discovery {
    /// Discovery on a link that is not up yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The router at the other end, once it is known.
    pub const fn neighbor(&self) -> Option<Ipv6Addr> {
        self.neighbor
    }

    fn take_link(&mut self, link: Link, now: Time) {
        if self.link == Some(link) {
            return;
        }
        self.link = Some(link);
        (self.sent, self.last) = (0, None);
        self.transmit(
            ALL_ROUTERS,
            Repr::Solicitation {
                source_mac: link.mac,
            },
        );
        self.advertise(now);
    }

    fn receive(&mut self, source: Ipv6Addr, octets: &[u8], now: Time) {
        let Some(link) = self.link.filter(|link| link.address != source) else {
            return;
        };
        let Ok(message) = Message::decode_verified(octets) else {
            return;
        };
        match Repr::parse(&message, source) {
            Ok(Repr::Advertisement { .. }) if self.neighbor != Some(source) => {
                self.neighbor = Some(source);
                self.outputs.push_back(Output::Found(source));
            }
            Ok(Repr::Advertisement { .. }) | Err(_) => {}
            Ok(Repr::Solicitation { .. }) => {
                let allowed = self.last.map_or(now, |last| last + FAST_INTERVAL);
                if allowed <= now {
                    self.transmit_advertisement(link, now);
                } else {
                    self.next = self.next.map(|next| next.min(allowed));
                }
            }
        }
    }

    fn advertise(&mut self, now: Time) {
        let Some(link) = self.link else { return };
        self.transmit_advertisement(link, now);
        self.sent = self.sent.saturating_add(1);
        let wait = if self.sent < FAST_COUNT {
            FAST_INTERVAL
        } else {
            INTERVAL
        };
        self.next = Some(now + wait);
    }

    fn transmit_advertisement(&mut self, link: Link, now: Time) {
        self.last = Some(now);
        let advertisement = Repr::Advertisement {
            lifetime: 0,
            source_mac: link.mac,
        };
        self.transmit(ALL_NODES, advertisement);
    }

    fn transmit(&mut self, destination: Ipv6Addr, message: Repr) {
        let Some(link) = self.link else { return };
        let octets = message.to_octets(link.address, destination);
        self.outputs.push_back(Output::Transmit {
            destination,
            octets,
        });
    }
}

impl Machine for Discovery {
    type Input<'a> = Input<'a>;
    type Output = Output;

    fn handle_input(&mut self, input: Input<'_>, now: Time) {
        match input {
            Input::Up { address, mac } => self.take_link(Link { address, mac }, now),
            Input::Down => {
                (self.link, self.next) = (None, None);
                if self.neighbor.take().is_some() {
                    self.outputs.push_back(Output::Lost);
                }
            }
            Input::Received { source, octets } => self.receive(source, octets, now),
        }
    }

    fn handle_timeout(&mut self, now: Time) {
        if self.next.is_some_and(|at| at <= now) {
            self.advertise(now);
        }
    }

    fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.next
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Link {
    address: Ipv6Addr,
    mac: Option<Mac>,
}

/// How many advertisements follow the start of a link quickly: three is what RFC 4861 section 6.2.4
/// allows a router (`MAX_INITIAL_RTR_ADVERTISEMENTS`); a second apart rather than its 16, as both ends
/// wait for each other before anything else can happen.
pub const FAST_COUNT: u32 = 3;
/// The pause between the last two advertisements of a link that is known: an end that was restarted
/// without the link going down asks anyway.
pub const INTERVAL: Duration = Duration::from_secs(10);
const FAST_INTERVAL: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
