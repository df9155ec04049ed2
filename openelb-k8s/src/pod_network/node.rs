//! The pod CIDRs of a node, wherever they are written, and nodes that claim the same.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;
use openelb_ipam::Family;
use openelb_ipam::family::to_bits;

use crate::cluster::Node;
use crate::names;

/// The pod CIDRs of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeCidrs {
    /// At most one a family, in the order in which they are written, without host bits.
    pub cidrs: Vec<IpNet>,
    /// Where they are written; empty when nowhere.
    pub key: &'static str,
    /// What is written there and cannot be used: fact and next step.
    pub problems: Vec<(String, &'static str)>,
}

impl NodeCidrs {
    /// The CIDRs of a node: its annotation `kube-router.io/pod-cidr`, else its annotation
    /// `kube-router.io/pod-cidrs`, else `spec.podCIDRs`. An annotation that is wrong is no reason to
    /// take another: what its author meant is not known.
    ///
    /// ```
    /// use openelb_k8s::{cluster::Node, pod_network::NodeCidrs};
    ///
    /// let node: Node = serde_json::from_str(
    ///     r#"{"metadata": {"name": "n1"}, "spec": {"podCIDRs": ["10.244.1.0/24", "fd00::/64"]}}"#,
    /// )?;
    /// assert_eq!(NodeCidrs::of(&node).cidrs.len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(node: &Node) -> Self {
        let annotations = &node.metadata.annotations;
        let written = |key: &str| annotations.get(key).filter(|text| !text.trim().is_empty());
        if let Some(text) = written(names::POD_CIDR_ANNOTATION) {
            return Self::read(ANNOTATION, [text]);
        }
        if let Some(text) = written(names::POD_CIDRS_ANNOTATION) {
            let parts = text.split(',').filter(|part| !part.trim().is_empty());
            return Self::read(ANNOTATIONS, parts);
        }
        Self::of_spec(node)
    }

    /// What `spec.podCIDRs` says, whatever the annotations do: it is set once and stays.
    pub fn of_spec(node: &Node) -> Self {
        let spec = spec_texts(node);
        if spec.is_empty() {
            return Self::default();
        }
        Self::read(SPEC, spec)
    }

    /// Whether nothing is written anywhere.
    pub fn is_unset(&self) -> bool {
        self.key.is_empty()
    }

    fn read<'a>(key: &'static str, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut read = Self {
            key,
            ..Self::default()
        };
        for text in texts {
            read.add(text.trim());
        }
        read
    }

    fn add(&mut self, text: &str) {
        let Ok(cidr) = text.parse::<IpNet>() else {
            let fact = format!("`{text}` is no prefix");
            let next = "write one such as 10.244.1.0/24 or fd00:10:244:1::/64";
            self.problems.push((fact, next));
            return;
        };
        let cidr = cidr.trunc();
        let family = Family::of(cidr.addr());
        let mut cidrs = self.cidrs.iter();
        if let Some(first) = cidrs.find(|it| Family::of(it.addr()) == family) {
            let fact = format!("{cidr} is the second {family} prefix after {first}");
            self.problems.push((fact, "keep one prefix a family"));
            return;
        }
        self.cidrs.push(cidr);
    }
}

fn spec_texts(node: &Node) -> Vec<&str> {
    let spec = &node.spec;
    let all = spec.pod_cidrs.iter().map(String::as_str);
    let first = Some(spec.pod_cidr.as_str()).filter(|text| !text.is_empty());
    // Servers of old knew the singular alone.
    let first = first.filter(|_| spec.pod_cidrs.is_empty());
    all.chain(first).collect()
}

/// Two nodes with one address: each of them is right to think that it is its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clash {
    /// The node that comes second, by prefix and then by name.
    pub node: String,
    /// What it has.
    pub cidr: IpNet,
    /// The other node.
    pub other: String,
    /// What that one has.
    pub others: IpNet,
}

/// Every node whose CIDR overlaps one of another node, told once a pair of neighbours. O(n log n).
pub fn clashes<'a>(claims: impl IntoIterator<Item = (&'a str, IpNet)>) -> Vec<Clash> {
    let mut sorted: BTreeMap<(IpAddr, u8, &str), IpNet> = BTreeMap::new();
    for (node, cidr) in claims {
        sorted.insert((cidr.network(), cidr.prefix_len(), node), cidr);
    }
    let mut found = Vec::new();
    // Prefixes are disjoint or one is in the other: the widest so far is all to compare with.
    let mut widest: Option<(&str, IpNet)> = None;
    for ((.., node), cidr) in sorted {
        match widest {
            Some((other, others)) if is_before_end(cidr, others) => {
                if other != node {
                    found.push(Clash {
                        node: node.to_owned(),
                        cidr,
                        other: other.to_owned(),
                        others,
                    });
                }
            }
            _ => widest = Some((node, cidr)),
        }
    }
    found
}

fn is_before_end(cidr: IpNet, wide: IpNet) -> bool {
    Family::of(cidr.addr()) == Family::of(wide.addr())
        && to_bits(cidr.network()) <= to_bits(wide.broadcast())
}

const ANNOTATION: &str = "metadata.annotations[kube-router.io/pod-cidr]";
const ANNOTATIONS: &str = "metadata.annotations[kube-router.io/pod-cidrs]";
const SPEC: &str = "spec.podCIDRs";
