//! A `PodNetwork` as values: what cannot be right is a remark, and the object is not used.

use std::path::PathBuf;

use ipnet::IpNet;
use openelb_announce::bgp::route::PeerSelection;
use openelb_ipam::pool::Selector;
use openelb_ipam::{AddressRange, DualStack, Family, RangeSet};

use crate::api::{PodKernelRoutes, PodMesh, PodNetwork, PodNetworkSpec, SecretKey};
use crate::cluster::Node;
use crate::names;
use crate::problem::{Problem, Reason, Remarks};
use crate::written;

/// A `PodNetwork` that can be used.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Disjoint, in the order of the object, without host bits.
    pub ranges: Vec<IpNet>,
    /// Length of a node's prefix.
    pub lengths: DualStack<u8>,
    /// Whether nodes without CIDRs are given theirs.
    pub allocates: bool,
    /// The peers that hear of pod CIDRs; `None`: nobody does.
    pub announce: Option<PeerSelection>,
    /// Sessions between all nodes.
    pub mesh: Option<Mesh>,
    /// Where learned routes go in the kernel.
    pub kernel: Option<Kernel>,
    /// The CNI configuration of a node.
    pub cni: Option<PathBuf>,
    selector: Option<Selector>,
}

/// Sessions between all nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mesh {
    /// The port that is dialled; `None`: where the speaker listens.
    pub port: Option<u16>,
    /// Where the TCP-MD5 key is.
    pub password: Option<SecretKey>,
}

/// Where learned routes go in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// Number of the table.
    pub table: u32,
    /// Metric of the routes: larger than that of what somebody else wrote by hand.
    pub metric: u32,
}

impl Plan {
    /// Whether it is for a node.
    pub fn selects(&self, node: &Node) -> bool {
        let selector = self.selector.as_ref();
        selector.is_none_or(|selector| selector.matches(&node.metadata.labels))
    }

    /// Whether a prefix lies in one of the ranges.
    pub fn contains(&self, cidr: &IpNet) -> bool {
        self.ranges.iter().any(|range| range.contains(cidr))
    }

    /// The families of the ranges, in the order of the object.
    pub fn families(&self) -> impl Iterator<Item = Family> {
        let first = self.ranges.first().map(|range| Family::of(range.addr()));
        let order = first.map(|first| [first, first.other()]);
        let has = |family: &Family| {
            let mut ranges = self.ranges.iter();
            ranges.any(|range| Family::of(range.addr()) == *family)
        };
        order.into_iter().flatten().filter(has)
    }
}

/// Reads an object: a plan unless a remark is an error.
///
/// ```
/// use openelb_k8s::api::PodNetwork;
/// use openelb_k8s::pod_network::read;
///
/// let (plan, problems) = read(&PodNetwork::new(["10.244.0.0/16", "fd00:10:244::/56"]));
/// assert!(problems.is_empty() && plan.is_some_and(|plan| plan.allocates));
/// let (plan, problems) = read(&PodNetwork::new(["10.244.0.0/26"]));
/// assert!(plan.is_none());
/// assert!(problems[0].to_string().contains("no room for a /24"));
/// ```
pub fn read(network: &PodNetwork) -> (Option<Plan>, Vec<Problem>) {
    let name = &network.metadata.name;
    let mut remarks = Remarks::about(names::POD_NETWORK_KIND, name);
    if name != names::DEFAULT_POD_NETWORK {
        let next = format!(
            "write its ranges into the PodNetwork `{}`",
            names::DEFAULT_POD_NETWORK
        );
        let message = format!("`{name}` is not used: a cluster has one pod network");
        remarks.add(Reason::UnsupportedField, "metadata.name", message, next);
        return (None, remarks.found);
    }
    let spec = &network.spec;
    let ranges = ranges(&spec.ranges, &mut remarks);
    let lengths = DualStack {
        v4: spec.node_prefix_length.ipv4.unwrap_or(LENGTH_V4),
        v6: spec.node_prefix_length.ipv6.unwrap_or(LENGTH_V6),
    };
    check_lengths(&ranges, lengths, &mut remarks);
    let allocates = spec.allocate.unwrap_or(!ranges.is_empty());
    if allocates && spec.ranges.is_empty() {
        let next = "write ranges such as 10.244.0.0/16, or `allocate: false`";
        remarks.invalid("spec.allocate", "there is nothing to allocate from", next);
    }
    let plan = Plan {
        allocates,
        lengths,
        announce: announce(spec),
        mesh: mesh(&spec.mesh),
        kernel: kernel(&spec.kernel_routes, ranges.is_empty(), &mut remarks),
        cni: cni(spec, &mut remarks),
        selector: spec.node_selector.clone(),
        ranges,
    };
    (Some(plan).filter(|_| !remarks.has_error()), remarks.found)
}

fn ranges(written: &[String], remarks: &mut Remarks) -> Vec<IpNet> {
    let mut ranges: Vec<IpNet> = Vec::new();
    let mut known = RangeSet::default();
    for (index, text) in written.iter().enumerate() {
        let key = format!("spec.ranges[{index}]");
        let Ok(range) = text.trim().parse::<IpNet>() else {
            let next = "write one such as 10.244.0.0/16 or fd00:10:244::/56";
            remarks.invalid(key, format!("`{text}` is no prefix"), next);
            continue;
        };
        let range = range.trunc();
        if known.insert_disjoint(AddressRange::from(range)).is_err() {
            let message = format!("{range} overlaps another range");
            remarks.invalid(key, message, "remove one of the two");
            continue;
        }
        ranges.push(range);
    }
    ranges
}

fn check_lengths(ranges: &[IpNet], lengths: DualStack<u8>, remarks: &mut Remarks) {
    for range in ranges {
        let family = Family::of(range.addr());
        let length = lengths[family];
        let field = match family {
            Family::V4 => "ipv4",
            Family::V6 => "ipv6",
        };
        let key = format!("spec.nodePrefixLength.{field}");
        if length < range.prefix_len() {
            let message = format!("{range} has no room for a /{length} of a node");
            let next = "write a shorter range or a longer node prefix";
            remarks.invalid(key, message, next);
        } else if length > family.bits() - ROOM_BITS {
            let message = format!("a /{length} has no room for pods");
            let next = format!("write at most {}", family.bits() - ROOM_BITS);
            remarks.invalid(key, message, next);
        }
    }
}

fn announce(spec: &PodNetworkSpec) -> Option<PeerSelection> {
    if spec.announce.enabled == Some(false) {
        return None;
    }
    let peers = &spec.announce.peers;
    Some(if peers.is_empty() {
        PeerSelection::All
    } else {
        peers.iter().map(String::as_str).collect()
    })
}

fn mesh(written: &PodMesh) -> Option<Mesh> {
    written.enabled.then(|| Mesh {
        port: written.port.filter(|port| *port > 0),
        password: written.password_secret.clone(),
    })
}

fn kernel(written: &PodKernelRoutes, has_none: bool, remarks: &mut Remarks) -> Option<Kernel> {
    if !written.enabled {
        return None;
    }
    if has_none {
        let key = "spec.kernelRoutes.enabled";
        let message = "only routes inside `ranges` go into the kernel, and there are none";
        remarks.invalid(key, message, "write the ranges of the pods");
    }
    let any = 1..=u32::MAX;
    let of = |field: &str| format!("spec.kernelRoutes.{field}");
    let table = written::number(&of("table"), written.table, any.clone(), remarks);
    let metric = written::number(&of("metric"), written.metric, any, remarks);
    Some(Kernel {
        table: table.unwrap_or(MAIN_TABLE),
        metric: metric.unwrap_or(METRIC),
    })
}

fn cni(spec: &PodNetworkSpec, remarks: &mut Remarks) -> Option<PathBuf> {
    let written = spec.cni.as_ref()?;
    let path = match written.path.as_str() {
        "" => CNI_PATH,
        path => path,
    };
    if !path.starts_with('/') {
        let next = format!("write the whole path, such as {CNI_PATH}");
        remarks.invalid("spec.cni.path", format!("`{path}` begins nowhere"), next);
    }
    Some(PathBuf::from(path))
}

/// What kube-controller-manager gives, too.
const LENGTH_V4: u8 = 24;
const LENGTH_V6: u8 = 64;

/// A bridge, two pods, and the addresses that are reserved.
const ROOM_BITS: u8 = 2;

/// The kernel's main table.
const MAIN_TABLE: u32 = 254;

/// Behind what the kernel, administrators and router advertisements bring: nothing that a peer says
/// replaces what the host has by itself.
const METRIC: u32 = 2_048;

/// Before what an installation brings along: CNI takes the first by name.
const CNI_PATH: &str = "/etc/cni/net.d/10-openelb.conflist";
