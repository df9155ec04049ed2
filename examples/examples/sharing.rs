//! Two services behind one address: a sharing key, and ports that differ.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use openelb_ipam::{Fence, Ipam, Owner, PoolSpec, PortSet, Request, Sharing, Time};

fn main() -> Result<(), Box<dyn Error>> {
    let mut ipam = Ipam::new();
    // One single address, so that who shares and who does not is easy to see.
    let plan = ipam.plan_pools(&[PoolSpec::new("edge".parse()?, ["198.51.100.7"])])?;
    ipam.apply_pools(plan, Time(0))?;

    let web: Owner = "service/shop/web".parse()?;
    let mail: Owner = "service/shop/mail".parse()?;
    let other: Owner = "service/shop/other".parse()?;
    let asks = |key: &str, port: &str| -> Result<Request, Box<dyn Error>> {
        let ports: PortSet = [port.parse()?].into_iter().collect();
        Ok(Request::default().share(Sharing::new(key), ports))
    };

    let first = ipam.allocate(&web, &asks("front", "TCP/443")?, Time(1))?;
    let second = ipam.allocate(&mail, &asks("front", "TCP/25")?, Time(2))?;
    println!("web {first} and mail {second} share");
    assert_eq!(first.to_string(), second.to_string());

    // The same port, or another key, is refused, and the refusal says which.
    for (what, request) in [
        ("the same port", asks("front", "TCP/443")?),
        ("another key", asks("back", "TCP/8080")?),
        ("no key", Request::default()),
    ] {
        let refused = ipam
            .allocate(&other, &request, Time(3))
            .expect_err("refused");
        println!("{what}: {refused}");
    }

    // The address is free when the last sharer leaves, not before.
    ipam.release(&web.key, Fence::Any, Time(4))?;
    assert!(ipam.allocate(&other, &Request::default(), Time(5)).is_err());
    ipam.release(&mail.key, Fence::Any, Time(6))?;
    let alone = ipam.allocate(&other, &Request::default(), Time(7))?;
    println!("both left: other has {alone} alone");
    Ok(())
}
