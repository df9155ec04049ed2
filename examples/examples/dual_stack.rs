//! An IPv4 and an IPv6 address for one owner: both or none, one now and the other later, one given back.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use openelb_ipam::{Family, Ipam, Owner, PoolSpec, Request, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let mut ipam = Ipam::new();
    let only_v4 = PoolSpec::new("office".parse()?, ["192.0.2.0/28"]);
    let plan = ipam.plan_pools(std::slice::from_ref(&only_v4))?;
    ipam.apply_pools(plan, Time(0))?;

    // All or nothing: without an IPv6 pool nothing is taken, and the refusal says what is missing.
    let strict: Owner = "service/shop/checkout".parse()?;
    let refused = ipam
        .allocate(&strict, &Request::dual_stack(), Time(1))
        .expect_err("refused");
    println!("both or none: {refused}");
    assert!(ipam.allocation("service/shop/checkout").is_none());

    // As much as there is: IPv4 now, and the owner waits for the rest.
    let relaxed: Owner = "service/shop/catalog".parse()?;
    let request = Request::prefer_dual_stack();
    let first = ipam.allocate(&relaxed, &request, Time(2))?;
    println!("as much as there is: {first}, missing {:?}", first.missing);

    // The pool gains an IPv6 range: everyone who waited is named, in order.
    let both = PoolSpec::new("office".parse()?, ["192.0.2.0/28", "2001:db8:0:7::/64"]);
    let plan = ipam.plan_pools(&[both])?;
    println!("plan:\n{plan}");
    ipam.apply_pools(plan, Time(3))?;
    let woken = ipam.take_woken();
    assert_eq!(woken, [strict.key.clone(), relaxed.key.clone()]);

    let pair = ipam.allocate(&strict, &Request::dual_stack(), Time(4))?;
    let completed = ipam.allocate(&relaxed, &request, Time(4))?;
    println!("now: {pair} and {completed}");
    assert_eq!(
        completed.address(Family::V4),
        first.address(Family::V4),
        "IPv4 is kept"
    );

    // Back to one family: the other goes, the first is never touched.
    let single = ipam.allocate(&relaxed, &Request::single(Family::V4), Time(5))?;
    println!("one family again: {single}");
    assert_eq!(single.address(Family::V6), None);
    Ok(())
}
