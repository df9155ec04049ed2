//! Where clients send their traffic in the end (I4).

use super::reach::bit;
use super::{Invariant, Judge, Participant};
use crate::sim::ownership::scenario::letter;
use crate::sim::{HostId, Network};
use crate::time::Time;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

/// What clients could hear.
#[derive(Debug, Default)]
pub(super) struct Audience {
    /// When each node announced each address last.
    announced: BTreeMap<(usize, IpAddr), Time>,
    /// Until when frames to clients may have been lost.
    disturbed: Time,
}

impl Audience {
    pub(super) fn announced(&mut self, node: usize, address: IpAddr, now: Time) {
        self.announced.insert((node, address), now);
    }

    pub(super) fn disturb(&mut self, now: Time) {
        self.disturbed = now;
    }

    fn heard(&self, node: usize, address: IpAddr) -> bool {
        self.announced
            .get(&(node, address))
            .is_some_and(|at| *at > self.disturbed)
    }
}

impl Judge {
    /// Judges the end of a run: every client that streams to an address with one owner sends to it.
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
        let found = self.owners.held().find_map(|(held, answering)| {
            let (number, owner) = only(answering, &self.nodes)?;
            if owner.is_deaf || !(has_asked || self.audience.heard(number, held.address)) {
                return None;
            }
            let strays = |client: &&HostId| {
                let neighbor = network.neighbor(**client, held.address);
                neighbor.is_some_and(|neighbor| neighbor.mac != owner.mac)
            };
            let client = clients.iter().find(strays)?;
            let neighbor = network.neighbor(*client, held.address);
            let (address, owner) = (held.address, letter(number));
            let what =
                format!("{client} believes {neighbor:?} about {address}, which {owner} owns");
            Some((Invariant::Converged, what))
        });
        self.blame(now, found);
    }
}

fn only(answering: u8, nodes: &[Participant]) -> Option<(usize, &Participant)> {
    let mut owners = nodes
        .iter()
        .enumerate()
        .filter(|(node, _)| answering & bit(*node) != 0);
    owners.next().filter(|_| answering.is_power_of_two())
}

/// A client asks once in a second; two and some for a question that met no owner yet.
const SETTLING: Duration = Duration::from_millis(2500);
/// Reachable for 45 s at most, 5 s of delay, 3 s of probes, and a second to ask everybody.
const UNREACHABILITY: Duration = Duration::from_secs(56);
