//! The result of ADD, in the form of the version that was asked for.

use std::net::IpAddr;

use openelb_ipam::Family;
use serde_json::{Map, Value, json};

use super::config::{Route, Span};
use super::resolv::Dns;
use super::version::Version;

/// What a container was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) addresses: Vec<Given>,
    pub(crate) routes: Vec<Route>,
    pub(crate) dns: Dns,
}

/// An address with what its range says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) address: IpAddr,
    pub(crate) prefix_length: u8,
    pub(crate) gateway: Option<IpAddr>,
}

impl Given {
    pub(crate) fn of(address: IpAddr, span: &Span) -> Self {
        Self {
            address,
            prefix_length: span.subnet.prefix_len(),
            gateway: span.gateway,
        }
    }

    fn prefix(&self) -> String {
        format!("{}/{}", self.address, self.prefix_length)
    }
}

impl Answer {
    /// As the runtime reads it. Interfaces are none of an IPAM plugin's business and left out.
    pub(crate) fn to_json(&self, version: Version) -> Value {
        let mut answer = Map::new();
        answer.insert("cniVersion".to_owned(), version.name().into());
        if version < Version::V0_3_0 {
            self.add_by_family(&mut answer, version);
        } else {
            self.add_as_lists(&mut answer, version);
        }
        answer.insert("dns".to_owned(), self.dns.to_json());
        Value::Object(answer)
    }

    fn add_as_lists(&self, answer: &mut Map<String, Value>, version: Version) {
        let ips = self.addresses.iter().map(|given| {
            let mut ip = Map::new();
            if version < Version::V1_0_0 {
                let family = if given.address.is_ipv4() { "4" } else { "6" };
                ip.insert("version".to_owned(), family.into());
            }
            ip.insert("address".to_owned(), given.prefix().into());
            ip.extend(
                given
                    .gateway
                    .map(|gateway| ("gateway".to_owned(), gateway.to_string().into())),
            );
            Value::Object(ip)
        });
        answer.insert("ips".to_owned(), ips.collect());
        if !self.routes.is_empty() {
            let routes = self.routes.iter().map(|route| route.to_json(version));
            answer.insert("routes".to_owned(), routes.collect());
        }
    }

    /// 0.2.0 and older: one address of each family, with the routes of the family.
    fn add_by_family(&self, answer: &mut Map<String, Value>, version: Version) {
        for (family, name) in [(Family::V4, "ip4"), (Family::V6, "ip6")] {
            let given = self
                .addresses
                .iter()
                .find(|given| Family::of(given.address) == family);
            let Some(given) = given else {
                continue;
            };
            let mut ip = json!({"ip": given.prefix()});
            if let Some(fields) = ip.as_object_mut() {
                fields.extend(
                    given
                        .gateway
                        .map(|gateway| ("gateway".to_owned(), gateway.to_string().into())),
                );
                let own = self
                    .routes
                    .iter()
                    .filter(|route| route.is_ipv6() == (family == Family::V6));
                let routes: Vec<_> = own.map(|route| route.to_json(version)).collect();
                if !routes.is_empty() {
                    fields.insert("routes".to_owned(), routes.into());
                }
            }
            answer.insert(name.to_owned(), ip);
        }
    }
}

#[cfg(test)]
mod tests;
