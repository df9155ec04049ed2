//! ADD: one address of each range set, or none at all.

use std::net::IpAddr;

use crate::cni::answer::{Answer, Given};
use crate::cni::choose;
use crate::cni::config::{Network, Ranges};
use crate::cni::error::{Code, Error};
use crate::cni::invocation::{Arguments, Attachment};
use crate::cni::resolv::Dns;
use crate::cni::store::{Host, Store};

/// Gives a container its addresses. Everything that can be refused is refused before anything is taken.
///
/// A container that holds an address of these ranges is refused, as host-local does: an answer would be
/// undone by the container's plugin, which frees what ADD gave as soon as it finds the interface there.
pub(crate) fn add(
    network: &Network,
    attachment: &Attachment,
    arguments: &Arguments,
    host: Host,
) -> Result<Answer, Error> {
    let addressing = network.addressing(arguments)?;
    let requests = assign(&addressing.sets, addressing.requested)?;
    let dns = addressing
        .resolv_conf
        .as_deref()
        .map(Dns::read)
        .transpose()?;
    let mut store = Store::open(network.place(), host)?;
    let taken = take_all(&mut store, attachment, &addressing.sets, &requests);
    store.seal();
    Ok(Answer {
        addresses: taken?,
        routes: addressing.routes,
        dns: dns.unwrap_or_default(),
    })
}

/// Which set each address that was asked for is of.
fn assign(sets: &[Ranges], mut requested: Vec<IpAddr>) -> Result<Vec<Option<IpAddr>>, Error> {
    let mut requests = Vec::with_capacity(sets.len());
    for set in sets {
        let at = requested
            .iter()
            .position(|address| set.span_of(*address).is_some());
        let request = at.map(|at| requested.remove(at));
        if let Some(address) = request.filter(|address| is_gateway(set, *address)) {
            let fact = format!("{address} was asked for and is the gateway of its subnet");
            return Err(Error::new(Code::NotAvailable, fact).next("ask for another address"));
        }
        requests.push(request);
    }
    if requested.is_empty() {
        return Ok(requests);
    }
    let left: Vec<_> = requested.iter().map(ToString::to_string).collect();
    let ranges: Vec<_> = sets.iter().map(ToString::to_string).collect();
    let fact = format!(
        "cannot give {}: the network hands out one address of each of {}",
        left.join(", "),
        ranges.join(" and ")
    );
    Err(Error::new(Code::NotAvailable, fact).next("ask for at most one address of each range set"))
}

fn is_gateway(set: &Ranges, address: IpAddr) -> bool {
    set.span_of(address)
        .is_some_and(|span| span.gateway == Some(address))
}

fn take_all(
    store: &mut Store,
    attachment: &Attachment,
    sets: &[Ranges],
    requests: &[Option<IpAddr>],
) -> Result<Vec<Given>, Error> {
    let is_ours = |address: &IpAddr| sets.iter().any(|set| set.span_of(*address).is_some());
    if let Some(held) = store.addresses_of(attachment)?.into_iter().find(is_ours) {
        let fact = format!("{attachment} already holds {held}");
        return Err(Error::new(Code::AlreadyHeld, fact).next("send DEL before another ADD"));
    }
    let mut taken: Vec<Given> = Vec::with_capacity(sets.len());
    for (at, (set, request)) in sets.iter().zip(requests).enumerate() {
        match take(store, attachment, (at, set), *request) {
            Ok(given) => taken.push(given),
            Err(error) => {
                for given in taken {
                    // What cannot be freed now is freed by the DEL that follows a failed ADD.
                    let _ = store.free(attachment, given.address);
                }
                return Err(error);
            }
        }
    }
    Ok(taken)
}

fn take(
    store: &mut Store,
    attachment: &Attachment,
    (at, set): (usize, &Ranges),
    request: Option<IpAddr>,
) -> Result<Given, Error> {
    let address = match request {
        Some(address) if store.hold(attachment, address)? => address,
        Some(address) => {
            let fact = format!("{address} was asked for and is held by another container");
            return Err(
                Error::new(Code::NotAvailable, fact).next("ask for another address, or none")
            );
        }
        None => take_next(store, attachment, (at, set))?,
    };
    store.note_last_reserved(at, address);
    let span = set.span_of(address);
    Ok(Given::of(
        address,
        span.expect("the address was chosen out of this set"),
    ))
}

fn take_next(
    store: &mut Store,
    attachment: &Attachment,
    (at, set): (usize, &Ranges),
) -> Result<IpAddr, Error> {
    let mut last = store.last_reserved(at);
    loop {
        let next = choose::next(set, last, store.taken(set.family()));
        let address = next.ok_or_else(|| exhausted(at, set))?;
        if store.hold(attachment, address)? {
            return Ok(address);
        }
        // Somebody who takes no lock made the file just now. It counts as taken, so this ends.
        last = Some(address);
    }
}

/// Every address of a set is held.
pub(super) fn exhausted(at: usize, set: &Ranges) -> Error {
    Error::new(
        Code::Exhausted,
        format!("no address is free in range set {at} ({set})"),
    )
    .next("widen its ranges, or let the runtime send GC for containers that are gone")
}
