//! Lets a thread run as soon as it has something to do, ahead of all ordinary threads.
#![allow(
    unsafe_code,
    reason = "neither nix nor socket2 wraps sched_setscheduler"
)]

use std::io;

/// Puts the calling thread under `SCHED_FIFO` with `priority`, 1 to 99.
///
/// Needs `CAP_SYS_NICE`, or a limit of that height (`RLIMIT_RTPRIO`).
pub(crate) fn become_realtime(priority: u8) -> io::Result<()> {
    // The kernel's `sched_param` is this one number. musl's is longer, and its function always fails.
    let priority = libc::c_int::from(priority);
    let call = libc::SYS_sched_setscheduler;
    // SAFETY: the kernel reads one number, which outlives the call; 0 is this thread.
    let result = unsafe { libc::syscall(call, 0, libc::SCHED_FIFO, &raw const priority) };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
