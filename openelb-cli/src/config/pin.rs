//! The addresses that services ask for, as the ledger knows them.

use std::net::{IpAddr, Ipv6Addr};

use openelb_ipam::Pool;
use openelb_ipam::relative::{PrefixName, RelativeRange, is_ledger};

use super::diagnostic::Diagnostic;
use super::file::Written;
use super::service::Service;
use super::{PoolConfig, PrefixConfig};

/// What is known of pools and prefixes.
pub(super) struct Pins {
    pools: Vec<Pool>,
    prefixes: Vec<PrefixName>,
}

impl Pins {
    pub(super) fn of(pools: &[PoolConfig], prefixes: &[PrefixConfig]) -> Self {
        let checked = pools
            .iter()
            .filter_map(|pool| Pool::try_from(&pool.spec).ok());
        Self {
            pools: checked.collect(),
            prefixes: prefixes.iter().map(|it| it.follow.name.clone()).collect(),
        }
    }

    /// The addresses that a service asks for.
    pub(super) fn meant(
        &self,
        service: &Written<Service>,
        remarks: &mut Vec<Diagnostic>,
    ) -> Vec<IpAddr> {
        let wish = &service.object.spec;
        let pool = wish.pool.as_deref();
        let mut meant = Vec::new();
        for (index, written) in wish.addresses.iter().enumerate() {
            let key = format!("spec.addresses[{index}]");
            let tell = |message: String, help: &str| service.remark(&key, message).help(help);
            if self.has(written.ledger, None) {
                meant.push(written.ledger);
                continue;
            }
            meant.push(match self.of_host(written.ledger, pool).as_slice() {
                [one] => one.in_ledger().first(),
                [first, others @ ..] if !others.is_empty() => {
                    let message = format!("{written} may follow prefix {}, or another", first.prefix());
                    remarks.push(tell(message, &format!("write which, such as {first}")));
                    written.ledger
                }
                _ if self.may_follow(written.ledger) => {
                    let message = format!("{written} is in no pool unless a prefix happens to have it");
                    let help = "write its host part with the name of the prefix, such as home/::10: \
                                that follows every change";
                    remarks.push(tell(message, help).warning());
                    written.ledger
                }
                _ => {
                    let help = "add it to `address` of an Eip, or choose another";
                    remarks.push(tell(format!("{written} is in no pool"), help));
                    written.ledger
                }
            });
        }
        meant
    }

    fn has(&self, address: IpAddr, pool: Option<&str>) -> bool {
        let mut pools = self
            .pools
            .iter()
            .filter(|it| pool.is_none_or(|name| &**it.name() == name));
        pools.any(|pool| pool.ranges().contains(address))
    }

    /// What a host part such as `::10` may mean.
    fn of_host(&self, address: IpAddr, pool: Option<&str>) -> Vec<RelativeRange> {
        let IpAddr::V6(host) = address else {
            return Vec::new();
        };
        if host.to_bits() > u128::from(u64::MAX) {
            return Vec::new();
        }
        let bits = host.to_bits();
        let under = |name: &PrefixName| RelativeRange::from_bits(name.clone(), bits, bits);
        let under = self.prefixes.iter().filter_map(under);
        under
            .filter(|range| self.has(range.in_ledger().first(), pool))
            .collect()
    }

    /// Whether a prefix could make it an address of a pool.
    fn may_follow(&self, address: IpAddr) -> bool {
        let is_followed = |pool: &Pool| {
            let mut ranges = pool.ranges().iter();
            ranges.any(|range| matches!(range.first(), IpAddr::V6(first) if is_ledger(first)))
        };
        let is_full = |address: Ipv6Addr| !is_ledger(address) && address.to_bits() >> 64 != 0;
        matches!(address, IpAddr::V6(address) if is_full(address))
            && self.pools.iter().any(is_followed)
    }
}
