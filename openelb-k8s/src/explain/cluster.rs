//! The objects of a cluster as the world of an explanation.

use std::collections::HashSet;

use openelb_ipam::Time;
use openelb_ipam::dynamic_prefix::Generations;
use openelb_ipam::relative::Projection;

use super::{Explanation, World, explain};
use crate::api::{AddressBlock, DynamicPrefix, Eip, NodeAnnouncement, owners_of};
use crate::cluster::{Namespace, Service};
use crate::controller::{Input, Kind, Machine, Settings};
use crate::wish::{Serving, is_marked};
use crate::{follow, pool};

/// Everything of a cluster that decides about addresses, as listed at one time.
#[derive(Debug, Clone, Default)]
pub struct Cluster {
    /// Pools with their records.
    pub eips: Vec<Eip>,
    /// Records of large pools.
    pub blocks: Vec<AddressBlock>,
    /// All Services.
    pub services: Vec<Service>,
    /// All Namespaces.
    pub namespaces: Vec<Namespace>,
    /// What the nodes announce.
    pub announcements: Vec<NodeAnnouncement>,
    /// The prefixes that addresses follow.
    pub prefixes: Vec<DynamicPrefix>,
}

impl Cluster {
    /// The Service of this name.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Service> {
        let is_it = |service: &&Service| {
            service.metadata.namespace == namespace && service.metadata.name == name
        };
        self.services.iter().find(is_it)
    }

    /// Explains a Service.
    ///
    /// The ledger is made by the controller's own machine, whose writes nobody carries out. It is told
    /// of those Services alone that have something or may have: those that wait would be planned for,
    /// and what is planned is no reason.
    pub fn explain(&self, service: &Service, serving: &Serving, now: Time) -> Explanation {
        let mut machine = Machine::new(Settings {
            serving: serving.clone(),
            ..Settings::default()
        });
        let mut tell = |input| machine.handle_input(input, now);
        let view = self.view();
        tell(Input::Prefixes(Box::new(view.clone())));
        for kind in Kind::ALL {
            tell(Input::Restart(kind));
        }
        for eip in &self.eips {
            tell(Input::Eip(Box::new(eip.clone())));
        }
        for block in &self.blocks {
            tell(Input::Block(Box::new(block.clone())));
        }
        for namespace in &self.namespaces {
            tell(Input::Namespace(Box::new(namespace.clone())));
        }
        let recorded = self.recorded();
        let has_something = |service: &&Service| {
            is_marked(service)
                || !service.status.load_balancer.ingress.is_empty()
                || recorded.contains(&(
                    service.metadata.namespace.as_str(),
                    service.metadata.name.as_str(),
                ))
        };
        for service in self.services.iter().filter(has_something) {
            tell(Input::Service(Box::new(service.clone())));
        }
        for kind in Kind::ALL {
            tell(Input::Synced(kind));
        }
        tell(Input::Leading(true));
        let mut namespaces = self.namespaces.iter();
        let world = World {
            serving,
            ipam: machine.ipam(),
            view: &view,
            eips: &self.eips,
            namespace: namespaces.find(|it| it.metadata.name == service.metadata.namespace),
            announcements: &self.announcements,
        };
        explain(service, &world, now)
    }

    /// How addresses are shown, with every prefix that a pool names.
    fn view(&self) -> Projection {
        let mut view = follow::projection(&self.prefixes);
        for entry in self.eips.iter().flat_map(pool::relative) {
            let name = entry.range.prefix();
            if view.generations(name).is_none() {
                // Of two names with one block of the ledger the first is shown.
                let _ = view.insert(name.clone(), Generations::default());
            }
        }
        view
    }

    /// Namespace and name of every Service of which there is a record.
    fn recorded(&self) -> HashSet<(&str, &str)> {
        let in_status = self.eips.iter().map(|eip| &eip.status.used);
        let in_blocks = self.blocks.iter().map(|block| &block.spec.used);
        let records = in_status.chain(in_blocks).flat_map(|used| used.values());
        let owners = records.flat_map(|record| owners_of(record));
        owners.filter_map(|owner| owner.split_once('/')).collect()
    }
}
