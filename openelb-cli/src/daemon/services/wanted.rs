//! What the network should hear of the services: the whole desired set.

use std::net::IpAddr;

use openelb_k8s::api::Protocol;
use openelb_k8s::link::{self, Bid, Bids, Here, Together, Wanted};

use super::Services;
use crate::config::{Announce, PoolConfig, ServiceConfig};
use crate::engine::{Engine, ServiceState};

impl Services {
    /// Everything that the network should hear.
    pub(in super::super) fn wanted(&self, engine: &Engine) -> Wanted {
        let pools = self.pools();
        let mut bids = Bids::default();
        for service in &self.config.services {
            let holder = engine.holder(&service.owner.key);
            let (state, _) = self.state(service, holder.as_ref(), &pools);
            for held in holder.into_iter().flat_map(|holder| holder.addresses) {
                let Some(pool) = pools.get(&*held.pool).copied() else {
                    continue;
                };
                let may_bid = service.announce == Announce::Always;
                let list = match (pool.protocol, &self.config.election) {
                    (Protocol::Layer2, Some(_)) if may_bid => &mut bids.elected,
                    (Protocol::Vip, _) if may_bid => &mut bids.routed,
                    (Protocol::Layer2, None) if state == ServiceState::Announced => &mut bids.sole,
                    _ => continue,
                };
                let addresses = held.shown.addresses();
                list.extend(addresses.map(|address| self.bid(service, pool, address)));
            }
        }
        link::wanted(&bids, self.config.election.as_ref(), &self.config.node)
    }

    fn bid<'a>(
        &self,
        service: &'a ServiceConfig,
        pool: &'a PoolConfig,
        address: IpAddr,
    ) -> Bid<'a> {
        Bid {
            service: &service.owner.key,
            pool: link::Pool {
                name: &pool.spec.name,
                interfaces: pool.interfaces.as_ref(),
                probe: pool.probe,
                routers: pool.routers.as_ref(),
            },
            address,
            here: self.here(service),
            together: Together::Service,
        }
    }

    /// Whether a service answers here. Before the first verdict of its check it does not.
    fn here(&self, service: &ServiceConfig) -> Here {
        if service.health_check.is_none() {
            return Here::Unchecked;
        }
        match self.health.get(&service.owner.key) {
            Some((true, _)) => Here::Answers,
            _ => Here::Silent,
        }
    }
}
