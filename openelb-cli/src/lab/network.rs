//! The network of the lab: a switch and the hosts on it, built over netlink.
//!
//! The switch is a bridge in the namespace of the calling thread. Each host has one interface,
//! `eth0`, the far end of a pair whose near end is a port of the bridge. A second bridge hangs on the
//! first by a cable, so that there is something to split.

use std::io;
use std::os::fd::AsRawFd;

use openelb_announce::wire::Mac;
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth};

use super::host::Host;
use super::netlink::{NetworkError, index, io_error, netlink, on_this_thread, set_up};
use super::station::{INTERFACE, Plan, Station};

/// The switch with its hosts.
#[derive(Debug)]
pub(crate) struct Network {
    stations: Vec<Station>,
    /// The cable between the switches.
    trunk: &'static str,
}

impl Network {
    /// Builds the switch in the namespace of this thread, and the hosts.
    pub(crate) fn build(plans: Vec<Plan>) -> Result<Self, NetworkError> {
        on_this_thread(make_switches)?;
        let mut stations = Vec::new();
        for plan in plans {
            stations.push(plug_in(plan)?);
        }
        Ok(Self {
            stations,
            trunk: TRUNK,
        })
    }

    /// All stations in the order of the plan.
    pub(crate) fn stations(&self) -> &[Station] {
        &self.stations
    }

    /// Plugs these hosts into the second switch and all others into the first. Everybody goes on
    /// hearing everybody, but for the moment that it takes.
    pub(crate) fn group<N: AsRef<str>>(&self, hosts: &[N]) -> Result<(), NetworkError> {
        for host in hosts {
            self.known(host.as_ref())?;
        }
        on_this_thread(async |handle| {
            for Station { plan, .. } in &self.stations {
                let is_far = hosts.iter().any(|host| host.as_ref() == plan.name);
                let switch = if is_far { SECOND } else { FIRST };
                connect(&handle, plan.name, Port::Switch(switch)).await?;
            }
            Ok(())
        })
    }

    /// Cuts the cable between the switches. No host's interface notices.
    pub(crate) fn split(&self) -> Result<(), NetworkError> {
        plug(self.trunk, Port::Nothing)
    }

    /// Joins the switches again.
    pub(crate) fn heal(&self) -> Result<(), NetworkError> {
        plug(self.trunk, Port::Switch(FIRST))
    }

    /// Takes a host from the network: nobody hears it and it hears nobody, as when its power fails.
    pub(crate) fn cut(&self, host: &str) -> Result<(), NetworkError> {
        plug(self.known(host)?, Port::Nothing)
    }

    /// Gives a host that was cut its cable back, on the first switch.
    pub(crate) fn mend(&self, host: &str) -> Result<(), NetworkError> {
        plug(self.known(host)?, Port::Switch(FIRST))
    }

    /// The station of that name.
    pub(crate) fn station(&self, name: &str) -> Option<&Station> {
        self.stations
            .iter()
            .find(|station| station.plan.name == name)
    }

    /// Who has this hardware address.
    pub(crate) fn owner(&self, mac: Mac) -> Option<&str> {
        let mut all = self.stations.iter();
        all.find(|station| station.plan.mac == mac)
            .map(|station| station.plan.name)
    }

    /// The cable of a host, which is called like it.
    fn known(&self, host: &str) -> Result<&'static str, NetworkError> {
        let found = self.station(host).map(|station| station.plan.name);
        let unknown = io_error(format!("find host {host}"));
        found.ok_or_else(|| unknown(io::ErrorKind::NotFound.into()))
    }
}

/// What a cable ends in.
#[derive(Debug, Clone, Copy)]
enum Port {
    Switch(&'static str),
    Nothing,
}

fn plug(cable: &str, port: Port) -> Result<(), NetworkError> {
    on_this_thread(async |handle| connect(&handle, cable, port).await)
}

async fn make_switches(handle: Handle) -> Result<(), NetworkError> {
    set_up(&handle, "lo").await?;
    for switch in [FIRST, SECOND] {
        let bridge = LinkBridge::new(switch).build();
        let added = handle.link().add(bridge).execute().await;
        added.map_err(netlink(format!("create bridge {switch}")))?;
        set_up(&handle, switch).await?;
    }
    let trunk = LinkVeth::new(TRUNK, TRUNK_FAR).build();
    let added = handle.link().add(trunk).execute().await;
    added.map_err(netlink("lay a cable between the switches".to_owned()))?;
    connect(&handle, TRUNK_FAR, Port::Switch(SECOND)).await?;
    connect(&handle, TRUNK, Port::Switch(FIRST)).await
}

fn plug_in(plan: Plan) -> Result<Station, NetworkError> {
    let host = Host::start(plan.name)?;
    let station = Station { host, plan };
    // An address that is still being checked for duplicates cannot be used for a second or two.
    station.set_sysctl("ipv6/conf/default/accept_dad", "0")?;
    station.set_sysctl("ipv6/conf/default/accept_ra", "0")?;
    on_this_thread(|handle| lay_cable(handle, &station))?;
    station.bring_up()?;
    Ok(station)
}

async fn lay_cable(handle: Handle, station: &Station) -> Result<(), NetworkError> {
    let name = station.plan.name;
    let act = || format!("lay a cable between the switch and {name}");
    let pair = LinkVeth::new(name, INTERFACE).build();
    handle
        .link()
        .add(pair)
        .execute()
        .await
        .map_err(netlink(act()))?;
    let far = LinkUnspec::new_with_index(index(INTERFACE)?)
        .address(station.plan.mac.octets().to_vec())
        .setns_by_fd(station.host.namespace().as_raw_fd())
        .build();
    handle
        .link()
        .set(far)
        .execute()
        .await
        .map_err(netlink(act()))?;
    connect(&handle, name, Port::Switch(FIRST)).await
}

/// Ends a cable in this port, wherever it ended before.
async fn connect(handle: &Handle, cable: &str, port: Port) -> Result<(), NetworkError> {
    let near = LinkUnspec::new_with_index(index(cable)?).up();
    let near = match port {
        Port::Switch(switch) => near.controller(index(switch)?),
        Port::Nothing => near.nocontroller(),
    };
    let set = handle.link().set(near.build()).execute().await;
    set.map_err(netlink(format!("connect {cable} to {port:?}")))
}

const FIRST: &str = "switch";
const SECOND: &str = "switch-2";

/// The cable between them: its end in the first, and that in the second.
const TRUNK: &str = "trunk";
const TRUNK_FAR: &str = "trunk-2";
