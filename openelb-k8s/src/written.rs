//! Values as users write them: what cannot be right becomes a remark, and the value is left out.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::problem::Remarks;

/// A whole number within bounds; `None` when it is absent or was remarked on.
pub(crate) fn number<T: TryFrom<u32> + Copy>(
    key: &str,
    written: Option<u32>,
    bounds: RangeInclusive<u32>,
    remarks: &mut Remarks,
) -> Option<T> {
    let number = written?;
    let fitting = Some(number).filter(|number| bounds.contains(number));
    let fitting = fitting.and_then(|number| T::try_from(number).ok());
    if fitting.is_none() {
        let field = key.rsplit('.').next().unwrap_or(key);
        let message = format!("`{field}` is {number}");
        let (first, last) = (bounds.start(), bounds.end());
        remarks.invalid(key, message, format!("write {first} to {last}"));
    }
    fitting
}

/// A duration such as `90s`, at most `longest`; `None` when it is absent or was remarked on.
pub(crate) fn duration(
    key: &str,
    written: Option<&str>,
    longest: Duration,
    remarks: &mut Remarks,
) -> Option<Duration> {
    let text = written?;
    let read = text.trim().parse::<jiff::SignedDuration>().ok();
    let Some(read) = read.and_then(|read| Duration::try_from(read).ok()) else {
        let next = "write one such as 500ms, 30s or 2m";
        remarks.invalid(key, format!("`{text}` is not a duration"), next);
        return None;
    };
    if read > longest {
        let next = format!("write at most {longest:?}");
        remarks.invalid(key, format!("`{text}` is too long"), next);
        return None;
    }
    Some(read)
}

/// The addresses of other hosts; those that no host can have are remarked on.
pub(crate) fn hosts(key: &str, written: &[String], remarks: &mut Remarks) -> Vec<IpAddr> {
    let mut hosts = Vec::new();
    for (index, text) in written.iter().enumerate() {
        let key = format!("{key}[{index}]");
        match text.trim().parse::<IpAddr>() {
            Ok(address) if is_host(address) && hosts.contains(&address) => {
                remarks.invalid(
                    key,
                    format!("{address} is listed twice"),
                    "remove one of them",
                );
            }
            Ok(address) if is_host(address) => hosts.push(address),
            Ok(address) => {
                let next = "write an address of another node";
                remarks.invalid(key, format!("{address} is no host's address"), next);
            }
            Err(_) => {
                let next = "write an IPv4 or IPv6 address; names are not looked up";
                remarks.invalid(key, format!("`{text}` is no address"), next);
            }
        }
    }
    hosts
}

fn is_host(address: IpAddr) -> bool {
    !address.is_unspecified() && !address.is_multicast() && !address.is_loopback()
}
