//! Other stations on the link, which take addresses that Services show.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dice::Dice;
use crate::judge::{Judge, shown};
use crate::server::Server;

/// Other stations, which come and go by dice of their own.
pub(crate) struct Stations {
    dice: Dice,
    at: BTreeSet<IpAddr>,
}

/// What happens next.
pub(crate) enum Stray {
    /// A station took an address.
    Came(IpAddr),
    /// One of the controllers hears how things stand.
    Heard(usize),
    Nothing,
}

impl Stations {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice(!seed),
            at: BTreeSet::new(),
        }
    }

    pub(crate) fn stray(
        &mut self,
        server: &Server,
        judge: &mut Judge,
        controllers: usize,
    ) -> Stray {
        match self.dice.below(60) {
            0 => {
                let all: Vec<IpAddr> = all_shown(server).into_iter().collect();
                if all.is_empty() {
                    return Stray::Nothing;
                }
                let address = *self.dice.pick(&all);
                self.at.insert(address);
                judge.contested.insert(address);
                Stray::Came(address)
            }
            1 => {
                self.leave();
                Stray::Nothing
            }
            2..=6 => Stray::Heard(self.dice.below(controllers)),
            _ => Stray::Nothing,
        }
    }

    pub(crate) fn leave(&mut self) {
        self.at.clear();
    }

    /// The addresses in conflict: those that the speakers try to announce.
    pub(crate) fn view(&self, server: &Server) -> BTreeMap<IpAddr, String> {
        let shown = all_shown(server);
        let both = self.at.intersection(&shown);
        both.map(|it| (*it, "a node sees it".to_owned())).collect()
    }
}

fn all_shown(server: &Server) -> BTreeSet<IpAddr> {
    let services = server.services.values();
    services.flat_map(|it| shown(&it.service)).collect()
}
