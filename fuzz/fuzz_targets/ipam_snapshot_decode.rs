//! Any snapshot text is an error or a consistent ledger that saves what was read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use openelb_ipam::{Ipam, Snapshot};

fuzz_target!(|bytes: &[u8]| {
    let Ok(snapshot) = serde_json::from_slice::<Snapshot>(bytes) else {
        return;
    };
    if let Ok(ipam) = Ipam::restore(snapshot) {
        assert!(ipam.audit().is_empty(), "{:?}", ipam.audit());
        let saved = ipam.snapshot();
        let again = Ipam::restore(saved.clone()).expect("what a ledger saves can be restored");
        assert_eq!(again.snapshot(), saved);
    }
});
