//! What the threads of the daemon may do.

use caps::{CapSet, Capability, CapsHashSet};

use crate::exit_code::{ExitCode, Failure};

/// Keeps `CAP_NET_RAW`, if it is there, and nothing else in this thread and those it starts.
pub(super) fn keep_net_raw() -> Result<(), Failure> {
    let failed = |error| {
        let message = format!("cannot give up capabilities: {error}");
        Failure::new(ExitCode::Failed, message)
    };
    let permitted = caps::read(None, CapSet::Permitted).map_err(failed)?;
    let kept: CapsHashSet = permitted
        .into_iter()
        .filter(|it| *it == Capability::CAP_NET_RAW)
        .collect();
    for set in [CapSet::Ambient, CapSet::Inheritable] {
        caps::clear(None, set).map_err(failed)?;
    }
    for set in [CapSet::Effective, CapSet::Permitted] {
        caps::set(None, set, &kept).map_err(failed)?;
    }
    Ok(())
}

/// Keeps no capability in this thread and those it starts: whoever needs one has it already.
pub(crate) fn give_up_capabilities() -> Result<(), Failure> {
    for set in [
        CapSet::Ambient,
        CapSet::Inheritable,
        CapSet::Effective,
        CapSet::Permitted,
    ] {
        caps::clear(None, set).map_err(|error| {
            Failure::new(
                ExitCode::Failed,
                format!("cannot give up capabilities: {error}"),
            )
        })?;
    }
    Ok(())
}
