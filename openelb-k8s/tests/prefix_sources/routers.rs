//! What radvd advertises, and what the kernel makes of it.

use openelb_k8s::prefix::Source;

use super::world::{Host, Lifetimes, Running, World};

const ONE: &str = "fe80::1";
const OTHER: &str = "fe80::2";

/// A prefix as radvd has it, with its preferred and its valid lifetime.
type Prefix<'a> = (&'a str, u32, u32);

fn configuration(prefixes: &[Prefix<'_>]) -> String {
    let prefixes = prefixes.iter().map(|(prefix, preferred, valid)| {
        format!(
            "prefix {prefix} {{ AdvPreferredLifetime {preferred}; AdvValidLifetime {valid}; }};\n"
        )
    });
    format!(
        "interface isp0 {{ AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4;\n{} }};\n",
        prefixes.collect::<String>()
    )
}

/// Starts radvd on a router.
fn advertise(world: &World, router: &Host, name: &str, prefixes: &[Prefix<'_>]) -> Running {
    let path = world.file(name, &configuration(prefixes));
    let pid = world.path(&format!("{name}.pid"));
    let (path, pid) = (path.to_str().unwrap(), pid.to_str().unwrap());
    router.start(["radvd", "-n", "-m", "none", "-C", path, "-p", pid])
}

/// Has a radvd that runs read another configuration.
fn renumber(world: &World, radvd: &Running, name: &str, prefixes: &[Prefix<'_>]) {
    world.file(name, &configuration(prefixes));
    radvd.signal("HUP");
}

fn advertisements(routers: &[&str]) -> Source {
    Source::RouterAdvertisement {
        interface: "wan0".to_owned(),
        routers: routers
            .iter()
            .map(|router| router.parse().unwrap())
            .collect(),
    }
}

fn addresses() -> Source {
    Source::Address {
        interface: "wan0".to_owned(),
    }
}

#[test]
fn a_router_that_renumbers_is_heard_and_so_is_what_the_kernel_makes_of_it() {
    let test = "a_router_that_renumbers_is_heard_and_so_is_what_the_kernel_makes_of_it";
    let Some(mut world) = World::new(test, &["radvd"]) else {
        return;
    };
    let (router, customer) = (world.router("isp", ONE), world.customer());
    let (a, b) = ("2001:db8:a::/64", "2001:db8:b::/64");
    let watched = customer.watch(vec![advertisements(&[]), addresses()]);
    let radvd = advertise(&world, &router, "radvd.conf", &[(a, 3600, 7200)]);
    let origin = watched.seen(0, a, Lifetimes::Apart(3600));
    assert_eq!(origin, "router fe80::1 on wan0");
    assert_eq!(watched.seen(1, a, Lifetimes::Apart(3600)), "wan0");
    // It takes signals from its second advertisement on.
    watched.seen(0, a, Lifetimes::Apart(3600));
    renumber(
        &world,
        &radvd,
        "radvd.conf",
        &[(a, 0, 7200), (b, 1800, 9000)],
    );
    watched.seen(0, a, Lifetimes::Deprecated);
    watched.seen(0, b, Lifetimes::Apart(7200));
    // The order in which the kernel tells of its two addresses is its own.
    let watched = customer.watch(vec![addresses()]);
    watched.seen(0, b, Lifetimes::Apart(7200));
    let watched = customer.watch(vec![addresses()]);
    watched.seen(0, a, Lifetimes::Deprecated);
}

#[test]
fn a_router_that_ends_a_prefix_at_once_is_believed() {
    let test = "a_router_that_ends_a_prefix_at_once_is_believed";
    let Some(mut world) = World::new(test, &["radvd"]) else {
        return;
    };
    let (router, customer) = (world.router("isp", ONE), world.customer());
    let a = "2001:db8:a::/64";
    let watched = customer.watch(vec![advertisements(&[])]);
    let radvd = advertise(&world, &router, "radvd.conf", &[(a, 3600, 7200)]);
    for _advertisement_after_which_it_takes_signals in 0..2 {
        watched.seen(0, a, Lifetimes::Apart(3600));
    }
    renumber(&world, &radvd, "radvd.conf", &[(a, 0, 0)]);
    watched.gone(0, a);
}

#[test]
fn of_two_routers_one_deprecates_and_the_other_goes_on() {
    let test = "of_two_routers_one_deprecates_and_the_other_goes_on";
    let Some(mut world) = World::new(test, &["radvd"]) else {
        return;
    };
    let (one, other) = (world.router("one", ONE), world.router("other", OTHER));
    let customer = world.customer();
    let (a, b) = ("2001:db8:a::/64", "2001:db8:b::/64");
    let watched = customer.watch(vec![advertisements(&[]), advertisements(&[OTHER])]);
    let _deprecating = advertise(&world, &one, "one.conf", &[(a, 0, 7200)]);
    assert_eq!(
        watched.seen(0, a, Lifetimes::Deprecated),
        "router fe80::1 on wan0"
    );
    let _healthy = advertise(
        &world,
        &other,
        "other.conf",
        &[(a, 3600, 7200), (b, 1800, 7200)],
    );
    assert_eq!(
        watched.seen(0, a, Lifetimes::Apart(3600)),
        "router fe80::2 on wan0"
    );
    // The second source listens to one router only, and heard nothing of the first.
    let first = watched.until("the second source hears somebody", |input| match input {
        openelb_ipam::dynamic_prefix::Input::Seen(seen) if seen.source == 1 => {
            Some(seen.origin.clone())
        }
        _ => None,
    });
    assert_eq!(first, "router fe80::2 on wan0");
}

#[test]
fn an_interface_that_comes_later_and_goes_down_is_followed() {
    let test = "an_interface_that_comes_later_and_goes_down_is_followed";
    let Some(mut world) = World::new(test, &["radvd"]) else {
        return;
    };
    let (router, customer) = (world.router("isp", ONE), world.customer());
    let a = "2001:db8:a::/64";
    customer.sh("ip link set wan0 down");
    customer.sh("ip link set wan0 name elsewhere");
    let watched = customer.watch(vec![advertisements(&[])]);
    assert_eq!(watched.failed(0), "there is no interface wan0");
    let _radvd = advertise(&world, &router, "radvd.conf", &[(a, 3600, 7200)]);
    customer.sh("ip link set elsewhere name wan0");
    assert_eq!(watched.failed(0), "interface wan0 is down");
    customer.sh("ip link set wan0 up");
    watched.worked(0);
    watched.seen(0, a, Lifetimes::Apart(3600));
    customer.sh("ip link set wan0 down");
    assert_eq!(watched.failed(0), "interface wan0 is down");
}
