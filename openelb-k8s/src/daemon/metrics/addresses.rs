//! One series for each address that a Service has, made at a scrape and forgotten after it: kept as
//! series, ten thousand of them are megabytes.

use std::fmt;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use openelb_ipam::relative::Projection;
use openelb_ipam::{Ipam, PoolName};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The addresses that the page under way is to show.
#[derive(Debug, Clone, Default)]
pub(super) struct Addresses(Arc<Mutex<Vec<(PoolName, IpAddr)>>>);

impl Addresses {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let addresses = Self::default();
        registry.register_collector(Box::new(addresses.clone()));
        addresses
    }

    /// Notes what the next page shows, once.
    pub(super) fn show(&self, ipam: &Ipam, view: &Projection) {
        let claims = ipam.allocations().flat_map(|row| row.claims);
        let shown = claims.flat_map(|claim| {
            let addresses = view.show(claim.address);
            let addresses: Vec<IpAddr> = addresses.addresses().collect();
            let named = addresses.into_iter();
            named.map(move |address| (claim.pool.clone(), address))
        });
        *self.noted() = shown.collect();
    }

    fn noted(&self) -> impl std::ops::DerefMut<Target = Vec<(PoolName, IpAddr)>> {
        // Whoever panicked left a whole list.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for Addresses {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let noted = mem::take(&mut *self.noted());
        let help = "1 for each address that a Service has";
        let one = ConstGauge::new(1.0);
        let mut family =
            encoder.encode_descriptor("service_address", help, None, MetricType::Gauge)?;
        for (pool, address) in noted {
            let address = address.to_string();
            let labels = [("pool", &*pool), ("address", address.as_str())];
            one.encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
