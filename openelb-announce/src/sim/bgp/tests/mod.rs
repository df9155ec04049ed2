//! Speakers and routers in a fabric: what is told, what is kept, and what nobody may ever see.

mod expected;
mod properties;
mod stories;
mod stories_of_routes;

use super::{Fabric, FabricSetup, RouterId, RouterOptions, SpeakerId};
use crate::bgp::asn::{Asn, RouterId as Identifier};
use crate::bgp::config::{Config, Peer, RemoteAs, Settings};
use crate::bgp::prefix::Prefix;
use crate::bgp::route::Route;
use std::time::Duration;

/// A fabric with one speaker and some routers, each of which is a peer called after its number.
struct Site {
    fabric: Fabric,
    speaker: SpeakerId,
    routers: Vec<RouterId>,
}

impl Site {
    fn new(setup: FabricSetup, options: &[RouterOptions]) -> Self {
        let mut fabric = Fabric::new(setup);
        let routers = options
            .iter()
            .map(|options| fabric.add_router(options.clone()))
            .collect();
        let speaker = fabric.add_speaker();
        Self {
            fabric,
            speaker,
            routers,
        }
    }

    /// One router with the defaults, as an external peer, with the session up.
    fn up() -> Self {
        Self::up_with(RouterOptions::default(), Settings::default())
    }

    fn up_with(options: RouterOptions, settings: Settings) -> Self {
        let mut site = Self::new(FabricSetup::default(), &[options]);
        let config = site.config(&[settings]);
        site.fabric.configure(site.speaker, config).unwrap();
        site.fabric.announce(site.speaker, Vec::new());
        site.run(5);
        assert!(site.is_established(0), "the session is not up after 5 s");
        site
    }

    /// A configuration with one peer for each router.
    fn config(&self, settings: &[Settings]) -> Config {
        let mut config = Config::new(Asn(64_512), Identifier::new(1).unwrap());
        config.listen = vec!["0.0.0.0:179".parse().unwrap()];
        let peers = self.routers.iter().zip(settings).enumerate();
        config.peers = peers
            .map(|(number, (router, settings))| Peer {
                name: name(number).into(),
                remote: self.fabric.remote(*router),
                settings: settings.clone(),
            })
            .collect();
        config
    }

    fn configure(&mut self, settings: &[Settings]) {
        let config = self.config(settings);
        self.fabric.configure(self.speaker, config).unwrap();
    }

    fn announce(&mut self, routes: Vec<Route>) {
        self.fabric.announce(self.speaker, routes);
    }

    fn run(&mut self, seconds: u64) {
        self.fabric.run(Duration::from_secs(seconds));
    }

    fn is_established(&self, router: usize) -> bool {
        self.fabric
            .is_established(self.routers[router], self.speaker)
    }

    fn record(&self, router: usize) -> super::Record {
        let record = self.fabric.record(self.routers[router], self.speaker);
        record.cloned().unwrap_or_default()
    }

    fn paths(&self, router: usize) -> usize {
        let table = self.fabric.table(self.routers[router], self.speaker);
        table.map_or(0, |table| table.paths().len())
    }

    fn deletes(&self, router: usize) -> u64 {
        let table = self.fabric.table(self.routers[router], self.speaker);
        table.map_or(0, super::Table::deletes)
    }

    fn established(&self, router: usize) -> u64 {
        self.record(router).established
    }
}

fn name(router: usize) -> String {
    format!("leaf{router}")
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

/// `count` host routes of each family.
fn services(count: u32) -> Vec<Route> {
    let v4 = (0..count).map(|number| format!("198.18.{}.{}/32", number >> 8, number & 0xff));
    let v6 = (0..count).map(|number| format!("2001:db8:1::{number:x}/128"));
    v4.chain(v6).map(|text| Route::to(prefix(&text))).collect()
}

/// The settings with a change.
fn set(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

/// The settings of an internal peer.
fn internal() -> Settings {
    set(|settings| settings.remote_as = RemoteAs::Internal)
}
