//! Checks of what can be set for a peer and for a group alike.

use super::{Faults, Reason};
use crate::bgp::asn::Asn;
use crate::bgp::config::{RemoteAs, Settings, Transport};
use crate::bgp::family::Family;
use std::net::IpAddr;
use std::time::Duration;

pub(super) fn check(settings: &Settings, local_as: Asn, faults: &mut Faults) {
    if let Some(asn) = settings.local_as {
        faults.check_as("local_as", asn);
    }
    if let RemoteAs::Exactly(asn) = settings.remote_as {
        faults.check_as("remote_as", asn);
    }
    check_transport(&settings.transport, faults);
    check_multihop(settings, local_as, faults);
    check_hold(settings, faults);
    check_waits(settings, faults);
    check_families(settings, faults);
    check_restart(settings, faults);
    check_next_hops(settings, faults);
    faults.check("prefix_limit", settings.prefix_limit != Some(0), || {
        Reason::Zero
    });
    let text = settings.admin_down.as_ref().map_or(0, String::len);
    faults.check("admin_down", text <= SHUTDOWN_TEXT, || {
        Reason::TextTooLong(text)
    });
}

pub(super) fn check_source(settings: &Settings, remote: Option<IpAddr>, faults: &mut Faults) {
    let Some(source) = settings.transport.source else {
        return;
    };
    faults.check_unicast("source", source);
    let Some(remote) = remote else {
        return;
    };
    let same_family = source.is_ipv4() == remote.is_ipv4();
    faults.check("source", same_family, || Reason::SourceFamily {
        source_address: source,
        remote,
    });
    faults.check("source", source != remote, || {
        Reason::SourceIsRemote(source)
    });
}

fn check_transport(transport: &Transport, faults: &mut Faults) {
    faults.check("port", transport.port != 0, || Reason::Zero);
    faults.check("local_port", transport.local_port != Some(0), || {
        Reason::Zero
    });
    if let Some(name) = &transport.bind_interface {
        faults.check_interface("bind_interface", name);
    }
    in_range("multihop", transport.multihop, 1, 255, faults);
    // 255 hops would let every packet pass: a hop limit of 0 is not received.
    in_range("gtsm", transport.gtsm, 1, 254, faults);
    in_range("tcp_mss", transport.tcp_mss, 88, 32_767, faults);
}

fn check_multihop(settings: &Settings, local_as: Asn, faults: &mut Faults) {
    let transport = &settings.transport;
    if transport.multihop.is_none() {
        return;
    }
    let is_internal = match settings.remote_as {
        RemoteAs::Exactly(asn) => asn == local_as,
        RemoteAs::Internal => true,
        RemoteAs::External => false,
    };
    faults.check("multihop", !is_internal, || {
        Reason::MultihopInternal(local_as)
    });
    faults.check("multihop", transport.gtsm.is_none(), || {
        Reason::MultihopAndGtsm
    });
}

fn check_hold(settings: &Settings, faults: &mut Faults) {
    let timers = &settings.timers;
    let hold = timers.hold_time();
    check_seconds("hold", hold, u64::from(u16::MAX), faults);
    let is_long_enough = hold.is_zero() || hold >= LEAST_HOLD_TIME;
    faults.check("hold", is_long_enough, || Reason::HoldTooShort(hold));
    if let Some(keepalive) = timers.keepalive {
        let both = keepalive.is_zero() == hold.is_zero();
        faults.check("keepalive", both, || Reason::KeepaliveWithoutHold);
        let fits = keepalive <= hold || !both;
        faults.check("keepalive", fits, || Reason::KeepaliveAboveHold {
            keepalive,
            hold,
        });
    }
    if let Some(send_hold) = timers.send_hold {
        faults.check("send_hold", send_hold > hold, || Reason::SendHoldTooShort {
            send_hold,
            hold,
        });
    }
}

fn check_waits(settings: &Settings, faults: &mut Faults) {
    let timers = &settings.timers;
    faults.check("connect_retry", !timers.connect_retry.is_zero(), || {
        Reason::Zero
    });
    faults.check("idle_hold", !timers.idle_hold.is_zero(), || Reason::Zero);
}

fn check_families(settings: &Settings, faults: &mut Faults) {
    let any = settings.families.iter().any(|(_, family)| family.enabled);
    faults.check("families", any, || Reason::NoFamily);
    for (_, family) in settings.families.iter() {
        let sends_none = family.add_path_send_max == Some(0);
        faults.check("add_path_send_max", !sends_none, || Reason::Zero);
        if let Some(time) = family.long_lived {
            check_seconds("long_lived", time, LONGEST_STALE_TIME, faults);
            let is_extension = settings.graceful_restart.is_some();
            faults.check("long_lived", is_extension, || Reason::LongLivedAlone);
        }
    }
}

fn check_restart(settings: &Settings, faults: &mut Faults) {
    if let Some(restart) = settings.graceful_restart {
        check_seconds(
            "restart_time",
            restart.restart_time,
            LONGEST_RESTART_TIME,
            faults,
        );
    }
}

fn check_next_hops(settings: &Settings, faults: &mut Faults) {
    for (family, address) in settings.next_hop.iter() {
        let Some(address) = *address else {
            continue;
        };
        faults.check_unicast("next_hop", address);
        let fits = match family {
            Family::Ipv4Unicast => address.is_ipv4() || settings.extended_next_hop,
            Family::Ipv6Unicast => address.is_ipv6(),
        };
        faults.check("next_hop", fits, || Reason::NextHopFamily {
            address,
            family: family.to_string(),
            hint: match family {
                Family::Ipv4Unicast => {
                    "; turn on extended_next_hop (RFC 8950) or give an IPv4 address"
                }
                Family::Ipv6Unicast => "; give an IPv6 address",
            },
        });
    }
}

fn check_seconds(field: &'static str, span: Duration, most: u64, faults: &mut Faults) {
    faults.check(field, span.subsec_nanos() == 0, || {
        Reason::NotWholeSeconds(span)
    });
    let value = span.as_secs();
    faults.check(field, value <= most, || Reason::OutOfRange {
        value,
        least: 0,
        most,
    });
}

fn in_range(
    field: &'static str,
    value: Option<impl Into<u64>>,
    least: u64,
    most: u64,
    faults: &mut Faults,
) {
    if let Some(value) = value.map(Into::into) {
        let fits = (least..=most).contains(&value);
        faults.check(field, fits, || Reason::OutOfRange { value, least, most });
    }
}

/// RFC 4271 section 4.2.
const LEAST_HOLD_TIME: Duration = Duration::from_secs(3);

/// RFC 4724 section 3: 12 bits of seconds.
const LONGEST_RESTART_TIME: u64 = 4_095;

/// RFC 9494 section 3: 24 bits of seconds.
const LONGEST_STALE_TIME: u64 = 16_777_215;

/// RFC 9003 section 2: one octet of length.
const SHUTDOWN_TEXT: usize = 255;
