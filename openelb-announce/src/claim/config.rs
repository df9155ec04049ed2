//! How a machine behaves, with the reason of every default.

use std::time::Duration;

/// The behaviour of one machine on one interface. Start from `Config::default()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Seeds all jitter. Give every host and interface another one, or hosts that start together
    /// also probe together. Default 0, which is fit for tests only.
    pub seed: u64,
    /// How an address is made known once it may be used.
    pub announce: AnnouncePlan,
    /// The ceiling for all frames that nobody asked for: probes, announcements and defences.
    pub rate: RateLimit,
    /// What to do about another station that uses an announced address. Default [`Defence::Defend`].
    pub defence: Defence,
    /// The least time between two defences, and between two reports, of one address. Default 10 s:
    /// `DEFEND_INTERVAL` of RFC 5227 section 1.1.
    pub defend_interval: Duration,
    /// How long an address whose probing met a conflict stays silent before it is probed again.
    /// Default 5 s. After ten conflicts it is one minute (`MAX_CONFLICTS`, `RATE_LIMIT_INTERVAL` of
    /// RFC 5227 section 1.1) if that is longer.
    pub retry: Duration,
    /// How many solicited-node groups to be a member of at most. Default 1024: the kernel walks its
    /// list of groups for every multicast packet (with 10,000 of them its own answers went from
    /// 15 us to 645 us), and one socket holds 2,340.
    pub max_groups: usize,
    /// Should Neighbor Advertisements carry the router flag? Set it if the host forwards packets for
    /// others. Default false: a host that loses the flag again drops out of its clients' default
    /// router lists (RFC 4861 section 7.2.5).
    pub router: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 0,
            announce: AnnouncePlan::default(),
            rate: RateLimit::default(),
            defence: Defence::default(),
            defend_interval: Duration::from_secs(10),
            retry: Duration::from_secs(5),
            max_groups: 1024,
            router: false,
        }
    }
}

/// How often an address is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncePlan {
    /// Announcements after a claim. Default 3: RFC 5227 asks for two, RFC 4861 section 7.2.6 allows
    /// three, and a network that is converging drops the first ones.
    pub count: u8,
    /// From the first to the second announcement; every further gap is twice as long. Default 1 s
    /// (thus 0, 1 and 3 s). Anything shorter is taken as 1 s, `RetransTimer` of RFC 4861 section 10.
    pub interval: Duration,
    /// From then on, the mean time between refreshing announcements, which keep switches that forget
    /// and clients that missed everything on course; each gap varies by a quarter. Default 60 s. It is
    /// longer where more than 20 addresses a second would be refreshed, as it is every node of the
    /// segment that pays for each, and any one address keeps a switch on course. `None` turns
    /// them off.
    pub refresh: Option<Duration>,
}

impl Default for AnnouncePlan {
    fn default() -> Self {
        Self {
            count: 3,
            interval: Duration::from_secs(1),
            refresh: Some(Duration::from_mins(1)),
        }
    }
}

/// A token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Frames per second in the long run. Default 20,000: 10,000 addresses become known within
    /// half a second, at a tenth of what one core can send. Zero is taken as one.
    pub per_second: u32,
    /// Frames that may leave at once after a pause. Default 200, which is 10 ms worth: more would
    /// overrun the receive queues of clients. Zero is taken as one, and of more than 512 the rest
    /// leaves after other work of the thread, such as beats.
    pub burst: u32,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            per_second: 20_000,
            burst: 200,
        }
    }
}

/// What to do about another station that uses an announced address (RFC 5227 section 2.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Defence {
    /// Announce again, at most once per `defend_interval`, and keep answering: (c) of that section,
    /// for a host that was told to own the address.
    #[default]
    Defend,
    /// Be silent at once and probe again later: (a) of that section.
    Yield,
}
