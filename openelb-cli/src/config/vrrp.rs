//! The virtual routers of `vip` pools, and what they may not have in common.

use openelb_announce::link::InterfaceSelector;
use openelb_ipam::{Family, Pool};
use openelb_k8s::api::Eip;
use openelb_k8s::vrrp::{self, PoolRouters};

use super::PoolConfig;
use super::diagnostic::Diagnostic;
use super::file::Written;

/// The virtual routers of a pool; `None` unless it is a `vip` pool without a fault.
pub(super) fn routers(eip: &Written<Eip>, remarks: &mut Vec<Diagnostic>) -> Option<PoolRouters> {
    let meant = vrrp::routers(&eip.object);
    for problem in meant.problems {
        let is_error = problem.is_error();
        let remark = eip.remark(&problem.key, problem.message).help(problem.next);
        remarks.push(if is_error { remark } else { remark.warning() });
    }
    meant.routers
}

/// On one link a VRID names one virtual router of a family; two pools would be strangers to each
/// other there.
pub(super) fn check_overlaps(
    eips: &[Written<Eip>],
    pools: &[PoolConfig],
    remarks: &mut Vec<Diagnostic>,
) {
    let with_routers = pools
        .iter()
        .filter_map(|pool| Some((pool, pool.routers.as_ref()?)));
    let with_routers: Vec<_> = with_routers.collect();
    for (index, (pool, routers)) in with_routers.iter().enumerate() {
        let earlier = with_routers.iter().take(index);
        let clash = earlier.into_iter().find(|(other, theirs)| {
            routers.vrids.overlaps(theirs.vrids)
                && share_link(pool, other)
                && share_family(pool, other)
        });
        let Some((other, theirs)) = clash else {
            continue;
        };
        let message = format!(
            "VRIDs {} overlap with {} of pool {}, which may be on the same link",
            routers.vrids, theirs.vrids, other.spec.name
        );
        let help = "write `vridRange:` or `vrid:` with numbers that no other pool of the link has";
        if let Some(eip) = eips
            .iter()
            .find(|eip| eip.object.metadata.name == *pool.spec.name)
        {
            let written = eip.object.spec.vrrp.as_ref();
            let key = match written {
                Some(written) if written.vrid.is_some() => "spec.vrrp.vrid",
                _ => "spec.vrrp.vridRange",
            };
            remarks.push(eip.remark(key, message).help(help));
        }
    }
}

/// Two plain names that differ are different links; of all else nothing is known here.
fn share_link(one: &PoolConfig, other: &PoolConfig) -> bool {
    match (&one.interfaces, &other.interfaces) {
        (Some(InterfaceSelector::Name(one)), Some(InterfaceSelector::Name(other))) => one == other,
        _ => true,
    }
}

fn share_family(one: &PoolConfig, other: &PoolConfig) -> bool {
    let has = |pool: &PoolConfig, family| {
        let checked = Pool::try_from(&pool.spec).ok();
        checked.is_some_and(|pool| pool.ranges().iter().any(|range| range.family() == family))
    };
    [Family::V4, Family::V6]
        .into_iter()
        .any(|family| has(one, family) && has(other, family))
}
