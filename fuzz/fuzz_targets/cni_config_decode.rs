//! Any bytes as the configuration of a network, and any text as the arguments of a container: no panic, and
//! what is read keeps its promises.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_cli::cni::{Arguments, Network};

fuzz_target!(|bytes: &[u8]| {
    // The first line is `CNI_ARGS`.
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (arguments, config) = bytes.split_at(end);
    let network = match Network::read(config) {
        Ok(network) => network,
        Err(error) => return assert!(!error.message().is_empty() && !error.next_step().is_empty(), "{error}"),
    };
    let name = &network.place().network;
    assert!(!name.contains('/') && !name.starts_with('.') && !name.is_empty());
    let _ = network.valid_attachments();
    let Ok(addressing) = network.addressing(&Arguments(String::from_utf8_lossy(arguments).into_owned())) else {
        return;
    };
    assert!(!addressing.sets.is_empty());
    let mut seen = openelb_ipam::RangeSet::new();
    for set in &addressing.sets {
        assert!(!set.spans().is_empty());
        for span in set.spans() {
            assert_eq!(span.family(), set.family());
            seen.insert_disjoint(span.addresses).expect("ranges lie apart");
            assert!(openelb_ipam::AddressRange::from(span.subnet).contains(span.addresses.first()));
            assert!(openelb_ipam::AddressRange::from(span.subnet).contains(span.addresses.last()));
        }
    }
});
