//! What a received packet does (RFC 9568 sections 6.4 and 7.1, RFC 3768 sections 6.4 and 7.1).

use std::net::IpAddr;
use std::time::Duration;

use super::{Advertiser, Event, Machine, Mismatch, Refusal, State, Why};
use crate::time::Time;
use crate::vrrp::packet::{Advert, ChecksumForm, HOP_LIMIT, LEAVING, OWNER, Path, Version};
use crate::vrrp::settings::{Checksum, Settings, is_link_local};
use crate::vrrp::vrid::Family;

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
        let shared = shared(settings, &advert);
        if settings.listen_before_use && shared.is_stranger {
            let span = advert.head.interval.duration() * 3 + STRANGERS_SKEW;
            self.stranger_until = Some(received + span);
            return self.note_stranger(path.source);
        }
        self.compare(&advert, shared, path.source);
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

    /// Reports in what the sender is set up differently.
    fn compare(&mut self, advert: &Advert<'_>, shared: Shared, source: IpAddr) {
        let Some(settings) = &self.settings else {
            return;
        };
        let (theirs, ours) = (advert.head.interval, settings.interval);
        let is_owned_twice = settings.owner && advert.head.priority == OWNER;
        let form = advert.form.filter(|form| match settings.checksum {
            Checksum::Auto => false,
            Checksum::PseudoHeader => *form != ChecksumForm::PseudoHeader,
            Checksum::Plain => *form != ChecksumForm::Plain,
        });
        let is_listed = shared.theirs == settings.addresses.len();
        if !is_listed || shared.theirs != shared.count {
            let Shared { theirs, count, .. } = shared;
            self.note_mismatch(source, Mismatch::Addresses { theirs, count });
        }
        if theirs != ours {
            self.note_mismatch(source, Mismatch::Interval { theirs, ours });
        }
        if is_owned_twice {
            self.note_mismatch(source, Mismatch::Owner);
        }
        if let Some(theirs) = form {
            self.note_mismatch(source, Mismatch::Checksum { theirs });
        }
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
    match (settings.version, settings.family, advert.addresses.first()) {
        (Version::V2, _, _) if settings.owner => Err(Refusal::Owned),
        (Version::V2, _, _) if head.interval != settings.interval => Err(Refusal::Interval {
            theirs: head.interval,
            ours: settings.interval,
        }),
        (_, Family::Ipv6, Some(first)) if !is_link_local(first) => {
            Err(Refusal::NotLinkLocal(first))
        }
        _ => Ok(advert),
    }
}

/// What two lists of addresses have in common.
#[derive(Clone, Copy, Debug)]
struct Shared {
    /// How many of theirs are ours.
    theirs: usize,
    /// How many they have.
    count: usize,
    /// None in common that tells anything. Link-local addresses do not: `fe80::1` is everybody's.
    is_stranger: bool,
}

fn shared(settings: &Settings, advert: &Advert<'_>) -> Shared {
    let ours = &settings.addresses;
    let is_ours = |address: &IpAddr| ours.contains(address);
    let tells = |address: &IpAddr| !is_link_local(*address);
    let theirs = advert.addresses.iter();
    let both_tell = ours.iter().any(tells) && advert.addresses.iter().any(|it| tells(&it));
    let mut telling = advert.addresses.iter().filter(|it| !both_tell || tells(it));
    Shared {
        theirs: theirs.filter(is_ours).count(),
        count: advert.addresses.len(),
        is_stranger: !telling.any(|it| is_ours(&it)),
    }
}

// A stranger's priority is nobody's business here: the longest skew of version 2.
const STRANGERS_SKEW: Duration = Duration::from_secs(1);
