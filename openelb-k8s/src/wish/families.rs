//! Which families a Service wants addresses of.

use std::net::IpAddr;

use openelb_ipam::{Families, Family, FamilyPolicy};

use super::{ReasonWord, Refusal};
use crate::cluster::{IpFamily, IpFamilyPolicy, ServiceSpec};

/// The families in the order of `ipFamilies`, and what happens when only one can be had.
///
/// Only families of which the Service has a cluster address count: kube-proxy forwards traffic of
/// no other. Without `ipFamilies` it is the family of the first cluster address.
pub(super) fn families(spec: &ServiceSpec) -> Result<(Families, FamilyPolicy), Refusal> {
    let present = of_cluster_ips(spec);
    if present.is_empty() {
        let message = "the Service has no cluster IP, so that no node forwards its traffic; \
                       remove `clusterIP: None`";
        return Err(Refusal::new(ReasonWord::NoClusterIP, message));
    }
    let listed = unique(spec.ip_families.iter().map(|family| family_of(*family)));
    let mut wanted = listed.clone();
    wanted.retain(|family| present.contains(family));
    if wanted.is_empty() {
        wanted.clone_from(&present);
    }
    let policy = policy(spec, &listed);
    if policy == FamilyPolicy::RequireDualStack && wanted.len() < 2 {
        let message = "RequireDualStack, and the Service has one cluster IP; \
                       give it one of each family, or the policy PreferDualStack";
        return Err(Refusal::new(ReasonWord::FamilyUnavailable, message));
    }
    if policy == FamilyPolicy::SingleStack {
        wanted.truncate(1);
    }
    let families = Families::from_slice(&wanted).expect("at most one of each of two families");
    Ok((families, policy))
}

/// Whether any cluster address is an address; a headless Service has the word `None`.
pub(super) fn has_cluster_ip(spec: &ServiceSpec) -> bool {
    !of_cluster_ips(spec).is_empty()
}

/// An API family in the allocator's words.
pub(super) fn family_of(family: IpFamily) -> Family {
    match family {
        IpFamily::IPv4 => Family::V4,
        IpFamily::IPv6 => Family::V6,
    }
}

fn of_cluster_ips(spec: &ServiceSpec) -> Vec<Family> {
    let addresses = spec.cluster_ips.iter();
    unique(addresses.filter_map(|text| text.parse::<IpAddr>().ok().map(Family::of)))
}

/// API servers always write a policy; without one, two families listed are two families wished for.
fn policy(spec: &ServiceSpec, listed: &[Family]) -> FamilyPolicy {
    match spec.ip_family_policy {
        Some(IpFamilyPolicy::SingleStack) => FamilyPolicy::SingleStack,
        Some(IpFamilyPolicy::PreferDualStack) => FamilyPolicy::PreferDualStack,
        Some(IpFamilyPolicy::RequireDualStack) => FamilyPolicy::RequireDualStack,
        None if listed.len() > 1 => FamilyPolicy::PreferDualStack,
        None => FamilyPolicy::SingleStack,
    }
}

fn unique(families: impl Iterator<Item = Family>) -> Vec<Family> {
    let mut unique = Vec::new();
    for family in families {
        if !unique.contains(&family) {
            unique.push(family);
        }
    }
    unique
}
