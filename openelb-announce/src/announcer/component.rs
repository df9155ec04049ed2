//! What the parts of the announcer have in common that decide whose an address is.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::desired::DesiredSet;
use super::report::Snapshot;
use super::stations::Stations;
use crate::driver::opener::Answer;
use crate::link::topology::Topology;
use crate::ownership::NodeId;
use crate::time::Time;

/// A part of the I/O thread's work that tells stations which of their addresses are this host's.
///
/// It has sockets and deadlines of its own. Stations know nothing of it: it calls
/// [`Stations::acquire`], [`Stations::relinquish`], [`Stations::announce_again`] and
/// [`Stations::renew`]. Everything here is called on the I/O thread and must not block.
pub(crate) trait Component {
    /// Takes over what is desired of it. `links` are those that each selector means at present.
    ///
    /// Called for every new set and whenever selectors mean other links, after stations were led to
    /// it: they have given up what is gone, and what is new stands by.
    fn lead(
        &mut self,
        desired: &DesiredSet,
        links: &[BTreeSet<u32>],
        around: &mut Surroundings<'_>,
    ) -> io::Result<()>;

    /// Links or addresses of the host have changed.
    fn follow_links(&mut self, around: &mut Surroundings<'_>) -> io::Result<()>;

    /// The descriptor that it watches under `token` can be read.
    fn feed(&mut self, token: u64, around: &mut Surroundings<'_>) -> io::Result<()>;

    /// The opener has something to say; what this component did not ask for is given back.
    fn take(&mut self, answer: Answer, around: &mut Surroundings<'_>) -> Option<Answer>;

    /// The handle wants something done that is no part of the desired set.
    fn obey(&mut self, command: &Command, around: &mut Surroundings<'_>);

    /// Has somebody else taken what was given up by [`Command::Leave`], as far as anybody can?
    fn has_left(&self, now: Time) -> bool;

    /// The instant at which [`handle_timeout`](Self::handle_timeout) must be called next.
    fn poll_timeout(&self) -> Option<Time>;

    /// It is `around.now`. Harmless when nothing is due.
    fn handle_timeout(&mut self, around: &mut Surroundings<'_>);

    /// What it decides on, for people.
    fn concern(&self) -> &'static str;

    /// For how long the thread may be kept from running before it must be told of it.
    fn longest_pause(&self) -> Option<Duration>;

    /// The thread did not run for `pause`, which may be shorter than its own longest one: what waits
    /// at its sockets, and at the ports of its stations, is of no worth any more, and others may
    /// have taken over.
    fn fence(&mut self, pause: Duration, around: &mut Surroundings<'_>);

    /// Adds how everything stands to a report.
    fn describe(&self, snapshot: &mut Snapshot);
}

/// What the handle can want of components besides a desired set.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Hand over what others can have and take nothing, or take part again.
    Drain(bool),
    /// Tell another node to do that.
    Order(NodeId, bool),
    /// Shards of this fence group may be owned on the interface of this name until then, or no longer.
    Permit {
        interface: Arc<str>,
        fence: u16,
        until: Option<Time>,
    },
    /// Give up everything for good.
    Leave,
}

/// What a component finds around it.
pub(crate) struct Surroundings<'a> {
    /// Where its addresses are answered for; with them the opener, the events, the poller.
    pub(crate) stations: &'a mut Stations,
    /// The host's links and addresses.
    pub(crate) topology: &'a Topology,
    /// What time it is.
    pub(crate) now: Time,
}
