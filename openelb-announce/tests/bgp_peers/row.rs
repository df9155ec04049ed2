//! One row of the matrix: the speaker, and around it every router that can do what the row is about.

use std::net::Ipv4Addr;

use crate::ours::Ours;
use openelb_announce::bgp::route::Route;

use crate::router::{Description, Family, Feature, Kind, Neighbor, Router};
use crate::routes::wait_for_routes;
use crate::world::Host;

/// What a row is about. Both ends of each session are told the same unless it says otherwise.
pub(crate) struct Row<'a> {
    /// The families of the addresses between which there are sessions, one session each.
    pub(crate) over: &'a [Family],
    /// The families of the routes; `None`: the one of the session's addresses.
    pub(crate) families: Option<&'a [Family]>,
    /// The families that the speaker offers; `None`: those that the routers do.
    pub(crate) offered: Option<&'a [Family]>,
    /// The family of all next hops; `None`: that of each route.
    pub(crate) next_hops: Option<Family>,
    /// What the routers must be able to do, and are told to do.
    pub(crate) theirs: &'a [Feature],
    /// What those routers are told that can.
    pub(crate) also: &'a [Feature],
    /// What the speaker is told to do.
    pub(crate) ours: &'a [Feature],
    /// Each router has a password of its own.
    pub(crate) has_passwords: bool,
    /// How many hops apart they are; more than one: through another host, between addresses that
    /// are on no link.
    pub(crate) hops: u8,
    pub(crate) hold_time: u16,
    /// The routers are in the speaker's AS.
    pub(crate) is_internal: bool,
    pub(crate) installs: bool,
}

/// A row that runs.
pub(crate) struct Running {
    pub(crate) ours: Ours,
    pub(crate) routers: Vec<Router>,
}

/// How things are in most rows.
pub(crate) const PLAIN: Row<'static> = Row {
    over: &Family::ALL,
    families: None,
    offered: None,
    next_hops: None,
    theirs: &[],
    also: &[],
    ours: &[],
    has_passwords: false,
    hops: 1,
    hold_time: 90,
    is_internal: false,
    installs: false,
};

impl Row<'_> {
    /// The routers that can do it. The others' tables say why they cannot.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let mut kinds = Kind::ALL.to_vec();
        kinds.retain(|kind| {
            let reason = self.theirs.iter().find_map(|feature| kind.lacks(*feature));
            if let Some(reason) = reason {
                eprintln!("{kind:?} is left out: {reason}");
            }
            reason.is_none()
        });
        kinds
    }

    /// Starts the speaker on the first host, announcing `routes`, and the routers on the others.
    pub(crate) fn start(&self, hosts: &[Host], routes: &[Route]) -> Running {
        let kinds = self.kinds();
        let ours = self.speaker(&hosts[1..=kinds.len()]);
        let ours = Ours::start(&hosts[0], &ours, routes.to_vec());
        Running {
            ours,
            routers: self.routers(hosts),
        }
    }

    /// Starts the routers on all hosts but the first.
    pub(crate) fn routers(&self, hosts: &[Host]) -> Vec<Router> {
        let routers = self.kinds().into_iter().zip(&hosts[1..]);
        let start = |(kind, host)| Router::start(kind, host, self.router(kind, host));
        routers.map(start).collect()
    }

    /// Runs the whole row: every router must have every route, exactly as it was announced.
    pub(crate) fn prove(&self, hosts: &[Host], routes: &[Route]) -> Running {
        let running = self.start(hosts, routes);
        running.wait_for_routes(self, routes);
        running
    }

    /// The speaker's side.
    pub(crate) fn speaker(&self, hosts: &[Host]) -> Description {
        let description = Description::new(OUR_AS, Ipv4Addr::new(192, 0, 2, 1));
        let ends = hosts
            .iter()
            .flat_map(|host| self.over.iter().map(move |over| (host, over)));
        ends.fold(description, |description, (host, over)| {
            let neighbor = Neighbor::new(
                self.their_as(host.number),
                &self.address(*over, host.number),
            );
            let mut neighbor = self.session(neighbor, host.number, *over, self.ours);
            if let Some(offered) = self.offered {
                neighbor = neighbor.families(offered);
            }
            description.neighbor(neighbor.from(&self.address(*over, 1)))
        })
    }

    /// A router's side.
    pub(crate) fn router(&self, kind: Kind, host: &Host) -> Description {
        let also = self
            .also
            .iter()
            .filter(|feature| kind.lacks(**feature).is_none());
        let told: Vec<Feature> = self.theirs.iter().chain(also).copied().collect();
        let id = Ipv4Addr::new(192, 0, 2, host.number);
        let mut description = Description::new(self.their_as(host.number), id);
        description.installs = self.installs;
        for over in self.over {
            let neighbor = Neighbor::new(OUR_AS, &self.address(*over, 1));
            let neighbor = self.session(neighbor, host.number, *over, &told);
            description = description.neighbor(neighbor.from(&self.address(*over, host.number)));
        }
        description
    }

    /// The addresses of the speaker, where its neighbours find it.
    pub(crate) fn our_addresses(&self) -> Vec<String> {
        self.over
            .iter()
            .map(|over| self.address(*over, 1))
            .collect()
    }

    /// The address that a host has for its sessions.
    pub(crate) fn address(&self, family: Family, number: u8) -> String {
        match (family, self.hops) {
            (Family::Ipv4, 1) => format!("192.0.2.{number}"),
            (Family::Ipv6, 1) => format!("2001:db8::{number}"),
            (Family::Ipv4, _) => format!("10.9.0.{number}"),
            (Family::Ipv6, _) => format!("2001:db8:9::{number}"),
        }
    }

    /// The AS of the router on that host.
    pub(crate) fn their_as(&self, number: u8) -> u32 {
        if self.is_internal {
            OUR_AS
        } else {
            OUR_AS + u32::from(number)
        }
    }

    fn session(&self, neighbor: Neighbor, number: u8, over: Family, told: &[Feature]) -> Neighbor {
        let neighbor = neighbor.families(self.families.unwrap_or(&[over]));
        let mut neighbor = neighbor.hold_time(self.hold_time);
        for feature in told {
            neighbor = neighbor.with(*feature);
        }
        if self.has_passwords {
            neighbor = neighbor.password(&format!("word-{number}"));
        }
        if self.hops > 1 {
            neighbor = neighbor.hops(self.hops);
        }
        neighbor
    }
}

impl Running {
    /// Waits until every router has every route, exactly as it was announced.
    pub(crate) fn wait_for_routes(&self, row: &Row<'_>, routes: &[Route]) {
        for router in &self.routers {
            for address in row.our_addresses() {
                router.wait_established(&address);
            }
            wait_for_routes(router, row, routes);
        }
    }
}

/// Puts a host that forwards between all others in the middle: the last one. Each of the others
/// gets addresses on no link, and reaches those of the others only through it.
pub(crate) fn put_in_the_middle(hosts: &[Host]) {
    let (middle, ends) = hosts.split_last().unwrap();
    middle.sh("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    middle.sh("sysctl -qw net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0");
    let (via4, via6) = (
        format!("192.0.2.{}", middle.number),
        format!("2001:db8::{}", middle.number),
    );
    for host in ends {
        let number = host.number;
        let (own4, own6) = (format!("10.9.0.{number}"), format!("2001:db8:9::{number}"));
        host.sh("sysctl -qw net.ipv6.conf.eth0.accept_redirects=0");
        host.sh(&format!("ip addr add {own4}/32 dev lo"));
        host.sh(&format!("ip addr add {own6}/128 dev lo"));
        host.sh(&format!("ip route add 10.9.0.0/24 via {via4}"));
        host.sh(&format!("ip route add 2001:db8:9::/64 via {via6}"));
        middle.sh(&format!("ip route add {own4} via 192.0.2.{number}"));
        middle.sh(&format!("ip route add {own6} via 2001:db8::{number}"));
    }
}

/// The speaker's AS.
pub(crate) const OUR_AS: u32 = 64500;
