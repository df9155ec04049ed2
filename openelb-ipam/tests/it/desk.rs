//! A ledger with a clock, and short words for what tests say often.

use std::net::IpAddr;

use openelb_ipam::ipam::{PoolPlanError, Released};
use openelb_ipam::{
    AllocateError, Allocation, Families, Family, Fence, Ipam, Owner, PoolPlan, PoolSpec, PortSet,
    Reason, Request, Sharing, Time,
};

/// A ledger whose clock moves when it is told to.
pub(crate) struct Desk {
    pub(crate) ipam: Ipam,
    pub(crate) now: Time,
}

impl Desk {
    pub(crate) fn new(pools: &[PoolSpec]) -> Self {
        let mut desk = Self {
            ipam: Ipam::new(),
            now: Time(0),
        };
        desk.set_pools(pools);
        desk
    }

    pub(crate) fn set_pools(&mut self, pools: &[PoolSpec]) -> PoolPlan {
        let plan = self.ipam.plan_pools(pools).unwrap();
        self.ipam.apply_pools(plan.clone(), self.now).unwrap();
        assert_eq!(self.ipam.audit(), [""; 0]);
        plan
    }

    pub(crate) fn try_ask(
        &mut self,
        name: &str,
        request: &Request,
    ) -> Result<Allocation, AllocateError> {
        let answer = self.ipam.allocate(&owner(name), request, self.now);
        assert_eq!(self.ipam.audit(), [""; 0]);
        answer
    }

    /// The addresses given, as text.
    pub(crate) fn ask(&mut self, name: &str, request: &Request) -> String {
        self.try_ask(name, request).unwrap().to_string()
    }

    /// The address that a plain request gets.
    pub(crate) fn any(&mut self, name: &str) -> String {
        self.ask(name, &Request::default())
    }

    pub(crate) fn refusal(&mut self, name: &str, request: &Request) -> Reason {
        self.try_ask(name, request).unwrap_err().reason()
    }

    /// What an owner holds, as text; empty for nothing.
    pub(crate) fn held(&self, name: &str) -> String {
        let held = self.ipam.allocation(owner(name).key.as_str());
        held.map(|held| held.to_string()).unwrap_or_default()
    }

    pub(crate) fn release(&mut self, name: &str) -> Released {
        let released = self
            .ipam
            .release(&owner(name).key, Fence::Any, self.now)
            .unwrap();
        assert_eq!(self.ipam.audit(), [""; 0]);
        released
    }

    /// Lets the woken owners ask again with what they wait for, as a front end does.
    pub(crate) fn serve_woken(&mut self) {
        for key in self.ipam.take_woken() {
            let waiting = self
                .ipam
                .waiting()
                .find(|row| row.owner.key == key)
                .cloned();
            let (owner, request) = match waiting {
                Some(row) => (row.owner, row.request),
                None => (Owner::from(key), Request::default()),
            };
            let _ = self.ipam.allocate(&owner, &request, self.now);
        }
    }

    pub(crate) fn used(&self, pool: &str, family: Family) -> u128 {
        self.ipam
            .usage(pool, family)
            .unwrap()
            .used
            .to_u128_saturating()
    }
}

/// `name`, or `namespace/name`, of kind service.
pub(crate) fn owner(name: &str) -> Owner {
    let (namespace, name) = name.split_once('/').unwrap_or(("default", name));
    format!("service/{namespace}/{name}").parse().unwrap()
}

pub(crate) fn pool<const N: usize>(name: &str, ranges: [&str; N]) -> PoolSpec {
    PoolSpec::new(name.parse().unwrap(), ranges)
}

pub(crate) fn default_pool<const N: usize>(name: &str, ranges: [&str; N]) -> PoolSpec {
    PoolSpec {
        is_default: true,
        ..pool(name, ranges)
    }
}

/// A pool bound to one namespace.
pub(crate) fn bound_pool<const N: usize>(
    name: &str,
    namespace: &str,
    ranges: [&str; N],
) -> PoolSpec {
    PoolSpec {
        namespaces: vec![namespace.to_string()],
        ..pool(name, ranges)
    }
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn pin(address: &str) -> Request {
    Request::default().pin(ip(address))
}

pub(crate) fn from(pool: &str) -> Request {
    Request::default().from_pool(pool.parse().unwrap())
}

pub(crate) fn single(family: Family) -> Request {
    Request {
        families: Families::One(family),
        ..Request::default()
    }
}

pub(crate) fn ports(list: &str) -> PortSet {
    list.split(',')
        .map(|port| port.parse::<openelb_ipam::Port>().unwrap())
        .collect()
}

/// A request that shares under a key.
pub(crate) fn sharing(key: &str, list: &str) -> Request {
    Request::default().share(Sharing::new(key), ports(list))
}

pub(crate) fn plan_error(pools: &[PoolSpec]) -> PoolPlanError {
    Ipam::new()
        .plan_pools(pools)
        .and_then(PoolPlan::deny_conflicts)
        .unwrap_err()
}
