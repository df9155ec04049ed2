//! GC: frees what no container holds any more.

use std::collections::BTreeSet;

use crate::cni::config::Network;
use crate::cni::error::{Code, Error};
use crate::cni::invocation::Attachment;
use crate::cni::store::{Host, Store, Swept};

/// Frees every lease but those of the attachments that the runtime names. Goes on after an error, then reports it.
pub(crate) fn gc(network: &Network, host: Host) -> Result<(), Error> {
    let valid = network.valid_attachments()?;
    let valid: BTreeSet<_> = valid.iter().map(names).collect();
    let Some(mut store) = Store::open_if_there(network.place(), host)? else {
        return Ok(());
    };
    let swept = store.sweep(|container, interface| valid.contains(&(container, interface)));
    store.seal();
    let Swept { freed, failed } = swept?;
    let Some(first) = failed.first() else {
        return Ok(());
    };
    let fact = format!(
        "{first} ({} addresses were freed, {} could not be)",
        freed.len(),
        failed.len()
    );
    Err(Error::new(Code::Io, fact).next("mend the directory and let the runtime send GC again"))
}

fn names(attachment: &Attachment) -> (&str, &str) {
    (attachment.container(), attachment.interface())
}
