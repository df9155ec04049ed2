//! One entry of a neighbor cache: the rules of Linux, one by one.

use crate::arp::packet::{Operation, Repr as Arp};
use crate::ndp::packet::Repr as Ndp;
use crate::time::Time;
use crate::wire::Mac;
use std::time::Duration;

/// What a client believes about an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbor {
    /// The station that it sends to; zero when it knows none.
    pub mac: Mac,
    /// How sure it is.
    pub reachability: Reachability,
}

/// How sure a client is of a neighbor (RFC 4861 section 7.3.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Reachability {
    /// It was never asked for.
    #[default]
    None,
    /// Asked for, not answered yet.
    Incomplete,
    /// Answered within the last half minute or so.
    Reachable,
    /// Believed, but not confirmed lately.
    Stale,
    /// Used since it went stale; to be asked soon.
    Delay,
    /// Being asked, alone.
    Probe,
    /// Did not answer.
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    state: Reachability,
    mac: Mac,
    updated: Time,
    used: Time,
    asked: u32,
    due: Time,
    /// Frames that wait for the hardware address.
    waiting: usize,
}

/// Whom to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Nobody,
    Everybody,
    Neighbor(Mac),
}

/// What a packet says about a neighbor.
#[derive(Clone, Copy, Debug)]
pub(super) struct News {
    pub(super) mac: Mac,
    /// Is it an answer to a question of ours?
    is_confirmation: bool,
    overriding: Override,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Override {
    Always,
    /// Unless the entry changed within `locktime`, one second.
    UnlessLocked,
    /// Never, but it casts doubt on a reachable neighbor.
    Doubt,
}

impl News {
    /// `arp_process`: only replies to us confirm; announcements override at once, anything else does
    /// so when the entry has not changed for a second. A broadcast reply counts as announcement only
    /// if both of its hardware addresses are equal.
    pub(super) fn of_arp(packet: &Arp, is_to_us: bool) -> Self {
        let is_reply = packet.operation == Operation::Reply;
        let is_announcement =
            packet.sender == packet.target && (!is_reply || packet.sender_mac == packet.target_mac);
        let overriding = if is_announcement {
            Override::Always
        } else {
            Override::UnlessLocked
        };
        Self {
            mac: packet.sender_mac,
            is_confirmation: is_reply && is_to_us,
            overriding,
        }
    }

    /// `ndisc_recv_na`: solicited ones confirm, the override flag decides about another address.
    pub(super) fn of_ndp(message: &Ndp) -> Option<Self> {
        let Ndp::Advertisement {
            target_mac,
            solicited,
            overriding,
            ..
        } = *message
        else {
            return None;
        };
        let overriding = if overriding {
            Override::Always
        } else {
            Override::Doubt
        };
        Some(Self {
            mac: target_mac?,
            is_confirmation: solicited,
            overriding,
        })
    }
}

impl Entry {
    pub(super) fn neighbor(&self) -> Neighbor {
        Neighbor {
            mac: self.mac().unwrap_or(Mac::ZERO),
            reachability: self.state,
        }
    }

    /// The station to send to, if one is known.
    pub(super) fn mac(&self) -> Option<Mac> {
        self.is_valid().then_some(self.mac)
    }

    pub(super) const fn due(&self) -> Time {
        self.due
    }

    /// `neigh_event_send`: traffic wants to go out.
    pub(super) fn use_at(&mut self, now: Time) -> Asks {
        self.used = now;
        match self.state {
            Reachability::None | Reachability::Failed => {
                self.waiting = 1;
                self.asked = 1;
                self.enter(Reachability::Incomplete, now + RETRANS_TIME);
                Asks::Everybody
            }
            Reachability::Incomplete => {
                self.waiting = (self.waiting + 1).min(QUEUE);
                Asks::Nobody
            }
            Reachability::Stale => {
                self.enter(Reachability::Delay, now + DELAY_FIRST_PROBE_TIME);
                Asks::Nobody
            }
            Reachability::Reachable | Reachability::Delay | Reachability::Probe => Asks::Nobody,
        }
    }

    /// `neigh_update`: returns how many frames waited for this.
    pub(super) fn learn(&mut self, news: News, reachable_for: Duration, now: Time) -> usize {
        if self.is_valid() && news.mac != self.mac {
            let is_locked = now - self.updated < LOCKTIME;
            match news.overriding {
                Override::Always => {}
                Override::UnlessLocked if !is_locked => {}
                Override::UnlessLocked => return 0,
                Override::Doubt => {
                    if self.state == Reachability::Reachable {
                        self.enter(Reachability::Stale, Time::MAX);
                    }
                    return 0;
                }
            }
        } else if self.is_valid() && !news.is_confirmation {
            return 0;
        }
        self.mac = news.mac;
        self.updated = now;
        if news.is_confirmation {
            self.enter(Reachability::Reachable, now + reachable_for);
        } else {
            self.enter(Reachability::Stale, Time::MAX);
        }
        std::mem::take(&mut self.waiting)
    }

    /// `neigh_timer_handler`.
    pub(super) fn time_out(&mut self, now: Time) -> Asks {
        match self.state {
            Reachability::Reachable if now - self.used <= DELAY_FIRST_PROBE_TIME => {
                self.enter(Reachability::Delay, now + DELAY_FIRST_PROBE_TIME);
                Asks::Nobody
            }
            Reachability::Reachable => {
                self.enter(Reachability::Stale, Time::MAX);
                Asks::Nobody
            }
            Reachability::Delay => {
                self.asked = 1;
                self.enter(Reachability::Probe, now + RETRANS_TIME);
                Asks::Neighbor(self.mac)
            }
            Reachability::Incomplete | Reachability::Probe if self.asked >= MAX_SOLICIT => {
                self.waiting = 0;
                self.enter(Reachability::Failed, Time::MAX);
                Asks::Nobody
            }
            Reachability::Incomplete | Reachability::Probe => {
                self.asked += 1;
                self.due = now + RETRANS_TIME;
                if self.state == Reachability::Probe {
                    Asks::Neighbor(self.mac)
                } else {
                    Asks::Everybody
                }
            }
            Reachability::None | Reachability::Stale | Reachability::Failed => {
                self.due = Time::MAX;
                Asks::Nobody
            }
        }
    }

    const fn is_valid(&self) -> bool {
        matches!(
            self.state,
            Reachability::Reachable
                | Reachability::Stale
                | Reachability::Delay
                | Reachability::Probe
        )
    }

    fn enter(&mut self, state: Reachability, due: Time) {
        self.state = state;
        self.due = due;
    }
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            state: Reachability::None,
            mac: Mac::ZERO,
            updated: Time::ZERO,
            used: Time::ZERO,
            asked: 0,
            due: Time::MAX,
            waiting: 0,
        }
    }
}

/// `delay_first_probe_time`.
const DELAY_FIRST_PROBE_TIME: Duration = Duration::from_secs(5);
/// `retrans_time_ms`.
const RETRANS_TIME: Duration = Duration::from_secs(1);
/// `locktime` of ARP.
const LOCKTIME: Duration = Duration::from_secs(1);
/// `ucast_solicit` and `mcast_solicit`.
const MAX_SOLICIT: u32 = 3;
/// A small share of `unres_qlen_bytes`; what overflows is lost, as there.
const QUEUE: usize = 64;
