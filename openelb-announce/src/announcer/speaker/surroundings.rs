//! What the host tells by itself: links and addresses, and segments with a wrong signature.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::reactor::Reactor;
use crate::bgp::speaker::Input;
use crate::link::netlink::Monitor;
use crate::link::readiness::Readiness;
use crate::link::tcp::SignatureCounters;
use crate::link::topology::Topology;

/// Waits for a change of links or addresses and returns the new picture.
pub(super) async fn changed_links(
    monitor: &mut Monitor,
    readiness: &Readiness,
) -> io::Result<Topology> {
    let receive = || match monitor.receive() {
        Ok(true) => Ok(monitor.topology().clone()),
        // It read all that waited, and that was no change.
        Ok(false) => Err(io::ErrorKind::WouldBlock.into()),
        Err(error) => Err(error),
    };
    readiness.read(receive).await
}

/// Tells the speaker when the kernel dropped segments because of their TCP-MD5 signature: the sockets
/// themselves never learn of it. They are added to `refused`.
///
/// While it goes on, the speaker is told after twice the time each time: a peer that dials with the
/// wrong password for a day is worth some twenty lines of a log, not forty thousand.
pub(super) async fn watch_signatures(reactor: Reactor, refused: Rc<Cell<u64>>) {
    // A kernel that does not tell now has nothing to tell later either.
    let Ok(mut last) = SignatureCounters::read() else {
        return;
    };
    let (mut untold, mut quiet, mut pause) = (0, Duration::ZERO, Duration::ZERO);
    loop {
        tokio::time::sleep(SIGNATURE_INTERVAL).await;
        let Ok(counters) = SignatureCounters::read() else {
            continue;
        };
        let segments = counters.since(last).total();
        last = counters;
        refused.set(refused.get().saturating_add(segments));
        untold += segments;
        quiet += SIGNATURE_INTERVAL;
        if untold > 0 && quiet >= pause {
            reactor.tell(Input::AuthenticationFailed { segments: untold });
            pause = (pause * 2).clamp(SIGNATURE_INTERVAL * 2, LONGEST_PAUSE);
            (untold, quiet) = (0, Duration::ZERO);
        } else if quiet >= LONGEST_PAUSE {
            pause = Duration::ZERO;
        }
    }
}

/// A peer repeats its SYN after one, two and four seconds: each attempt shows soon.
const SIGNATURE_INTERVAL: Duration = Duration::from_secs(2);

/// A password that is wrong for days is told once an hour.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
