//! The network of the lab: a switch and the hosts on it, built over netlink.
//!
//! The switch is a bridge in the namespace of the calling thread. Each host has one interface,
//! `eth0`, the far end of a pair whose near end is a port of the bridge.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use nix::net::if_::if_nametoindex;
use openelb_announce::wire::Mac;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::route::{RouteScope, RouteType};
use rtnetlink::{Handle, LinkBridge, LinkUnspec, LinkVeth, RouteMessageBuilder};

use super::host::{Host, HostError};

/// A host as it is wished for.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The host's name, and that of its port on the switch: at most 15 bytes.
    pub(crate) name: &'static str,
    /// The hardware address of its interface.
    pub(crate) mac: Mac,
    /// Its own addresses.
    pub(crate) addresses: Vec<IpNet>,
}

/// The switch with its hosts.
#[derive(Debug)]
pub(crate) struct Network {
    stations: Vec<Station>,
}

/// A host together with what was planned for it.
#[derive(Debug)]
pub(crate) struct Station {
    /// The host.
    pub(crate) host: Host,
    /// What it was built from.
    pub(crate) plan: Plan,
}

/// Whether an address is checked before the kernel uses it (RFC 4862 section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Used at once.
    Skip,
    /// Used when nobody else has it.
    Duplicates,
}

/// Why the network could not be built or changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NetworkError {
    /// A host did not start.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The kernel refused a step.
    #[error("{act}: {source}")]
    Netlink {
        /// What was being done.
        act: String,
        /// What the kernel said.
        source: rtnetlink::Error,
    },
    /// A file of `/proc/sys`, or the netlink socket itself, could not be used.
    #[error("{act}: {source}")]
    Io {
        /// What was being done.
        act: String,
        /// What the system said.
        source: io::Error,
    },
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

impl Station {
    /// Delivers all traffic for `prefix` on this host without owning an address of it, as a load
    /// balancer's host does: the kernel accepts the packets and never answers ARP or NDP for them.
    pub(crate) fn deliver(&self, prefix: IpNet) -> Result<(), NetworkError> {
        self.configure(move |handle| async move {
            let route = RouteMessageBuilder::<IpAddr>::new()
                .destination_prefix(prefix.network(), prefix.prefix_len())
                .expect("the length came from a prefix of the same family")
                .output_interface(index("lo")?)
                .kind(RouteType::Local)
                .scope(RouteScope::Host)
                .table_id(TABLE_LOCAL)
                .build();
            let added = handle.route().add(route).execute().await;
            added.map_err(netlink(format!("deliver {prefix} locally")))
        })
    }

    /// Gives the interface one more address. Without a check it is in use at once; with one the
    /// kernel first asks the network whether somebody has it, which it does for IPv6 only.
    pub(crate) fn own(&self, address: IpNet, check: Check) -> Result<(), NetworkError> {
        self.configure(move |handle| async move { add_address(&handle, address, check).await })
    }

    /// Takes an address from the interface.
    pub(crate) fn disown(&self, address: IpAddr) -> Result<(), NetworkError> {
        self.configure(move |handle| async move {
            for found in find_address(&handle, address).await? {
                let deleted = handle.address().del(found).execute().await;
                deleted.map_err(netlink(format!("remove address {address}")))?;
            }
            Ok(())
        })
    }

    /// Whether the kernel found that somebody else has this address of the interface.
    pub(crate) fn is_duplicate(&self, address: IpAddr) -> Result<bool, NetworkError> {
        let is_duplicate = |found: &AddressMessage| {
            let mut attributes = found.attributes.iter();
            attributes.any(|attribute| {
                matches!(attribute, AddressAttribute::Flags(flags)
                    if flags.contains(AddressFlags::Dadfailed))
            })
        };
        self.configure(move |handle| async move {
            Ok(find_address(&handle, address)
                .await?
                .iter()
                .any(is_duplicate))
        })
    }

    /// Sets a value below `/proc/sys/net` in the host's namespace.
    pub(crate) fn set_sysctl(&self, name: &str, value: &str) -> Result<(), NetworkError> {
        let (path, value) = (PathBuf::from("/proc/sys/net").join(name), value.to_owned());
        self.host.run(move || {
            fs::write(&path, &value)
                .map_err(io_error(format!("write {value} to {}", path.display())))
        })
    }

    fn configure<T, F>(
        &self,
        work: impl FnOnce(Handle) -> F + Send + 'static,
    ) -> Result<T, NetworkError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, NetworkError>>,
    {
        self.host.run(move || on_this_thread(work))
    }
}

/// Runs `work` with a netlink socket of this thread's namespace.
pub(crate) fn on_this_thread<T, F>(work: impl FnOnce(Handle) -> F) -> Result<T, NetworkError>
where
    F: Future<Output = Result<T, NetworkError>>,
{
    let opening = io_error("open a netlink socket");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    runtime.map_err(&opening)?.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(opening)?;
        tokio::spawn(connection);
        work(handle).await
    })
}

/// The index of an interface of this thread's namespace.
pub(crate) fn index(name: &str) -> Result<u32, NetworkError> {
    if_nametoindex(name)
        .map_err(|errno| io_error(format!("find interface {name}"))(io::Error::from(errno)))
}

/// A fault of netlink while doing `act`.
pub(crate) fn netlink(act: String) -> impl FnOnce(rtnetlink::Error) -> NetworkError {
    move |source| NetworkError::Netlink { act, source }
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
    // Answer ARP only for addresses of the interface itself, never for a local route's.
    station.set_sysctl("ipv4/conf/eth0/arp_ignore", "1")?;
    let addresses = station.plan.addresses.clone();
    station.configure(move |handle| async move {
        set_up(&handle, "lo").await?;
        set_up(&handle, INTERFACE).await?;
        for address in addresses {
            add_address(&handle, address, Check::Skip).await?;
        }
        Ok(())
    })?;
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

async fn set_up(handle: &Handle, name: &str) -> Result<(), NetworkError> {
    let link = LinkUnspec::new_with_index(index(name)?).up().build();
    handle
        .link()
        .set(link)
        .execute()
        .await
        .map_err(netlink(format!("set {name} up")))
}

async fn add_address(handle: &Handle, address: IpNet, check: Check) -> Result<(), NetworkError> {
    let interface = index(INTERFACE)?;
    let mut request = handle
        .address()
        .add(interface, address.addr(), address.prefix_len());
    if check == Check::Skip {
        let flags = AddressAttribute::Flags(AddressFlags::Nodad);
        request.message_mut().attributes.push(flags);
    }
    request
        .execute()
        .await
        .map_err(netlink(format!("add address {address}")))
}

async fn find_address(
    handle: &Handle,
    address: IpAddr,
) -> Result<Vec<AddressMessage>, NetworkError> {
    handle
        .address()
        .get()
        .set_link_index_filter(index(INTERFACE)?)
        .set_address_filter(address)
        .execute()
        .try_collect()
        .await
        .map_err(netlink(format!("look for address {address}")))
}

fn io_error(act: impl Into<String>) -> impl Fn(io::Error) -> NetworkError {
    let act = act.into();
    move |source| NetworkError::Io {
        act: act.clone(),
        source,
    }
}

/// The name of every host's only interface besides loopback.
pub(crate) const INTERFACE: &str = "eth0";

const SWITCH: &str = "switch";

/// `RT_TABLE_LOCAL`: looked up before every other table.
const TABLE_LOCAL: u32 = 255;
