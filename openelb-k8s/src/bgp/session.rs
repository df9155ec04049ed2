//! The session's own settings: the TCP connection, the timers, graceful restart.

use std::time::Duration;

use openelb_announce::bgp::config::{self, GracefulRestart, Timers};

use crate::api::{BgpConf, BgpConfSpec, BgpGracefulRestart, BgpPeerSpec, TextNumber};
use crate::problem::{Reason, Remarks};

/// What the speaker's own object says about sessions.
pub(super) fn check_speaker(spec: &BgpConfSpec, remarks: &mut Remarks) {
    let why = "no received route is installed, so there are no paths to choose from";
    remarks.ignored(!spec.use_multiple_paths, "spec.useMultiplePaths", why);
    if let Some(written) = &spec.graceful_restart {
        check_restart(written, remarks);
    }
}

/// The TCP connection.
pub(super) fn transport(spec: &BgpPeerSpec, remarks: &mut Remarks) -> config::Transport {
    let defaults = config::Transport::default();
    let written = spec.transport.clone().unwrap_or_default();
    let why = "it is a state that the neighbour's address already says";
    let is_empty = written.remote_address.is_empty();
    remarks.ignored(is_empty, "spec.transport.remoteAddress", why);
    let mut number = |key: &str, value: u32| {
        u16::try_from(value).unwrap_or_else(|_| {
            let next = "write at most 65535";
            remarks.invalid(
                format!("spec.transport.{key}"),
                format!("{value} is too large"),
                next,
            );
            0
        })
    };
    let port = Some(number("remotePort", written.remote_port)).filter(|port| *port > 0);
    let local_port = Some(number("localPort", written.local_port)).filter(|port| *port > 0);
    let tcp_mss = Some(number("tcpMss", written.tcp_mss)).filter(|size| *size > 0);
    let source = written.local_address.trim();
    let source = (!source.is_empty()).then(|| source.parse()).transpose();
    let source = source.unwrap_or_else(|_| {
        let message = format!("`{}` is no address", written.local_address);
        let next = "write an address of this node";
        remarks.invalid("spec.transport.localAddress", message, next);
        None
    });
    config::Transport {
        port: port.unwrap_or(defaults.port),
        source,
        bind_interface: Some(written.bind_interface).filter(|name| !name.is_empty()),
        local_port,
        multihop: multihop(spec, remarks),
        gtsm: spec.ttl_security.as_ref().map(|security| security.hops),
        mtu_discovery: written.mtu_discovery.unwrap_or(defaults.mtu_discovery),
        tcp_mss,
    }
}

fn multihop(spec: &BgpPeerSpec, remarks: &mut Remarks) -> Option<u8> {
    let written = spec.ebgp_multihop.as_ref()?;
    let key = "spec.ebgpMultihop.multihopTtl";
    if !written.enabled {
        if written.multihop_ttl > 0 {
            let next = "write `enabled: true` beside it, or remove it";
            remarks.invalid(key, "it has no effect without `enabled: true`", next);
        }
        return None;
    }
    match u8::try_from(written.multihop_ttl) {
        Ok(0) => Some(u8::MAX),
        Ok(ttl) => Some(ttl),
        Err(_) => {
            let message = format!("{} hops are too many", written.multihop_ttl);
            remarks.invalid(key, message, "write 1 to 255");
            None
        }
    }
}

/// The timers. Zero means the default where it could not mean anything else.
pub(super) fn timers(spec: &BgpPeerSpec, remarks: &mut Remarks) -> Timers {
    let defaults = Timers::default();
    let written = spec
        .timers
        .as_ref()
        .and_then(|timers| timers.config.clone());
    let written = written.unwrap_or_default();
    let mut seconds = |key: &str, value: Option<TextNumber>| {
        let value = value?.0;
        if value > u64::from(u16::MAX) {
            let message = format!("{value} s is too long");
            let next = "write at most 65535, in seconds";
            remarks.invalid(format!("spec.timers.config.{key}"), message, next);
            return None;
        }
        Some(Duration::from_secs(value))
    };
    let hold = seconds("holdTime", written.hold_time);
    let keepalive = seconds("keepaliveInterval", written.keepalive_interval);
    let is_endless = hold.is_some_and(|hold| hold.is_zero());
    let connect_retry = seconds("connectRetry", written.connect_retry);
    let interval = "minimumAdvertisementInterval";
    let min_advertisement = seconds(interval, written.minimum_advertisement_interval);
    let delay_open = seconds("delayOpen", written.delay_open);
    Timers {
        hold,
        keepalive: keepalive.filter(|keepalive| is_endless || !keepalive.is_zero()),
        connect_retry: connect_retry
            .filter(|retry| !retry.is_zero())
            .unwrap_or(defaults.connect_retry),
        min_advertisement: min_advertisement.unwrap_or(defaults.min_advertisement),
        delay_open: delay_open.filter(|delay| !delay.is_zero()),
        ..defaults
    }
}

/// Graceful restart as it is offered to a peer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Restart {
    pub(super) offered: Option<GracefulRestart>,
    pub(super) long_lived: Option<Duration>,
}

/// What is offered: as the peer says, or else the speaker, or else the defaults.
pub(super) fn restart(
    peer: Option<&BgpGracefulRestart>,
    speaker: Option<&BgpGracefulRestart>,
    remarks: &mut Remarks,
) -> Restart {
    if let Some(written) = peer {
        check_restart(written, remarks);
        if written.deferral_time > 0 {
            let next = "write it into the BgpConf";
            let message = format!("`{}` is not supported for one peer", written.deferral_time);
            let key = "spec.gracefulRestart.deferralTime";
            remarks.add(Reason::UnsupportedField, key, message, next);
        }
    }
    let Some(written) = peer.or(speaker) else {
        return Restart {
            offered: Some(GracefulRestart::default()),
            long_lived: None,
        };
    };
    if written.enabled == Some(false) {
        return Restart::default();
    }
    let defaults = GracefulRestart::default();
    let restart_time = match written.restart_time {
        0 => defaults.restart_time,
        seconds => Duration::from_secs(seconds.into()),
    };
    let stale = Duration::from_secs(written.stale_routes_time.into());
    Restart {
        offered: Some(GracefulRestart {
            restart_time,
            notification: written
                .notification_enabled
                .unwrap_or(defaults.notification),
            helper_only: written.helper_only,
        }),
        long_lived: Some(stale).filter(|_| written.longlived_enabled),
    }
}

/// What is offered to a peer that has no object: as the speaker's says.
pub(crate) fn restart_of(conf: &BgpConf) -> Option<GracefulRestart> {
    // There are remarks about what a peer says alone.
    let mut none = Remarks::about_peer("");
    restart(None, conf.spec.graceful_restart.as_ref(), &mut none).offered
}

fn check_restart(written: &BgpGracefulRestart, remarks: &mut Remarks) {
    let key = |field: &str| format!("spec.gracefulRestart.{field}");
    let why = "it is a state, not a wish";
    remarks.ignored(written.peer_restart_time == 0, key("peerRestartTime"), why);
    remarks.ignored(!written.peer_restarting, key("peerRestarting"), why);
    remarks.ignored(!written.local_restarting, key("localRestarting"), why);
    remarks.ignored(written.mode.is_empty(), key("mode"), why);
    let stale = written.stale_routes_time;
    if written.longlived_enabled && stale == 0 {
        let next = "add `staleRoutesTime:` with the seconds for which routes are kept";
        remarks.invalid(key("longlivedEnabled"), "nothing says for how long", next);
    }
    let why = "received routes are not used, so none are kept while stale";
    remarks.ignored(
        stale == 0 || written.longlived_enabled,
        key("staleRoutesTime"),
        why,
    );
    if written.restart_time > LONGEST_RESTART {
        let message = format!("{} s is too long", written.restart_time);
        remarks.invalid(
            key("restartTime"),
            message,
            "write at most 4095, in seconds",
        );
    }
}

/// RFC 4724 section 3: 12 bits of seconds.
const LONGEST_RESTART: u32 = 4_095;
