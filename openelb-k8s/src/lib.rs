//! The API objects of OpenELB and their meaning as pools.
//!
//! An [`Eip`](api::Eip) read from a file or from a cluster is the same value; [`pool::spec`] turns
//! it into the [`PoolSpec`](openelb_ipam::PoolSpec) the allocator understands, and [`bgp::speaker`]
//! turns a [`BgpConf`](api::BgpConf) and its [`BgpPeer`](api::BgpPeer)s into the
//! [`Config`](openelb_announce::bgp::config::Config) of a speaker, purely, so that a file tried with
//! the standalone daemon means the same in a cluster; so does [`layer2::election`] with a
//! [`Layer2Conf`](api::Layer2Conf) and the election of a node, and [`vrrp::routers`] with the virtual
//! routers of a pool. Nothing here talks to an API server.
#![forbid(unsafe_code)]

pub mod api;
pub mod bgp;
#[cfg(feature = "client")]
pub mod client;
pub mod cluster;
pub mod conflict;
pub mod controller;
#[cfg(feature = "schema")]
pub mod crd;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "envtest")]
pub mod envtest;
pub mod explain;
pub mod follow;
pub mod import;
pub mod layer2;
pub mod link;
#[cfg(feature = "schema")]
pub mod manifests;
pub mod names;
pub mod node_cidrs;
pub mod pod_network;
pub mod pool;
pub mod prefix;
pub mod problem;
#[cfg(feature = "sources")]
pub mod source;
pub mod speaker;
pub mod vrrp;
pub mod wish;
mod written;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExamples;
