//! What a host believes about its neighbours: the kernel's own table, read and provoked.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use futures_util::TryStreamExt;
use openelb_announce::wire::Mac;
use rtnetlink::Handle;
use rtnetlink::packet_route::AddressFamily;
use rtnetlink::packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};

use super::clock::Stopwatch;
use super::netlink::{NetworkError, netlink, on_this_thread};

/// How a resolution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolution {
    /// Somebody answered, from this hardware address.
    Resolved(Mac),
    /// The kernel asked as often as it does and nobody answered.
    Unanswered,
}

/// Forgets what the calling thread's host knows of `address` and asks the network again, waiting
/// for the kernel to end one way or the other but at most for `patience`.
pub(crate) fn resolve(address: IpAddr, patience: Duration) -> Result<Resolution, NetworkError> {
    forget(address)?;
    let waited = Stopwatch::start();
    provoke(address)?;
    loop {
        if let Some(entry) = entry(address)? {
            match (entry.header.state, mac(&entry)) {
                (NeighbourState::Failed, _) => return Ok(Resolution::Unanswered),
                (NeighbourState::Incomplete | NeighbourState::None, _) | (_, None) => {}
                (_, Some(mac)) => return Ok(Resolution::Resolved(mac)),
            }
        }
        if waited.elapsed() > patience {
            return Ok(Resolution::Unanswered);
        }
        thread::sleep(POLL);
    }
}

/// The hardware address in the table, whatever the state of the entry, without asking the network.
pub(crate) fn known(address: IpAddr) -> Result<Option<Mac>, NetworkError> {
    Ok(entry(address)?.as_ref().and_then(mac))
}

/// Makes the kernel need the neighbour: a datagram to the discard port.
fn provoke(address: IpAddr) -> Result<(), NetworkError> {
    let failed = |source| NetworkError::Io {
        act: format!("send a datagram to {address}"),
        source,
    };
    let local: SocketAddr = match address {
        IpAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(local).map_err(failed)?;
    match socket.send_to(&[0], (address, DISCARD)) {
        // An entry that failed a moment ago is reported to the next sender once.
        Err(error) if error.kind() != io::ErrorKind::HostUnreachable => Err(failed(error)),
        _ => Ok(()),
    }
}

fn forget(address: IpAddr) -> Result<(), NetworkError> {
    on_this_thread(|handle| async move {
        for entry in entries(&handle, address).await? {
            // Between the dump and here the kernel may have dropped it by itself.
            let _ = handle.neighbours().del(entry).execute().await;
        }
        Ok(())
    })
}

fn entry(address: IpAddr) -> Result<Option<NeighbourMessage>, NetworkError> {
    let all = on_this_thread(|handle| async move { entries(&handle, address).await })?;
    Ok(all.into_iter().next())
}

async fn entries(handle: &Handle, address: IpAddr) -> Result<Vec<NeighbourMessage>, NetworkError> {
    let (family, wanted) = match address {
        IpAddr::V4(address) => (AddressFamily::Inet, NeighbourAddress::Inet(address)),
        IpAddr::V6(address) => (AddressFamily::Inet6, NeighbourAddress::Inet6(address)),
    };
    let wanted = NeighbourAttribute::Destination(wanted);
    handle
        .neighbours()
        .get()
        .set_address_family(family)
        .execute()
        .try_filter(|entry| std::future::ready(entry.attributes.contains(&wanted)))
        .try_collect()
        .await
        .map_err(netlink("read the neighbour table".to_owned()))
}

fn mac(entry: &NeighbourMessage) -> Option<Mac> {
    entry
        .attributes
        .iter()
        .find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(bytes) => {
                bytes.as_slice().try_into().ok().map(Mac::new)
            }
            _ => None,
        })
}

/// How often the table is read while the kernel asks.
const POLL: Duration = Duration::from_millis(1);

/// RFC 863.
const DISCARD: u16 = 9;
