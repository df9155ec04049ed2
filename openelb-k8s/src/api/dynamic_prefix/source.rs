//! Where a prefix is learned: one kind of source an entry.

use serde::{Deserialize, Serialize};

use super::super::default::is_default;

/// One place where a prefix is learned. Exactly one of the fields is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PrefixSource {
    /// The addresses of an interface of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<AddressSource>,
    /// A route of the node, such as the aggregate that a client of prefix delegation installs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<RouteSource>,
    /// What routers advertise on a link of the node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router_advertisement: Option<RouterAdvertisementSource>,
    /// The file in which a client or server of prefix delegation keeps its leases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseSource>,
    /// What web servers say the address of whoever asks is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpSource>,
    /// The IPv6 address of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<DnsSource>,
    /// A file with the prefix as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<FileSource>,
    /// A prefix that does not change.
    #[serde(default, rename = "static", skip_serializing_if = "Option::is_none")]
    pub fixed: Option<StaticSource>,
}

/// The prefixes of the addresses that an interface has, and those that it reaches without a router.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AddressSource {
    /// Name of the interface.
    #[serde(default)]
    pub interface: String,
}

/// Routes of the node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RouteSource {
    /// What the route does with packets.
    #[serde(default, rename = "type", skip_serializing_if = "is_default")]
    pub kind: RouteType,
    /// Name of the interface that the route leads to; absent: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Number of the routing table; absent: 254, the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<u32>,
    /// Who installed the route, as the number in `/etc/iproute2/rt_protos`, such as 16 for `dhcp`;
    /// absent: anybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<u32>,
}

/// What a route does with packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum RouteType {
    /// Refuses them: the usual aggregate of a delegated prefix.
    #[default]
    Unreachable,
    /// Drops them.
    Blackhole,
    /// Passes them on.
    Unicast,
}

/// Prefix Information options of Router Advertisements (RFC 4861 section 4.6.2).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RouterAdvertisementSource {
    /// Name of the interface.
    #[serde(default)]
    pub interface: String,
    /// Link-local addresses of the routers that are listened to; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<String>,
}

/// A file with delegated prefixes and their lifetimes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct LeaseSource {
    /// Which program writes the file.
    pub format: LeaseFormat,
    /// Its path; absent: where that program writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Name of the interface that the prefix was delegated on, for formats with a file for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Only leases of the client with this DUID, such as `00:01:00:01:...`, for files of servers;
    /// absent: there must be but one client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// Which program writes a file of leases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum LeaseFormat {
    /// The client of systemd: what `networkctl --json=short status INTERFACE` prints, written to a
    /// file. It keeps no file of delegated prefixes itself; its routes are events, so a source
    /// `route` of type `unreachable` and protocol 16 is the better one.
    #[default]
    Networkd,
    /// The client dhcpcd: the reply that it keeps as `/var/lib/dhcpcd/INTERFACE.lease6`, or what
    /// `dhcpcd -U -6 INTERFACE` prints.
    Dhcpcd,
    /// The server dnsmasq: its lease file. It delegates no prefixes; those around the addresses that
    /// it leases are taken, as /64.
    Dnsmasq,
    /// The server Kea: the file of its memfile back end, `kea-leases6.csv`.
    Kea,
    /// The client odhcp6c: the environment of its script, written to a file.
    Odhcp6c,
}

/// Web servers that answer with the address of whoever asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HttpSource {
    /// Where to ask: at least two, of different providers.
    #[serde(default)]
    pub urls: Vec<String>,
    /// How many must agree; absent: 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<u32>,
    /// How often they are asked; absent: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// Length of the prefix around the address; absent: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
}

/// A name whose IPv6 address tells the prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DnsSource {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// How often it is looked up; absent: `5m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// Length of the prefix around the address; absent: 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
}

/// A file with a prefix a line, such as `2001:db8::/56 preferred 3600 valid 7200`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FileSource {
    /// Its path; `-` is standard input.
    #[serde(default)]
    pub path: String,
}

/// A prefix that does not change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct StaticSource {
    /// The prefix.
    #[serde(default)]
    pub prefix: String,
}
