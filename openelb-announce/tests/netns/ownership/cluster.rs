//! Nodes that elect the owners of services, in this process or in processes of their own.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;
use std::time::Duration;

use openelb_announce::announcer::{
    Announcement, Announcer, Desired, Election, Options, Owner, SegmentStatus,
};
use openelb_announce::claim::Probe;
use openelb_announce::ownership::{
    Group, GroupName, Key, KeyRing, NodeId, Profile, Settings, Standing,
};
use openelb_announce::wire::Mac;

use super::super::process::this_program;
use super::super::world::{Host, Running, eventually};
use super::census::Census;

/// What the nodes of a test have in common; each test changes what it is about.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) services: u8,
    pub(super) secret: &'static str,
    pub(super) peers: Vec<IpAddr>,
    pub(super) hold: Duration,
    pub(super) families: &'static [Family],
    pub(super) profile: Profile,
    pub(super) fences: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            services: 12,
            secret: "the secret of all nodes",
            peers: Vec::new(),
            // Nothing moves back unless a test is about that.
            hold: Duration::from_mins(10),
            families: &[Family::V4, Family::V6],
            profile: Profile::Normal,
            fences: None,
        }
    }
}

impl Plan {
    /// The addresses of every service.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        (0..self.services)
            .flat_map(|service| self.addresses_of(service))
            .collect()
    }

    /// The addresses of one service, which move together.
    pub(super) fn addresses_of(&self, service: u8) -> Vec<IpAddr> {
        let address = |family: &Family| -> IpAddr {
            match family {
                Family::V4 => Ipv4Addr::new(192, 0, 2, 100 + service).into(),
                Family::V6 => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 1, service.into()).into(),
            }
        };
        self.families.iter().map(address).collect()
    }

    /// What the node with this number wants.
    pub(super) fn desired(&self, number: u8) -> Desired {
        let announcement = |service: u8, address| Announcement {
            address,
            interfaces: "eth0".parse().unwrap(),
            probe: Probe::Fast,
            owner: Owner::Elected {
                group: GroupName::default(),
                unit: format!("service-{service}").into(),
            },
        };
        let announcements = (0..self.services).flat_map(|service| {
            let addresses = self.addresses_of(service);
            let all = addresses.into_iter();
            all.map(move |address| announcement(service, address))
        });
        Desired {
            announcements: announcements.collect(),
            election: Some(self.election(number)),
            ..Desired::default()
        }
    }

    fn election(&self, number: u8) -> Election {
        let key = Key::new(self.secret.as_bytes()).unwrap();
        let settings = Settings {
            hold: self.hold,
            dwell: Duration::ZERO,
            timing: self.profile.timing(),
            fences: self.fences,
            ..Settings::new(name(number), boot(), KeyRing::new(key, []))
        };
        let group = Group {
            name: GroupName::default(),
            shards: 256,
            standing: Standing::default(),
        };
        Election {
            peers: self.peers.clone(),
            ..Election::new(settings, vec![group])
        }
    }

    /// Starts a node in this process.
    pub(super) fn join(&self, host: &Host) -> Announcer {
        let announcer = host.run(|| Announcer::start(options()).unwrap());
        announcer.set(self.desired(host.number)).unwrap();
        announcer
    }

    /// Starts a node in this process on each of these hosts, and a census at the client: both, and who
    /// answers for which address once all of them hear each other.
    pub(super) fn form<const N: usize>(
        &self,
        hosts: [&Host; N],
        client: &Host,
    ) -> (Census, [Announcer; N], BTreeMap<IpAddr, Mac>) {
        let census = Census::start(client, &self.addresses());
        let nodes = hosts.map(|host| self.join(host));
        until_mutual(&nodes.each_ref(), N - 1);
        let owners = census.settled(&self.addresses());
        (census, nodes, owners)
    }

    /// Starts a node in a process of its own, run by `wrapper` if that is not empty.
    pub(super) fn spawn(&self, host: &Host, wrapper: &str, program: &str) -> Running {
        let number = host.number;
        let services = self.services;
        host.spawn(&format!(
            "env {NODE}={number} {SERVICES}={services} {wrapper} {program} \
             --exact ownership::cluster::joins_if_asked_to --nocapture"
        ))
    }

    /// Starts a node that may be killed.
    pub(super) fn spawn_plain(&self, host: &Host) -> Running {
        self.spawn(host, "", &this_program())
    }
}

/// The same for all nodes of this process, which all have other names.
fn boot() -> u64 {
    static BOOT: OnceLock<u64> = OnceLock::new();
    *BOOT
        .get_or_init(|| u64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos()).unwrap())
}

/// Refreshes come soon enough for a test to see one.
pub(super) fn options() -> Options {
    let mut options = Options::default();
    options.machine.announce.refresh = Some(Duration::from_secs(4));
    options
}

/// The name of the node on the host with this number.
pub(super) fn name(number: u8) -> NodeId {
    NodeId::new(&format!("node-{number}")).unwrap()
}

/// The hardware address of a host's `eth0`.
pub(super) fn mac(host: &Host) -> Mac {
    host.mac("eth0").parse().unwrap()
}

/// The election of `eth0`.
pub(super) fn segment(announcer: &Announcer) -> SegmentStatus {
    announcer.segments().into_iter().next().unwrap()
}

/// Waits until each of `nodes` hears `count` others that hear it.
pub(super) fn until_mutual(nodes: &[&Announcer], count: usize) {
    eventually("the nodes hear each other", || {
        nodes.iter().all(|node| {
            let segments = node.segments();
            let others = segments.first().map(|it| it.status.nodes.as_slice());
            let others = others.unwrap_or_default().iter();
            others.filter(|other| other.is_mutual).count() == count
        })
    });
}

/// How many addresses each station has.
pub(super) fn shares(owners: &BTreeMap<IpAddr, Mac>) -> BTreeMap<Mac, usize> {
    let mut shares = BTreeMap::new();
    for owner in owners.values() {
        *shares.entry(*owner).or_default() += 1;
    }
    shares
}

/// No test of its own: what [`Plan::spawn`] starts. It ends with the test that started it.
#[test]
fn joins_if_asked_to() {
    let Ok(number) = std::env::var(NODE) else {
        return;
    };
    let services = std::env::var(SERVICES).unwrap().parse().unwrap();
    let plan = Plan {
        services,
        ..Plan::default()
    };
    let announcer = Announcer::start(options()).unwrap();
    announcer
        .set(plan.desired(number.parse().unwrap()))
        .unwrap();
    loop {
        std::thread::park();
    }
}

const NODE: &str = "OPENELB_TEST_NODE";
const SERVICES: &str = "OPENELB_TEST_SERVICES";
