//! STATUS: whether ADD could be served now.

use super::add::exhausted;
use crate::cni::choose;
use crate::cni::config::{Network, Ranges};
use crate::cni::error::{Code, Error};
use crate::cni::invocation::Arguments;
use crate::cni::resolv::Dns;
use crate::cni::store::{Host, Store};

/// Tries everything that ADD does, short of taking an address.
///
/// Code 50 when ADD would fail, and 51 when the leases cannot even be read: then nobody can tell what running
/// containers hold, and DEL and CHECK fail, too.
pub(crate) fn status(network: &Network, host: Host) -> Result<(), Error> {
    let addressing = network.addressing(&Arguments::default());
    let addressing = addressing.map_err(|error| error.with_code(Code::Unavailable))?;
    if let Some(path) = &addressing.resolv_conf {
        Dns::read(path).map_err(|error| error.with_code(Code::Unavailable))?;
    }
    let existing = Store::open_if_there(network.place(), host);
    let existing = existing.map_err(|error| Error::from(error).with_code(Code::Limited))?;
    let store = existing.map_or_else(|| Store::open(network.place(), host), Ok);
    let mut store = store.map_err(|error| Error::from(error).with_code(Code::Unavailable))?;
    let served = serves(&mut store, &addressing.sets);
    store.seal();
    served
}

fn serves(store: &mut Store, sets: &[Ranges]) -> Result<(), Error> {
    for (at, set) in sets.iter().enumerate() {
        if choose::next(set, None, store.taken(set.family())).is_none() {
            return Err(exhausted(at, set).with_code(Code::Unavailable));
        }
    }
    store
        .probe()
        .map_err(|error| Error::from(error).with_code(Code::Unavailable))
}
