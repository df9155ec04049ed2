//! Where clients send their traffic in the end (I4).

use super::owners::{Found, Owned};
use super::reach::bit;
use super::{Invariant, Judge, Participant};
use crate::sim::ownership::scenario::{Fault, letter};
use crate::sim::{HostId, Network};
use crate::time::Time;
use crate::wire::Mac;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// What clients could hear.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// When each node announced each address first since frames may have been lost.
    announced: BTreeMap<(usize, IpAddr), Time>,
    /// Until when frames to clients may have been lost.
    disturbed: Time,
    /// Is the network split, perhaps between clients and owners?
    is_split: bool,
}

impl Audience {
    pub(super) fn announced(&mut self, node: usize, address: IpAddr, now: Time) {
        let first = self.announced.entry((node, address)).or_insert(now);
        if *first <= self.disturbed {
            *first = now;
        }
    }

    pub(super) fn disturb(&mut self, fault: Fault, now: Time) {
        self.is_split = match fault {
            Fault::Split(_) => true,
            Fault::Heal => false,
            Fault::Loss(_) => self.is_split,
            _ => return,
        };
        self.disturbed = now;
    }

    fn heard(&self, node: usize, address: IpAddr, now: Time) -> bool {
        let first = self.announced.get(&(node, address));
        first.is_some_and(|at| *at > self.disturbed && *at + ROUND <= now)
    }
}

impl Judge {
    /// Judges the end of a run: every client that streams to an address with one owner, and could hear
    /// its announcements, sends to it.
    pub(in crate::sim::ownership) fn judge_clients(
        &mut self,
        network: &Network,
        clients: &[HostId],
    ) {
        let now = network.now();
        if now <= self.owners.due() + SETTLING {
            return;
        }
        let has_asked = now - self.owners.due() > UNREACHABILITY;
        // What moved just now is still on its way to the clients.
        let has_settled = |it: &Owned| it.since + ROUND <= now;
        let found = self.owners.owned().filter(has_settled).find_map(|held| {
            let has_heard = has_asked || self.audience.heard(held.owner, held.address, now);
            let owner = self.nodes.get(held.owner).filter(|_| has_heard)?;
            stray(network, clients, &held, owner, |_| true)
        });
        self.blame(now, found);
    }

    /// Judges what has been ceded for long enough: no client still sends to a node that gave way to one
    /// that hears it. Whatever clients heard before, the owner must have announced since.
    pub(in crate::sim::ownership) fn judge_ceded(&mut self, network: &Network, clients: &[HostId]) {
        let now = network.now();
        let patience = self.bounds.detect + ROUND;
        let Some(ceded) = self.owners.take_ceded(now, patience) else {
            return;
        };
        let found = ceded.into_iter().find_map(|held| {
            let is_quiet = !self.is_lossy && !self.audience.is_split;
            let is_heard = is_quiet && held.since > self.audience.disturbed;
            let owner = self.nodes.get(held.owner).filter(|_| is_heard)?;
            stray(network, clients, &held, owner, |believed| {
                self.gave_way(&held, believed)
            })
        });
        self.blame(now, found);
    }

    /// Is it the station of a node that ceded the address, and hears and is heard?
    fn gave_way(&self, held: &Owned, station: Mac) -> bool {
        let nodes = self.nodes.iter().enumerate();
        let mut ceding = nodes.filter(|(number, _)| held.ceded & bit(*number) != 0);
        ceding.any(|(number, node)| {
            node.mac == station && node.is_sound() && self.reach.hears(held.owner, number)
        })
    }
}

/// A client that sends to some other station, which counts, though the owner is not deaf.
fn stray(
    network: &Network,
    clients: &[HostId],
    held: &Owned,
    owner: &Participant,
    counts: impl Fn(Mac) -> bool,
) -> Found {
    let strays = |client: &&HostId| {
        let believed = network.neighbor(**client, held.address);
        believed.is_some_and(|it| it.mac != owner.mac && counts(it.mac))
    };
    let client = clients.iter().find(strays).filter(|_| !owner.is_deaf)?;
    let neighbor = network.neighbor(*client, held.address);
    let (address, owner) = (held.address, letter(held.owner));
    let what = format!("{client} believes {neighbor:?} about {address}, which {owner} owns");
    Some((Invariant::Converged, what))
}

/// The second announcement follows the first after one second, and may be what makes up for frames that
/// overtook each other.
const ROUND: Duration = Duration::from_millis(1100);
/// A client asks once in a second; two and some for a question that met no owner yet.
const SETTLING: Duration = Duration::from_millis(2500);
/// Reachable for 45 s at most, 5 s of delay, 3 s of probes, and a second to ask everybody.
const UNREACHABILITY: Duration = Duration::from_secs(56);
