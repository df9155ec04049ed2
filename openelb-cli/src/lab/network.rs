//! The network of the lab: a switch and the hosts on it, built over netlink.
//!
//! The switch is a bridge in the namespace of the calling thread. Each host has one interface,
//! `eth0`, the far end of a pair whose near end is a port of the bridge.

use std::os::fd::AsRawFd;

use openelb_announce::wire::Mac;
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth};

use super::host::Host;
use super::netlink::{NetworkError, index, netlink, on_this_thread, set_up};
use super::station::{INTERFACE, Plan, Station};

/// The switch with its hosts.
#[derive(Debug)]
pub(crate) struct Network {
    stations: Vec<Station>,
}

impl Network {
    /// Builds the switch in the namespace of this thread, and the hosts.
    pub(crate) fn build(plans: Vec<Plan>) -> Result<Self, NetworkError> {
        on_this_thread(make_switch)?;
        let mut stations = Vec::new();
        for plan in plans {
            stations.push(plug_in(plan)?);
        }
        Ok(Self { stations })
    }

    /// All stations in the order of the plan.
    pub(crate) fn stations(&self) -> &[Station] {
        &self.stations
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
}

async fn make_switch(handle: Handle) -> Result<(), NetworkError> {
    set_up(&handle, "lo").await?;
    let bridge = LinkBridge::new(SWITCH).build();
    handle
        .link()
        .add(bridge)
        .execute()
        .await
        .map_err(netlink(format!("create bridge {SWITCH}")))?;
    set_up(&handle, SWITCH).await
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
    let near = LinkUnspec::new_with_index(index(name)?)
        .controller(index(SWITCH)?)
        .up()
        .build();
    handle
        .link()
        .set(near)
        .execute()
        .await
        .map_err(netlink(act()))
}

const SWITCH: &str = "switch";
