//! CHECK: the container still holds what ADD gave it.

use crate::cni::config::Network;
use crate::cni::error::{Code, Error};
use crate::cni::invocation::{Arguments, Attachment};
use crate::cni::store::{Host, Store};

/// Compares the leases with the result of ADD. Addresses that other plugins added to it are not judged.
pub(crate) fn check(
    network: &Network,
    attachment: &Attachment,
    arguments: &Arguments,
    host: Host,
) -> Result<(), Error> {
    let sets = network.addressing(arguments)?.sets;
    let previous = network.previous_addresses()?;
    let held = match Store::open_if_there(network.place(), host)? {
        Some(mut store) => {
            let held = store.addresses_of(attachment);
            store.seal();
            held?
        }
        None => Vec::new(),
    };
    let next = "delete the container and start it again: its address may be given to another one";
    if held.is_empty() {
        return Err(Error::new(Code::NotHeld, format!("{attachment} holds no address")).next(next));
    }
    let is_ours = |address| sets.iter().any(|set| set.span_of(address).is_some());
    match previous
        .into_iter()
        .find(|address| is_ours(*address) && !held.contains(address))
    {
        Some(missing) => Err(Error::new(
            Code::NotHeld,
            format!("{attachment} no longer holds {missing}"),
        )
        .next(next)),
        None => Ok(()),
    }
}
