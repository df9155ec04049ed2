//! The fields of `Eip.spec.vrrp`, one by one.

use std::time::Duration;

use openelb_announce::vrrp::vrid::{UNFIT, vrid_of};
use openelb_announce::vrrp::{Checksum, Interval, Version, Vrid, VridRange};
use openelb_ipam::{Family, Pool};

use super::PoolRouters;
use crate::api::{self, Eip, EipVrrp};
use crate::problem::{Reason, Remarks};
use crate::written;

/// The virtual routers of a pool; a field that was remarked on has its default.
pub(super) fn routers(eip: &Eip, remarks: &mut Remarks) -> PoolRouters {
    let written = eip.spec.vrrp.clone().unwrap_or_default();
    if written.authentication.is_some() {
        let message =
            "VRRP has no authentication any more: RFC 3768 removed it, as it gave no security";
        let next = "remove it here and at the other routers";
        remarks.add(
            Reason::UnsupportedField,
            "spec.vrrp.authentication",
            message,
            next,
        );
    }
    let version = version(eip, &written, remarks);
    let bounds = 1..=254;
    let priority = written::number("spec.vrrp.priority", written.priority, bounds, remarks);
    let key = "spec.vrrp.unhealthyDecrement";
    let decrement = written::number(key, written.unhealthy_decrement, 0..=255, remarks);
    let preempt = written.preempt.unwrap_or(true);
    let text = written.preempt_delay.as_deref();
    let preempt_delay = written::duration("spec.vrrp.preemptDelay", text, LONGEST, remarks);
    let why = "a router that does not preempt waits for nothing";
    let is_default = preempt || preempt_delay.is_none();
    remarks.ignored(is_default, "spec.vrrp.preemptDelay", why);
    PoolRouters {
        vrids: vrids(eip, &written, remarks),
        virtual_mac: written.virtual_mac,
        accept: written.accept_mode,
        priority,
        interval: interval(&written, version, remarks),
        version,
        preempt,
        preempt_delay: preempt_delay.unwrap_or_default(),
        checksum: checksum(&written, version, remarks),
        peers: written::hosts("spec.vrrp.unicastPeers", &written.unicast_peers, remarks),
        decrement: decrement.unwrap_or(UNFIT),
    }
}

/// Those that are written; without any, one that follows from the pool's name.
fn vrids(eip: &Eip, written: &EipVrrp, remarks: &mut Remarks) -> VridRange {
    let every = range("1-255").expect("neither end is zero, and they are in order");
    let by_name = VridRange::single(vrid_of(&eip.metadata.name, every));
    let text = written.vrid_range.trim();
    if written.vrid.is_some() && !text.is_empty() {
        let next = "remove one of the two";
        remarks.invalid("spec.vrrp.vridRange", "there is a `vrid` as well", next);
    }
    let alone: Option<u8> = written::number("spec.vrrp.vrid", written.vrid, 1..=255, remarks);
    if let Some(vrid) = alone.and_then(Vrid::new) {
        return VridRange::single(vrid);
    }
    if text.is_empty() {
        return by_name;
    }
    range(text).unwrap_or_else(|| {
        let message = format!("`{text}` is no range of VRIDs");
        let next = "write the first and the last, such as 100-150, from 1 to 255";
        remarks.invalid("spec.vrrp.vridRange", message, next);
        by_name
    })
}

fn range(text: &str) -> Option<VridRange> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let vrid = |text: &str| Vrid::new(text.trim().parse().ok()?);
    VridRange::new(vrid(first)?, vrid(last)?)
}

fn version(eip: &Eip, written: &EipVrrp, remarks: &mut Remarks) -> Version {
    let number: Option<u32> = written::number("spec.vrrp.version", written.version, 2..=3, remarks);
    if number != Some(2) {
        return Version::V3;
    }
    let pool = crate::pool::spec(eip).ok();
    let pool = pool.and_then(|spec| Pool::try_from(&spec).ok());
    let has_ipv4 = |pool: Pool| {
        pool.ranges()
            .iter()
            .any(|range| range.family() == Family::V4)
    };
    if pool.is_some_and(|pool| !has_ipv4(pool)) {
        let next = "remove it: IPv6 has only version 3";
        remarks.invalid("spec.vrrp.version", "version 2 has no IPv6", next);
    }
    Version::V2
}

fn interval(written: &EipVrrp, version: Version, remarks: &mut Remarks) -> Interval {
    let key = "spec.vrrp.advertisementInterval";
    let text = written.advertisement_interval.as_deref();
    let Some(span) = written::duration(key, text, LONGEST, remarks) else {
        return Interval::SECOND;
    };
    let fits = |interval: &Interval| match version {
        Version::V2 => interval.seconds().is_some(),
        Version::V3 => interval.duration() <= LONGEST_OF_V3,
    };
    let interval = Interval::from_duration(span).ok().filter(fits);
    interval.unwrap_or_else(|| {
        let next = match version {
            Version::V2 => "write whole seconds from 1s to 255s: version 2 knows no other",
            Version::V3 => "write a multiple of 10ms, from 10ms to 40s950ms",
        };
        remarks.invalid(key, format!("{span:?} is no interval of VRRP"), next);
        Interval::SECOND
    })
}

fn checksum(written: &EipVrrp, version: Version, remarks: &mut Remarks) -> Checksum {
    let checksum = match written.checksum {
        api::Checksum::Auto => Checksum::Auto,
        api::Checksum::PseudoHeader => Checksum::PseudoHeader,
        api::Checksum::Plain => Checksum::Plain,
    };
    let is_chosen = version == Version::V2 && checksum != Checksum::Auto;
    let why = "version 2 has only one form";
    remarks.ignored(!is_chosen, "spec.vrrp.checksum", why);
    checksum
}

/// Beyond an hour something else was meant.
const LONGEST: Duration = Duration::from_hours(1);

/// Twelve bits of hundredths (RFC 9568 section 5.2.7).
const LONGEST_OF_V3: Duration = Duration::from_millis(40_950);
