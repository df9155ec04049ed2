//! Tests of the checks at the door and of the order of the set.

use super::*;

fn announcement(address: &str, interfaces: &str) -> Announcement {
    Announcement {
        address: address.parse().unwrap(),
        interfaces: interfaces.parse().unwrap(),
        probe: Probe::Skip,
    }
}

#[test]
fn a_set_is_sorted_and_repetitions_are_one() {
    let desired = DesiredSet::new(vec![
        announcement("2001:db8::1", "eth0"),
        announcement("192.0.2.2", "eth1"),
        announcement("192.0.2.2", "eth0"),
        announcement("192.0.2.2", "eth1"),
    ])
    .unwrap();
    let entries: Vec<_> = desired
        .entries
        .iter()
        .map(|entry| {
            let selector = &desired.selectors[usize::from(entry.selector)];
            (entry.address.to_string(), selector.to_string())
        })
        .collect();
    let expected = [
        ("192.0.2.2", "eth0"),
        ("192.0.2.2", "eth1"),
        ("2001:db8::1", "eth0"),
    ];
    let mut sorted = entries;
    sorted.sort();
    assert_eq!(sorted, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn addresses_that_no_host_can_own_are_refused_by_name() {
    for (address, reason) in [
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("224.0.0.5", "multicast"),
        ("ff02::1", "multicast"),
        ("255.255.255.255", "broadcast"),
        ("::ffff:192.0.2.1", "mapped"),
    ] {
        let error = DesiredSet::new(vec![announcement(address, "all")])
            .unwrap_err()
            .to_string();
        assert!(error.contains(address) && error.contains(reason), "{error}");
    }
}
