//! The whole of a small controller around the ledger: desired services in, addresses and reasons out.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::BTreeMap;
use std::error::Error;

use openelb_ipam::{Fence, Ipam, Owner, OwnerKey, PoolSpec, Request, Time};

/// What your controller watches: services by key, and what each asks for.
type Desired = BTreeMap<OwnerKey, Request>;

/// One round: whatever happened since the last one, the ledger is brought in line with what is desired.
///
/// There is no separate path for a restart or a missed event. Repeating a round changes nothing.
fn reconcile(ipam: &mut Ipam, desired: &Desired, now: Time) -> BTreeMap<OwnerKey, String> {
    let gone: Vec<OwnerKey> = ipam
        .allocations()
        .map(|row| row.owner.key)
        .filter(|key| !desired.contains_key(key))
        .collect();
    for key in gone {
        // `Fence::Any`: this controller knows no other incarnation. With uids, pass them instead.
        let _ = ipam.release(&key, Fence::Any, now);
    }
    desired
        .iter()
        .map(|(key, request)| {
            let status = match ipam.allocate(&Owner::from(key.clone()), request, now) {
                Ok(allocation) => allocation.to_string(),
                Err(refused) => refused.to_string(),
            };
            (key.clone(), status)
        })
        .collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut ipam = Ipam::new();
    let mut tenant = PoolSpec::new("tenant-a".parse()?, ["10.1.0.0/30"]);
    tenant.namespaces = vec!["a".to_owned()];
    let open = PoolSpec::new("open".parse()?, ["192.0.2.0/24", "2001:db8::/64"]);
    let plan = ipam.plan_pools(&[tenant, open])?;
    ipam.apply_pools(plan, Time(0))?;

    let mut desired = Desired::from([
        ("service/a/web".parse()?, Request::default()),
        ("service/b/web".parse()?, Request::prefer_dual_stack()),
        (
            "service/b/db".parse()?,
            Request::default().pin("10.1.0.2".parse()?),
        ),
    ]);
    let show = |round: &str, status: &BTreeMap<OwnerKey, String>| {
        println!("{round}");
        for (key, status) in status {
            println!("  {key:<16} {status}");
        }
    };
    let first = reconcile(&mut ipam, &desired, Time(1));
    show("first round", &first);

    let generation = ipam.generation();
    assert_eq!(reconcile(&mut ipam, &desired, Time(2)), first);
    assert_eq!(
        ipam.generation(),
        generation,
        "nothing changed, so nothing need be written"
    );

    desired.remove("service/a/web");
    show(
        "after a/web was deleted",
        &reconcile(&mut ipam, &desired, Time(3)),
    );

    // Why does b/db have no address? Ask before users do.
    for (key, request) in desired.iter().filter(|(key, _)| key.name() == "db") {
        println!(
            "{}",
            ipam.explain(&Owner::from(key.clone()), request, Time(4))
        );
    }
    Ok(())
}
