//! The prefixes of an engine: who follows them, and what is meant by addresses that do.

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use openelb_ipam::dynamic_prefix::{Event, Generations, Input};
use openelb_ipam::relative::{Overlap, PrefixName, ledger_space};
use openelb_ipam::{OwnerKey, Request, Time};

use super::Engine;
use super::prefix::{self, Follow, PrefixReport, PrefixesReport};
use crate::exit_code::{ExitCode, Failure};

impl Engine {
    /// Makes these the prefixes that addresses follow.
    pub(crate) fn follow(&mut self, wanted: &[Follow], now: Time) {
        let held: Vec<_> = self.ipam.allocations().flat_map(|row| row.claims).collect();
        let is_held = |name: &PrefixName| {
            let space = IpNet::from(ledger_space(name));
            held.iter().any(|claim| space.contains(&claim.address))
        };
        self.prefixes.configure(wanted, is_held, now);
    }

    /// Takes what a source says of a prefix, or that its addresses are announced.
    pub(crate) fn hear_prefix(&mut self, name: &PrefixName, input: Input, now: Time) {
        self.prefixes.hear(name, input, now);
    }

    /// The prefixes and their generations.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = (&PrefixName, &Generations)> {
        self.prefixes.projection().iter()
    }

    /// Everything about every prefix.
    pub(crate) fn prefix_reports(&self, now: Time) -> Vec<PrefixReport> {
        self.prefixes.report(None, now).prefixes
    }

    /// Raised whenever an address that follows a prefix may be another one.
    pub(crate) fn prefix_version(&self) -> u64 {
        self.prefixes.version()
    }

    /// What happened to the prefixes since the last call.
    pub(crate) fn take_prefix_events(&mut self) -> Vec<(PrefixName, Event)> {
        self.prefixes.take_events()
    }

    /// The prefixes that are not shown since the last call, because another name has them.
    pub(crate) fn take_prefix_overlaps(&mut self) -> Vec<Overlap> {
        self.prefixes.take_overlaps()
    }

    /// A text with the addresses of the ledger in it as people write them.
    pub(crate) fn in_words(&self, text: &str) -> String {
        prefix::in_words(text, self.prefixes.projection())
    }

    /// Everything about every prefix, or about one that there must be.
    pub(super) fn prefixes_named(
        &self,
        name: Option<String>,
        now: Time,
    ) -> Result<PrefixesReport, Failure> {
        let report = self.prefixes.report(name.as_deref(), now);
        let Some(name) = name.filter(|_| report.prefixes.is_empty()) else {
            return Ok(report);
        };
        let known: Vec<_> = self.prefixes().map(|(name, _)| name.to_string()).collect();
        let next = if known.is_empty() {
            "add a DynamicPrefix to the configuration: there is none".to_owned()
        } else {
            format!("prefixes: {}", known.join(", "))
        };
        let message = format!("there is no prefix `{name}`");
        Err(Failure::new(ExitCode::NotFound, message).next(next))
    }

    /// The ledger's form of the address that somebody asks for.
    pub(super) fn meant(
        &self,
        address: IpAddr,
        pool: Option<&str>,
        owner: Option<&OwnerKey>,
    ) -> Result<IpAddr, Failure> {
        prefix::meant(address, pool, owner, &self.ipam, self.prefixes.projection()).map_err(
            |error| {
                let text = error.to_string();
                let (fact, next) = text.split_once("; ").unwrap_or((&text, "write it in full"));
                Failure::new(ExitCode::Invalid, fact).next(next)
            },
        )
    }

    /// The request with the ledger's form of the addresses that it asks for.
    pub(super) fn in_ledger<'r>(
        &self,
        request: &'r Request,
        owner: Option<&OwnerKey>,
    ) -> Result<Cow<'r, Request>, Failure> {
        let pool = request.pool.as_deref();
        let meant = request.addresses.iter();
        let meant = meant.map(|address| self.meant(*address, pool, owner));
        let addresses = meant.collect::<Result<_, _>>()?;
        if request.addresses == addresses {
            return Ok(Cow::Borrowed(request));
        }
        let request = request.clone();
        Ok(Cow::Owned(Request {
            addresses,
            ..request
        }))
    }
}
