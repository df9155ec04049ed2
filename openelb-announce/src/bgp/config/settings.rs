//! How to speak with one peer.

use super::Password;
use crate::bgp::asn::Asn;
use crate::bgp::family::{Family, FamilySet, PerFamily};
use crate::bgp::policy::{Policy, PrefixRange};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// How to speak with one peer. What is not said has the default that the field names.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own that users turn on or off"
)]
pub struct Settings {
    /// Which AS the peer must be in. Default: any but ours.
    pub remote_as: RemoteAs,
    /// Our AS as this peer sees it. Default: the speaker's.
    pub local_as: Option<Asn>,
    /// The TCP connection.
    pub transport: Transport,
    /// The TCP-MD5 key (RFC 2385). Default none.
    pub password: Option<Password>,
    /// Wait for the peer to connect instead of dialling it. Default false.
    pub passive: bool,
    /// Keep the session down, and tell the peer why in at most 255 octets (RFC 9003). Default: up.
    pub admin_down: Option<String>,
    /// How long things take.
    pub timers: Timers,
    /// What is exchanged for each family. Default: both families, so that a service with two
    /// addresses is announced with both.
    pub families: PerFamily<FamilySettings>,
    /// Graceful restart (RFC 4724). Default on; `None`: not offered.
    pub graceful_restart: Option<GracefulRestart>,
    /// Offer messages of up to 65,535 octets (RFC 8654). Default false: they save 1.5 % at best.
    pub extended_messages: bool,
    /// Offer IPv4 routes with IPv6 next hops (RFC 8950). Default false, but unnumbered peers need it.
    pub extended_next_hop: bool,
    /// Offer to send everything again on request (RFC 2918, RFC 7313). Default true.
    pub route_refresh: bool,
    /// The address that routes of a family point at, instead of the one that the session has.
    /// Default: the session's.
    pub next_hop: PerFamily<Option<IpAddr>>,
    /// What is done to routes that the speaker's policy lets pass, before they are sent. Default:
    /// nothing.
    pub policy: Option<Arc<Policy>>,
    /// The session ends when the peer sends more prefixes than this (RFC 4486). Default: no limit,
    /// since received routes are only counted.
    pub prefix_limit: Option<u32>,
    /// Keep the routes that the peer sends, to be shown. Default false: they are counted and dropped.
    pub keep_received: bool,
    /// Learn the routes of the peer that lie inside these ranges, for
    /// [`Speaker::learned`](crate::bgp::speaker::Speaker::learned) to choose from. Default: none (RFC
    /// 8212). Of a peer without [`prefix_limit`](Self::prefix_limit) at most 100,000 of each family
    /// are kept.
    pub import: Vec<PrefixRange>,
    /// Refuse routes whose `AS_PATH` does not begin with the peer's AS (RFC 4271 section 6.3).
    /// Default true.
    pub enforce_first_as: bool,
    /// End the session when BFD says that the peer is gone (RFC 5882). Default: do not ask BFD.
    pub liveness: Option<Liveness>,
    /// Ask the peer to prefer other paths, in preparation of maintenance (RFC 8326). Default false.
    pub graceful_shutdown: bool,
    /// For users only.
    pub description: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            remote_as: RemoteAs::External,
            local_as: None,
            transport: Transport::default(),
            password: None,
            passive: false,
            admin_down: None,
            timers: Timers::default(),
            families: PerFamily::from_fn(|_| FamilySettings::default()),
            graceful_restart: Some(GracefulRestart::default()),
            extended_messages: false,
            extended_next_hop: false,
            route_refresh: true,
            next_hop: PerFamily::from_fn(|_| None),
            policy: None,
            prefix_limit: None,
            keep_received: false,
            import: Vec::new(),
            enforce_first_as: true,
            liveness: None,
            graceful_shutdown: false,
            description: None,
        }
    }
}

impl Settings {
    /// The families that are offered to the peer.
    pub fn enabled_families(&self) -> FamilySet {
        let enabled = |family: &Family| self.families[*family].enabled;
        Family::ALL.into_iter().filter(enabled).collect()
    }
}

/// Which AS a peer must be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RemoteAs {
    /// This one.
    Exactly(Asn),
    /// Any but ours.
    External,
    /// Ours.
    Internal,
}

/// How the TCP connection is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transport {
    /// The port that is dialled. Default 179.
    pub port: u16,
    /// The address that is dialled from. Default: the kernel's choice.
    pub source: Option<IpAddr>,
    /// The interface, or VRF, that the connection must use. Default: the kernel's choice.
    pub bind_interface: Option<String>,
    /// The port that is dialled from. Default: the kernel's choice.
    pub local_port: Option<u16>,
    /// How many hops away an external peer may be, 1 to 255. Default: on a link of ours.
    pub multihop: Option<u8>,
    /// Refuse packets that came further than this many hops, 1 to 254 (GTSM, RFC 5082). Default off.
    pub gtsm: Option<u8>,
    /// Find the path's MTU instead of fragmenting. Default true.
    pub mtu_discovery: bool,
    /// The largest TCP segment, 88 to 32,767 octets. Default: the kernel's choice.
    pub tcp_mss: Option<u16>,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            port: PORT,
            source: None,
            bind_interface: None,
            local_port: None,
            multihop: None,
            gtsm: None,
            mtu_discovery: true,
            tcp_mss: None,
        }
    }
}

/// How long things take (RFC 4271 sections 8.1.3 and 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Silence after which the peer is gone, as offered to it: zero (never) or 3 s to 65,535 s, whole
    /// seconds. Default: three times `keepalive` if that is given, else 90 s.
    pub hold: Option<Duration>,
    /// Time between two KEEPALIVEs. Default: a third of the hold time that was agreed on.
    pub keepalive: Option<Duration>,
    /// The longest time between two attempts to connect. Default 120 s.
    pub connect_retry: Duration,
    /// Time before the second attempt to connect; it doubles with each further one, varied by a
    /// quarter, up to `connect_retry`. Default 1 s, so that sessions come up within seconds.
    pub idle_hold: Duration,
    /// Wait this long for the peer's OPEN before sending ours (`DelayOpenTime`). Default: do not wait.
    pub delay_open: Option<Duration>,
    /// Least time between two UPDATE bursts (`MinRouteAdvertisementInterval`). Default zero: only
    /// what changes is sent, and a blocked peer gets the latest state alone.
    pub min_advertisement: Duration,
    /// Time that the peer may take nothing from TCP (RFC 9687). Default: the greater of eight
    /// minutes and twice the hold time.
    pub send_hold: Option<Duration>,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            hold: None,
            keepalive: None,
            connect_retry: Duration::from_mins(2),
            idle_hold: Duration::from_secs(1),
            delay_open: None,
            min_advertisement: Duration::ZERO,
            send_hold: None,
        }
    }
}

impl Timers {
    /// The hold time that is offered; zero means that nobody times out.
    pub fn hold_time(&self) -> Duration {
        self.hold
            .or_else(|| self.keepalive.map(|keepalive| keepalive.saturating_mul(3)))
            .unwrap_or(HOLD_TIME)
    }

    /// The hold time as the OPEN carries it.
    pub fn hold_seconds(&self) -> u16 {
        u16::try_from(self.hold_time().as_secs()).unwrap_or(u16::MAX)
    }

    /// The time between two KEEPALIVEs once both sides agreed on `hold`; `None`: none are sent.
    ///
    /// A peer that offers a shorter hold time gets them more often than configured.
    pub fn keepalive_time(&self, hold: Duration) -> Option<Duration> {
        let third = hold / 3;
        let span = self.keepalive.unwrap_or(third).min(third);
        (!hold.is_zero()).then_some(span)
    }

    /// The send hold time once both sides agreed on `hold` (RFC 9687 section 5).
    pub fn send_hold_time(&self, hold: Duration) -> Duration {
        let default = SEND_HOLD_TIME.max(hold.saturating_mul(2));
        self.send_hold.unwrap_or(default)
    }
}

/// What is exchanged with a peer for one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilySettings {
    /// Offer the family. Default true.
    pub enabled: bool,
    /// Send up to this many paths for each prefix to a peer that takes them (RFC 7911). Default: one.
    pub add_path_send_max: Option<u8>,
    /// Ask the peer to keep the family's routes while we restart (RFC 4724). Default true.
    pub graceful_restart: bool,
    /// Ask the peer to keep them as a last resort for so much longer (RFC 9494), whole seconds up to
    /// 16,777,215 s. Default: not at all.
    pub long_lived: Option<Duration>,
}

impl Default for FamilySettings {
    fn default() -> Self {
        Self {
            enabled: true,
            add_path_send_max: None,
            graceful_restart: true,
            long_lived: None,
        }
    }
}

/// What is offered for graceful restart.
///
/// The forwarding bit is always set: packets to announced addresses are forwarded by the kernel,
/// which does not notice that the speaker restarts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GracefulRestart {
    /// How long the peer should keep our routes, whole seconds up to 4,095 s. Default 120 s.
    pub restart_time: Duration,
    /// Keep routes through NOTIFICATIONs too (the N bit of RFC 8538). Default true: without it a
    /// planned stop that sends one makes the peer delete every route.
    pub notification: bool,
    /// Keep the peer's routes, but do not ask it to keep ours. Default false.
    pub helper_only: bool,
}

impl Default for GracefulRestart {
    fn default() -> Self {
        Self {
            restart_time: Duration::from_mins(2),
            notification: true,
            helper_only: false,
        }
    }
}

/// What BFD has to say in a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Liveness {
    /// No session before BFD is up. Default false: BFD can only end one.
    pub strict: bool,
}

/// The port that IANA assigned to BGP.
pub const PORT: u16 = 179;

/// The hold time that RFC 4271 section 10 suggests.
const HOLD_TIME: Duration = Duration::from_secs(90);

/// RFC 9687 section 5.
const SEND_HOLD_TIME: Duration = Duration::from_mins(8);
