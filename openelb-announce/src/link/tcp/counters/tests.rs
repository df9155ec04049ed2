//! Tests of the counters of refused segments.

use super::*;

#[test]
fn the_three_numbers_are_found_by_name() {
    let text = "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure Other\n\
                TcpExt: 1 2 3 4 5\nIpExt: InNoRoutes TCPMD5Failure\nIpExt: 6 7\n";
    let counters = SignatureCounters::parse(text);
    let expected = SignatureCounters {
        wrong: 4,
        missing: 2,
        unexpected: 3,
    };
    assert_eq!(counters, expected);
    assert_eq!(counters.total(), 9);
    assert_eq!(counters.since(expected), SignatureCounters::default());
}

#[test]
fn a_kernel_without_signatures_has_counted_nothing() {
    for text in [
        "",
        "TcpExt: A\n",
        "TcpExt: A\nTcpExt: 1\n",
        "TcpExt: TCPMD5Failure\nTcpExt: x\n",
    ] {
        assert_eq!(SignatureCounters::parse(text).total(), 0);
    }
}

#[test]
fn this_kernel_tells_its_numbers() {
    SignatureCounters::read().unwrap();
}
