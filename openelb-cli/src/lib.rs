//! The library part of the package: [`cni`], the CNI IPAM plugin `openelb-cni`.
//!
//! It is a library so that its decoders can be fuzzed and its messages tested; the `openelb` command has
//! no library. Without the feature `command` nothing but the plugin is built.

#![forbid(unsafe_code)]

pub mod cni;
