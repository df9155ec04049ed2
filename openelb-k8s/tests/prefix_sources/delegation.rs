//! A prefix that Kea delegates to dhcpcd (DHCPv6-PD), seen in every place where it leaves a trace.

use std::path::Path;

use openelb_announce::upstream::{RouteKind, Routes};
use openelb_ipam::dynamic_prefix::{Derivation, Part};
use openelb_k8s::api::LeaseFormat;
use openelb_k8s::prefix::Source;

use super::world::{Host, Lifetimes, Running, World};

/// Kea on `isp0` with this one prefix, and its journal in the world's folder.
fn delegate(world: &World, router: &Host, prefix: &str) -> Running {
    let journal = world.path("kea-leases6.csv");
    let configuration = format!(
        r#"{{"Dhcp6": {{
            "data-directory": "{folder}",
            "interfaces-config": {{"interfaces": ["isp0"]}},
            "lease-database": {{"type": "memfile", "name": "{journal}", "lfc-interval": 0}},
            "preferred-lifetime": 1800, "valid-lifetime": 3600,
            "renew-timer": 900, "rebind-timer": 1440,
            "subnet6": [{{"id": 1, "subnet": "2001:db8:ffff::/64", "interface": "isp0",
                "pd-pools": [{{"prefix": "{prefix}", "prefix-len": 56, "delegated-len": 56}}]}}],
            "loggers": [{{"name": "kea-dhcp6", "severity": "ERROR",
                "output_options": [{{"output": "{folder}/kea.log"}}]}}]
        }}}}"#,
        folder = world.path("").display(),
        journal = journal.display(),
    );
    let path = world.file("kea.json", &configuration);
    let folder = world.path("");
    let folder = folder.to_str().unwrap();
    router.start([
        "env",
        &format!("KEA_LOCKFILE_DIR={folder}"),
        &format!("KEA_PIDFILE_DIR={folder}"),
        "kea-dhcp6",
        "-c",
        path.to_str().unwrap(),
    ])
}

/// dhcpcd on `wan0`, which keeps its leases in this folder and hands the prefix on to `lan0`.
fn ask(world: &World, customer: &Host, leases: &Path) -> Running {
    std::fs::create_dir_all(leases).unwrap();
    let configuration = "duid\nipv6only\nnoipv6rs\nnohook resolv.conf, hostname, ntp.conf\n\
                         script /bin/true\ninterface wan0\n  ia_pd 1 lan0/0\n";
    let path = world.file("dhcpcd.conf", configuration);
    let script = format!(
        "mkdir -p /var/lib/dhcpcd /run/dhcpcd && mount --bind {} /var/lib/dhcpcd \
         && mount -t tmpfs none /run/dhcpcd && exec dhcpcd -6 -B -f {} wan0",
        leases.display(),
        path.display()
    );
    customer.start(["unshare", "-m", "sh", "-c", &script])
}

#[test]
fn metallb_78_a_prefix_delegated_by_kea_to_dhcpcd_is_seen_as_route_lease_and_address() {
    let test = "metallb_78_a_prefix_delegated_by_kea_to_dhcpcd_is_seen_as_route_lease_and_address";
    let Some(mut world) = World::new(test, &["kea-dhcp6", "dhcpcd"]) else {
        return;
    };
    let (router, customer) = (world.router("isp", "fe80::1"), world.customer());
    router.sh("ip addr add 2001:db8:ffff::1/64 dev isp0 nodad");
    customer.sh("ip link add lan0 type veth peer name lan1");
    customer.sh("ip link set lan0 up");
    customer.sh("ip link set lan1 up");
    let leases = world.path("dhcpcd");
    let lease = |format, path| Source::Lease {
        format,
        path,
        client: None,
    };
    let watched = customer.watch(vec![
        Source::Route(Routes {
            kind: RouteKind::Unreachable,
            interface: None,
            table: 254,
            protocol: Some(16),
        }),
        lease(LeaseFormat::Dhcpcd, leases.join("wan0.lease6")),
        lease(LeaseFormat::Kea, world.path("kea-leases6.csv")),
        Source::Address {
            interface: "lan0".to_owned(),
        },
    ]);
    let _kea = delegate(&world, &router, "2001:db8:aaaa:bb00::");
    let _dhcpcd = ask(&world, &customer, &leases);
    let delegated = "2001:db8:aaaa:bb00::/56";
    let mut missing = vec![0, 1, 2, 3];
    // In which order the traces appear is nobody's business.
    while !missing.is_empty() {
        let found = watched.until(&format!("a trace in {missing:?}"), |input| match input {
            openelb_ipam::dynamic_prefix::Input::Seen(seen) => {
                let expected = match seen.source {
                    0 => (delegated, Lifetimes::Endless),
                    3 => ("2001:db8:aaaa:bb00::/64", Lifetimes::Apart(1800)),
                    _ => (delegated, Lifetimes::Apart(1800)),
                };
                let told = (seen.prefix.to_string(), Lifetimes::of(seen));
                (told == (expected.0.to_owned(), expected.1)).then_some(seen.source)
            }
            _ => None,
        });
        missing.retain(|source| *source != found);
    }
    let subnet = Derivation {
        length: 64,
        part: Part::Number(0xcd),
    };
    let derived = subnet.derive(delegated.parse().unwrap()).unwrap();
    assert_eq!(derived.to_string(), "2001:db8:aaaa:bbcd::/64");
}
