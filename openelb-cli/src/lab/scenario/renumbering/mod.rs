//! The provider gives another prefix: the service follows it, and a download does not notice.

mod change;
mod flap;
mod learn;

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use ipnet::Ipv6Net;
use serde_json::Value;

use super::trouble::Trouble;
use super::{Act, Scenario};
use crate::lab::download::Download;
use crate::lab::netlink::NetworkError;
use crate::lab::network::Network;
use crate::lab::plan::{CLIENT, ISP, NAMESPACE, NODE_A, POOL, PORT, SERVICE};
use crate::lab::provider::{Offer, Provider};
use crate::lab::station::INTERFACE;
use crate::lab::{download, plan};

pub(super) const ACTS: [Act; 6] = [
    ("learned", learn::learn),
    ("downloading", learn::download),
    ("flapped", flap::flap),
    ("changed", change::change),
    ("graced", change::grace),
    ("left", change::leave),
];

/// What the steps remember.
#[derive(Debug, Default)]
pub(super) struct Renumbering {
    pub(super) provider: Option<Provider>,
    download: Option<Download>,
}

/// Makes the hosts follow the provider, and the node deliver what it will announce.
pub(in crate::lab) fn furnish(network: &Network) -> Result<(), NetworkError> {
    for station in network.stations() {
        let (accepts, forwards) = match station.plan.name {
            ISP => ("0", "1"),
            _ => ("1", "0"),
        };
        station.set_sysctl(&format!("ipv6/conf/{INTERFACE}/forwarding"), forwards)?;
        station.set_sysctl(&format!("ipv6/conf/{INTERFACE}/accept_ra"), accepts)?;
        if station.plan.name == NODE_A {
            for prefix in [A, B] {
                let served = Ipv6Net::new_assert(served(prefix), SERVED);
                station.deliver(served.into())?;
            }
            let serving = station.host.run(|| download::serve(DOWNLOADS));
            serving.map_err(|source| NetworkError::Io {
                act: format!("serve downloads on {NODE_A}"),
                source,
            })?;
        }
    }
    Ok(())
}

/// The configuration of the node: everything follows what the router advertises.
fn configuration() -> String {
    let (hold_down, grace) = (HOLD_DOWN.as_secs(), GRACE.as_secs());
    format!(
        "apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: DynamicPrefix\n\
         metadata: {{name: home}}\n\
         spec:\n  \
           sources:\n  \
           - routerAdvertisement: {{interface: {INTERFACE}}}\n  \
           holdDown: {hold_down}s\n  \
           grace: {grace}s\n\
         ---\n\
         apiVersion: network.kubesphere.io/v1alpha2\n\
         kind: Eip\n\
         metadata: {{name: {POOL}}}\n\
         spec:\n  \
           address: home/::1000-::1fff\n  \
           protocol: layer2\n  \
           interface: {INTERFACE}\n  \
           probe: Fast\n  \
           autoAssign: true\n\
         ---\n\
         apiVersion: openelb.io/v1\n\
         kind: Service\n\
         metadata: {{namespace: {NAMESPACE}, name: {SERVICE}}}\n\
         spec:\n  \
           ipFamilies: [IPv6]\n  \
           addresses: ['::1000']\n  \
           ports: [{{name: http, protocol: TCP, port: {PORT}}}]\n"
    )
}

/// The service's address in a prefix.
fn served(prefix: Ipv6Net) -> Ipv6Addr {
    Ipv6Addr::from_bits(prefix.network().to_bits() | 0x1000)
}

fn offered(prefix: Ipv6Net) -> Offer {
    Offer {
        prefix,
        preferred: DAY / 2,
        valid: DAY,
    }
}

/// As a router does with a prefix that it gives no longer: carried, but for nothing new.
fn taken_back(prefix: Ipv6Net) -> Offer {
    Offer {
        preferred: Duration::ZERO,
        ..offered(prefix)
    }
}

/// What the service has now.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Addresses {
    current: Option<IpAddr>,
    /// Each with the moment at which it leaves, once that is decided.
    former: Vec<(IpAddr, Option<String>)>,
}

impl Scenario<'_> {
    /// What the service has now.
    fn addresses(&self) -> Result<Addresses, Trouble> {
        let listed = self.node(NODE_A)?.ask(&["ip", "ls"])?;
        let held = listed.pointer("/holders/0/addresses/0");
        let address = |value: &Value| value.get("address")?.as_str()?.parse().ok();
        let former = held.and_then(|held| held.get("former")?.as_array());
        let former = former.into_iter().flatten().filter_map(|former| {
            let until = former.get("until").and_then(Value::as_str);
            Some((address(former)?, until.map(str::to_owned)))
        });
        Ok(Addresses {
            former: former.collect(),
            current: held.and_then(address),
        })
    }

    /// What the daemon knows of the prefix, as data.
    fn prefix(&self) -> Result<Value, Trouble> {
        let explained = self.node(NODE_A)?.ask(&["prefix", "explain", "home"])?;
        Ok(explained
            .pointer("/prefixes/0")
            .cloned()
            .unwrap_or_default())
    }

    /// The octets of the store: equal ones mean that nothing was written.
    fn store(&self) -> Result<Vec<u8>, Trouble> {
        let path = self.files.join(NODE_A).join("state.redb");
        fs::read(&path).map_err(client(format!("read {}", path.display())))
    }

    fn offer(&self, offers: &[Offer]) -> Result<(), Trouble> {
        let provider = self.renumbering.provider.as_ref();
        let provider =
            provider.ok_or_else(|| unexpected("radvd on the provider", "none was started"))?;
        provider
            .offer(offers)
            .map_err(client("tell radvd".to_owned()))
    }

    /// The download, which must not have ended.
    fn download(&self) -> Result<&Download, Trouble> {
        let found = self
            .renumbering
            .download
            .as_ref()
            .filter(|it| !it.has_ended());
        found.ok_or_else(|| unexpected("the download goes on", "its connection has ended"))
    }

    /// Waits until more of the download has come.
    fn goes_on(&self) -> Result<u64, Trouble> {
        let before = self.download()?.octets();
        super::until("more of the download", || {
            let now = self.download()?.octets();
            let stuck = format!("nothing came after {before} octets");
            Ok((now >= before + ENOUGH).then_some(now).ok_or(stuck))
        })
    }

    /// Connects to the service from the client.
    fn greeted(&self, address: Ipv6Addr) -> Result<String, Trouble> {
        let patience = super::PATIENCE;
        let asked = self.on_client(move || crate::lab::probe::ask(address.into(), PORT, patience));
        asked.map_err(client(format!("{CLIENT} connects to {address}")))
    }
}

fn unexpected(expected: &str, seen: impl Into<String>) -> Trouble {
    Trouble::Unexpected {
        expected: expected.to_owned(),
        seen: seen.into(),
    }
}

fn client(act: String) -> impl FnOnce(io::Error) -> Trouble {
    move |source| Trouble::Client { act, source }
}

/// The prefix that the provider gives first, and the one that it gives then.
const A: Ipv6Net = plan::delegated(0xa);
const B: Ipv6Net = plan::delegated(0xb);

/// The part of a prefix that the node delivers to itself.
const SERVED: u8 = 116;

/// Longer than the four seconds from one advertisement to the next.
const HOLD_DOWN: Duration = Duration::from_secs(8);

/// The default of an hour would only make the lab long.
const GRACE: Duration = Duration::from_secs(10);

const DAY: Duration = Duration::from_hours(24);

/// Where downloads are served.
const DOWNLOADS: u16 = 8081;

/// Octets that are enough to see that a download goes on.
const ENOUGH: u64 = 8_192;
