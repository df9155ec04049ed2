//! Kernel settings of one interface that decide whether announcements do any good.

use std::path::Path;

/// The settings that matter for IPv4, as they take effect: the greater of the interface's value and
/// that of `all` (ip-sysctl.rst). `None` when they cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ipv4Settings {
    /// For which local addresses the kernel answers ARP: 0 means all, on every interface.
    pub(crate) arp_ignore: Option<u8>,
    /// Is the source of packets checked: 1 means against the very interface.
    pub(crate) rp_filter: Option<u8>,
}

impl Ipv4Settings {
    /// Reads four small files under `/proc/sys`.
    pub(crate) fn read(interface: &str) -> Self {
        Self {
            arp_ignore: effective(interface, "arp_ignore"),
            rp_filter: effective(interface, "rp_filter"),
        }
    }
}

fn effective(interface: &str, setting: &str) -> Option<u8> {
    [interface, "all"]
        .iter()
        .filter_map(|place| value(place, setting))
        .max()
}

fn value(place: &str, setting: &str) -> Option<u8> {
    // An interface name cannot hold a slash, so this stays below the directory.
    let path = Path::new("/proc/sys/net/ipv4/conf")
        .join(place)
        .join(setting);
    std::fs::read_to_string(path).ok()?.trim().parse().ok()
}
