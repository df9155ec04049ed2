//! A host on the switch: its one interface, and what its kernel is told about addresses.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use futures_util::TryStreamExt;
use ipnet::IpNet;
use openelb_announce::wire::Mac;
use rtnetlink::packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use rtnetlink::packet_route::route::{RouteScope, RouteType};
use rtnetlink::{Handle, LinkUnspec, RouteMessageBuilder};

use super::host::Host;
use super::netlink::{NetworkError, index, io_error, netlink, on_this_thread, set_up};

/// A host together with what was planned for it.
#[derive(Debug)]
pub(crate) struct Station {
    /// The host.
    pub(crate) host: Host,
    /// What it was built from.
    pub(crate) plan: Plan,
}

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

/// Whether an address is checked before the kernel uses it (RFC 4862 section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Used at once.
    Skip,
    /// Used when nobody else has it.
    Duplicates,
}

impl Station {
    /// Makes a host that has its interface ready for use, with the addresses of its plan.
    pub(crate) fn bring_up(&self) -> Result<(), NetworkError> {
        // Answer ARP only for addresses of the interface itself, never for a local route's.
        self.set_sysctl("ipv4/conf/eth0/arp_ignore", "1")?;
        let addresses = self.plan.addresses.clone();
        self.configure(move |handle| async move {
            set_up(&handle, "lo").await?;
            set_up(&handle, INTERFACE).await?;
            for address in addresses {
                add_address(&handle, address, Check::Skip).await?;
            }
            Ok(())
        })
    }

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

    /// Sends traffic for `prefix` to `gateway`.
    pub(crate) fn route(&self, prefix: IpNet, gateway: IpAddr) -> Result<(), NetworkError> {
        self.configure(move |handle| async move {
            let route = RouteMessageBuilder::<IpAddr>::new()
                .destination_prefix(prefix.network(), prefix.prefix_len())
                .expect("the length came from a prefix of the same family")
                .gateway(gateway)
                .expect("the gateway is of the family of its prefix")
                .build();
            let added = handle.route().add(route).execute().await;
            added.map_err(netlink(format!("send {prefix} to {gateway}")))
        })
    }

    /// Takes the interface from the network, as a host that lost its power does.
    pub(crate) fn unplug(&self) -> Result<(), NetworkError> {
        self.configure(|handle| async move {
            let link = LinkUnspec::new_with_index(index(INTERFACE)?).down().build();
            let set = handle.link().set(link).execute().await;
            set.map_err(netlink(format!("set {INTERFACE} down")))
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

/// The name of every host's only interface besides loopback.
pub(crate) const INTERFACE: &str = "eth0";

/// `RT_TABLE_LOCAL`: looked up before every other table.
const TABLE_LOCAL: u32 = 255;
