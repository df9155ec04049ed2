//! What the clients see while something happens: who answers their questions, and who has which
//! address.

use std::io;
use std::net::IpAddr;
use std::thread;
use std::time::Duration;

use openelb_announce::wire::Mac;

use super::super::trouble::Trouble;
use super::super::{Scenario, within};
use crate::lab::capture::{Capture, Sighting};
use crate::lab::census::{Census, Tally};
use crate::lab::cluster;
use crate::lab::plan::PORT;
use crate::lab::probe::{Stream, StreamReport};

/// Clients that ask, from [`Watch::start`] to [`Watch::finish`].
#[derive(Debug)]
pub(super) struct Watch {
    posts: Vec<Post>,
}

#[derive(Debug)]
struct Post {
    client: &'static str,
    streams: Vec<Stream>,
    census: Census,
    capture: Capture,
}

/// What one client saw. All times are those of the play's clock.
#[derive(Debug)]
pub(super) struct View {
    /// Which client.
    pub(super) client: &'static str,
    /// What its questions to the watched service led to, IPv4 first.
    pub(super) streams: Vec<StreamReport>,
    /// Who has which address.
    pub(super) tally: Tally,
    /// What was said about addresses.
    pub(super) heard: Vec<Sighting>,
}

impl Watch {
    /// Starts asking from these clients, and waits until somebody answers for every address.
    pub(super) fn start(play: &Scenario<'_>, clients: &[&'static str]) -> Result<Self, Trouble> {
        let posts = clients.iter().map(|client| Post::take(play, client));
        let watch = Self {
            posts: posts.collect::<Result<_, _>>()?,
        };
        for post in &watch.posts {
            for address in cluster::addresses() {
                let expected = format!("somebody answers {} for {address}", post.client);
                within(PATIENCE, &expected, || {
                    let answer = post.census.last(address);
                    Ok(answer.map(drop).ok_or_else(|| "nobody".to_owned()))
                })?;
            }
        }
        Ok(watch)
    }

    /// Whether `host` was the last to answer a client for an address.
    pub(super) fn is_answered_by(&self, client: &str, address: IpAddr, host: Mac) -> bool {
        self.last(client, address) == Some(host)
    }

    /// Waits until `is_wanted` is true of the last host that answered a client for each of these
    /// addresses.
    pub(super) fn until_answered(
        &self,
        expected: &str,
        client: &str,
        addresses: &[IpAddr],
        is_wanted: impl Fn(Mac) -> bool,
    ) -> Result<(), Trouble> {
        for &address in addresses {
            within(PATIENCE, &format!("{expected}: {address}"), || {
                let last = self.last(client, address);
                let is_done = last.is_some_and(&is_wanted).then_some(());
                Ok(is_done.ok_or_else(|| format!("{last:?} answers {client}")))
            })?;
        }
        Ok(())
    }

    /// Waits until both clients hear the same host for every address.
    pub(super) fn until_agreed(&self, one: &str, other: &str) -> Result<(), Trouble> {
        for address in cluster::addresses() {
            let expected = format!("{one} and {other} hear one owner of {address}");
            within(PATIENCE, &expected, || {
                let (near, far) = (self.last(one, address), self.last(other, address));
                let is_agreed = (near == far).then_some(());
                Ok(is_agreed.ok_or_else(|| format!("{near:?} and {far:?}")))
            })?;
        }
        Ok(())
    }

    /// Goes on for a moment, so that the first answers of a host are not also the last, then stops
    /// asking and tells what was seen.
    pub(super) fn finish(self) -> Result<Vec<View>, Trouble> {
        thread::sleep(AFTERMATH);
        let streams = self.posts.iter().flat_map(|post| &post.streams);
        streams.for_each(Stream::stop);
        self.posts.into_iter().map(Post::leave).collect()
    }

    /// Who answered a client last for an address.
    pub(super) fn last(&self, client: &str, address: IpAddr) -> Option<Mac> {
        let mut posts = self.posts.iter();
        let post = posts.find(|post| post.client == client)?;
        post.census.last(address).map(|answer| answer.from)
    }
}

impl Post {
    fn take(play: &Scenario<'_>, client: &'static str) -> Result<Self, Trouble> {
        let failed = |source| Trouble::Client {
            act: format!("ask from {client}"),
            source,
        };
        let (station, clock) = (play.station(client), play.clock);
        let mac = station.plan.mac;
        let start = move || {
            let capture = Capture::start(clock)?;
            let census = Census::start(&cluster::addresses(), mac, clock)?;
            let ask = |address| Stream::start(address, PORT, INTERVAL, clock);
            let streams: io::Result<Vec<_>> = cluster::watched().into_iter().map(ask).collect();
            Ok((streams?, capture, census))
        };
        let (streams, capture, census) = station.host.run(start).map_err(failed)?;
        Ok(Self {
            client,
            streams,
            census,
            capture,
        })
    }

    fn leave(self) -> Result<View, Trouble> {
        let failed = |source| Trouble::Client {
            act: format!("stop asking from {}", self.client),
            source,
        };
        let streams: Result<Vec<_>, _> = self.streams.into_iter().map(Stream::finish).collect();
        Ok(View {
            client: self.client,
            streams: streams.map_err(failed)?,
            tally: self.census.finish().map_err(failed)?,
            heard: self.capture.finish().map_err(failed)?,
        })
    }
}

/// A thousand questions a second to each address of the watched service.
const INTERVAL: Duration = Duration::from_millis(1);

const AFTERMATH: Duration = Duration::from_millis(300);

/// Calm nodes hold for ten seconds, and give back one service a second then.
const PATIENCE: Duration = Duration::from_mins(1);
