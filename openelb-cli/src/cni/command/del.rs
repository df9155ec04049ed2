//! DEL: whatever the container holds is free afterwards, however often it is sent.

use crate::cni::config::Network;
use crate::cni::error::Error;
use crate::cni::invocation::Attachment;
use crate::cni::store::{Host, Store};

/// Frees the addresses of a container on one interface. Holding none is no fault, and neither is a mistake in
/// ranges that only ADD needs.
pub(crate) fn del(network: &Network, attachment: &Attachment, host: Host) -> Result<(), Error> {
    let Some(mut store) = Store::open_if_there(network.place(), host)? else {
        return Ok(());
    };
    let freed = free_all(&mut store, attachment);
    store.seal();
    freed
}

fn free_all(store: &mut Store, attachment: &Attachment) -> Result<(), Error> {
    let mut outcome = Ok(());
    for address in store.addresses_of(attachment)? {
        // One that cannot be freed does not keep the others.
        let freed = store.free(attachment, address).map_err(Error::from);
        outcome = outcome.and(freed);
    }
    outcome
}
