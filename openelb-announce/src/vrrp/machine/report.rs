//! What a virtual router reports, and that it reports each thing once.

use std::mem::{Discriminant, discriminant};
use std::net::IpAddr;

use super::{Advertiser, Machine, Output};
use crate::vrrp::interval::Interval;
use crate::vrrp::packet::{ChecksumForm, DecodeError, Version};
use crate::vrrp::settings::SettingsError;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// This router is Active: announce every address (gratuitous ARP; unsolicited neighbor
    /// advertisement with R and O), answer for them, join their solicited-node groups first.
    Active {
        /// What made it so.
        cause: Cause,
    },
    /// This router is Backup: answer for no address.
    Backup {
        /// What made it so.
        why: Why,
    },
    /// This router takes no part: answer for no address.
    Initialized,
    /// While Backup: another router than before advertises as Active.
    Follows(Advertiser),
    /// Announce every address again: somebody else may have been believed in the meantime.
    Reannounce,
    /// A stranger uses the VRID for addresses of its own. Choose another VRID for one of the two.
    DuplicateVrid {
        /// The stranger.
        source: IpAddr,
    },
    /// A router of the same virtual router is set up differently. It is heeded all the same.
    Mismatch {
        /// The other router.
        source: IpAddr,
        /// In what it differs.
        mismatch: Mismatch,
    },
    /// A packet was not heeded.
    Refused {
        /// Its sender.
        source: IpAddr,
        /// Why.
        reason: Refusal,
    },
    /// Settings were not adopted; the ones before stay in use.
    Unusable(SettingsError),
}

/// What made a router Active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub enum Cause {
    /// It owns the addresses.
    Owner,
    /// Nobody was heard for `Active_Down_Interval`.
    Silence,
    /// The Active router left, and nobody with a higher priority was faster.
    Left,
    /// The Active router has a lower priority.
    Preempts,
}

/// What made a router Backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It starts.
    Started,
    /// A router with a higher priority, or with the same and a greater address, is Active.
    Yielded(Advertiser),
    /// This host was paused for longer than others wait.
    Fenced,
    /// Its priority is zero.
    StoodAside,
}

/// In what another router's settings differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// Not the same addresses, but some in common.
    #[error("it serves other addresses for the same VRID: {theirs} of its {count} are also ours")]
    Addresses {
        /// How many of its addresses are ours.
        theirs: usize,
        /// How many it has.
        count: usize,
    },
    /// Version 3 learns the interval from the Active router (RFC 9568 section 6.1).
    #[error("it advertises every {theirs}, not every {ours}")]
    Interval {
        /// The other router's.
        theirs: Interval,
        /// Ours.
        ours: Interval,
    },
    /// Both claim to own the addresses (RFC 9568 erratum 8298).
    #[error("it claims to own the addresses with priority 255, as this router does")]
    Owner,
    /// Its first IPv6 address is not link-local. RFC 9568 erratum 8300 would discard that; but FRR
    /// 8.4.4 advertises no link-local address at all, and whoever does not heed it becomes Active
    /// beside it.
    #[error("its first IPv6 address {0} is not link-local; put one of fe80::/10 before it")]
    NotLinkLocal(IpAddr),
    /// It sums in the form that we were told not to use, and may refuse what we send.
    #[error("it sums its advertisements in another form than was chosen here: {theirs:?}")]
    Checksum {
        /// The other router's.
        theirs: ChecksumForm,
    },
}

/// Why a packet was not heeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no advertisement.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It may come from beyond the link.
    #[error(
        "advertisement arrived with TTL or hop limit {0}, not 255; it may come from beyond the link"
    )]
    HopLimit(u8),
    /// The sender is none of the unicast peers.
    #[error("advertisement comes from none of the configured unicast peers")]
    NotAPeer,
    /// It was sent to one host although routers here speak to the group.
    #[error(
        "advertisement was sent to {0} alone; name its sender as unicast peer, or let it use multicast"
    )]
    Destination(IpAddr),
    /// It has the other version.
    #[error("advertisement has version {0}; set the same on both sides")]
    Version(Version),
    /// Version 2 insists on one interval for all (RFC 3768 section 7.1).
    #[error(
        "advertisement of version 2 has interval {theirs}, not {ours}; set the same on both sides"
    )]
    Interval {
        /// The other router's.
        theirs: Interval,
        /// Ours.
        ours: Interval,
    },
    /// Version 2: this router owns the addresses and need not listen (RFC 3768 section 7.1).
    #[error("advertisement of version 2 is for addresses that this router owns")]
    Owned,
}

/// What was counted since the machine was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
pub struct Counters {
    /// Advertisements sent, priority zero included.
    pub sent: u64,
    /// Advertisements heard and heeded.
    pub received: u64,
    /// Those of them with priority zero.
    pub left: u64,
    /// Packets that were not heeded.
    pub refused: u64,
    /// Advertisements of strangers who use the VRID.
    pub strangers: u64,
    /// How often the router became Active.
    pub became_active: u64,
}

/// Counts everything, reports each kind of trouble once for a source.
#[derive(Debug, Default)]
pub(super) struct Reports {
    counters: Counters,
    told: Vec<(IpAddr, Trouble)>,
}

/// A kind of trouble; its figures do not matter.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Refused(Discriminant<Refusal>, Option<Discriminant<DecodeError>>),
    Mismatch(Discriminant<Mismatch>),
    Duplicate,
}

impl Reports {
    pub(super) const fn counters(&self) -> &Counters {
        &self.counters
    }

    pub(super) const fn count(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// Reports are due again: what they told about may have changed.
    pub(super) fn forget(&mut self) {
        self.told.clear();
    }

    /// True the first time. Whoever forges sources gets [`MOST_TOLD`] reports out of us.
    fn is_news(&mut self, source: IpAddr, trouble: Trouble) -> bool {
        let is_news = self.told.len() < MOST_TOLD && !self.told.contains(&(source, trouble));
        if is_news {
            self.told.push((source, trouble));
        }
        is_news
    }
}

impl Machine {
    pub(super) fn report(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    pub(super) fn refuse(&mut self, source: IpAddr, reason: Refusal) {
        self.reports.count().refused += 1;
        let detail = match &reason {
            Refusal::Decode(error) => Some(discriminant(error)),
            _ => None,
        };
        let trouble = Trouble::Refused(discriminant(&reason), detail);
        if self.reports.is_news(source, trouble) {
            self.report(Event::Refused { source, reason });
        }
    }

    pub(super) fn note_mismatch(&mut self, source: IpAddr, mismatch: Mismatch) {
        let trouble = Trouble::Mismatch(discriminant(&mismatch));
        if self.reports.is_news(source, trouble) {
            self.report(Event::Mismatch { source, mismatch });
        }
    }

    pub(super) fn note_stranger(&mut self, source: IpAddr) {
        self.reports.count().strangers += 1;
        if self.reports.is_news(source, Trouble::Duplicate) {
            self.report(Event::DuplicateVrid { source });
        }
    }
}

const MOST_TOLD: usize = 32;
