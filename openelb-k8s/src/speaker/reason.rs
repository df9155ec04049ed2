//! Why an address is not announced by a node: one word for programs, a sentence for people.

use std::fmt;

use crate::names;

/// Why a node does not announce an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// No pool has it: it is of somebody else, or its pool was deleted.
    NoPool,
    /// The pool says `protocol: none`.
    PoolSilent,
    /// The pool's object cannot be used.
    PoolInvalid(String),
    /// There is no `BgpConf` that can be used.
    NoBgp,
    /// There is no election that this node could take part in.
    NoElection,
    /// The service has no endpoint of the address' family that serves.
    NoEndpoint,
    /// It has, but none on this node, and the traffic policy is `Local`.
    NoLocalEndpoint,
    /// The cluster has no node of this name.
    NodeUnknown,
    /// The node is being deleted.
    NodeDeleted,
    /// The node has the label that excludes it from load balancing.
    NodeExcluded,
    /// The node's network is not set up.
    NetworkUnavailable,
    /// The cluster autoscaler is about to remove the node.
    NodeRemoved,
    /// The pool's `nodeSelector` does not select the node.
    NodeNotSelected,
    /// The node is not ready, and the pool requires it.
    NodeNotReady,
    /// The virtual router of the address does not run here.
    RouterOff(String),
}

impl WhyNot {
    /// The word for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoPool => "NoPool",
            Self::PoolSilent => "PoolNotAnnounced",
            Self::PoolInvalid(_) => "PoolInvalid",
            Self::NoBgp => "BgpNotConfigured",
            Self::NoElection => "NoElection",
            Self::NoEndpoint => "NoServingEndpoint",
            Self::NoLocalEndpoint => "NoLocalEndpoint",
            Self::NodeUnknown => "NodeUnknown",
            Self::NodeDeleted => "NodeDeleted",
            Self::NodeExcluded => "NodeExcluded",
            Self::NetworkUnavailable => "NetworkUnavailable",
            Self::NodeRemoved => "NodeRemovedByAutoscaler",
            Self::NodeNotSelected => "NodeNotSelected",
            Self::NodeNotReady => "NodeNotReady",
            Self::RouterOff(_) => "RouterOff",
        }
    }

    /// Whether it says the same on every node.
    pub const fn is_of_all_nodes(&self) -> bool {
        matches!(
            self,
            Self::NoPool | Self::PoolSilent | Self::PoolInvalid(_) | Self::NoEndpoint
        )
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPool => f.write_str("no pool has the address"),
            Self::PoolSilent => f.write_str("its pool says `protocol: none`"),
            Self::PoolInvalid(why) => write!(f, "its pool cannot be used: {why}"),
            Self::NoBgp => {
                f.write_str("BGP is not configured; add a BgpConf named `default` with `spec.as`")
            }
            Self::NoElection => write!(
                f,
                "the nodes cannot agree who answers: there is no election; make the Secret {} with \
                 its key, or see the Layer2Conf",
                names::LAYER2_SECRET
            ),
            Self::NoEndpoint => f.write_str("the service has no serving endpoint of this family"),
            Self::NoLocalEndpoint => f.write_str(
                "externalTrafficPolicy is Local and no serving endpoint is on this node",
            ),
            Self::NodeUnknown => f.write_str("the cluster has no node of this name"),
            Self::NodeDeleted => f.write_str("the node is being deleted"),
            Self::NodeExcluded => f.write_str(
                "the node has the label node.kubernetes.io/exclude-from-external-load-balancers",
            ),
            Self::NetworkUnavailable => f.write_str("the node's network is not available"),
            Self::NodeRemoved => f.write_str("the cluster autoscaler is about to remove the node"),
            Self::NodeNotSelected => {
                f.write_str("the pool's nodeSelector does not select the node")
            }
            Self::NodeNotReady => {
                f.write_str("the node is not ready and the pool says `nodeReadiness: Require`")
            }
            Self::RouterOff(why) => write!(f, "its virtual router does not run here: {why}"),
        }
    }
}
