//! What a host's kernel forwards by: its routes to an address, and which of them it loses.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use futures_util::{StreamExt, TryStreamExt};
use rtnetlink::packet_core::NetlinkPayload;
use rtnetlink::packet_route::RouteNetlinkMessage;
use rtnetlink::packet_route::route::{
    RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteVia,
};
use rtnetlink::{MulticastGroup, RouteMessageBuilder, new_multicast_connection};
use tokio::sync::oneshot;

use super::netlink::{NetworkError, io_error, netlink, on_this_thread};

/// The next hops of the host route to `address` that a routing daemon installed into the kernel of
/// the calling thread's host; `None` without such a route.
pub(crate) fn next_hops(address: IpAddr) -> Result<Option<Vec<IpAddr>>, NetworkError> {
    on_this_thread(move |handle| async move {
        let mut filter = RouteMessageBuilder::<IpAddr>::new().build();
        filter.header.address_family = match address {
            IpAddr::V4(_) => rtnetlink::packet_route::AddressFamily::Inet,
            IpAddr::V6(_) => rtnetlink::packet_route::AddressFamily::Inet6,
        };
        let routes = handle.route().get(filter).execute();
        let found = routes
            .try_filter(|route| {
                let wanted = leads_to(route, address);
                async move { wanted }
            })
            .try_collect::<Vec<RouteMessage>>()
            .await
            .map_err(netlink(format!("look for routes to {address}")))?;
        // The kernel shows an IPv6 route with several next hops as one, or as several with one.
        let mut hops: Vec<IpAddr> = found
            .iter()
            .flat_map(|route| gateways(&route.attributes))
            .collect();
        hops.sort();
        hops.dedup();
        Ok((!found.is_empty()).then_some(hops))
    })
}

/// Counts the deletions of host routes from a host's kernel until it is finished.
#[derive(Debug)]
pub(crate) struct Watch {
    deleted: Arc<AtomicUsize>,
    end: oneshot::Sender<()>,
    thread: JoinHandle<io::Result<()>>,
}

impl Watch {
    /// Starts to count, on the calling thread's host, deletions of host routes to these.
    pub(crate) fn start(addresses: Vec<IpAddr>) -> Result<Self, NetworkError> {
        let deleted = Arc::new(AtomicUsize::new(0));
        let (end, ended) = oneshot::channel();
        let (listening, heard) = std::sync::mpsc::channel();
        let counter = Arc::clone(&deleted);
        // The thread is born in the namespace of this one.
        let watching = thread::Builder::new().spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_io()
                .build()?;
            runtime.block_on(count(&addresses, &counter, &listening, ended))
        });
        let failed = io_error("watch the routes of the kernel");
        let thread = watching.map_err(&failed)?;
        heard
            .recv()
            .map_err(|_| failed(io::Error::other("the watch ended")))?;
        Ok(Self {
            deleted,
            end,
            thread,
        })
    }

    /// Ends the count; returns how many routes were deleted.
    pub(crate) fn finish(self) -> Result<usize, NetworkError> {
        let _ = self.end.send(());
        let failed = io_error("watch the routes of the kernel");
        let ended = self.thread.join();
        ended
            .map_err(|_| failed(io::Error::other("the watch panicked")))?
            .map_err(failed)?;
        Ok(self.deleted.load(Ordering::Relaxed))
    }
}

async fn count(
    addresses: &[IpAddr],
    counter: &AtomicUsize,
    listening: &std::sync::mpsc::Sender<()>,
    mut ended: oneshot::Receiver<()>,
) -> io::Result<()> {
    let groups = [MulticastGroup::Ipv4Route, MulticastGroup::Ipv6Route];
    let (connection, _handle, mut messages) = new_multicast_connection(&groups)?;
    tokio::spawn(connection);
    let _ = listening.send(());
    loop {
        // Both branches can be dropped without loss: a message stays queued, the end stays sent.
        let message = tokio::select! {
            message = messages.next() => message,
            _ = &mut ended => return Ok(()),
        };
        let Some((message, _)) = message else {
            return Ok(());
        };
        let NetlinkPayload::InnerMessage(RouteNetlinkMessage::DelRoute(route)) = message.payload
        else {
            continue;
        };
        if addresses.iter().any(|address| leads_to(&route, *address)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether it is the host route to `address` of a routing daemon.
fn leads_to(route: &RouteMessage, address: IpAddr) -> bool {
    let host = match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    };
    let is_destination = |attribute: &RouteAttribute| match (attribute, address) {
        (RouteAttribute::Destination(RouteAddress::Inet(to)), IpAddr::V4(address)) => {
            *to == address
        }
        (RouteAttribute::Destination(RouteAddress::Inet6(to)), IpAddr::V6(address)) => {
            *to == address
        }
        _ => false,
    };
    route.header.protocol == RouteProtocol::Bgp
        && route.header.destination_prefix_length == host
        && route.attributes.iter().any(is_destination)
}

fn gateways(attributes: &[RouteAttribute]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for attribute in attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet(gateway)) => found.push((*gateway).into()),
            RouteAttribute::Gateway(RouteAddress::Inet6(gateway))
            | RouteAttribute::Via(RouteVia::Inet6(gateway)) => found.push((*gateway).into()),
            RouteAttribute::MultiPath(hops) => {
                found.extend(hops.iter().flat_map(|hop| gateways(&hop.attributes)));
            }
            _ => {}
        }
    }
    found
}
