//! Any sequence of operations on the ledger keeps every invariant: the histories of its property tests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::Model;
use openelb_ipam::Ipam;

#[path = "../../openelb-ipam/tests/it/model.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    let (ops, _) = bytes.as_chunks::<6>();
    let mut model = Model::new();
    // Longer inputs find nothing that shorter ones do not, and cost quadratically.
    for op in ops.iter().take(200) {
        model.step(*op);
    }
    let snapshot = model.snapshot();
    let restored = Ipam::restore(snapshot.clone()).expect("what a ledger saves can be restored");
    assert_eq!(restored.snapshot(), snapshot);
});
