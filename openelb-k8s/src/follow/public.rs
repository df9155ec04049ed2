//! Between what people see and write of addresses that follow a prefix, and what the ledger has.

use std::net::{IpAddr, Ipv6Addr};

use openelb_ipam::ipam::Assigned;
use openelb_ipam::relative::{PrefixName, Projection, is_ledger};
use openelb_ipam::{AddressRange, Request};

use crate::wish::{ReasonWord, Refusal};

/// Why the world sees nothing of an address that was given. `record` is the address as it is written:
/// `home/::10`.
pub(crate) fn unseen(view: &Projection, given: &Assigned, record: &str) -> Refusal {
    let pool = &given.pool;
    let name = record.split_once('/').map_or(record, |(name, _)| name);
    let known = name.parse::<PrefixName>().ok();
    let known = known.filter(|name| view.generations(name).is_some());
    let message = match (&known, view.overlap_of(name)) {
        (None, _) => format!("has {record}, and there is no DynamicPrefix {name}; create it"),
        (Some(name), _) if view.shown(name).next().is_some() => format!(
            "{record} does not fit the prefix {name} has now; shorten the host part in Eip {pool}"
        ),
        (Some(_), Some(overlap)) => format!("has {record}, and prefix {overlap}"),
        (Some(name), None) => format!(
            "has {record}, and prefix {name} is not known yet; look at the status of \
             DynamicPrefix {name}"
        ),
    };
    Refusal::new(ReasonWord::PrefixUnknown, message)
}

/// A request with every address in the ledger's form. `ranges` are those of a pool by its name: one
/// of a single prefix says which prefix a bare host part such as `::10` is meant in.
pub(crate) fn read_request(
    mut request: Request,
    view: &Projection,
    ranges: impl Fn(&str) -> Vec<AddressRange>,
) -> Result<Request, Refusal> {
    let pool = request.pool.as_deref().map(ranges).unwrap_or_default();
    let mut names = pool.iter().filter_map(|range| match range.first() {
        IpAddr::V6(first) => view.name_of(first),
        IpAddr::V4(_) => None,
    });
    let only = names.next();
    let only = only.filter(|one| names.all(|other| other == *one));
    for address in &mut request.addresses {
        if let IpAddr::V6(host) = *address
            && !is_ledger(host)
        {
            *address = read_pin(host, only, view)?;
        }
    }
    Ok(request)
}

fn read_pin(
    host: Ipv6Addr,
    only: Option<&PrefixName>,
    view: &Projection,
) -> Result<IpAddr, Refusal> {
    if let Some(read) = only.and_then(|name| view.read_host_in(name, host)) {
        return Ok(read);
    }
    let read = view.read(&host.to_string());
    read.map_err(|error| Refusal::new(ReasonWord::InvalidAddress, error))
}
