//! What a received packet does (RFC 9568 sections 6.4 and 7.1, RFC 3768 sections 6.4 and 7.1).

use std::net::IpAddr;
use std::time::Duration;

use super::compare::{Shared, mismatches};
use super::{Advertiser, Event, Machine, Refusal, State, Why};
use crate::time::Time;
use crate::vrrp::packet::{Advert, HOP_LIMIT, LEAVING, Path, Version};
use crate::vrrp::settings::Settings;

/// How an advertisement compares with this router.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Priority zero.
    Leaving,
    /// A lower priority.
    Lower,
    /// The same priority from an address that is not greater.
    Equal,
    /// A higher priority, or the same from a greater address.
    Superior,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Ignore,
    /// Backup: become Active after `Skew_Time`.
    Hasten,
    /// Backup: stay that, and wait for the next one.
    Follow,
    /// Backup: let the timer run.
    Preempt,
    /// Active: advertise at once.
    Assert,
    /// Active: announce the addresses again, say nothing.
    Outlast,
    /// Active: become Backup.
    Yield,
}

/// The state machine of RFC 9568 section 6.4, and of RFC 3768 where it differs.
pub(super) const fn verdict(
    state: State,
    heard: Heard,
    preempts: bool,
    version: Version,
) -> Verdict {
    match (state, heard) {
        (State::Initialize, _) => Verdict::Ignore,

        (State::Backup, Heard::Leaving) => Verdict::Hasten,
        (State::Backup, Heard::Superior | Heard::Equal) => Verdict::Follow,
        (State::Backup, Heard::Lower) if preempts => Verdict::Preempt,
        (State::Backup, Heard::Lower) => Verdict::Follow,

        (State::Active, Heard::Leaving) => Verdict::Assert,
        (State::Active, Heard::Superior) => Verdict::Yield,
        (State::Active, Heard::Lower | Heard::Equal) => match version {
            // RFC 3768 discards it.
            Version::V2 => Verdict::Outlast,
            Version::V3 => Verdict::Assert,
        },
    }
}

impl Machine {
    pub(super) fn receive(
        &mut self,
        octets: &[u8],
        path: Path,
        hop_limit: u8,
        received: Time,
        now: Time,
    ) {
        let Some(settings) = self
            .settings
            .as_ref()
            .filter(|_| self.is_for_us(octets, path))
        else {
            return;
        };
        let advert = match admit(settings, octets, path, hop_limit) {
            Ok(advert) => advert,
            Err(reason) => return self.refuse(path.source, reason),
        };
        let shared = Shared::of(settings, &advert);
        if settings.listen_before_use && shared.is_stranger {
            let span = advert.head.interval.duration() * 3 + STRANGERS_SKEW;
            self.stranger_until = Some(received + span);
            return self.note_stranger(path.source);
        }
        for mismatch in mismatches(settings, &advert, shared).into_iter().flatten() {
            self.note_mismatch(path.source, mismatch);
        }
        self.is_proven = true;
        self.mirrored = advert.form.or(self.mirrored);
        self.reports.count().received += 1;
        self.judge(&advert, path.source, received, now);
    }

    /// A packet for another VRID, another family or of our own sending is not worth a word. Our own
    /// come back where a link or a macvlan reflects what is sent to a group.
    fn is_for_us(&self, octets: &[u8], path: Path) -> bool {
        let is_ours = self.primary == Some(path.source);
        let is_named = |settings: &Settings| {
            let is_family = settings.family == path.family();
            is_family && Advert::vrid(octets).is_none_or(|vrid| vrid == settings.vrid)
        };
        self.state != State::Initialize && !is_ours && self.settings.as_ref().is_some_and(is_named)
    }

    fn judge(&mut self, advert: &Advert<'_>, address: IpAddr, received: Time, now: Time) {
        let priority = advert.head.priority;
        let sender = Advertiser { address, priority };
        let heard = self.rank(sender);
        if heard == Heard::Leaving {
            self.reports.count().left += 1;
        }
        let preempts = heard == Heard::Lower && self.preempts(received);
        match verdict(self.state, heard, preempts, self.version()) {
            Verdict::Ignore => {}
            Verdict::Hasten => {
                self.note_active(sender);
                self.hasten_active_down(received);
            }
            Verdict::Follow => {
                if heard != Heard::Lower {
                    self.preempt_from = None;
                }
                self.note_active(sender);
                self.learned = advert.head.interval;
                self.restart_active_down(received);
            }
            Verdict::Preempt => self.note_active(sender),
            Verdict::Assert => {
                self.advertise_soon(now);
                if heard != Heard::Leaving {
                    self.reannounce(now);
                }
            }
            Verdict::Outlast => self.reannounce(now),
            Verdict::Yield => {
                // The winner may not know that anybody else was Active, and that clients must be
                // told again: a last advertisement says so. It is no more than the next one of a
                // timer that fires a moment earlier.
                self.send(self.priority(), now);
                self.learned = advert.head.interval;
                self.become_backup(Why::Yielded(sender), received);
            }
        }
    }

    fn rank(&self, sender: Advertiser) -> Heard {
        let ours = (self.priority(), self.primary);
        match sender.priority {
            LEAVING => Heard::Leaving,
            theirs if theirs < ours.0 => Heard::Lower,
            // Addresses compare as unsigned numbers in network order (RFC 9568 section 6.4.3).
            theirs if (theirs, Some(sender.address)) > ours => Heard::Superior,
            _ => Heard::Equal,
        }
    }

    /// Is a lower priority that is heard at `received` preempted? Not before the delay is over.
    fn preempts(&mut self, received: Time) -> bool {
        let Some(settings) = &self.settings else {
            return false;
        };
        if self.state != State::Backup || (!settings.preempt && !settings.owner) {
            return false;
        }
        let delay = settings.preempt_delay;
        received >= *self.preempt_from.get_or_insert(received + delay)
    }

    fn note_active(&mut self, sender: Advertiser) {
        let before = self.heard.replace(sender);
        let is_leaving = sender.priority == LEAVING;
        if before.map(|it| it.address) != Some(sender.address) && !is_leaving {
            self.report(Event::Follows(sender));
        }
    }

    /// Somebody else thought to be Active, and may have announced the addresses: announce them again
    /// now, and once more when the other has certainly heard who is Active. After that no router can
    /// become Active legitimately for three intervals, so one that goes on does not hear us, and an
    /// answer to each of its advertisements would help nobody.
    fn reannounce(&mut self, now: Time) {
        let pause = self.own_interval().duration() * 3;
        if self.last_reannounced.is_some_and(|last| now - last < pause) {
            self.reannounces_again = true;
            return;
        }
        self.last_reannounced = Some(now);
        self.reannounces_again = true;
        self.report(Event::Reannounce);
    }
}

/// The checks of section 7.1 that need the settings, the cheapest first.
fn admit<'a>(
    settings: &Settings,
    octets: &'a [u8],
    path: Path,
    hop_limit: u8,
) -> Result<Advert<'a>, Refusal> {
    if hop_limit != HOP_LIMIT {
        return Err(Refusal::HopLimit(hop_limit));
    }
    if !settings.peers.is_empty() && !settings.peers.contains(&path.source) {
        return Err(Refusal::NotAPeer);
    }
    if settings.peers.is_empty() && path.destination != settings.family.group() {
        return Err(Refusal::Destination(path.destination));
    }
    let advert = Advert::decode(octets, path)?;
    let head = advert.head;
    if head.version != settings.version {
        return Err(Refusal::Version(head.version));
    }
    match settings.version {
        Version::V2 if settings.owner => Err(Refusal::Owned),
        Version::V2 if head.interval != settings.interval => Err(Refusal::Interval {
            theirs: head.interval,
            ours: settings.interval,
        }),
        _ => Ok(advert),
    }
}

// A stranger's priority is nobody's business here: the longest skew of version 2.
const STRANGERS_SKEW: Duration = Duration::from_secs(1);
