//! Tests of the counters of received packets.

use super::*;

#[test]
fn the_packets_are_the_second_number_after_the_colon() {
    let line = "  eth0: 1296148    9527    0    0    0     0          0         0   664016";
    assert_eq!(count(line, "eth0"), Some(9527));
    assert_eq!(count(line, "eth"), None);
    assert_eq!(count("Inter-|   Receive", "eth0"), None);
    assert_eq!(count("eth0:", "eth0"), None);
}

#[test]
fn what_comes_in_over_the_loopback_interface_is_counted() {
    let mut receptions = Receptions::open().unwrap();
    let before = receptions.of("lo").unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"?", socket.local_addr().unwrap()).unwrap();
    assert!(receptions.of("lo").unwrap() > before);
    assert_eq!(receptions.of("no such interface").unwrap(), None);
}
