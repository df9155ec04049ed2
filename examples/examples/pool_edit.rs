//! Editing a pool that is in use: see who is affected, then decide.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use openelb_ipam::pool::OnShrink;
use openelb_ipam::{Ipam, Owner, PoolSpec, Request, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let mut ipam = Ipam::new();
    let wide = PoolSpec::new("public".parse()?, ["203.0.113.0/28"]);
    let plan = ipam.plan_pools(std::slice::from_ref(&wide))?;
    ipam.apply_pools(plan, Time(0))?;
    for name in ["vip//a", "vip//b", "vip//c"] {
        let owner: Owner = name.parse()?;
        println!(
            "{name} has {}",
            ipam.allocate(&owner, &Request::default(), Time(1))?
        );
    }

    // The first half of the range is needed elsewhere. A plan changes nothing until it is applied.
    let mut narrow = PoolSpec::new("public".parse()?, ["203.0.113.8-203.0.113.15"]);
    println!(
        "\nkeeping what is in use (the default):\n{}",
        ipam.plan_pools(&[narrow.clone()])?
    );

    // Draining moves each owner as soon as there is a replacement, and never without one.
    narrow.on_shrink = OnShrink::Drain;
    let plan = ipam.plan_pools(&[narrow])?;
    println!("\ndraining:\n{plan}");
    ipam.apply_pools(plan, Time(2))?;
    for key in ipam.take_woken() {
        let owner = Owner::from(key);
        println!(
            "{} moves to {}",
            owner.key,
            ipam.allocate(&owner, &Request::default(), Time(3))?
        );
    }

    // A plan is for the state it was made from: one that went stale is refused, not guessed at.
    let stale = ipam.plan_pools(&[wide])?;
    ipam.allocate(&"vip//d".parse()?, &Request::default(), Time(4))?;
    println!(
        "\nan old plan: {}",
        ipam.apply_pools(stale, Time(5))
            .expect_err("the ledger moved on")
    );
    Ok(())
}
