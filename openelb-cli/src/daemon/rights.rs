//! What the threads of the daemon may do.

use caps::CapSet;

use crate::exit_code::{ExitCode, Failure};

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
