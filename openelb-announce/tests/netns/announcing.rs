//! Announcers at work on the hosts of a test.

use openelb_announce::announcer::{
    AddressStatus, Announcement, Announcer, Event, InterfaceStatus, Options, Owner, State,
};
use openelb_announce::claim::Probe;

use super::world::{Host, eventually};

/// An announcer on `host` with what most tests want: quick probes and no refreshing.
pub(crate) fn start(host: &Host) -> Announcer {
    host.run(|| Announcer::start(Options::default()).unwrap())
}

/// Announcements of `addresses` on `interfaces` without probing.
pub(crate) fn on(interfaces: &str, addresses: &[&str]) -> Vec<Announcement> {
    probed(interfaces, addresses, Probe::Skip)
}

/// Announcements of `addresses` on `interfaces`.
pub(crate) fn probed(interfaces: &str, addresses: &[&str], probe: Probe) -> Vec<Announcement> {
    let announcement = |address: &&str| Announcement {
        address: address.parse().unwrap(),
        interfaces: interfaces.parse().unwrap(),
        probe,
        owner: Owner::Sole,
    };
    addresses.iter().map(announcement).collect()
}

/// Announces `addresses` on `eth0` of `host` and waits until all are.
pub(crate) fn announced(host: &Host, addresses: &[&str]) -> Announcer {
    let announcer = start(host);
    announcer.announce(on("eth0", addresses)).unwrap();
    until_announced(&announcer);
    announcer
}

/// Waits until everything desired is announced.
pub(crate) fn until_announced(announcer: &Announcer) {
    eventually("everything is announced", || {
        let status = announcer.status();
        !status.is_empty() && status.iter().all(is_announced)
    });
}

pub(crate) fn is_announced(status: &AddressStatus) -> bool {
    matches!(status.state(), State::Announced { .. })
}

/// The state of the only desired address.
pub(crate) fn state(announcer: &Announcer) -> State {
    announcer.status().first().unwrap().state()
}

/// The status of the only interface in use.
pub(crate) fn interface(announcer: &Announcer) -> InterfaceStatus {
    announcer.interfaces().into_iter().next().unwrap()
}

/// Waits for an event that `wanted` picks.
pub(crate) fn until_event<T>(
    announcer: &Announcer,
    what: &str,
    wanted: impl Fn(&Event) -> Option<T>,
) -> T {
    let mut found = None;
    eventually(what, || {
        while let Ok(event) = announcer.events().try_recv() {
            found = found.take().or_else(|| wanted(&event));
        }
        found.is_some()
    });
    found.unwrap()
}
