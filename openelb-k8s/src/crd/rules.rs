//! What an API server refuses by itself: bounds of fields, and rules between them in CEL.
//!
//! They refuse what no version of OpenELB could serve, and contradictions within fields that
//! OpenELB does not have. What depends on other objects is a condition of the object instead. The
//! rules need Kubernetes 1.31 (addresses and prefixes in CEL), and each field they look at is
//! bounded, because a server refuses a definition whose rules could cost too much.

use serde_json::{Value, json};

use super::kind::Kind;
use super::put;
use crate::names;

/// A rule about the field at a path, and what its author is told.
struct Rule {
    at: &'static str,
    holds: &'static str,
    message: &'static str,
}

/// A keyword of the field at a path.
struct Bound {
    at: &'static str,
    keyword: &'static str,
    value: u32,
}

/// Adds the bounds and rules of a kind to its schema.
pub(super) fn tighten(kind: &Kind, schema: &mut Value) {
    let (bounds, rules) = match kind.name {
        names::EIP_KIND => (EIP_BOUNDS, EIP_RULES),
        names::BGP_CONF_KIND => (CONF_BOUNDS, CONF_RULES),
        names::BGP_PEER_KIND => (PEER_BOUNDS, PEER_RULES),
        names::LAYER2_CONF_KIND => (LAYER2_BOUNDS, LAYER2_RULES),
        names::DYNAMIC_PREFIX_KIND => (PREFIX_BOUNDS, PREFIX_RULES),
        names::ADDRESS_BLOCK_KIND => (BLOCK_BOUNDS, BLOCK_RULES),
        names::POD_NETWORK_KIND => (POD_NETWORK_BOUNDS, POD_NETWORK_RULES),
        _ => (&[][..], &[][..]),
    };
    for bound in bounds {
        at(schema, bound.at, &mut |field| limit(field, bound));
    }
    for rule in rules {
        let told = json!({ "rule": rule.holds, "message": rule.message });
        at(schema, rule.at, &mut |field| add(field, &told));
    }
}

fn limit(field: &mut Value, bound: &Bound) {
    put(field, bound.keyword, bound.value);
    if bound.keyword == "maximum" {
        // It fits a signed number, as OpenELB has it.
        put(field, "format", "int32");
    }
}

fn add(field: &mut Value, rule: &Value) {
    match field.get_mut("x-kubernetes-validations") {
        Some(Value::Array(rules)) => rules.push(rule.clone()),
        _ => put(field, "x-kubernetes-validations", json!([rule])),
    }
}

/// Changes the schema at a path such as `spec.vrrp.unicastPeers[]`; the empty path is the object.
fn at(schema: &mut Value, path: &str, change: &mut dyn FnMut(&mut Value)) {
    let pointer =
        path.split('.')
            .filter(|step| !step.is_empty())
            .map(|step| match step.strip_suffix("[]") {
                Some(name) => format!("/properties/{name}/items"),
                None => format!("/properties/{step}"),
            });
    let field = schema.pointer_mut(&pointer.collect::<String>());
    debug_assert!(field.is_some(), "no type has a field {path}");
    field.into_iter().for_each(change);
}

const fn rule(at: &'static str, holds: &'static str, message: &'static str) -> Rule {
    Rule { at, holds, message }
}

const fn at_least(at: &'static str, value: u32) -> Bound {
    bound(at, "minimum", value)
}

const fn at_most(at: &'static str, value: u32) -> Bound {
    bound(at, "maximum", value)
}

const fn entries(at: &'static str, value: u32) -> Bound {
    bound(at, "maxItems", value)
}

const fn length(at: &'static str, value: u32) -> Bound {
    bound(at, "maxLength", value)
}

const fn bound(at: &'static str, keyword: &'static str, value: u32) -> Bound {
    Bound { at, keyword, value }
}

const EIP_BOUNDS: &[Bound] = &[
    bound("spec.address", "minLength", 1),
    length("spec.address", 1024),
    length("spec.protocol", 16),
    length("spec.interface", 256),
    entries("spec.interfaces", 64),
    length("spec.interfaces[]", 256),
    entries("spec.exclude", 256),
    length("spec.exclude[]", 96),
    at_least("spec.quota.perNamespace", 1),
    at_most("spec.bgp.advertisements[].aggregationLength", 32),
    at_most("spec.bgp.advertisements[].aggregationLengthV6", 128),
    at_least("spec.vrrp.vrid", 1),
    at_most("spec.vrrp.vrid", 255),
    length("spec.vrrp.vridRange", 16),
    at_least("spec.vrrp.priority", 1),
    at_most("spec.vrrp.priority", 254),
    at_least("spec.vrrp.version", 2),
    at_most("spec.vrrp.version", 3),
    at_most("spec.vrrp.unhealthyDecrement", 255),
    entries("spec.vrrp.unicastPeers", 64),
    length("spec.vrrp.unicastPeers[]", 64),
];

const EIP_RULES: &[Rule] = &[
    rule(
        "",
        "self.metadata.name.size() <= 63",
        "the name of a pool becomes the value of a label: use at most 63 characters",
    ),
    rule(
        "spec",
        "!(has(self.protocol) && self.protocol in ['layer2', 'vip']) \
         || (has(self.interface) && self.interface.trim() != '') \
         || (has(self.interfaces) && self.interfaces.exists(name, name.trim() != ''))",
        "protocols layer2 and vip need interface: write a name such as eth0, a glob, a prefix, \
         can_reach:ADDRESS or all",
    ),
    rule(
        "spec.address",
        r"self.matches('^[\\s,;]*([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[0-9A-Fa-f:.]+(/[0-9A-Fa-f:.]+|\\s*-\\s*[0-9A-Fa-f:.]+)?([\\s,;]+([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[0-9A-Fa-f:.]+(/[0-9A-Fa-f:.]+|\\s*-\\s*[0-9A-Fa-f:.]+)?)*[\\s,;]*$')",
        "write addresses, prefixes or first-last, several separated by commas, such as \
         192.0.2.0/24, 2001:db8::10-2001:db8::20, or home/::10-::20 to follow DynamicPrefix home",
    ),
    rule(
        "spec.address",
        // Entries that follow a prefix are only looked at by their form: the budget of a rule has no room
        // for more.
        "self.findAll('([-a-z0-9]*/:)?[0-9A-Fa-f:./]+').all(entry, isIP(entry) || isCIDR(entry) || entry.contains('/255.') \
         || entry.contains('/:'))",
        "an entry is no address and no prefix",
    ),
    rule(
        "spec.address",
        r"!self.matches('(^|[\\s,;])[0-9.]+\\s*-\\s*[0-9A-Fa-f]*:') && !self.matches(':[0-9A-Fa-f.]*\\s*-\\s*[0-9]+[.]')",
        "the ends of a range are of two families",
    ),
    rule(
        "spec.exclude[]",
        "isIP(self.trim()) || isCIDR(self.trim()) || self.contains('/255.') || (self.contains('-') && self.split('-', 2).all(end, isIP(end.trim()))) \
         || self.trim().matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?/:[0-9A-Fa-f:.]*(/[0-9]+|\\\\s*-\\\\s*:[0-9A-Fa-f:.]*)?$')",
        "an entry is no address and no prefix, and no first-last",
    ),
    rule(
        "spec.vrrp",
        "!(has(self.vrid) && has(self.vridRange) && self.vridRange != '')",
        "write one of vrid and vridRange",
    ),
    rule(
        "spec.vrrp",
        "!has(self.authentication)",
        "VRRP has no authentication any more: RFC 3768 removed it",
    ),
    rule(
        "spec.vrrp.vridRange",
        r"self == '' || self.matches('^\\s*[0-9]{1,3}\\s*(-\\s*[0-9]{1,3}\\s*)?$') && self.split('-').all(end, int(end.trim()) >= 1 && int(end.trim()) <= 255) && int(self.split('-')[0].trim()) <= int(self.split('-')[self.split('-').size() - 1].trim())",
        "write the first and the last identifier, such as 100-150, from 1 to 255",
    ),
    rule(
        "spec.vrrp.unicastPeers[]",
        "isIP(self.trim())",
        "write an IPv4 or IPv6 address",
    ),
];

const CONF_BOUNDS: &[Bound] = &[
    at_most("spec.listenPort", 65_535),
    length("spec.routerId", 64),
    entries("spec.listenAddresses", 64),
    length("spec.listenAddresses[]", 64),
];

const CONF_RULES: &[Rule] = &[
    rule(
        "spec.listenPort",
        "self >= -1",
        "write a port, 0 for 179, or -1 to listen nowhere",
    ),
    rule(
        "spec.routerId",
        "self.trim() == '' || (isIP(self.trim()) && ip(self.trim()).family() == 4)",
        "write four numbers with dots such as 192.0.2.1, or leave it out",
    ),
    rule(
        "spec.listenAddresses[]",
        "isIP(self.trim())",
        "write an IPv4 or IPv6 address; names are not looked up",
    ),
];

const PEER_BOUNDS: &[Bound] = &[
    length("spec.conf.neighborAddress", 128),
    length("spec.conf.neighborInterface", 64),
    length("spec.timers.config.connectRetry", 20),
    length("spec.timers.config.holdTime", 20),
    length("spec.timers.config.keepaliveInterval", 20),
    length("spec.timers.config.minimumAdvertisementInterval", 20),
    length("spec.timers.config.delayOpen", 20),
    at_most("spec.ebgpMultihop.multihopTtl", 255),
    at_most("spec.transport.remotePort", 65_535),
    at_most("spec.transport.localPort", 65_535),
    at_least("spec.ttlSecurity.hops", 1),
    at_most("spec.ttlSecurity.hops", 254),
    at_most("spec.bfd.multiplier", 255),
    at_most("spec.bfd.minimumTtl", 255),
    at_least("spec.dynamicNeighbors.limit", 1),
    bound("spec.dynamicNeighbors.prefixes", "minItems", 1),
    entries("spec.dynamicNeighbors.prefixes", 64),
    length("spec.dynamicNeighbors.prefixes[]", 64),
    length("spec.template", 253),
    length("spec.authPasswordFile", 1024),
    length("spec.nextHop.ipv4", 64),
    length("spec.nextHop.ipv6", 64),
];

const PEER_RULES: &[Rule] = &[
    rule(
        "spec",
        "(has(self.isTemplate) && self.isTemplate) \
         || (has(self.template) && self.template != '') || has(self.dynamicNeighbors) \
         || (has(self.conf) && has(self.conf.neighborAddress) && self.conf.neighborAddress.trim() != '') \
         || (has(self.conf) && has(self.conf.neighborInterface) && self.conf.neighborInterface.trim() != '')",
        "nothing says where the peer is: write conf.neighborAddress, conf.neighborInterface or \
         dynamicNeighbors",
    ),
    rule(
        "spec",
        "!has(self.dynamicNeighbors) || !has(self.conf) \
         || ((!has(self.conf.neighborAddress) || self.conf.neighborAddress == '') \
         && (!has(self.conf.neighborInterface) || self.conf.neighborInterface == ''))",
        "write one of conf.neighborAddress and dynamicNeighbors",
    ),
    rule(
        "spec",
        "!(has(self.authPasswordFile) && has(self.authPasswordSecret))",
        "keep one of authPasswordFile and authPasswordSecret",
    ),
    rule(
        "spec",
        "!(has(self.ttlSecurity) && has(self.ebgpMultihop) && has(self.ebgpMultihop.enabled) \
         && self.ebgpMultihop.enabled)",
        "ttlSecurity already says how far away the peer may be: remove ebgpMultihop",
    ),
    rule(
        "spec.conf.neighborAddress",
        "self.trim() == '' || isIP(self.trim().split('%')[0])",
        "write an address such as 192.0.2.1, 2001:db8::1 or fe80::1%eth0; names are not looked up",
    ),
    rule(
        "spec.timers.config",
        "[has(self.connectRetry) ? self.connectRetry : '0', \
         has(self.holdTime) ? self.holdTime : '0', \
         has(self.keepaliveInterval) ? self.keepaliveInterval : '0', \
         has(self.minimumAdvertisementInterval) ? self.minimumAdvertisementInterval : '0', \
         has(self.delayOpen) ? self.delayOpen : '0'].all(text, text.matches('^ *[0-9]{1,5} *$') \
         && int(text.trim()) <= 65535)",
        "write whole seconds from 0 to 65535, in quotes",
    ),
    rule(
        "spec.timers.config",
        "!has(self.holdTime) || !(self.holdTime.trim() in ['1', '2'])",
        "RFC 4271 allows a hold time of 0 or of at least 3 seconds",
    ),
    rule(
        "spec.timers.config",
        "!has(self.holdTime) || !has(self.keepaliveInterval) \
         || !self.holdTime.matches('^ *[0-9]{1,5} *$') \
         || !self.keepaliveInterval.matches('^ *[0-9]{1,5} *$') \
         || int(self.holdTime.trim()) == 0 \
         || int(self.keepaliveInterval.trim()) <= int(self.holdTime.trim())",
        "the peer would time out: make keepaliveInterval a third of holdTime",
    ),
    rule(
        "spec.dynamicNeighbors.prefixes[]",
        "isCIDR(self.trim())",
        "write a prefix such as 192.0.2.0/24 or 2001:db8::/64",
    ),
    rule("spec.nextHop.ipv4", "isIP(self)", "write an address"),
    rule("spec.nextHop.ipv6", "isIP(self)", "write an address"),
];

const LAYER2_BOUNDS: &[Bound] = &[
    at_least("spec.port", 1),
    at_most("spec.port", 65_535),
    at_least("spec.shards", 1),
    at_most("spec.shards", 1024),
    entries("spec.peers", 256),
    length("spec.peers[]", 64),
    length("spec.keyFile", 1024),
    length("spec.ownership", 16),
    entries("spec.previousKeyFiles", 7),
    at_least("spec.nodes[].weight", 1),
    at_most("spec.nodes[].weight", 1000),
    at_most("spec.nodes[].preference", 63),
];

const LAYER2_RULES: &[Rule] = &[
    rule(
        "spec",
        "!(has(self.keyFile) && self.keyFile != '' && has(self.keySecret))",
        "the key is named twice: keep one of keyFile and keySecret",
    ),
    rule(
        "spec",
        "(has(self.keyFile) && self.keyFile != '') || has(self.keySecret) \
         || (has(self.insecureWithoutKey) && self.insecureWithoutKey) \
         || (has(self.ownership) && self.ownership == 'Sole')",
        "beats would not be signed, and any host of the link could take any address: name a key \
         in keySecret",
    ),
    rule(
        "spec.peers[]",
        "isIP(self.trim())",
        "write an IPv4 or IPv6 address",
    ),
];

const PREFIX_BOUNDS: &[Bound] = &[
    bound("spec.sources", "minItems", 1),
    entries("spec.sources", 16),
    length("spec.sources[].address.interface", 15),
    length("spec.sources[].route.interface", 15),
    at_most("spec.sources[].route.protocol", 255),
    length("spec.sources[].routerAdvertisement.interface", 15),
    entries("spec.sources[].routerAdvertisement.routers", 16),
    length("spec.sources[].routerAdvertisement.routers[]", 64),
    length("spec.sources[].lease.path", 1024),
    length("spec.sources[].lease.interface", 15),
    entries("spec.sources[].http.urls", 8),
    length("spec.sources[].http.urls[]", 1024),
    at_least("spec.sources[].http.quorum", 2),
    at_most("spec.sources[].http.quorum", 8),
    at_least("spec.sources[].http.length", 16),
    at_most("spec.sources[].http.length", 128),
    length("spec.sources[].dns.name", 253),
    at_least("spec.sources[].dns.length", 16),
    at_most("spec.sources[].dns.length", 128),
    length("spec.sources[].file.path", 1024),
    length("spec.sources[].static.prefix", 64),
    at_least("spec.subnet.length", 48),
    at_most("spec.subnet.length", 128),
    at_least("spec.subnet.keep", 1),
    at_most("spec.subnet.keep", 127),
    length("spec.subnet.override", 64),
    at_most("spec.generations", 16),
];

const PREFIX_RULES: &[Rule] = &[
    rule(
        "",
        "self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",
        "pools write the name in front of a slash: use letters, digits and dashes, at most 63",
    ),
    rule(
        "spec.sources[]",
        "[has(self.address), has(self.route), has(self.routerAdvertisement), has(self.lease), \
         has(self.http), has(self.dns), has(self.file), has(self.static)]\
         .filter(is, is).size() == 1",
        "write one of address, route, routerAdvertisement, lease, http, dns, file and static; \
         another one is another entry",
    ),
    rule(
        "spec.sources[].routerAdvertisement.routers[]",
        "isIP(self) && ip(self).isLinkLocalUnicast()",
        "write the link-local address of a router, such as fe80::1",
    ),
    rule(
        "spec.sources[].http",
        "has(self.urls) && self.urls.size() >= (has(self.quorum) ? self.quorum : 2)",
        "fewer addresses to ask than must agree: name one more of another provider",
    ),
    rule(
        "spec.sources[].http.urls[]",
        "self.startsWith('https://') || self.startsWith('http://')",
        "write an address such as https://api6.ipify.org",
    ),
    rule(
        "spec.sources[].static.prefix",
        "isCIDR(self) && cidr(self).ip().family() == 6",
        "write an IPv6 prefix such as 2001:db8::/56",
    ),
    rule(
        "spec.subnet",
        "!(has(self.number) && (has(self.keep) || has(self.override)))",
        "write a number, or keep and override",
    ),
    rule(
        "spec.subnet",
        "has(self.keep) == has(self.override)",
        "keep and override belong together: write both",
    ),
    rule(
        "spec.subnet.override",
        "isIP(self) && ip(self).family() == 6",
        "write the bits as an IPv6 address such as 0:0:0:cd::",
    ),
];

const BLOCK_BOUNDS: &[Bound] = &[bound("spec.used", "maxProperties", 4096)];

const BLOCK_RULES: &[Rule] = &[
    rule("spec.eip", "self == oldSelf", "a block stays with its pool"),
    rule(
        "spec.first",
        "self == oldSelf",
        "a block keeps its addresses",
    ),
];

const POD_NETWORK_BOUNDS: &[Bound] = &[
    entries("spec.ranges", 32),
    length("spec.ranges[]", 64),
    at_least("spec.nodePrefixLength.ipv4", 8),
    at_most("spec.nodePrefixLength.ipv4", 30),
    at_least("spec.nodePrefixLength.ipv6", 32),
    at_most("spec.nodePrefixLength.ipv6", 120),
    entries("spec.announce.peers", 64),
    length("spec.announce.peers[]", 253),
    at_least("spec.mesh.port", 1),
    at_most("spec.mesh.port", 65_535),
    at_least("spec.kernelRoutes.table", 1),
    at_least("spec.kernelRoutes.metric", 1),
    length("spec.cni.path", 1024),
    bound("status.used", "maxProperties", 16_384),
];

const POD_NETWORK_RULES: &[Rule] = &[
    rule(
        "spec.ranges[]",
        "isCIDR(self)",
        "write a prefix such as 10.244.0.0/16 or fd00:10:244::/56",
    ),
    rule(
        "spec",
        "!(has(self.allocate) && self.allocate) \
         || (has(self.ranges) && self.ranges.size() > 0)",
        "there is nothing to allocate from: write ranges such as 10.244.0.0/16",
    ),
    rule(
        "spec",
        "!(has(self.kernelRoutes) && has(self.kernelRoutes.enabled) && self.kernelRoutes.enabled) \
         || (has(self.ranges) && self.ranges.size() > 0)",
        "only routes inside ranges go into the kernel: write ranges such as 10.244.0.0/16",
    ),
    rule(
        "spec.cni.path",
        "self == '' || self.startsWith('/')",
        "write the whole path, such as /etc/cni/net.d/10-openelb.conflist",
    ),
];
