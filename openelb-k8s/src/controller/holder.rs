//! What is known and decided about one Service.

use std::net::IpAddr;
use std::sync::Arc;

use openelb_ipam::ipam::Assigned;
use openelb_ipam::{Request, Time};

use super::key::{LedgerId, Tick};
use super::retry::Retry;
use super::{ServiceApply, WriteId};
use crate::cluster::Service;
use crate::names;
use crate::wish::Refusal;

/// What is known and decided about one Service. A record without a Service has one, too.
#[derive(Debug, Default)]
pub(super) struct Holder {
    /// The newest version known; `None`: it does not exist.
    pub(super) service: Option<Box<Service>>,
    /// The addresses in its status as the ledgers have them, in the order of the ingress.
    pub(super) shown: Vec<IpAddr>,
    /// When a version that this machine did not write was seen last.
    pub(super) seen: Tick,
    /// Nobody can still write to the Service what was decided before: issue of the last write that
    /// succeeded, or of a reading that found nothing. Void once somebody else changes the ingress.
    pub(super) fence: Option<Tick>,
    pub(super) stance: Stance,
    /// The addresses it is to have.
    pub(super) grants: Vec<Assigned>,
    /// Where its addresses are recorded.
    pub(super) records: Vec<(IpAddr, LedgerId)>,
    /// Addresses that it gave up and that nobody may have before their record is gone: each is held
    /// in the ledger of addresses by an owner of its own.
    pub(super) ghosts: Vec<IpAddr>,
    /// Its records contradict the rules of sharing, as OpenELB allowed: they stand while it asks this.
    pub(super) tolerated: Option<Box<Request>>,
    pub(super) trouble: Option<Refusal>,
    /// What its user was told last.
    pub(super) told: Option<Refusal>,
    /// The sentence of the last condition that it was to have. One that another controller wrote for
    /// the same reason may put it differently, and stays.
    pub(super) said: Option<String>,
    pub(super) flight: Option<Flight>,
    /// What was read since this version of the Service was seen: see `doubt`.
    pub(super) looked: Vec<LedgerId>,
    /// What was seen while a write was under way.
    pub(super) stash: Option<Box<Service>>,
    pub(super) retry: Retry,
    /// Until when another controller may finish what it began.
    pub(super) patience: Option<Time>,
    /// What one of OpenELB's former managers owns is taken over.
    pub(super) force: bool,
    /// Another controller owns the ingress: nothing is written until the Service changes.
    pub(super) is_barred: bool,
    /// The object cannot be read: nothing is decided.
    pub(super) is_frozen: bool,
    /// How often the condition `Releasing` was written.
    pub(super) bumps: u32,
}

/// What a Service is to this controller.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Stance {
    /// Not ours: nothing is written to it.
    #[default]
    Stranger,
    /// It has addresses, or wants some.
    Customer,
    /// It was ours: what it has is released.
    Leaving,
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) id: WriteId,
    pub(super) issued: Tick,
    pub(super) what: Errand,
}

/// What a request does that is made for one Service.
#[derive(Debug)]
pub(super) enum Errand {
    Apply(Arc<ServiceApply>),
    Read,
    /// Reads an object that may have records of it, and of which nothing is known.
    Look(LedgerId),
}

impl Holder {
    /// The addresses in its status as the ledgers have them, in the order of the ingress.
    pub(super) fn shown(&self) -> Vec<IpAddr> {
        self.shown.clone()
    }

    pub(super) fn shows(&self, address: IpAddr) -> bool {
        self.shown.contains(&address)
    }

    pub(super) fn is_granted(&self, address: IpAddr) -> bool {
        self.grants.iter().any(|grant| grant.address == address)
    }

    pub(super) fn is_recorded(&self, address: IpAddr) -> bool {
        self.records
            .iter()
            .any(|(recorded, _)| *recorded == address)
    }

    /// Whether it shows an address without a record.
    pub(super) fn has_gap(&self) -> bool {
        self.shown()
            .iter()
            .any(|address| !self.is_recorded(*address))
    }

    /// Whether nothing is known of it any more.
    pub(super) fn is_idle(&self) -> bool {
        self.service.is_none()
            && self.records.is_empty()
            && self.flight.is_none()
            && !self.is_frozen
    }
}

pub(super) fn has_finalizer(service: &Service) -> bool {
    let finalizers = &service.metadata.finalizers;
    finalizers.iter().any(|it| it == names::SERVICE_FINALIZER)
}

pub(super) fn version(service: &Service) -> &str {
    service.metadata.resource_version.as_deref().unwrap_or("")
}
