//! What the threads of the announcer may do, thread by thread: Linux capabilities belong to threads.

use caps::errors::CapsError;
use caps::{CapSet, Capability, CapsHashSet};

/// What becomes of the capabilities that the announcer's threads inherit from their creator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Privileges {
    /// The I/O thread, which reads what the network sends, gives all of them up before it starts.
    /// Only a small thread that opens sockets for interfaces keeps `CAP_NET_RAW` and nothing else,
    /// so that interfaces may still appear later. The creator's own are its own affair. Threads
    /// share memory: this bounds what a mistake can do, not an attacker who runs code in the process.
    #[default]
    Drop,
    /// Every thread keeps what it inherits.
    Keep,
}

/// Gives up every capability of the calling thread but `kept`. There is no way back.
pub(crate) fn keep_only(kept: &[Capability]) -> Result<(), CapsError> {
    let held = caps::read(None, CapSet::Permitted)?;
    let kept: CapsHashSet = kept
        .iter()
        .copied()
        .filter(|kept| held.contains(kept))
        .collect();
    // What may be gained through a program that is executed; both need rights of their own, and no
    // thread here executes anything.
    drop(caps::clear(None, CapSet::Bounding));
    drop(caps::clear(None, CapSet::Ambient));
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}
