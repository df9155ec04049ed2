//! Questions about pools.

use openelb_ipam::relative::{Projection, ledger_space};
use openelb_ipam::{AddressRange, Family, Ipam, Pool, PoolPlan, PoolSpec};

use super::answer::{FamilyUse, FollowedPrefix, PlanReport, PoolReport};
use super::prefix;
use crate::exit_code::{ExitCode, Failure};

/// Every pool with its use.
pub(super) fn reports(ipam: &Ipam, projection: &Projection) -> Vec<PoolReport> {
    let pools = ipam.pools();
    pools.map(|pool| report(ipam, pool, projection)).collect()
}

/// One pool with its use.
pub(super) fn named(
    ipam: &Ipam,
    name: &str,
    projection: &Projection,
) -> Result<PoolReport, Failure> {
    find(ipam, name).map(|pool| report(ipam, pool, projection))
}

/// A pool by its name.
pub(super) fn find<'a>(ipam: &'a Ipam, name: &str) -> Result<&'a Pool, Failure> {
    ipam.pools()
        .find(|pool| &**pool.name() == name)
        .ok_or_else(|| {
            let next = match ipam
                .pools()
                .map(|pool| pool.name().to_string())
                .collect::<Vec<_>>()
            {
                names if names.is_empty() => "define one: there is no pool at all".to_owned(),
                names => format!("pools: {}", names.join(", ")),
            };
            Failure::new(ExitCode::NotFound, format!("there is no pool `{name}`")).next(next)
        })
}

/// What a new set of pools changes.
pub(super) fn plan(
    ipam: &Ipam,
    specs: &[PoolSpec],
    projection: &Projection,
) -> Result<(PoolPlan, PlanReport), Failure> {
    let plan = ipam
        .plan_pools(specs)
        .map_err(|error| Failure::new(ExitCode::Invalid, error).next("correct the pools"))?;
    let text = prefix::in_words(&plan.to_string(), projection);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let report = PlanReport {
        changes: !plan.is_empty(),
        applied: false,
        lines,
    };
    Ok((plan, report))
}

fn report(ipam: &Ipam, pool: &Pool, projection: &Projection) -> PoolReport {
    let spec = pool.spec();
    PoolReport {
        name: pool.name().clone(),
        ranges: prefix::in_words(&pool.ranges().to_string(), projection),
        follows: follows(pool, projection),
        strategy: format!("{:?}", spec.strategy),
        auto_assign: spec.auto_assign,
        is_default: spec.is_default,
        is_disabled: spec.is_disabled,
        priority: spec.priority,
        namespaces: spec.namespaces.clone(),
        families: Family::ALL
            .into_iter()
            .filter_map(|family| usage(ipam, pool, family))
            .collect(),
    }
}

/// The prefixes that a pool has addresses of.
fn follows(pool: &Pool, projection: &Projection) -> Vec<FollowedPrefix> {
    let ranges = pool.ranges().ranges(Family::V6);
    let is_followed = |space: AddressRange| {
        ranges
            .iter()
            .any(|range| space.contains(range.first()) || range.contains(space.first()))
    };
    let prefixes = projection.iter().filter_map(|(name, generations)| {
        let space = ledger_space(name);
        let space = AddressRange::new(space.network().into(), space.broadcast().into()).ok()?;
        let preferred = generations.preferred.as_ref();
        let former = generations.deprecated.iter();
        is_followed(space).then(|| FollowedPrefix {
            name: name.to_string(),
            prefix: preferred.map(|it| it.prefix.to_string()),
            former: former.map(|it| it.prefix.to_string()).collect(),
        })
    });
    prefixes.collect()
}

/// `None` for a family the pool has nothing of, not even an orphan.
fn usage(ipam: &Ipam, pool: &Pool, family: Family) -> Option<FamilyUse> {
    let usage = ipam.usage(pool.name(), family)?;
    if usage.capacity.is_zero() && usage.orphaned.is_zero() {
        return None;
    }
    let largest = ipam.largest_free_run(pool.name(), family);
    Some(FamilyUse {
        family: family.to_string(),
        capacity: usage.capacity.to_string(),
        free: usage.free.to_string(),
        used: usage.used.to_string(),
        reserved: usage.reserved.to_string(),
        cooling: usage.cooling.to_string(),
        quarantined: usage.quarantined.to_string(),
        orphaned: usage.orphaned.to_string(),
        free_runs: usage.free_runs.to_string(),
        largest_free_run: largest.map_or_else(|| "0".to_owned(), |run| run.count().to_string()),
    })
}
